//! Servers that mean no good, or are broken: whatever one of them says, recess stays up, says what is wrong in lines that
//! are its own, sends nothing where it cannot see, and takes only so much memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::config::{Config, Span};
use crate::support::hostile_server::{Hostile, Manners, Say, consumer, info};
use crate::support::recess::{Recess, secs, until};

/// What must come of it.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// The log says it, and nothing is paused.
    Blind,
    /// It does no harm: the consumer is paused. The log says it too.
    Paused,
}
use Then::{Blind, Paused};

struct Case {
    what: &'static str,
    /// The window's consumers.
    window: &'static str,
    manners: Manners,
    then: Then,
    /// In the log.
    told: &'static str,
}

/// A bad answer to one kind of request.
fn twisted(verb: &'static str, say: impl Fn(&Value) -> Say + Send + Sync + 'static) -> Manners {
    Manners {
        twist: Arc::new(move |asked, body| asked.starts_with(verb).then(|| say(body))),
        ..Default::default()
    }
}

fn answer(text: impl Into<Vec<u8>>) -> Say {
    Say::Answer(text.into())
}

/// To LIST.
fn list(what: &'static str, answer: impl Into<Vec<u8>>, told: &'static str) -> Case {
    let answer = Say::Answer(answer.into());
    Case {
        what,
        window: "ORDERS/*",
        manners: twisted("CONSUMER.LIST", move |_| answer.clone()),
        then: Blind,
        told,
    }
}

/// A list with one entry changed.
fn entry(what: &'static str, key: &str, value: Value, told: &'static str) -> Case {
    let mut entry = consumer("billing", None);
    *entry.pointer_mut(key).unwrap_or_else(|| panic!("no {key}")) = value;
    let answer = json!({ "total": 1, "consumers": [entry] });
    list(what, answer.to_string(), told)
}

/// A list with a consumer of that name beside the right one.
fn named(what: &'static str, name: &str) -> Case {
    let entries = json!([consumer("billing", None), consumer(name, None)]);
    let answer = json!({ "total": 2, "consumers": entries });
    Case {
        then: Paused,
        ..list(what, answer.to_string(), " is left out, as its name ")
    }
}

fn say(what: &'static str, verb: &'static str, say: Say, told: &'static str) -> Case {
    Case {
        what,
        window: "ORDERS/billing",
        manners: twisted(verb, move |_| say.clone()),
        then: Blind,
        told,
    }
}

fn greeting(
    what: &'static str,
    greeting: impl Into<Vec<u8>>,
    then: Then,
    told: &'static str,
) -> Case {
    Case {
        what,
        window: "ORDERS/*",
        manners: Manners {
            greeting: Some(greeting.into()),
            ..Default::default()
        },
        then,
        told,
    }
}

fn unasked(what: &'static str, bytes: impl Into<Vec<u8>>, then: Then, told: &'static str) -> Case {
    Case {
        what,
        window: "ORDERS/*",
        manners: Manners {
            unasked: bytes.into(),
            ..Default::default()
        },
        then,
        told,
    }
}

/// Pages that never end.
fn pages(what: &'static str, told: &'static str, page: fn(u64) -> (u64, u64, u64)) -> Case {
    Case {
        what,
        window: "ORDERS/*",
        manners: twisted("CONSUMER.LIST", move |body| {
            let (total, first, count) = page(body["offset"].as_u64().unwrap());
            let entry = |n| {
                let name = format!("c{n:09}");
                format!(
                    r#"{{"name":"{name}","created":"2026-11-01T12:00:00Z","config":{{"durable_name":"{name}"}}}}"#
                )
            };
            let entries: Vec<_> = (first..first + count).map(entry).collect();
            answer(format!(
                r#"{{"total":{total},"consumers":[{}]}}"#,
                entries.join(",")
            ))
        }),
        then: Blind,
        told,
    }
}

fn list_cases() -> Vec<Case> {
    let unreadable = "cannot read the reply to $JS.API.CONSUMER.LIST.ORDERS: ";
    let deep = format!(
        "{{\"total\":1,\"consumers\":{}1{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let crowd = format!(
        "{{\"total\":1,\"consumers\":[{}{{}}]}}",
        "{},".repeat(1_000_000)
    );
    vec![
        list("no JSON", "hello", unreadable),
        list("nothing at all", "", unreadable),
        list("half an answer", r#"{"total":1,"consumers":[{"na"#, unreadable),
        list("a list", "[]", "invalid length 0"),
        list("null", "null", unreadable),
        list("an empty object", "{}", "missing field `total`"),
        list("no UTF-8", b"{\"total\":1,\"consumers\":[{\"name\":\"\xff\xfe\"}]}".to_vec(), unreadable),
        list("a pit of brackets", deep, "is left out, as it has no name: invalid type: sequence"),
        list("a field twice", r#"{"total":1,"total":2,"consumers":[]}"#, "duplicate field `total`"),
        list("a negative total", r#"{"total":-1,"consumers":[]}"#, "invalid value: integer `-1`"),
        list("half a total", r#"{"total":1.5,"consumers":[]}"#, "invalid type: floating point"),
        list("a total beyond all", r#"{"total":99999999999999999999,"consumers":[]}"#, unreadable),
        list("the greatest total", r#"{"total":18446744073709551615,"consumers":[]}"#, "more than 250000 entries"),
        list("a billion in total", r#"{"total":1000000000,"consumers":[]}"#, "more than 250000 entries"),
        list("consumers that are none", r#"{"total":1,"consumers":{"a":1}}"#, "a list of at most 1024 entries"),
        list("a million empty consumers", crowd, "a list of at most 1024 entries"),
        list("a missing one that has no name", r#"{"total":1,"consumers":[],"missing":["a b"]}"#, "consumer `a b` is left out"),
        list("an error that is a text", r#"{"error":"no"}"#, unreadable),
        list("an error of no number", r#"{"error":{"code":-1}}"#, unreadable),
        list(
            "an error that writes log lines",
            json!({ "error": { "code": 500, "description": format!("\n2026-01-01 ERROR fake\x1b[31m\r{}", "a".repeat(1_000_000)) } }).to_string(),
            r"nats-server refused the request: \n2026-01-01 ERROR fake\u{1b}[31m\raaa",
        ),
        entry("a creation that is no time", "/created", json!("soon"), "consumer `billing` is left out, as created `soon` is not a time"),
        entry("a creation that never was", "/created", json!("2026-02-30T00:00:00Z"), "is not a time"),
        entry("a creation far away", "/created", json!("+99999-01-01T00:00:00Z"), "is not a time"),
        entry("a clock that is none", "/ts", json!("2026-11-25T25:00:00Z"), "is not a time"),
        entry("a clock of numbers", "/ts", json!(12), "invalid type: integer `12`"),
        entry("less than nothing waits", "/num_pending", json!(-1), "invalid value: integer `-1`"),
        entry("more than everything waits", "/num_ack_pending", json!(1e30), "is left out, as invalid type: floating point"),
        entry("a config that is none", "/config", json!("x"), "invalid type: string"),
        entry("a name that is a number", "/name", json!(7), "invalid type: integer `7`"),
        entry(
            "a deadline that is no time",
            "/config",
            json!({ "durable_name": "billing", "pause_until": "soon" }),
            "is not a time",
        ),
        named("a space", "a b"),
        named("a dot", "a.b"),
        named("a star", "*"),
        named("all that follows", ">"),
        named("a slash", "a/b"),
        named("a line break", "a\nb"),
        named("a request of its own", "x\r\nPUB $JS.API.STREAM.DELETE.ORDERS 0\r\n\r\n"),
        named("a colour", "\x1b[31mred"),
        named("a bell, a zero, a tab", "\x07\0\t"),
        named("256 letters", &"a".repeat(256)),
        named("a megabyte", &"a".repeat(1_000_000)),
        pages("the same page again and again", "the list kept changing", |_| (50_000, 0, 256)),
        pages("pages of nobody", "the list kept changing", |_| (5_000, 0, 0)),
    ]
}

fn answer_cases() -> Vec<Case> {
    let of_info = "cannot read the reply to $JS.API.CONSUMER.INFO.ORDERS.billing: ";
    let of_account = "cannot read the reply to $JS.API.INFO: ";
    let remaining = |rest: &str| {
        let text = consumer("billing", Some("2099-01-01T00:00:00Z")).to_string();
        let (before, after) = text.split_once("\"pause_remaining\":").unwrap();
        let after = after.split_once(|c: char| !c.is_ascii_digit()).unwrap().1;
        // What follows the number is a comma in the order of the alphabet.
        answer(format!("{before}\"pause_remaining\":{rest},{after}"))
    };
    let info = "CONSUMER.INFO";
    // Without limits that can be read it is paused as ever.
    let limits = |what, answered: &str| Case {
        then: Paused,
        ..say(
            what,
            "STREAM.INFO",
            answer(answered),
            "limits of ORDERS not read: cannot read the reply to $JS.API.STREAM.INFO.ORDERS: ",
        )
    };
    vec![
        limits("limits that are no JSON", "\0\0\0"),
        limits("a stream without a state", r#"{"config":{}}"#),
        limits(
            "an age beyond i64",
            r#"{"config":{"max_age":99999999999999999999},"state":{}}"#,
        ),
        say(
            "a consumer that is no JSON",
            info,
            answer("\0\0\0"),
            of_info,
        ),
        say(
            "a consumer without a creation",
            info,
            answer("{}"),
            "created `` is not a time",
        ),
        say(
            "a rest beyond i64",
            info,
            remaining("99999999999999999999"),
            of_info,
        ),
        say(
            "a rest that is a text",
            info,
            remaining("\"long\""),
            of_info,
        ),
        say("no answer at all", info, Say::Nothing, "no reply to "),
        say(
            "an account that is no JSON",
            "INFO",
            answer("<html>"),
            of_account,
        ),
        say(
            "an account's level below nothing",
            "INFO",
            answer(r#"{"api":{"level":-5}}"#),
            of_account,
        ),
        say(
            "an account's level in words",
            "INFO",
            answer(r#"{"api":{"level":"five"}}"#),
            of_account,
        ),
        say(
            "an account's refusal with a colour",
            "INFO",
            answer("{\"error\":{\"code\":503,\"description\":\"\\u001b]0;owned\\u0007\"}}"),
            r"nats-server refused the request: \u{1b}]0;owned\u{7} (error 503)",
        ),
        Case {
            window: "*/*",
            ..say(
                "streams that are numbers",
                "STREAM.NAMES",
                answer(r#"{"total":1,"streams":[1]}"#),
                "stream `1` is left out",
            )
        },
        Case {
            window: "*/*",
            ..say(
                "a stream that is a subject",
                "STREAM.NAMES",
                answer(r#"{"total":1,"streams":["A.B.>"]}"#),
                "stream `A.B.>` is left out",
            )
        },
        Case {
            window: "*/*",
            ..say(
                "a stream that is a request",
                "STREAM.NAMES",
                answer(r#"{"total":1,"streams":["A\r\nPUB x 0\r\n\r\n"]}"#),
                r"stream `A\r\nPUB x 0\r\n\r\n` is left out",
            )
        },
        Case {
            then: Paused,
            ..say(
                "a write's answer that is no JSON",
                "CONSUMER.PAUSE",
                answer("ok"),
                "cannot read the reply to $JS.API.CONSUMER.PAUSE.ORDERS.billing: ",
            )
        },
        Case {
            then: Paused,
            ..say(
                "a write's answer that never comes",
                "CONSUMER.PAUSE",
                Say::Nothing,
                "no reply to ",
            )
        },
        say("100 MB", info, answer(vec![b' '; 100 << 20]), ""),
        // All of it may have arrived when recess checks; then the line that follows is none.
        say(
            "100 MB without a line break",
            info,
            Say::Bytes(vec![b'a'; 100 << 20]),
            "WARN disconnected: ",
        ),
        say(
            "bytes without an end",
            info,
            Say::Flood(b'a'),
            "sent megabytes that are not a NATS message; recess closed the connection",
        ),
    ]
}

fn protocol_cases() -> Vec<Case> {
    let no_connection = "no connection to NATS: ";
    let foreign = "the server does not speak the NATS protocol";
    let connected = "connected to nats-server 2.15.1";
    let lost = "the connection to nats://";
    let flood = |line: String, count: usize| line.repeat(count);
    let advisory = |kind: &str, consumer: &str, body: &str| {
        format!(
            "MSG $JS.EVENT.ADVISORY.CONSUMER.{kind}.ORDERS.{consumer} 1 {}\r\n{body}\r\n",
            body.len()
        )
    };
    let unknown: String = (0..200_000)
        .map(|n| advisory("CREATED", &format!("c{n}"), "{}"))
        .collect();
    let urls: Vec<String> = (0..5_000).map(|n| format!("127.0.0.1:1\x1b{n}")).collect();
    vec![
        greeting(
            "no word of NATS",
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            Blind,
            no_connection,
        ),
        greeting("noise", vec![0xff; 100_000], Blind, no_connection),
        greeting(
            "a pit of brackets where nobody looks",
            info(&pit()),
            Paused,
            connected,
        ),
        greeting("a fault without words", "-ERR\r\n", Blind, foreign),
        greeting(
            "a length beyond all",
            "MSG a 1 18446744073709551615\r\n",
            Blind,
            foreign,
        ),
        greeting(
            "a fault with a colour",
            "-ERR '\x1b[31mno'\r\n",
            Blind,
            no_connection,
        ),
        greeting("an INFO that is none", "INFO {\r\n", Blind, no_connection),
        greeting(
            "an INFO of nothing",
            "INFO {}\r\n",
            Blind,
            "nats-server  can crash",
        ),
        greeting(
            "an INFO that is no UTF-8",
            b"INFO {\"version\":\"\xff\"}\r\n".to_vec(),
            Blind,
            no_connection,
        ),
        greeting(
            "a version that is a colour",
            info(&json!({ "version": "\x1b[31m9\n9" })),
            Blind,
            r"nats-server \u{1b}[31m9\n9 can crash",
        ),
        greeting(
            "a version of a megabyte",
            info(&json!({ "version": "9".repeat(1_000_000) })),
            Blind,
            "can crash",
        ),
        greeting(
            "a negative payload",
            info(&json!({ "max_payload": -1 })),
            Blind,
            no_connection,
        ),
        greeting(
            "a cluster of thousands of colours",
            info(&json!({ "connect_urls": urls })),
            Paused,
            connected,
        ),
        unasked(
            "a hundred thousand faults",
            flood("-ERR 'no\x1b[31m'\r\n".into(), 100_000),
            Paused,
            r"reports: no\u{1b}[31m",
        ),
        unasked("a fault without words, later", "-ERR\r\n", Blind, lost),
        unasked(
            "a length beyond all, later",
            "MSG a 1 18446744073709551615\r\n",
            Blind,
            lost,
        ),
        unasked("a length below nothing", "MSG a 1 -1\r\n", Blind, lost),
        unasked("an operation that nobody knows", "DANCE\r\n", Blind, lost),
        unasked(
            "headers that are none",
            "HMSG a 1 8 8\r\nnonsense\r\n",
            Blind,
            lost,
        ),
        unasked("an INFO that is none, later", "INFO ]\r\n", Blind, lost),
        unasked(
            "a hundred thousand pings",
            flood("PING\r\n".into(), 100_000),
            Paused,
            connected,
        ),
        unasked(
            "answers that nobody asked for",
            flood("MSG _INBOX.a.b 0 2\r\n{}\r\n".into(), 10_000),
            Paused,
            connected,
        ),
        unasked(
            "messages to nobody",
            flood("MSG a 77 2\r\n{}\r\n".into(), 10_000),
            Paused,
            connected,
        ),
        unasked("advisories of strangers", unknown, Paused, connected),
        unasked(
            "advisories of no names",
            [
                advisory("PAUSE", "a.b", "{}"),
                advisory("PAUSE", "*", "{}"),
                advisory("PAUSE", ">", "{}"),
                advisory("CREATED", "\x1b[31m", "{}"),
                advisory("DELETED", &"a".repeat(100_000), "{}"),
            ]
            .concat(),
            Paused,
            connected,
        ),
        unasked(
            "advisories of nonsense",
            [
                advisory("PAUSE", "billing", "nonsense"),
                advisory("PAUSE", "billing", r#"{"pause_until":7}"#),
                advisory("PAUSE", "billing", r#"{"pause_until":"never"}"#),
                advisory("DANCE", "billing", "{}"),
            ]
            .concat(),
            Paused,
            connected,
        ),
        unasked(
            "denials of everything",
            (0..50_000)
                .map(|n| format!("-ERR 'Permissions Violation for Subscription to \"s{n}\"'\r\n"))
                .collect::<String>(),
            Paused,
            connected,
        ),
    ]
}

/// Deeper than any stack.
fn pit() -> Value {
    let brackets = format!("{}{}", "[".repeat(100), "]".repeat(100));
    json!({ "x": serde_json::from_str::<Value>(&brackets).unwrap() })
}

/// What recess may ever ask this server.
fn possible() -> BTreeSet<&'static str> {
    BTreeSet::from([
        "$JS.API.INFO",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.INFO.ORDERS",
        "$JS.API.CONSUMER.LIST.ORDERS",
        "$JS.API.CONSUMER.INFO.ORDERS.billing",
        "$JS.API.CONSUMER.PAUSE.ORDERS.billing",
    ])
}

/// In MB: of these servers none may make it bigger.
const ROOM: u64 = 400;

/// Plays one case, and says what is wrong.
async fn play(case: Case) -> Result<(u64, u64), String> {
    let Case {
        what,
        window,
        manners,
        then,
        told,
    } = case;
    let server = Hostile::start(manners).await;
    let config = Config::new([server.url()])
        .set(r#"controller.resync = "1s""#)
        .set(r#"controller.request_timeout = "1s""#)
        .window("night", &[window], Span::open_for(120));
    let mut recess = Recess::launch(&config, &[]);
    // A version that it must not use is the one reason to end.
    let may_end = told.ends_with("can crash");
    let mut ended = false;
    let came = tokio::time::timeout(secs(60), async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            ended = recess.end(secs(0)).await.is_some();
            // The port was free a moment ago, and somebody else was faster.
            if ended && recess.log().contains("cannot listen") {
                recess = Recess::launch(&config, &[]);
                continue;
            }
            let paused = then == Blind || !server.writes().is_empty();
            let answers = ended || recess.get("/healthz").await.is_ok();
            if answers
                && paused
                && (ended || !may_end)
                && recess.log().contains(told)
                && !recess.log().is_empty()
            {
                return;
            }
        }
    })
    .await;
    let complain = |why: &str| Err(format!("{what}: {why}\n{}", recess.log()));
    if came.is_err() {
        return complain(&format!(
            "the log does not say {told:?}, or there is no pause"
        ));
    }
    if ended != may_end {
        return complain("it ended, or did not");
    }
    // Whatever comes of it comes again at the next look, two seconds later.
    tokio::time::sleep(secs(2)).await;
    if !ended && recess.get("/healthz").await.ok() != Some((200, "ok\n".to_owned())) {
        return complain("it is not healthy");
    }
    if then == Blind && !server.writes().is_empty() {
        return complain(&format!("it wrote blindly: {:?}", server.writes()));
    }
    let heard = server.heard();
    let possible = possible();
    if let Some(odd) = heard.iter().find(|one| !possible.contains(&*one.subject)) {
        return complain(&format!("it asked {:?}", odd.subject));
    }
    let log = recess.log();
    let odd = |c: char| c.is_control() && c != '\n';
    if log.contains(odd) || log.lines().any(|line| line.len() > 1_000) {
        return complain("its log has more than its own lines");
    }
    if log.contains("panicked")
        && !(told.contains("does not speak")
            || told.contains("was lost")
            || told.contains("the connection to"))
    {
        return complain("it panicked");
    }
    if ended {
        return Ok((0, 0));
    }
    let metrics = recess.metrics().await;
    if metrics.contains(odd) || metrics.lines().any(|line| line.len() > 1_000) {
        return complain("its metrics are odd");
    }
    let memory = recess.memory("VmHWM");
    if memory > ROOM {
        return complain(&format!("it took {memory} MB"));
    }
    Ok((memory, recess.memory("VmRSS")))
}

async fn play_all(cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    let names: BTreeSet<&str> = cases.iter().map(|case| case.what).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let played = stream::iter(cases).map(|case| async {
        let what = case.what;
        (what, play(case).await)
    });
    let ended: Vec<_> = played.buffer_unordered(8).collect().await;
    let wrong: Vec<_> = (ended.iter())
        .filter_map(|(_, end)| end.as_ref().err().cloned())
        .collect();
    for (what, end) in &ended {
        println!("{what}: {:?} MB at most, and in the end", end.as_ref().ok());
    }
    assert!(
        wrong.is_empty(),
        "{} cases went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_are_none_leave_recess_blind_and_well() {
    play_all(list_cases(), 39).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_none_leave_recess_blind_and_well() {
    play_all(answer_cases(), 17).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_keep_to_the_protocol_leaves_recess_well() {
    play_all(protocol_cases(), 24).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_server_in_good_manners_has_its_consumer_paused_once() {
    for window in ["ORDERS/*", "ORDERS/billing", "*/*"] {
        let server = Hostile::start(Manners::default()).await;
        let config = Config::new([server.url()])
            .set(r#"controller.resync = "1s""#)
            .window("night", &[window], Span::open_for(120));
        let recess = Recess::start(&config).await;
        recess.until_ready().await;
        until("it is paused", secs(10), async || {
            (!server.writes().is_empty()).then_some(())
        })
        .await;
        recess.passes(3).await;
        assert_eq!(server.writes().len(), 1, "{:?}", server.writes());
        assert_eq!(recess.complaints(), [""; 0]);
    }
}
