//! Jobs of others' tools: each runs what it would run there.

use std::fs;

use jiff::{Timestamp, ToSpan};

use crate::support::config::Span;
use crate::support::recess::{Recess, secs, until};
use crate::world::{World, begin, ended, folder, python};

/// The scripts of the steps of a workflow, in order, with their names and whether they run always.
fn steps(workflow: &str) -> Vec<(String, bool, String)> {
    let mut steps: Vec<(String, bool, String)> = Vec::new();
    let mut lines = workflow.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("      - name: ") {
            steps.push((name.to_owned(), false, String::new()));
        }
        if line == "        if: always()" {
            steps.last_mut().unwrap().1 = true;
        }
        if line == "        run: |" {
            while let Some(line) = lines.next_if(|line| line.starts_with("          ")) {
                let script = &mut steps.last_mut().unwrap().2;
                *script += line.trim_start();
                *script += "\n";
            }
        }
    }
    steps
}

/// Runs the workflow as GitHub's runner does: the first step that fails ends it, but for those that run always.
async fn run(world: &World, config: &std::path::Path) -> Vec<(String, Option<i32>)> {
    let text = fs::read_to_string(folder().join("deploy.yml")).unwrap();
    let consumers = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("CONSUMERS: "));
    let steps = steps(&text);
    assert_eq!(steps.len(), 4, "{steps:?}");
    let mut failed = false;
    let mut ran = Vec::new();
    for (name, always, script) in steps {
        assert!(!script.is_empty(), "{name} runs nothing");
        if failed && !always {
            continue;
        }
        let mut command = world.command("bash", config);
        command
            .args(["-e", "-o", "pipefail", "-c", &script])
            .env("CONSUMERS", consumers.unwrap());
        let output = begin(command).await.unwrap();
        failed |= !output.status.success();
        ran.push((name, output.status.code()));
    }
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_finds_them_drained_and_leaves_them_running() {
    let world = World::new().await;
    let message = world.take().await;
    let config = world.config().write(world.files.path());
    // It is called while both are paused and the message is done.
    let look =
        "recess wait BILLING/mail BILLING/ledger --for drained --timeout 1s && touch deployed";
    world.program("deploy", look);
    let worker = tokio::spawn(async move {
        tokio::time::sleep(secs(3)).await;
        message.ack().await.unwrap();
    });
    let ran = run(&world, &config).await;
    worker.await.unwrap();
    let statuses: Vec<_> = ran.iter().map(|(_, status)| *status).collect();
    assert_eq!(statuses, [Some(0); 4], "{ran:?}");
    assert!(world.files.path().join("deployed").exists());
    assert!(!world.is_paused().await);

    // One that fails does not leave them paused.
    world.program("deploy", "exit 1");
    let ran = run(&world, &config).await;
    let statuses: Vec<_> = ran.iter().map(|(_, status)| *status).collect();
    assert_eq!(statuses, [Some(0), Some(0), Some(1), Some(0)], "{ran:?}");
    assert!(!world.is_paused().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unit_waits_before_it_starts() {
    let world = World::new().await;
    let unit = fs::read_to_string(folder().join("monthly-report.service")).unwrap();
    let line = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key));
    let before = line("ExecStartPre=/usr/bin/").expect("it waits");
    assert!(line("ExecStart=").is_some() && line("TimeoutStartSec=").is_some());
    let span = Span::opening_in(4, 60);
    let config = world.config().window("month-end", &["BILLING/*"], span);
    let recess = Recess::start(&config).await;
    let words: Vec<&str> = before.split(' ').collect();
    let mut command = world.command(words[0], &recess.config_path());
    command.args(&words[1..]);
    let output = begin(command).await.unwrap();
    assert_eq!(ended(&output), (Some(0), String::new()));
    assert!(Timestamp::now() >= span.opens && world.is_paused().await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Ansible: tests/automation/run"]
async fn the_playbook_replaces_the_workers_while_nobody_works() {
    let world = World::new().await;
    let installed = world.program("install-worker", "touch installed");
    let path = installed.to_str().unwrap();
    let playbook = world.example("playbook.yml", &[("/usr/local/sbin/install-worker", path)]);
    let inventory = world.files.path().join("inventory");
    let local = "ansible_connection=local ansible_python_interpreter=python3";
    fs::write(
        &inventory,
        format!("nats {local}\n[workers]\nworker-1 {local}\n"),
    )
    .unwrap();
    let play = |recess: &Recess| {
        let program = format!("{}/bin/ansible-playbook", python());
        let mut command = world.command("python3", &recess.config_path());
        command
            .args([&program, "-i", "inventory"])
            .arg(&playbook)
            .env("PYTHONPATH", python())
            .env("ANSIBLE_HOME", world.files.path())
            .env("ANSIBLE_NOCOLOR", "1")
            .env("LC_ALL", "C.UTF-8");
        begin(command)
    };
    let window = |span| world.config().window("db-upgrade", &["BILLING/*"], span);

    // Ten minutes are not left of that one.
    let recess = Recess::start(&window(Span::open_for(60))).await;
    let output = play(&recess).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("They resume at "), "{output:?}");
    assert!(!world.files.path().join("installed").exists());

    recess.reload(&window(Span::open_for(3600)));
    until("it is paused for longer", secs(10), async || {
        let until = world.account.look("BILLING/mail").await.until;
        until
            .is_some_and(|until| until > Timestamp::now() + 30.minutes())
            .then_some(())
    })
    .await;
    let output = play(&recess).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(world.files.path().join("installed").exists());
}
