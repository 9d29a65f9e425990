//! The permissions that `examples/nats/README.md` prints are enough, and each that is withheld is named.

use std::fs;

use async_nats::ConnectOptions;

use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::documents;
use crate::support::nats_server::{Options, Server};
use crate::support::recess::{Recess, command, complaint_of_status, secs};
use crate::support::world::World;

const PAUSED: &str = r#"consumer_paused{consumer_name="billing",stream_name="ORDERS"}"#;

/// The block that a server's administrator copies.
pub fn printed() -> String {
    let mut blocks = documents::read("examples/nats/README.md").blocks("text");
    blocks.retain(|block| block.contains("permissions: {"));
    assert_eq!(blocks.len(), 1, "the document prints the permissions");
    blocks.remove(0)
}

/// A server's configuration with that user, and one who may do everything.
fn config_with(user: &str) -> String {
    format!("authorization {{ users: [ {{ user: app, password: app }}\n{user} ] }}")
}

/// A server with that user, less what is withheld, and one who may do everything.
struct Restricted {
    server: Server,
    account: Account,
    files: tempfile::TempDir,
}

impl Restricted {
    async fn withholding(withheld: &[&str]) -> Self {
        let mut user = printed();
        for subject in withheld {
            let quoted = format!("{subject:?}");
            assert!(user.contains(&quoted), "{quoted} is not in {user}");
            // A list must not be empty, or everything is allowed.
            user = user.replace(&quoted, r#""nothing""#);
        }
        let options = Options {
            config: config_with(&user),
            ..Default::default()
        };
        let application = ConnectOptions::with_user_and_password("app".into(), "app".into());
        let World { server, account } = World::start(options, application).await;
        account.durable("ORDERS/billing").await;
        let files = tempfile::tempdir().unwrap();
        fs::write(files.path().join("password"), "s3cret").unwrap();
        Self {
            server,
            account,
            files,
        }
    }

    fn config(&self) -> Config {
        Config::new([self.server.url()])
            .set(r#"nats.username = "recess""#)
            .file("nats.password_file", &self.files.path().join("password"))
            .set(r#"nats.inbox_prefix = "_INBOX_recess""#)
            .window("night", &["ORDERS/*", "*/audit"], Span::open_for(60))
    }

    async fn recess(&self) -> Recess {
        Recess::start(&self.config()).await
    }
}

/// Exit status and findings of `recess check --live`.
fn check_live(world: &Restricted) -> (Option<i32>, serde_json::Value) {
    let path = world.config().write(world.files.path());
    let arguments = ["check", "--live", "--format", "json", "--config"];
    let output = command(&[&arguments[..], &[path.to_str().unwrap()]].concat());
    let report = serde_json::from_slice(&output.stdout).expect("JSON");
    (output.status.code(), report)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_permissions_are_enough() {
    let world = Restricted::withholding(&[]).await;
    let recess = world.recess().await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
    let repairs = |cause, count| {
        let series = format!(r#"repairs_total{{cause="{cause}"}}"#);
        let recess = &recess;
        async move { recess.until_metric(&series, count, secs(5)).await }
    };
    world.account.resume("ORDERS/billing").await;
    repairs("resumed", 1.0).await;
    world.account.delete("ORDERS/billing").await;
    world.account.durable("ORDERS/billing").await;
    repairs("recreated", 1.0).await;
    assert!(!recess.log().contains("denied"), "{}", recess.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_not_permitted_is_told_at_once() {
    let world = Restricted::withholding(&["$JS.API.CONSUMER.PAUSE.*.*"]).await;
    let recess = world.recess().await;
    recess
        .until_log(
            "ORDERS > billing: not paused: permission denied to publish to $JS.API.CONSUMER.PAUSE.ORDERS.billing: \
             allow it for recess's NATS user; retrying with growing delays",
        )
        .await;
    let denied = r#"requests_total{action="pause",result="denied"}"#;
    let denied = recess.metric(denied).await;
    assert!(denied.is_some_and(|count| count >= 1.0), "{denied:?}");
    assert_eq!(world.account.look("ORDERS/billing").await.until, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_not_permitted_is_told_at_once() {
    let world = Restricted::withholding(&["$JS.API.CONSUMER.LIST.*"]).await;
    let recess = world.recess().await;
    recess
        .until_log(
            "stream ORDERS: cannot be observed: permission denied to publish to $JS.API.CONSUMER.LIST.ORDERS: allow it for \
             recess's NATS user; recess leaves its consumers unchanged and retries in a few seconds",
        )
        .await;
    let (status, why) = recess.get("/readyz").await.unwrap();
    assert_eq!(status, 503, "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_names_that_are_not_permitted_are_told_and_the_named_stream_is_paused_all_the_same()
{
    let world = Restricted::withholding(&["$JS.API.STREAM.NAMES"]).await;
    let recess = world.recess().await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
    let denied =
        "the streams: cannot be observed: permission denied to publish to $JS.API.STREAM.NAMES";
    recess.until_log(denied).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_info_that_is_not_permitted_is_told_at_once() {
    let world = Restricted::withholding(&["$JS.API.CONSUMER.INFO.*.*"]).await;
    let recess = world.recess().await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
    // Its pause is seen by the list; the advisory of what somebody did asks for the one consumer.
    world.account.resume("ORDERS/billing").await;
    recess
        .until_log(
            "ORDERS > billing: cannot be observed: permission denied to publish to $JS.API.CONSUMER.INFO.ORDERS.billing",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_account_info_nothing_begins_and_every_command_says_why() {
    let world = Restricted::withholding(&["$JS.API.INFO"]).await;
    let words = format!(
        "connected to {}, but permission denied to publish to $JS.API.INFO: allow it for recess's NATS user",
        world.server.url()
    );
    let recess = world.recess().await;
    recess
        .until_log(&format!("{words}; reconnecting twice a second"))
        .await;
    let (status, why) = recess.get("/readyz").await.unwrap();
    assert_eq!((status, why.trim_end()), (503, &*words));
    assert_eq!(
        complaint_of_status(&world.config()),
        format!("error: {words}")
    );
    assert_eq!(recess.complaints().len(), 1, "{:#?}", recess.complaints());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_may_not_be_heard_are_told_and_heard_as_soon_as_they_may() {
    let world = Restricted::withholding(&["_INBOX_recess.>"]).await;
    let words = format!(
        "connected to {}, but permission denied to subscribe to _INBOX_recess.>, so no reply can \
         arrive: allow it for recess's NATS user, or set inbox_prefix in [nats] to an allowed \
         prefix",
        world.server.url()
    );
    let complaint = complaint_of_status(&world.config());
    assert_eq!(complaint, format!("error: {words}"));
    let recess = world.recess().await;
    recess.until_log(&words).await;
    tokio::time::sleep(secs(2)).await;
    assert_eq!(recess.complaints().len(), 1, "{:#?}", recess.complaints());
    // It begins a session twice a second, and each ends its connection.
    let connections = world.server.page("/connz").unwrap();
    let connections: serde_json::Value = serde_json::from_str(&connections).unwrap();
    let count = connections["num_connections"].as_u64().unwrap();
    assert!(count <= 3, "{connections:#}");
    // nats-server applies new permissions to the connections that stand.
    world.server.reload(&config_with(&printed()));
    recess.until_metric(PAUSED, 1.0, secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn advisories_that_may_not_be_heard_are_told_once_and_pauses_are_set_all_the_same() {
    let advisories = ["CREATED", "DELETED", "PAUSE"]
        .map(|kind| format!("$JS.EVENT.ADVISORY.CONSUMER.{kind}.*.*"));
    let withheld: Vec<&str> = advisories.iter().map(String::as_str).collect();
    let mut world = Restricted::withholding(&withheld).await;
    let config = world.config().set(r#"controller.resync = "2s""#);
    let recess = Recess::start(&config).await;
    recess.until_metric(PAUSED, 1.0, secs(10)).await;
    for advisory in &advisories {
        recess.until_log(advisory).await;
    }
    let words = "changes by other clients are observed at the next resync only; allow it for recess's NATS user";
    recess.until_log(words).await;
    world.account.resume("ORDERS/billing").await;
    let repaired = r#"repairs_total{cause="resumed"}"#;
    recess.until_metric(repaired, 1.0, secs(10)).await;

    world.server.restart().unwrap();
    recess.until_log("no connection to NATS").await;
    recess.until_metric("nats_connected", 1.0, secs(10)).await;
    for advisory in &advisories {
        assert_eq!(
            recess.log().matches(advisory).count(),
            1,
            "{}",
            recess.log()
        );
    }

    let (status, report) = check_live(&world);
    assert_eq!(status, Some(3), "{report}");
    let findings = report["findings"].as_array().unwrap();
    let denied = findings
        .iter()
        .filter(|finding| finding["code"] == "denied-advisory");
    assert_eq!(denied.count(), 3, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_live_finds_a_pause_that_is_not_permitted_before_the_night_and_touches_nothing() {
    let world = Restricted::withholding(&["$JS.API.CONSUMER.PAUSE.*.*"]).await;
    let (status, report) = check_live(&world);
    assert_eq!(status, Some(3), "{report}");
    let findings = report["findings"].as_array().unwrap();
    let found: Vec<_> = (findings.iter())
        .filter(|finding| finding["code"] == "not-pausable")
        .collect();
    assert_eq!(found.len(), 1, "{report}");
    assert_eq!(found[0]["subject"], "ORDERS > billing");
    let message = found[0]["message"].as_str().unwrap();
    let words = "recess cannot pause it: permission denied to publish to \
                 $JS.API.CONSUMER.PAUSE.ORDERS.billing";
    assert!(message.starts_with(words), "{message}");

    // Where it is permitted, asking changes nothing: not a pause that is there, and none begins.
    let world = Restricted::withholding(&[]).await;
    world.account.durable("ORDERS/shipping").await;
    let until = Span::open_for(60).closes;
    world.account.pause("ORDERS/shipping", until).await;
    let (_, report) = check_live(&world);
    assert!(!report.to_string().contains("not-pausable"), "{report}");
    assert!(
        world
            .account
            .is_paused_until("ORDERS/shipping", until)
            .await
    );
    assert_eq!(world.account.look("ORDERS/billing").await.until, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_live_tells_of_each_subject_that_it_may_not_ask_and_of_no_other() {
    for (withheld, code, subject, message) in [
        (
            "$JS.API.STREAM.INFO.*",
            "unknown-limits",
            "stream ORDERS",
            "cannot read its limits: permission denied to publish to $JS.API.STREAM.INFO.ORDERS: \
             allow it for recess's NATS user",
        ),
        (
            "$JS.API.CONSUMER.INFO.*.*",
            "not-observed",
            "ORDERS > billing",
            "recess cannot observe it alone: permission denied to publish to \
             $JS.API.CONSUMER.INFO.ORDERS.billing: allow it for recess's NATS user",
        ),
        (
            "$JS.API.CONSUMER.LIST.*",
            "not-observed",
            "stream ORDERS",
            "permission denied to publish to $JS.API.CONSUMER.LIST.ORDERS: allow it for recess's NATS user",
        ),
        (
            "$JS.API.STREAM.NAMES",
            "not-observed",
            "the streams",
            "permission denied to publish to $JS.API.STREAM.NAMES: allow it for recess's NATS user",
        ),
    ] {
        let world = Restricted::withholding(&[withheld]).await;
        let (status, report) = check_live(&world);
        assert_eq!(status, Some(3), "{report}");
        let findings = report["findings"].as_array().unwrap();
        // That nobody is called `audit` is told where the streams could be asked.
        let found: Vec<_> = (findings.iter())
            .filter(|finding| finding["code"] != "matches-nothing")
            .map(|finding| ["code", "subject", "message"].map(|key| finding[key].as_str().unwrap()))
            .collect();
        assert_eq!(found, [[code, subject, message]], "{withheld}");
    }
}
