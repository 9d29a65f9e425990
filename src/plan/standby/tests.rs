use super::*;

const DELAY: Duration = Duration::from_secs(5);

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn id(name: &str) -> ConsumerId {
    ConsumerId::new("ORDERS", name)
}

fn pause(until: &str) -> Need {
    Need {
        action: Action::Pause,
        deadline: Some(until.parse().unwrap()),
    }
}

fn tonight() -> Need {
    pause("2026-12-01T03:00:00Z")
}

fn standby() -> Standby {
    Standby::new(Some(DELAY))
}

/// When the write of tonight's pause is due, decided at that time.
fn due(standby: &Standby, at: Duration) -> Option<Duration> {
    standby.due(&id("a"), tonight(), at, Duration::ZERO, None)
}

#[test]
fn a_primary_waits_for_nothing_and_keeps_nothing() {
    let mut primary = Standby::default();
    primary.decided(&id("a"), Some(tonight()), s(10));
    primary.sending();
    assert_eq!(due(&primary, s(10)), None);
    assert_eq!(primary.next_look(), None);
    assert_eq!(primary.state(), None);
    assert!(primary.doubts.is_empty());
}

#[test]
fn a_need_waits_from_when_it_was_first_decided() {
    let mut standby = standby();
    assert_eq!(due(&standby, s(10)), Some(s(15)));
    standby.decided(&id("a"), Some(tonight()), s(10));
    standby.decided(&id("a"), Some(tonight()), s(12));
    assert_eq!(due(&standby, s(14)), Some(s(15)));
    // Another consumer's is its own.
    let other = standby.due(&id("b"), tonight(), s(14), Duration::ZERO, None);
    assert_eq!(other, Some(s(19)));
}

#[test]
fn another_need_and_one_that_was_met_meanwhile_wait_again() {
    let mut standby = standby();
    let resume = Need {
        action: Action::Resume,
        deadline: None,
    };
    standby.decided(&id("a"), Some(resume), s(10));
    assert_eq!(due(&standby, s(14)), Some(s(19)));
    standby.decided(&id("a"), Some(tonight()), s(14));
    standby.decided(&id("a"), None, s(16));
    assert_eq!(due(&standby, s(17)), Some(s(22)));
}

#[test]
fn a_deadline_that_moves_on_does_not_begin_the_wait_again_but_a_change_by_the_calendar_does() {
    let mut standby = standby();
    standby.decided(&id("a"), Some(pause("2026-12-01T02:00:00Z")), s(10));
    assert_eq!(due(&standby, s(14)), Some(s(15)));
    standby.expect(&id("a"), tonight(), s(14));
    assert_eq!(due(&standby, s(14)), Some(s(19)));
    standby.expect(&id("a"), tonight(), s(16));
    assert_eq!(due(&standby, s(16)), Some(s(19)));
}

#[test]
fn a_need_that_is_found_after_an_advisory_waits_from_the_advisory() {
    let mut standby = standby();
    standby.hear(&id("a"), s(10));
    standby.decided(&id("a"), Some(tonight()), s(11));
    assert_eq!(due(&standby, s(12)), Some(s(15)));
    // Something has happened to it again: the primary has its time.
    standby.hear(&id("a"), s(13));
    assert_eq!(due(&standby, s(14)), Some(s(18)));
}

#[test]
fn a_clock_that_is_ahead_makes_the_wait_longer() {
    let ahead = standby().due(&id("a"), tonight(), s(10), s(20), None);
    assert_eq!(ahead, Some(s(35)));
}

#[test]
fn a_wait_ends_before_the_pause_does_that_is_to_be_extended() {
    let standby = standby();
    for (ends, expected) in [(s(60), s(15)), (s(17), s(15)), (s(14), s(12)), (s(1), s(0))] {
        let due = standby.due(&id("a"), tonight(), s(10), Duration::ZERO, Some(ends));
        assert_eq!(due, Some(expected), "{ends:?}");
    }
}

#[test]
fn while_another_copy_writes_the_wait_goes_on_but_not_for_ever() {
    let mut standby = standby();
    standby.hear_copy(s(9));
    standby.decided(&id("a"), Some(tonight()), s(10));
    // What was written before proves nothing.
    assert_eq!(due(&standby, s(10)), Some(s(15)));
    for (wrote, expected) in [
        (s(14), s(19)),
        (s(40), s(45)),
        (s(60), s(65)),
        (s(90), s(65)),
    ] {
        standby.hear_copy(wrote);
        assert_eq!(due(&standby, wrote), Some(expected), "{wrote:?}");
    }
}

/// When consumers are observed of which something is heard at these times, with another copy
/// writing at those.
fn looks(heard: &[u64], wrote: &[u64], until: u64) -> Vec<u64> {
    let mut standby = standby();
    let mut looks = Vec::new();
    for at in (0..until).step_by(100) {
        if heard.contains(&at) {
            standby.hear(&id("a"), ms(at));
        }
        if wrote.contains(&at) {
            standby.hear_copy(ms(at));
        }
        if !standby.take_heard(ms(at)).is_empty() {
            looks.push(at);
        }
    }
    looks
}

#[test]
fn what_is_heard_is_observed_once_it_is_quiet() {
    assert_eq!(looks(&[], &[], 9_000), [] as [u64; 0]);
    assert_eq!(looks(&[1_000], &[], 9_000), [2_000]);
    assert_eq!(looks(&[1_000, 1_800, 2_700], &[], 9_000), [3_700]);
    // Without an end of it at least once in the delay.
    let without_end: Vec<u64> = (1_000..16_000).step_by(500).collect();
    assert_eq!(looks(&without_end, &[], 15_000), [6_000, 11_500]);
    // Amid a burst of another copy there is nothing to see.
    assert_eq!(looks(&without_end, &without_end, 20_000), [16_500]);
    let very_long: Vec<u64> = (1_000..200_000).step_by(500).collect();
    assert_eq!(looks(&very_long, &very_long, 60_000), [52_000]);
}

#[test]
fn what_was_observed_meanwhile_is_not_observed_again() {
    let mut standby = standby();
    standby.hear(&id("a"), s(10));
    standby.hear(&id("b"), s(10));
    standby.observed(|one| *one == id("a"));
    assert_eq!(standby.next_look(), Some(s(11)));
    assert_eq!(standby.take_heard(s(10)), BTreeSet::new());
    assert_eq!(standby.take_heard(s(11)), BTreeSet::from([id("b")]));
    assert_eq!(standby.next_look(), None);
}

#[test]
fn what_the_calendar_calls_for_is_waited_for_and_observed() {
    let mut standby = standby();
    standby.expect(&id("a"), tonight(), s(10));
    assert_eq!(standby.next_look(), Some(s(11)));
    standby.decided(&id("a"), Some(tonight()), s(11));
    assert_eq!(due(&standby, s(11)), Some(s(15)));
}

#[test]
fn a_takeover_lasts_until_nothing_is_needed() {
    let mut standby = standby();
    let count = |standby: &Standby| standby.state().map(|state| state.takeovers);
    standby.decided(&id("a"), Some(tonight()), s(10));
    standby.keep(|_| true);
    assert_eq!(count(&standby), Some(0));
    for _ in 0..3 {
        standby.sending();
        standby.keep(|_| true);
    }
    assert_eq!(count(&standby), Some(1));
    standby.decided(&id("a"), None, s(16));
    standby.keep(|_| true);
    standby.decided(&id("a"), Some(tonight()), s(60));
    standby.sending();
    assert_eq!(count(&standby), Some(2));
    // Those that are gone need nothing.
    standby.keep(|_| false);
    standby.sending();
    assert_eq!(count(&standby), Some(3));
}

#[test]
fn a_lost_connection_gives_the_primary_its_time_again() {
    let mut standby = standby();
    standby.hear(&id("a"), s(10));
    standby.expect(&id("b"), tonight(), s(10));
    standby.hear_copy(s(12));
    standby.forget();
    assert_eq!(due(&standby, s(20)), Some(s(25)));
    assert_eq!(standby.next_look(), None);
}
