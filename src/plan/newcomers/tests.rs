use super::*;

fn id(name: &str) -> ConsumerId {
    let (stream, consumer) = name.split_once('/').unwrap();
    ConsumerId::new(stream, consumer)
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Looks whenever it may, for so long, while so many come a second: when it looked, and at how
/// many.
fn looks(a_second: u64, within: Duration, is_wanted: fn(&ConsumerId) -> bool) -> Vec<(u64, usize)> {
    let mut newcomers = Newcomers::default();
    let mut looks = Vec::new();
    for number in 0..a_second * within.as_secs() {
        let now = millis(number * 1000 / a_second);
        newcomers.add(&id(&format!("ORDERS/{number}")), now);
        let taken = newcomers.take(now);
        if !taken.is_empty() {
            looks.push((now.as_millis() as u64, taken.len()));
            newcomers.looked(&taken, is_wanted, now);
        }
    }
    looks
}

#[test]
fn a_hundred_a_second_that_nobody_wants_are_looked_at_every_five_seconds() {
    let looks = looks(100, Duration::from_secs(20), |_| false);
    let at: Vec<u64> = looks.iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [0, 250, 750, 1750, 3750, 7750, 12750, 17750]);
    assert_eq!(looks[7].1, 500);
}

#[test]
fn those_whom_a_window_wants_are_looked_at_at_once() {
    let looks = looks(10, Duration::from_secs(2), |_| true);
    assert_eq!(looks.len(), 20);
}

#[test]
fn a_stream_does_not_wait_for_another() {
    let mut newcomers = Newcomers::default();
    let first = BTreeSet::from([id("NOISE/a")]);
    newcomers.add(&id("NOISE/a"), millis(0));
    assert_eq!(newcomers.take(millis(0)), first);
    newcomers.looked(&first, |_| false, millis(0));
    newcomers.add(&id("NOISE/b"), millis(1));
    newcomers.add(&id("ORDERS/billing"), millis(1));
    assert_eq!(newcomers.next(), Some(millis(0)));
    assert_eq!(
        newcomers.take(millis(1)),
        BTreeSet::from([id("ORDERS/billing")])
    );
    assert_eq!(newcomers.next(), Some(millis(250)));
}

#[test]
fn after_a_while_without_any_the_next_is_looked_at_at_once() {
    let mut newcomers = Newcomers::default();
    let mut now = millis(0);
    for number in 0..10 {
        newcomers.add(&id(&format!("ORDERS/{number}")), now);
        let taken = newcomers.take(now);
        newcomers.looked(&taken, |_| false, now);
        now += millis(11_000);
        assert!(taken.len() == 1, "{number}");
    }
}

#[test]
fn one_that_is_gone_again_is_not_looked_at() {
    let mut newcomers = Newcomers::default();
    newcomers.add(&id("ORDERS/a"), millis(0));
    newcomers.remove(&id("ORDERS/a"));
    assert_eq!(
        (newcomers.next(), newcomers.take(millis(0))),
        (None, BTreeSet::new())
    );
}

#[test]
fn streams_where_nothing_happens_any_more_make_room_for_others() {
    let mut newcomers = Newcomers::default();
    for number in 0..MOST_STREAMS {
        newcomers.add(&id(&format!("S{number}/a")), millis(0));
    }
    let taken = newcomers.take(millis(0));
    assert_eq!(taken.len(), MOST_STREAMS);
    newcomers.looked(&taken, |_| false, millis(0));
    // After one look that found none the next is 250 ms later, and the stream is idle 5 s after
    // that.
    for (at, expected) in [(5_249, 0), (5_250, 1)] {
        newcomers.add(&id("ORDERS/billing"), millis(at));
        assert_eq!(newcomers.take(millis(at)).len(), expected, "{at}");
    }
}

#[test]
fn a_flood_takes_bounded_memory() {
    let mut newcomers = Newcomers::default();
    for number in 0..10_000 {
        newcomers.add(&id(&format!("ORDERS/{number}")), millis(0));
        newcomers.add(&id(&format!("S{number}/a")), millis(0));
    }
    assert_eq!(newcomers.streams.len(), MOST_STREAMS);
    assert_eq!(
        newcomers.streams["ORDERS"].waiting.len(),
        MAX_WAITING_PER_STREAM
    );
}
