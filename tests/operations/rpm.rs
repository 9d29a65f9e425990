//! The RPM, installed by rpm on a machine: rpm runs on Debian as well, beside dpkg.

use std::path::Path;

use crate::machine::Machine;
use crate::package::{printed, root};
use crate::released::released;
use crate::service::Service;
use crate::support::config::Span;
use crate::support::recess::{secs, until};
use crate::support::world::World;

const BILLING: &str = "ORDERS/billing";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a release: tests/operations/run release FOLDER"]
async fn the_rpm_lives_on_a_machine() {
    let world = World::with(&[BILLING]).await;
    let span = Span::open_for(600);
    let rpm = released(".x86_64.rpm");
    let machine = Machine::boot("rpm", Path::new("/"), &[("/srv/recess.rpm", &rpm)]).await;
    let service = Service::new(&machine, "recess.service", "/etc/recess/recess.toml");

    // rpm does not know what dpkg has installed.
    machine.ok("rpm --install --nodeps --force-debian /srv/recess.rpm");
    // As usual where rpm is at home: an administrator enables and starts it.
    assert!(!service.is_active());
    service.configure(&world.config().window("night", &[BILLING], span));
    let edited = machine.ok("sha256sum /etc/recess/recess.toml");
    service.systemctl("enable --now");
    until("billing is paused", secs(10), async || {
        let paused = world.account.is_paused_until(BILLING, span.deadline());
        paused.await.then_some(())
    })
    .await;

    let (before, tap) = (service.pid(), world.account.tap().await);
    machine.ok("rpm --upgrade --force --nodeps --force-debian /srv/recess.rpm");
    until("it runs again", secs(10), async || {
        (service.is_active() && service.pid() != before).then_some(())
    })
    .await;
    tokio::time::sleep(secs(2)).await;
    assert!(tap.writes().is_empty(), "{:?}", tap.writes());
    assert!(
        world
            .account
            .is_paused_until(BILLING, span.deadline())
            .await
    );
    assert_eq!(machine.ok("sha256sum /etc/recess/recess.toml"), edited);

    machine.ok("rpm --erase --force-debian recess");
    assert!(!service.is_active());
    let left =
        machine.ok("ls /etc/recess; ls /usr/bin/recess /usr/lib/systemd/system/recess* || true");
    assert_eq!(left, "recess.toml.rpmsave");
    assert!(
        world
            .account
            .is_paused_until(BILLING, span.deadline())
            .await
    );
}

#[test]
#[ignore = "needs a release: tests/operations/run release FOLDER"]
fn the_rpm_holds_what_the_debian_package_does() {
    for (rpm, deb) in [
        (".x86_64.rpm", "_amd64.deb"),
        (".aarch64.rpm", "_arm64.deb"),
    ] {
        let (rpm, deb) = (released(rpm), released(deb));
        let listed = printed(
            "rpm",
            &["--query", "--list", "--package", rpm.to_str().unwrap()],
        );
        let holds: Vec<&str> = listed.lines().collect();
        let packed = printed("dpkg-deb", &["--contents", deb.to_str().unwrap()]);
        let mut compared = 0;
        for line in packed.lines().filter(|line| line.starts_with('-')) {
            let path = line.rsplit(" .").next().unwrap().trim_end_matches(".gz");
            let elsewhere = path.replace(
                "/usr/share/zsh/vendor-completions/",
                "/usr/share/zsh/site-functions/",
            );
            let debians = [
                "/usr/share/doc/recess/changelog",
                "/usr/share/doc/recess/copyright",
                "/usr/share/lintian/overrides/recess",
            ];
            if !debians.iter().any(|debians| path.starts_with(debians)) {
                assert!(holds.contains(&&*elsewhere), "no {elsewhere} in {listed}");
                compared += 1;
            }
        }
        assert!(compared > 60, "{packed}");
        assert!(holds.contains(&"/etc/recess/recess.toml"), "{listed}");
        let config = [
            "--query",
            "--configfiles",
            "--package",
            rpm.to_str().unwrap(),
        ];
        assert_eq!(printed("rpm", &config).trim(), "/etc/recess/recess.toml");
    }
}

#[test]
#[ignore = "needs a release: tests/operations/run release FOLDER"]
fn rpmlint_finds_no_error_in_the_rpm() {
    let rules = root().join("config/rpm/rpmlint.toml");
    let rpm = released(".x86_64.rpm");
    printed(
        "rpmlint",
        &["--config", rules.to_str().unwrap(), rpm.to_str().unwrap()],
    );
}
