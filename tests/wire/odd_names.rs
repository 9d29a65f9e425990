//! Names that nats-server takes and that no request, terminal or log line should carry: the odd one is left out and named,
//! and all others go on.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::cli::{ask, status};
use crate::support::config::{Config, Span};
use crate::support::recess::{Recess, secs, until};
use crate::support::world::World;

/// Each as it is, and as recess shows it.
const ODD: [(&str, &str); 5] = [
    ("no\u{a0}break", r"no\u{a0}break"),
    ("es\u{1b}[31mcape", r"es\u{1b}[31mcape"),
    ("be\u{7}ll", r"be\u{7}ll"),
    ("del\u{7f}ete", r"del\u{7f}ete"),
    ("line\u{2028}break", r"line\u{2028}break"),
];

/// A name that a request can carry, and that hides what follows it.
const REVERSED: (&str, &str) = ("evil\u{202e}gnillib", r"evil\u{202e}gnillib");

async fn until_paused(recess: &Recess, stream: &str, names: &[&str]) {
    for name in names {
        let paused = format!(r#"consumer_paused{{consumer_name="{name}",stream_name="{stream}"}}"#);
        recess.until_metric(&paused, 1.0, secs(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_consumer_is_left_out_and_named_and_its_stream_is_paused_all_the_same() {
    let World { server, account } = World::with(&["ORDERS/billing", "ORDERS/zebra"]).await;
    for (name, _) in ODD {
        account.consumer(&format!("ORDERS/{name}")).await;
    }
    let config = Config::new([server.url()])
        .set(r#"controller.resync = "1s""#)
        .window("night", &["ORDERS/*"], Span::open_for(300));
    let recess = Recess::start(&config).await;
    until_paused(&recess, "ORDERS", &["billing", "zebra"]).await;
    let unreadable = r#"list_entries_unreadable{stream_name="ORDERS"}"#;
    recess.until_metric(unreadable, 5.0, secs(5)).await;
    // Each is named once.
    recess.passes(3).await;
    let lines = recess.complaints();
    for (_, shown) in ODD {
        let words = format!(
            "stream ORDERS: consumer `{shown}` is left out, as its name contains characters that \
             no request can carry; recess leaves it unchanged"
        );
        let told = lines.iter().filter(|line| line.ends_with(&words));
        assert_eq!(told.count(), 1, "{words}: {lines:#?}");
    }
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert_eq!(recess.get("/readyz").await.unwrap().0, 200);
    assert_eq!(
        recess.metric(r#"passes_total{result="error"}"#).await,
        Some(0.0)
    );

    let (exit, out, err) = ask(&config, &["status"]);
    assert_eq!(exit, Some(0), "{err}");
    assert!(out.contains("2 of 2 consumers paused"), "{out}");
    let odd = |text: &str| text.contains(|c: char| c.is_control() && c != '\n');
    assert!(!odd(&out) && !odd(&err), "{out}{err}");
    for (_, shown) in ODD {
        let words = format!("note: stream ORDERS: consumer `{shown}` is left out");
        assert!(err.contains(&words), "{err}");
    }
    let (exit, out, _) = ask(&config, &["check", "--live", "--format", "json"]);
    assert_eq!(exit, Some(3));
    let report: Value = serde_json::from_str(&out).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let codes = findings.filter(|finding| finding["code"] == "unreadable-entry");
    assert_eq!(codes.count(), 5, "{out}");

    // The commands go on too, and do not say that all is as it should be.
    let (exit, _, err) = ask(&config, &["resume", "ORDERS/*", "--dry-run"]);
    assert_eq!(exit, Some(0), "{err}");
    let arguments = ["wait", "ORDERS/*", "--for", "drained", "--timeout", "5s"];
    let (exit, _, err) = ask(&config, &arguments);
    assert_eq!(exit, Some(3), "{err}");
    assert!(
        err.contains("unknown: a wildcard leaves out consumers"),
        "{err}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_stream_is_left_out_and_named_and_all_others_are_paused() {
    let World { server, account } = World::with(&["ORDERS/billing", "ORDERS/zebra"]).await;
    for (number, (name, _)) in ODD.iter().enumerate() {
        let config = json!({ "name": name, "subjects": [format!("odd{number}")] });
        let subject = format!("$JS.API.STREAM.CREATE.{name}");
        account.request(&subject, &config.to_string()).await;
        account.consumer(&format!("{name}/worker")).await;
    }
    let config = Config::new([server.url()]).window(
        "night",
        &["*/*", "!KV_*/*", "!OBJ_*/*", "!$MQTT_*/*"],
        Span::open_for(300),
    );
    let recess = Recess::start(&config).await;
    until_paused(&recess, "ORDERS", &["billing", "zebra"]).await;
    let unreadable = r#"list_entries_unreadable{stream_name=""}"#;
    recess.until_metric(unreadable, 5.0, secs(5)).await;
    let lines = recess.complaints();
    for (_, shown) in ODD {
        let words = format!(
            "stream `{shown}` is left out, as its name contains characters that no request \
                     can carry"
        );
        let told = lines.iter().filter(|line| line.contains(&words));
        assert_eq!(told.count(), 1, "{words}: {lines:#?}");
    }
    // Advisories of such names are heard, and harm nobody.
    account
        .pause(
            &format!("{}/worker", ODD[0].0),
            Timestamp::now() + 5.minutes(),
        )
        .await;
    account.delete(&format!("{}/worker", ODD[1].0)).await;
    account.durable("ORDERS/late").await;
    until_paused(&recess, "ORDERS", &["late"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_turns_the_text_around_is_escaped_for_people_and_whole_for_programs() {
    let World { server, account } = World::with(&["ORDERS/billing", "ORDERS/zebra"]).await;
    let (name, shown) = REVERSED;
    account.consumer(&format!("ORDERS/{name}")).await;
    let config = Config::new([server.url()]).window("night", &["ORDERS/*"], Span::open_for(300));
    let recess = Recess::start(&config).await;
    until("it is paused", secs(10), async || {
        account
            .look(&format!("ORDERS/{name}"))
            .await
            .paused
            .then_some(())
    })
    .await;
    recess.until_log(&format!("paused ORDERS > {shown}")).await;
    assert!(!recess.log().contains(name), "{}", recess.log());
    let (_, out, err) = ask(&config, &["status"]);
    assert!(out.contains(&format!("ORDERS > {shown}")), "{out}");
    assert!(!out.contains(name) && !err.contains(name), "{out}{err}");
    let (_, out, err) = ask(&config, &["resume", "ORDERS/evi"]);
    assert!(
        err.contains(&format!("did you mean ORDERS/{shown}?")) || err.contains(shown),
        "{err}"
    );
    assert!(!out.contains(name) && !err.contains(name), "{out}{err}");
    assert_eq!(status(&config)[1]["consumer"], name);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_names_at_the_seams_of_a_lists_pages_cost_themselves_only() {
    let World { server, account } = World::with(&["ORDERS/billing", "ORDERS/zebra"]).await;
    account.memory_stream("MANY", 1).await;
    let names: Vec<String> = (0..600).map(|number| format!("c{number:03}")).collect();
    for name in &names {
        account.consumer(&format!("MANY/{name}")).await;
    }
    // nats-server puts 256 on a page, in the order of the names.
    for number in [0, 253, 254, 255, 256, 509, 510, 599] {
        account.consumer(&format!("MANY/c{number:03}\u{a0}")).await;
    }
    let config = Config::new([server.url()]).window("night", &["MANY/*"], Span::open_for(300));
    let recess = Recess::start(&config).await;
    until("all are paused", secs(20), async || {
        (recess.total("consumer_paused").await == 600.0).then_some(())
    })
    .await;
    let unreadable = r#"list_entries_unreadable{stream_name="MANY"}"#;
    recess.until_metric(unreadable, 8.0, secs(5)).await;
}
