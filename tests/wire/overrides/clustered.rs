//! On three nodes, with the bucket on all of them.

use jiff::ToSpan;
use serde_json::json;

use super::*;
use crate::hands::pick;
use crate::support::config::MARK;
use crate::support::nats_server::Cluster;
use crate::support::recess::{Recess, reach};

/// Of one replica and of three.
const PATHS: [&str; 2] = ["ONE/billing", "THREE/billing"];

async fn all_held(account: &Account) -> Vec<Option<(Timestamp, i32)>> {
    vec![held(account, PATHS[0]).await, held(account, PATHS[1]).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_followed_with_and_without_a_daemon() {
    let cluster = Cluster::start(3, Default::default()).unwrap();
    let account = Account::connect(&cluster.urls()[0]).await;
    account.memory_stream("ONE", 1).await;
    account.memory_stream("THREE", 3).await;
    for path in PATHS {
        account.consumer(path).await;
    }
    let config = Config::new(cluster.urls()).set(r#"overrides.bucket = "recess""#);
    let config = config.window("night", &["*/billing"], Span::opening_in(7200, 600));
    let (exit, _, err) = ask(&config, &["overrides", "create", "--replicas", "3"]);
    assert_eq!((exit, &*err), (Some(0), ""));
    let (exit, out, _) = ask(&config, &["overrides", "create", "--replicas", "3"]);
    assert_eq!(
        (exit, &*out),
        (Some(0), "Bucket recess exists and is as it should be.\n")
    );

    // Without a daemon.
    let opened = done(&config, &["open", "night", "--for", "10m"]);
    let ends = instant(&opened["until"]);
    assert_eq!(all_held(&account).await, [Some((ends, MARK)); 2]);
    let closed = done(&config, &["close", "night"]);
    assert_eq!(all_held(&account).await, [None; 2]);

    // With one.
    let recess = Recess::start(&config).await;
    recess.until_ready().await;
    let step = async |words: &[&str], path, follows| {
        let (answer, after) = followed(&account, &config, words, path, follows).await;
        println!("{}: {} ms", words[..2].join(" "), after.as_millis());
        // The bound is 2 s, and this machine may be busy.
        assert!(after < SignedDuration::from_secs(5), "{words:?}: {after}");
        answer
    };
    let [one, three] = PATHS;
    step(&["undo", id(&closed)], three, Follows::Until(ends)).await;
    assert_eq!(all_held(&account).await, [Some((ends, MARK)); 2]);
    let later = ends + 5.minutes();
    let words = ["extend", "night", "--for", "5m"];
    let extended = step(&words, three, Follows::Until(later)).await;
    assert_eq!(all_held(&account).await, [Some((later, MARK)); 2]);
    step(&["undo", id(&extended)], three, Follows::Until(ends)).await;
    assert_eq!(all_held(&account).await, [Some((ends, MARK)); 2]);
    let rows = step(&["resume", one], one, Follows::Resumed).await;
    assert_eq!(pick(&rows, &["result"]), json!([["resumed"]]));
    assert_eq!(all_held(&account).await, [None, Some((ends, MARK))]);
    step(&["undo", id(&opened)], three, Follows::Resumed).await;
    assert_eq!(all_held(&account).await, [None; 2]);
    // An end needs nobody.
    let rows = done(&config, &["pause", "THREE/billing", "--for", "15s"]);
    let ends = instant(&rows[0]["until"]);
    assert_eq!(held(&account, PATHS[1]).await, Some((ends, MARK)));
    reach(ends + 2.seconds()).await;
    assert_eq!(all_held(&account).await, [None; 2]);
}
