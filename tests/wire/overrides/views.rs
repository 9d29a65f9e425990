//! Overrides in `plan`, `explain` and `status`.

use super::*;
use crate::cli::status;

fn json_of(config: &Config, arguments: &[&str]) -> Value {
    let (exit, out, err) = ask(config, &[arguments, &["--format", "json"]].concat());
    assert_eq!((exit, &*err), (Some(0), ""), "{out}");
    serde_json::from_str(&out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_view_names_the_overrides_that_have_a_part_in_it() {
    let (_world, config) = world().await;
    let span = Span::opening_in(3600, 600);
    let config = night(config, span);
    let opened = done(&config, &["open", "night", "--for", "10m"]);
    let paused = done(&config, &["pause", SHIPPING, "--for", "20m"]);
    let paused = paused[0]["override"].clone();

    let plan = json_of(&config, &["plan"]);
    assert_eq!(plan[0]["overrides"], json!([opened["id"]]), "{plan}");
    assert_eq!(
        (&plan[0]["opens"], &plan[0]["closes"]),
        (&opened["from"], &opened["until"])
    );
    assert_eq!(plan[1]["overrides"], json!([]));
    let (_, text, _) = ask(&config, &["plan"]);
    let line = format!("by {} (open: tests)", id(&opened));
    assert!(
        text.contains("\nOverrides:\n  night open from ") && text.contains(&line),
        "{text}"
    );

    let pauses = json_of(&config, &["plan", "--consumer", SHIPPING]);
    assert_eq!(
        pauses[0]["overrides"],
        json!([opened["id"], paused]),
        "{pauses}"
    );
    let explained = json_of(&config, &["explain", SHIPPING]);
    assert_eq!(explained["desired"]["state"], "paused");
    let because = explained["because"].as_array().unwrap();
    let of = |id: &Value| {
        because
            .iter()
            .find(|one| one["override"] == *id)
            .unwrap()
            .clone()
    };
    let expected = json!({
        "override": opened["id"], "effect": "pause", "from": opened["from"], "until": opened["until"],
        "by": "alice", "reason": "tests",
    });
    assert_eq!(of(&opened["id"]), expected);
    assert_eq!(of(&paused)["effect"], "pause");
    let live = json_of(&config, &["explain", SHIPPING, "--live"]);
    assert_eq!(live["live"]["rule"], "paused", "{live}");
    let offline = json_of(&config, &["explain", SHIPPING, "--offline"]);
    assert_eq!(offline["desired"]["state"], "running");

    let rows = status(&config);
    assert_eq!(rows[0]["overrides"], json!([opened["id"]]), "{rows}");
    assert_eq!(
        rows[1]["overrides"],
        json!([opened["id"], paused]),
        "{rows}"
    );
    assert_eq!(
        (&rows[1]["verdict"], &rows[1]["rule"]),
        (&json!("settled"), &json!("paused"))
    );
}
