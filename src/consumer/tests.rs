use super::*;

#[test]
fn marks_are_the_published_ones() {
    // A change here orphans every pause that a running recess has made.
    for (instance, nanoseconds) in [
        ("default", 435_253),
        ("prod-eu", 245_944),
        ("blue/green", 687_520),
    ] {
        assert_eq!(
            Mark::of_instance(instance).nanoseconds(),
            nanoseconds,
            "{instance}"
        );
    }
}

#[test]
fn the_hash_agrees_with_the_published_test_vectors() {
    // From the FNV reference (draft-eastlake-fnv).
    assert_eq!(fnv1a64(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fnv1a64(b"a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(fnv1a64(b"foobar"), 0x8594_4171_f739_67e8);
}

#[test]
fn a_mark_owns_what_it_stamped_and_nothing_else() {
    let mark = Mark::of_instance("default");
    let deadline: Timestamp = "2026-12-01T03:00:00Z".parse().unwrap();
    assert!(mark.owns(mark.stamp(deadline)));
    assert_eq!(
        mark.stamp(deadline).to_string(),
        "2026-12-01T03:00:00.000435253Z"
    );
    assert!(!mark.owns(deadline));
    assert!(!mark.owns(Mark::of_instance("prod-eu").stamp(deadline)));
}

#[test]
fn a_release_is_told_from_a_pause_and_belongs_to_its_instance() {
    let (mark, other) = (Mark::of_instance("default"), Mark::of_instance("prod-eu"));
    let deadline: Timestamp = "2026-12-01T03:00:00Z".parse().unwrap();
    let release = mark.stamp_release(deadline);
    assert_eq!(release.to_string(), "2026-12-01T03:00:00.001435253Z");
    for (stored, is_ours, is_release) in [
        (release, true, true),
        (mark.stamp(deadline), true, false),
        (deadline, false, false),
        (other.stamp_release(deadline), false, false),
        (other.stamp(deadline), false, false),
    ] {
        assert_eq!(mark.owns(stored), is_ours, "{stored}");
        assert_eq!(mark.is_release(stored), is_release, "{stored}");
        assert_eq!(mark.unstamp(stored), is_ours.then_some(deadline));
    }
    // Whichever it was, it stays that under another name.
    assert_eq!(other.restamp(release), other.stamp_release(deadline));
    assert_eq!(other.restamp(mark.stamp(deadline)), other.stamp(deadline));
}

#[test]
fn no_release_is_another_instances_pause() {
    let instant: Timestamp = "2026-12-01T03:00:00Z".parse().unwrap();
    // The greatest and the least of all marks.
    let (most, least) = (Mark(999_999), Mark(1));
    assert!(!most.owns(least.stamp_release(instant)));
    assert!(!least.is_release(most.stamp(instant)));
    assert_eq!(least.restamp(most.stamp(instant)), least.stamp(instant));
}

#[test]
fn a_deadline_with_a_fraction_is_stamped_on_its_whole_second() {
    let mark = Mark::of_instance("default");
    let odd: Timestamp = "2026-12-01T03:00:00.7Z".parse().unwrap();
    assert_eq!(
        mark.stamp(odd).to_string(),
        "2026-12-01T03:00:00.000435253Z"
    );
}

#[test]
fn consumers_are_written_with_a_slash_and_shown_with_an_arrow() {
    let id: ConsumerId = "ORDERS/billing".parse().unwrap();
    assert_eq!(id.to_string(), "ORDERS > billing");
    assert_eq!(id.path(), "ORDERS/billing");
    for bad in [
        "ORDERS", "ORDERS/", "/billing", "A/b/c", "A B/c", "A/b.c", "A/*", "",
    ] {
        assert!(bad.parse::<ConsumerId>().is_err(), "{bad}");
    }
}

#[test]
fn a_pause_lapses_when_its_remaining_time_has_gone() {
    let until: Timestamp = "2026-12-01T03:00:00Z".parse().unwrap();
    let paused = PauseState::Paused {
        until,
        remaining: SignedDuration::from_secs(2),
    };
    assert_eq!(
        paused.after(SignedDuration::from_millis(1500)),
        PauseState::Paused {
            until,
            remaining: SignedDuration::from_millis(500)
        }
    );
    assert_eq!(
        paused.after(SignedDuration::from_secs(2)),
        PauseState::Lapsed { until }
    );
    assert_eq!(
        PauseState::Running.after(SignedDuration::from_secs(2)),
        PauseState::Running
    );
}

#[test]
fn a_name_is_a_subject_token_that_is_a_file_name_too() {
    for good in [
        "billing",
        "ORDERS_EU",
        "a-b",
        "$KV",
        "KV_x",
        "münchen",
        "a!b",
        "x{y}",
        "0",
    ] {
        assert!(is_name(good), "{good}");
    }
    for bad in [
        "", " ", "a b", "a\tb", "a\u{a0}b", "a\u{7f}b", "a/b", "a\\b", "a.b", "a*", ">",
    ] {
        assert!(!is_name(bad), "{bad:?}");
    }
}

#[test]
fn a_consumer_is_known_by_both_names() {
    let id = ConsumerId::new("ORDERS", "billing");
    assert_eq!((id.stream(), id.consumer()), ("ORDERS", "billing"));
    assert_eq!("ORDERS/billing".parse(), Ok(id));
    assert_eq!(
        "ORDERS".parse::<ConsumerId>().unwrap_err().to_string(),
        "`ORDERS` is not a consumer: write STREAM/CONSUMER, as in ORDERS/billing"
    );
}

#[test]
fn a_stored_deadline_is_a_pause_only_while_it_lasts() {
    let until: Timestamp = "2026-12-01T03:00:00Z".parse().unwrap();
    let until = Mark::of_instance("default").stamp(until);
    let remaining = SignedDuration::from_secs(2);
    for (state, deadline, paused) in [
        (PauseState::Running, None, false),
        (PauseState::Lapsed { until }, Some(until), false),
        (PauseState::Paused { until, remaining }, Some(until), true),
    ] {
        assert_eq!(state.deadline(), deadline, "{state:?}");
        assert_eq!(state.is_paused(), paused, "{state:?}");
        let seen = example::observation(state);
        let found = Found::Present(seen.clone());
        assert_eq!(found.observation(), Some(&seen));
        assert_eq!(found.is_paused(), paused, "{state:?}");
        for (instance, owner) in [("default", Owner::Recess), ("prod-eu", Owner::Foreign)] {
            let paused_by = found.paused_by(Mark::of_instance(instance));
            assert_eq!(paused_by, paused.then_some(owner), "{state:?}");
        }
    }
    for nothing in [Found::Unknown, Found::Missing] {
        assert_eq!(nothing.observation(), None);
        assert!(!nothing.is_paused());
    }
}

#[test]
fn only_a_pause_passes_with_time() {
    let until: Timestamp = "2026-12-01T03:00:00Z".parse().unwrap();
    let lapsed = PauseState::Lapsed { until };
    assert_eq!(lapsed.after(SignedDuration::from_secs(2)), lapsed);
    // Back in time, as after a clock was stepped between two readings.
    let remaining = SignedDuration::from_secs(2);
    assert_eq!(
        PauseState::Paused { until, remaining }.after(SignedDuration::from_secs(-1)),
        PauseState::Paused {
            until,
            remaining: SignedDuration::from_secs(3)
        }
    );
}

#[test]
fn a_deadline_has_an_owner() {
    let mark = Mark::of_instance("default");
    let until: Timestamp = "2026-12-01T03:00:00Z".parse().unwrap();
    assert_eq!(mark.owner(mark.stamp(until)), Owner::Recess);
    assert_eq!(mark.owner(until), Owner::Foreign);
    assert_eq!(Owner::Recess.as_str(), "recess");
    assert_eq!(Owner::Foreign.as_str(), "foreign");
}

#[test]
fn a_mark_is_never_zero_and_below_a_millisecond() {
    for number in 0..20_000 {
        let mark = Mark::of_instance(&number.to_string());
        assert!((1..1_000_000).contains(&mark.nanoseconds()), "{number}");
    }
}
