use super::*;

fn id(path: &str) -> ConsumerId {
    path.parse().unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn due(agenda: &Agenda, now: u64) -> Vec<String> {
    agenda.due(seconds(now)).map(ConsumerId::path).collect()
}

#[test]
fn looks_are_due_in_the_order_of_time_and_from_their_second_on() {
    let mut agenda = Agenda::default();
    assert_eq!(agenda.next_look(), None);
    for (path, at) in [("A/late", 9), ("A/soon", 2), ("B/soon", 2), ("A/mid", 5)] {
        agenda.no_later_than(&id(path), seconds(at));
    }
    assert_eq!(agenda.next_look(), Some(seconds(2)));
    assert_eq!(due(&agenda, 1), [""; 0]);
    assert_eq!(due(&agenda, 2), ["A/soon", "B/soon"]);
    assert_eq!(due(&agenda, 5), ["A/soon", "B/soon", "A/mid"]);
    agenda.clear();
    assert_eq!((agenda.next_look(), due(&agenda, 99).len()), (None, 0));
}

#[test]
fn a_consumer_has_one_look_and_the_sooner_one_counts() {
    let mut agenda = Agenda::default();
    for at in [5, 9, 3, 3, 4] {
        agenda.no_later_than(&id("A/one"), seconds(at));
    }
    assert_eq!(agenda.next_look(), Some(seconds(3)));
    assert_eq!(due(&agenda, 99), ["A/one"]);
    agenda.no_later_than(&id("A/two"), seconds(4));
    agenda.forget([&id("A/one"), &id("A/none")]);
    assert_eq!(due(&agenda, 99), ["A/two"]);
    assert_eq!(agenda.next_look(), Some(seconds(4)));
}

#[test]
fn whoever_is_observed_for_another_reason_is_forgotten() {
    let mut agenda = Agenda::default();
    for (path, at) in [("A/one", 1), ("B/one", 2), ("A/two", 3)] {
        agenda.no_later_than(&id(path), seconds(at));
    }
    agenda.forget_those(|id| id.stream() == "A");
    assert_eq!(due(&agenda, 99), ["B/one"]);
    // Not even a sooner time is remembered.
    agenda.no_later_than(&id("A/one"), seconds(7));
    agenda.no_later_than(&id("B/one"), seconds(7));
    assert_eq!(due(&agenda, 6), ["B/one"]);
    assert_eq!(due(&agenda, 7), ["B/one", "A/one"]);
}
