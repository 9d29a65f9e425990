//! Consumers' metadata decides which of them a window pauses, and which are exempt.

use jiff::ToSpan;
use serde_json::{Value, json};

use crate::cli::{ask, status};
use crate::hands::told;
use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::recess::{Recess, secs, until};
use crate::support::world::World;

const EXEMPT: &str = r#"defaults.exempt = "recess.exempt""#;

/// A durable consumer with that metadata; one that is there is updated, as an application does it.
async fn tag(account: &Account, path: &str, metadata: Value) {
    account
        .consumer_with(path, json!({ "metadata": metadata }))
        .await;
}

fn of(metric: &str, path: &str) -> String {
    let (stream, consumer) = path.split_once('/').unwrap();
    format!(r#"{metric}{{consumer_name="{consumer}",stream_name="{stream}"}}"#)
}

fn narrowed(world: &World, span: Span, condition: &str) -> Config {
    let config = world.config().set(r#"controller.resync = "1s""#);
    let config = config.set(EXEMPT).window("now", &["ORDERS/*"], span);
    config.also(&format!("where = {condition}"))
}

async fn until_paused(account: &Account, path: &str, span: Span) {
    until("it is paused", secs(15), async || {
        let paused = account.is_paused_until(path, span.deadline());
        paused.await.then_some(())
    })
    .await;
}

/// Each rule, against what the server says of consumers: the command and the daemon agree.
#[tokio::test(flavor = "multi_thread")]
async fn each_condition_selects_the_consumers_for_whom_it_holds() {
    let world = World::new().await;
    world.account.stream("ORDERS").await;
    let long = "x".repeat(100 << 10);
    let consumers = [
        ("billing", json!({ "team": "billing", "tier": "gold" })),
        ("mail", json!({ "team": "mail", "tier": "silver" })),
        ("bare", json!({})),
        ("empty", json!({ "team": "", "tier": "bronze" })),
        ("odd", json!({ "team": "a/b c\"d", "": "x", "a b": "c" })),
        ("huge", json!({ "team": long, "tier": "gold" })),
    ];
    for (name, metadata) in &consumers {
        tag(&world.account, &format!("ORDERS/{name}"), metadata.clone()).await;
    }
    let span = Span::open_for(3_000);
    for (condition, selected) in [
        (r#"{ team = "billing" }"#, "billing"),
        (r#"{ team = "bil*" }"#, "billing"),
        (r#"{ team = ["billing", "mail"] }"#, "billing mail"),
        (r#"{ team = "{billing,mail}" }"#, "billing mail"),
        (r#"{ team = "!billing" }"#, "bare empty huge mail odd"),
        (r#"{ team = "*" }"#, "billing empty huge mail odd"),
        (r#"{ team = "!*" }"#, "bare"),
        (r#"{ team = ["mail", "!*"] }"#, "bare mail"),
        (r#"{ team = "" }"#, "empty"),
        (r#"{ team = "a/*" }"#, "odd"),
        (r#"{ team = "x*" }"#, ""),
        (r#"{ "" = "x", "a b" = "c" }"#, "odd"),
        (
            r#"{ team = "*", tier = ["gold", "silver"] }"#,
            "billing huge mail",
        ),
        (r#"{ team = "billing", tier = "silver" }"#, ""),
        (r#"{ team = "Billing" }"#, ""),
    ] {
        let rows = status(&narrowed(&world, span, condition));
        let rows = rows.as_array().unwrap().iter();
        let found: Vec<&str> = rows.map(|row| row["consumer"].as_str().unwrap()).collect();
        assert_eq!(found.join(" "), selected, "{condition}");
    }
    // The daemon pauses just those, and reads no more of the rest than that.
    let config = narrowed(&world, span, r#"{ team = ["billing", "mail"] }"#);
    let recess = Recess::start(&config).await;
    for path in ["ORDERS/billing", "ORDERS/mail"] {
        until_paused(&world.account, path, span).await;
    }
    recess.passes(2).await;
    for path in ["ORDERS/bare", "ORDERS/empty", "ORDERS/odd", "ORDERS/huge"] {
        assert!(!world.account.look(path).await.paused, "{path}");
    }
    assert_eq!(
        recess.metric(r#"window_consumers{window="now"}"#).await,
        Some(2.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upsert_that_drops_tags_within_a_window_does_not_open_the_gate() {
    let world = World::new().await;
    world.account.stream("ORDERS").await;
    for path in ["ORDERS/billing", "ORDERS/late"] {
        tag(&world.account, path, json!({ "team": "billing" })).await;
    }
    tag(&world.account, "ORDERS/late", json!({ "team": "mail" })).await;
    let span = Span::open_for(25);
    let config = narrowed(&world, span, r#"{ team = "billing" }"#);
    let mut recess = Recess::start(&config).await;
    until_paused(&world.account, "ORDERS/billing", span).await;
    // A deploy of an application that knows of no tags.
    let newer = json!({ "description": "version 2" });
    world.account.consumer_with("ORDERS/billing", newer).await;
    recess
        .until_log("ORDERS > billing: metadata no longer matches `where` of window now; it stays paused until ")
        .await;
    let lost = of("consumer_labels_lost", "ORDERS/billing");
    recess.until_metric(&lost, 1.0, secs(10)).await;
    recess.passes(2).await;
    let tap = world.account.tap().await;
    assert!(
        world
            .account
            .is_paused_until("ORDERS/billing", span.deadline())
            .await
    );
    let (exit, told, _) = told(&config, &["explain", "ORDERS/billing", "--live"]);
    assert_eq!(exit, Some(0), "{told}");
    assert_eq!(told["live"]["rule"], "labels-lost", "{told}");
    assert_eq!(
        told["because"][0]["effect"],
        "names it, `where` does not hold"
    );
    let (_, text, _) = ask(&config, &["status"]);
    let row = text.lines().find(|line| line.contains("billing")).unwrap();
    assert!(row.contains("settled: labels-lost"), "{text}");
    assert!(
        row.trim_end().ends_with(" now"),
        "it is still held by its window: {text}"
    );
    let (_, page) = recess.get("/").await.unwrap();
    assert!(
        page.contains("but its metadata no longer matches `where` of now"),
        "{page}"
    );
    // A restart knows no more than the server.
    recess.kill();
    let recess = Recess::start(&config).await;
    recess.passes(2).await;
    assert!(
        world
            .account
            .is_paused_until("ORDERS/billing", span.deadline())
            .await
    );
    // One that starts to match is paused.
    tag(&world.account, "ORDERS/late", json!({ "team": "billing" })).await;
    until_paused(&world.account, "ORDERS/late", span).await;
    let touched = tap.writes().into_iter();
    let billing = touched.filter(|write| write.subject.ends_with(".billing"));
    assert_eq!(billing.count(), 0, "nothing was written to it");
    // It ends as it would have.
    until("it is resumed", secs(40), async || {
        (!world.account.look("ORDERS/billing").await.paused).then_some(())
    })
    .await;
    assert!(jiff::Timestamp::now() + 1.second() >= span.closes);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_becomes_exempt_while_held_is_resumed_and_shown_as_exempt() {
    let world = World::with(&["ORDERS/billing", "ORDERS/mail"]).await;
    let span = Span::open_for(300);
    let config = world.config().set(r#"controller.resync = "1s""#);
    let config = config
        .set(EXEMPT)
        .window("now", &["ORDERS/billing", "ORDERS/*"], span);
    let recess = Recess::start(&config).await;
    for path in ["ORDERS/billing", "ORDERS/mail"] {
        until_paused(&world.account, path, span).await;
    }
    let exempt = of("consumer_exempt", "ORDERS/billing");
    recess.until_metric(&exempt, 0.0, secs(10)).await;
    tag(
        &world.account,
        "ORDERS/billing",
        json!({ "recess.exempt": "true" }),
    )
    .await;
    until("it is resumed", secs(20), async || {
        (!world.account.look("ORDERS/billing").await.paused).then_some(())
    })
    .await;
    recess.until_metric(&exempt, 1.0, secs(10)).await;
    recess
        .until_log("exempt by metadata (1): ORDERS > billing; ")
        .await;
    for counted in ["window_consumers", "window_exempt_consumers"] {
        let metric = format!(r#"{counted}{{window="now"}}"#);
        assert_eq!(recess.metric(&metric).await, Some(1.0), "{counted}");
    }
    let rows = status(&config);
    let row = &rows.as_array().unwrap()[0];
    assert_eq!(
        (&row["consumer"], &row["exempt"]),
        (&json!("billing"), &json!(true))
    );
    let (_, text, _) = ask(&config, &["status"]);
    assert!(text.contains("exempt"), "{text}");
    let (_, text, _) = ask(&config, &["explain", "ORDERS/billing", "--live"]);
    assert!(text.contains("names it, exempt"), "{text}");
    assert!(text.contains("Metadata: recess.exempt \"true\"."), "{text}");
    // A wildcard leaves it out, also where it is a person's; its exact name does not.
    let (exit, rows, err) = told(&config, &["pause", "ORDERS/*", "--for", "1h", "--yes"]);
    assert_eq!(exit, Some(0), "{rows}");
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert!(
        err.contains("wildcards leave out 1 consumer that its metadata makes exempt"),
        "{err}"
    );
    // A value that is none of those that count is better taken for a yes.
    tag(
        &world.account,
        "ORDERS/mail",
        json!({ "recess.exempt": "yes please" }),
    )
    .await;
    recess
        .until_log("exempt by metadata (1): ORDERS > mail; the value of recess.exempt is not true, false or ")
        .await;
    let (exit, out, err) = ask(&config, &["check", "--live"]);
    assert_eq!(exit, Some(3), "{out}{err}");
    let all = out + &err;
    assert!(
        all.contains(
            "[odd-exempt]: ORDERS > mail: its metadata value of recess.exempt is not true, false"
        ),
        "{all}"
    );
    assert!(all.contains("note: exempt by metadata, so no window pauses them (2): ORDERS > billing, ORDERS > mail"), "{all}");
    // Their owners mean it, so the window does not seem to be misspelt.
    assert!(!all.contains("matches-nothing"), "{all}");
    // Back again.
    tag(
        &world.account,
        "ORDERS/billing",
        json!({ "recess.exempt": "false" }),
    )
    .await;
    until_paused(&world.account, "ORDERS/billing", span).await;
}
