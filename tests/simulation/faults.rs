//! Requests that fail, connections that break, and clusters that forget.

use std::collections::BTreeSet;

use recess::consumer::Found;
use recess::jetstream::{Link, Unsuitable};
use recess::plan::Verdict;

use crate::client::{Fate, Mishap, Request, What};
use crate::scene::{NOON, Scene, assert_on_time, at, config, milliseconds, ours, seconds};
use crate::server::Server;

impl Scene {
    fn next_writes(&self, mishaps: &[Mishap]) {
        self.server.state().mishaps = mishaps.iter().copied().map(Some).collect();
    }

    /// When the writes to billing left, in seconds since noon.
    fn sent(&self) -> Vec<f64> {
        let noon = at("12:00:00");
        let since = |at: jiff::Timestamp| at.duration_since(noon).as_secs_f64();
        self.writes()
            .into_iter()
            .map(|(at, ..)| since(at))
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_timed_out_is_not_sent_again_within_five_seconds() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    scene.next_writes(&[Mishap::Dropped]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:30:00").await;
    let sent = scene.sent();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!((5.0..5.5).contains(&sent[1]), "{sent:?}");
    assert_eq!(scene.server.deadline("ORDERS/billing"), ours("13:00:00"));
    assert_eq!(recess.row("ORDERS/billing").problem, None);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_timed_out_and_arrived_all_the_same_is_not_repeated() {
    for after in [100, 2_900, 4_000] {
        let scene = Scene::standalone(&["ORDERS/billing"]);
        scene.next_writes(&[Mishap::Unanswered(after)]);
        let recess = scene.recess(&[NOON]);
        scene.until("12:30:00").await;
        assert_eq!(scene.writes().len(), 1, "arrived after {after} ms");
        assert_eq!(recess.row("ORDERS/billing").problem, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_is_tried_again_with_growing_waits() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    scene.next_writes(&[Mishap::Refused; 5]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:00:20").await;
    assert!(recess.row("ORDERS/billing").problem.is_some());
    scene.until("12:30:00").await;
    let sent = scene.sent();
    let waits: Vec<f64> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, least) in waits.iter().zip([0.1, 1.0, 10.0, 10.0, 10.0]) {
        assert!((least..least + 0.2).contains(wait), "{waits:?}");
    }
    assert_eq!(sent.len(), 6);
    let row = recess.row("ORDERS/billing");
    assert!(!row.contested && row.problem.is_none() && row.found.is_paused());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_a_disconnect_cut_is_sent_again_at_once() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("11:59:59").await;
    for cut in ["12:00:00.1", "12:00:00.3", "12:00:00.5"] {
        // It is on its way; the dice decide whether it gets there.
        scene.server.state().weather.latency = 80..81;
        scene.until(cut).await;
        scene.server.state().weather.latency = 0..1;
        scene.server.disconnect();
        scene.world.pass(milliseconds(50)).await;
        scene.server.somebody_writes("ORDERS/billing", None);
        scene.server.connect();
        scene.world.pass(milliseconds(1)).await;
    }
    scene.until("12:30:00").await;
    let requests = scene.requests();
    let fates: Vec<Fate> = (requests.into_iter())
        .filter(|request| request.what.written().is_some())
        .map(|request| request.fate)
        .collect();
    assert_eq!(fates, [Fate::Cut, Fate::Cut, Fate::Cut, Fate::Answered]);
    let sent = scene.sent();
    assert!((0.55..0.65).contains(&sent[3]), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_connection_that_broke_for_an_instant_it_looks_before_it_writes() {
    // Of a long burst a part leaves first, and then the rest.
    for count in [50, 100] {
        looks_after_the_instant(count).await;
    }
}

async fn looks_after_the_instant(count: usize) {
    let paths: Vec<String> = (0..count)
        .map(|number| format!("ORDERS/c{number}"))
        .collect();
    let scene = Scene::standalone(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let _recess = scene.recess(&[NOON]);
    scene.until("11:59:59").await;
    scene.server.state().weather.latency = 20..21;
    scene.until("12:00:00.05").await;
    let begun = scene.requests().len();
    scene.server.disconnect();
    scene.server.connect();
    scene.until("12:01:00").await;
    let next = &scene.requests()[begun];
    assert!(matches!(next.what, What::List(_)), "{next:?}");
    assert!(paths.iter().all(|path| scene.server.is_paused(path)));
}

#[tokio::test(start_paused = true)]
async fn as_many_writes_as_may_be_under_way_time_out_before_it_looks_again() {
    let paths: Vec<String> = (0..20).map(|number| format!("ORDERS/c{number}")).collect();
    let scene = Scene::standalone(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let recess = scene.recess(&[]);
    scene.until("12:10:00").await;
    scene.forget();
    scene.next_writes(&[Mishap::Dropped; 8]);
    recess.reload(&config(&[NOON]));
    scene.until("12:10:02.9").await;
    assert_eq!(scene.writes().len(), 8);
    // The others do not wait for the next resync.
    scene.until("12:10:03.5").await;
    assert_eq!(scene.writes().len(), 20);
    // Seven left while the eight were being counted.
    let is_write = |request: &Request| request.what.written().is_some();
    let requests = scene.requests();
    let (_, rest) = requests.split_at(requests.iter().position(is_write).unwrap());
    let unlooked = rest.iter().take_while(|request| is_write(request)).count();
    assert!(unlooked < 16, "{unlooked} writes without a look");
    scene.until("12:10:06").await;
    assert!(paths.iter().all(|path| scene.server.is_paused(path)));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_unanswered_writes_held_up_is_looked_at_anew() {
    let paths: Vec<String> = (0..20).map(|number| format!("ORDERS/c{number}")).collect();
    let scene = Scene::standalone(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    scene.server.create(&["EVENTS/mail"]);
    let _recess = scene.recess(&[NOON, ("all", "*/*", "10 12 * * *", "1h")]);
    scene.until("12:09:57").await;
    // The look that prepares 12:10 finds them running, and what it sends is lost: for six seconds.
    scene.server.state().weather.advisories_lost = 100;
    for path in &paths {
        scene.server.somebody_writes(path, None);
    }
    scene.forget();
    scene.next_writes(&[Mishap::Dropped; 30]);
    scene.until("12:10:30").await;
    let is_write = |request: &Request| request.what.written().is_some();
    let requests = scene.requests();
    let (_, rest) = requests.split_at(requests.iter().position(is_write).unwrap());
    let unlooked: Vec<_> = rest
        .iter()
        .take_while(|request| is_write(request))
        .collect();
    let last = unlooked.last().unwrap().at;
    assert!(last > at("12:10:00"), "the change was held up: {last}");
    let mut written = BTreeSet::new();
    for request in &unlooked {
        let (id, _) = request.what.written().unwrap();
        assert!(
            written.insert(id.path()),
            "again without a look: {request:?}"
        );
    }
    assert!(scene.server.is_paused("EVENTS/mail"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_while_the_connection_is_down() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("11:58:00").await;
    scene.server.disconnect();
    scene.forget();
    scene.until("12:20:00").await;
    assert_eq!(scene.requests().len(), 0);
    scene.server.connect();
    scene.until("12:30:00").await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_on_time(writes[0].0, at("12:20:00"));
    let first = &scene.requests()[0];
    assert!(first.what.written().is_none(), "it looks before it writes");
}

#[tokio::test(start_paused = true)]
async fn what_happened_while_the_connection_was_down_is_seen_when_it_returns() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:10:10").await;
    scene.forget();
    scene.server.disconnect();
    scene.world.pass(seconds(1)).await;
    let row = recess.row("ORDERS/billing");
    assert_eq!((row.found, row.verdict), (Found::Unknown, Verdict::Unknown));
    scene.server.somebody_writes("ORDERS/billing", None);
    scene.server.connect();
    scene.world.pass(seconds(1)).await;
    let writes = scene.writes();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_on_time(writes[0].0, at("12:10:11"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_recess_must_not_use_is_asked_nothing() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("11:58:00").await;
    let version = "2.10.26".to_owned();
    scene
        .server
        .becomes(Link::Unsuitable(Unsuitable::NoPause { version }));
    scene.forget();
    scene.until("12:30:00").await;
    assert_eq!(scene.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_may_crash_gets_one_request_at_a_time() {
    let scene = Scene::standalone(&["ORDERS/a", "ORDERS/b", "EVENTS/c", "EVENTS/d"]);
    scene.server.becomes(Link::Up(recess::jetstream::Server {
        version: "2.12.1".to_owned(),
        address: "nats://model:4222".to_owned(),
        connects: 1,
        crash_prone: true,
        denied: Default::default(),
    }));
    let _recess = scene.recess(&[NOON, ("all", "*/*", "0 12 * * *", "1h")]);
    scene.until("12:30:00").await;
    assert_eq!(scene.writes().len(), 4);
    assert_eq!(scene.server.state().most_under_way, 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_a_cluster_lost_is_sent_again_after_five_seconds_and_is_no_fight() {
    let scene = Scene::cluster(&["ORDERS/billing"]);
    scene.next_writes(&[Mishap::Lost; 7]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:00:09").await;
    assert!(recess.row("ORDERS/billing").unconfirmed.is_some());
    scene.until("12:10:00").await;
    let sent = scene.sent();
    assert_eq!(sent.len(), 8, "{sent:?}");
    for pair in sent.windows(2) {
        // The looks for it come at growing distances.
        assert!((5.0..=15.0).contains(&(pair[1] - pair[0])), "{sent:?}");
    }
    let row = recess.row("ORDERS/billing");
    assert!(!row.contested && row.unconfirmed.is_none() && row.found.is_paused());
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_a_cluster_applies_late_is_sent_once() {
    let paths: Vec<String> = (0..20).map(|number| format!("ORDERS/c{number}")).collect();
    let scene = Scene::cluster(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    scene.server.state().weather.false_created = true;
    let recess = scene.recess(&[NOON]);
    scene.until("12:00:03").await;
    assert_eq!(scene.writes().len(), 20);
    for path in &paths {
        let row = recess.row(path);
        assert!(row.found.is_paused() && row.unconfirmed.is_none(), "{path}");
    }
    assert!(scene.questions() < 200, "{} looks", scene.questions());
}

#[tokio::test(start_paused = true)]
async fn a_consumer_whose_node_is_away_is_unknown_and_is_paused_when_it_returns() {
    let scene = Scene::cluster(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    let offline = |server: &Server, away: bool| {
        let id = crate::model::id("ORDERS/billing");
        server.state().consumer_mut(&id).unwrap().offline = away;
    };
    scene.until("11:59:00").await;
    offline(&scene.server, true);
    scene.until("12:10:00").await;
    assert_eq!(scene.writes(), []);
    let row = recess.row("ORDERS/billing");
    assert_eq!((row.found, row.verdict), (Found::Unknown, Verdict::Unknown));
    offline(&scene.server, false);
    scene.until("12:10:06").await;
    assert_eq!(scene.deadlines("ORDERS/billing"), [ours("13:00:00")]);
    assert!(recess.row("ORDERS/billing").found.is_paused());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_died_without_a_word_delays_no_opening() {
    let windows = [NOON, ("events", "EVENTS/*", "0 12 * * *", "1h")];
    // From long before the opening to after its preparation: each is another thing that the silence catches.
    for died in ["11:56:00", "11:59:56", "11:59:57.9", "11:59:58.5"] {
        let scene = Scene::cluster(&["EVENTS/dead", "ORDERS/billing"]);
        let recess = scene.recess(&windows);
        let silent = |silent| {
            let id = crate::model::id("EVENTS/dead");
            scene.server.state().consumer_mut(&id).unwrap().silent = silent;
        };
        scene.until(died).await;
        silent(true);
        scene.until("12:05:00").await;
        let writes = scene.writes();
        let billing = writes.iter().find(|(_, to, _)| to == "ORDERS/billing");
        assert_on_time(billing.expect("it was paused").0, at("12:00:00"));
        assert_eq!(scene.deadlines("ORDERS/billing").len(), 1, "{died}");
        assert_eq!(recess.row("EVENTS/dead").verdict, Verdict::Unknown);
        silent(false);
        scene.until("12:05:06").await;
        assert!(recess.row("EVENTS/dead").found.is_paused(), "{died}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_is_repeated_in_seconds() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[]);
    scene.until("12:10:00").await;
    scene.server.state().weather.times_out = 100;
    recess.reload(&config(&[NOON]));
    scene.until("12:10:02").await;
    scene.server.state().weather.times_out = 0;
    scene.until("12:10:12").await;
    assert!(scene.server.is_paused("ORDERS/billing"));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_right_before_an_opening_delays_it_by_seconds_only() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let _recess = scene.recess(&[NOON]);
    scene.until("11:59:57").await;
    scene.server.state().weather.times_out = 100;
    scene.until("12:00:08").await;
    scene.server.state().weather.times_out = 0;
    scene.until("12:00:38").await;
    assert!(
        scene.server.is_paused("ORDERS/billing"),
        "{:?}",
        scene.requests()
    );
}

#[tokio::test(start_paused = true)]
async fn an_occurrence_in_which_nothing_could_be_paused_is_missed_once() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON, ("mail", "EVENTS/*", "0 12 * * *", "10m")]);
    scene.until("11:58:00").await;
    scene.server.state().weather.refuses = 100;
    scene.until("14:00:00").await;
    let mut missed = recess.story(|story| story.missed.clone());
    missed.sort();
    let names: Vec<&str> = missed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["mail", "noon"]);
    assert_on_time(missed[0].1, at("12:10:00"));
    assert_on_time(missed[1].1, at("13:00:00"));
}

#[tokio::test(start_paused = true)]
async fn an_occurrence_that_paused_somebody_is_not_missed() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    scene.next_writes(&[Mishap::Refused; 1]);
    let recess = scene.recess(&[NOON, ("again", "ORDERS/*", "0 13 * * *", "10m")]);
    scene.until("14:00:00").await;
    assert_eq!(recess.story(|story| story.missed.clone()), []);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_vanishes_and_returns_is_followed() {
    let scene = Scene::standalone(&["ORDERS/billing", "EVENTS/mail"]);
    scene.server.create(&["GONE/soon"]);
    let recess = scene.recess(&[("noon", "*/*", "0 12 * * *", "1h")]);
    scene.until("11:56:00.5").await;
    assert!(recess.find_row("GONE/soon").is_some());
    scene.server.state().weather.advisories_lost = 100;
    scene.server.delete_stream("GONE");
    scene.until("11:58:00").await;
    assert!(recess.find_row("GONE/soon").is_none());
    scene.until("12:05:00").await;
    scene.server.delete_stream("ORDERS");
    scene.world.pass(seconds(70)).await;
    scene.server.state().weather.advisories_lost = 0;
    assert!(recess.find_row("ORDERS/billing").is_none());
    scene.server.create(&["ORDERS/billing"]);
    scene.world.pass(seconds(1)).await;
    assert!(scene.server.is_paused("ORDERS/billing"));
    scene.until("13:30:00").await;
    assert_eq!(scene.writes().len(), 3);
    recess.reload(&config(&[]));
    scene.world.pass(seconds(70)).await;
    assert_eq!(scene.writes().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_deleted_right_before_its_opening_is_written_to_once_and_forgotten() {
    let scene = Scene::standalone(&["ORDERS/billing", "ORDERS/shipping"]);
    let recess = scene.recess(&[NOON, ("named", "ORDERS/billing", "0 12 * * *", "1h")]);
    scene.until("11:59:59").await;
    scene.server.state().weather.advisories_lost = 100;
    scene.server.delete("ORDERS/billing");
    scene.server.delete("ORDERS/shipping");
    scene.until("12:00:00.5").await;
    assert_eq!(scene.writes().len(), 2, "{:?}", scene.writes());
    let billing = recess.row("ORDERS/billing");
    assert_eq!(
        (billing.found, billing.problem, billing.contested),
        (Found::Missing, None, false)
    );
    assert!(recess.find_row("ORDERS/shipping").is_none());
    scene.until("12:59:00").await;
    assert_eq!(scene.writes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_was_gone_at_each_pause_is_paused_at_once_when_it_stays() {
    let scene = Scene::standalone(&["ORDERS/billing"]);
    let recess = scene.recess(&[NOON]);
    scene.until("12:10:00").await;
    scene.forget();
    scene.server.state().weather.latency = 20..21;
    for _ in 0..6 {
        scene.server.create(&["ORDERS/guest"]);
        // The look has seen it, the pause is under way.
        scene.world.pass(milliseconds(50)).await;
        scene.server.delete("ORDERS/guest");
        scene.world.pass(milliseconds(500)).await;
        assert!(recess.find_row("ORDERS/guest").is_none());
    }
    assert_eq!(scene.deadlines("ORDERS/guest"), [ours("13:00:00"); 6]);
    scene.server.create(&["ORDERS/guest"]);
    scene.world.pass(milliseconds(200)).await;
    assert!(scene.server.is_paused("ORDERS/guest"));
    assert!(!recess.row("ORDERS/guest").contested);
}
