//! Servers that cannot pause, and servers that a pause can crash.

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server, binary_of_version};
use crate::support::recess::{Recess, command, secs};

fn start(version: &str) -> Server {
    let options = Options {
        binary: Some(binary_of_version(version).unwrap()),
        ..Default::default()
    };
    Server::start(options).unwrap()
}

fn config(server: &Server) -> Config {
    Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(60))
}

/// `run` and every other command that asks a server say the same and end with 78.
async fn refused(version: &str, reasons: &[&str]) {
    let server = start(version);
    let account = Account::connect(&server.url()).await;
    account.durable("ORDERS/billing").await;
    let tap = account.tap().await;

    let mut recess = Recess::launch(&config(&server), &[]);
    let status = recess.end(secs(10)).await.expect("recess gives up");
    assert_eq!(status.code(), Some(78));
    let mut said = vec![recess.log()];

    let files = tempfile::tempdir().unwrap();
    let path = config(&server).write(files.path());
    let path = path.to_str().unwrap();
    for arguments in [["status"].as_slice(), &["check", "--live"]] {
        let output = command(&[arguments, &["--config", path]].concat());
        assert_eq!(output.status.code(), Some(78), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        said.push(String::from_utf8(output.stderr).unwrap());
    }
    for text in said {
        for reason in reasons {
            assert!(text.contains(reason), "{reason:?} is not in {text}");
        }
        assert!(!text.contains("panicked"), "{text}");
    }
    assert_eq!(tap.all().len(), 0, "{:#?}", tap.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_pauses_is_refused() {
    refused("2.10.26", &["2.10.26", "no consumer pause", "2.12.8"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_a_pause_can_crash_is_refused() {
    refused("2.11.11", &["2.11.11", "crash", "allow_crash_prone"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_a_pause_can_crash_is_used_where_the_config_says_so() {
    let server = start("2.11.11");
    let account = Account::connect(&server.url()).await;
    for number in 0..10 {
        account.durable(&format!("ORDERS/c{number}")).await;
    }
    let span = Span::open_for(60);
    let config = Config::new([server.url()])
        .set("nats.allow_crash_prone = true")
        .window("night", &["ORDERS/*"], span);
    let recess = Recess::start(&config).await;
    // Asking the server here, beside recess, is what crashes it.
    let series = r#"consumer_paused{consumer_name="c9",stream_name="ORDERS"}"#;
    recess.until_metric(series, 1.0, secs(10)).await;
    assert_eq!(recess.total("consumer_paused").await, 10.0);
    assert!(recess.log().contains("2.11.11"), "it warns");
    drop(recess);
    assert!(account.is_paused_until("ORDERS/c9", span.deadline()).await);
}
