use std::time::Duration;

use super::*;
use crate::consumer::Found;
use crate::policy::WindowSet;
use crate::report::Act;

fn row() -> Row {
    Row::undecided(WindowSet::default(), Found::Missing, Duration::ZERO)
}

fn id(name: &str) -> ConsumerId {
    ConsumerId::new("ORDERS", name)
}

fn are_one(one: &Rows, other: &Rows, name: &str) -> bool {
    let row = |rows: &Rows| std::ptr::from_ref(rows.get(&id(name)).unwrap());
    std::ptr::eq(row(one), row(other))
}

#[test]
fn copies_share_every_row_that_neither_has_changed() {
    let before: Rows = ["a", "b", "c"]
        .map(|name| (id(name), row()))
        .into_iter()
        .collect();
    let mut after = before.clone();
    after.get_mut(&id("b")).unwrap().contested = true;
    assert!(!before.get(&id("b")).unwrap().contested);
    assert!(!are_one(&before, &after, "b"));
    assert!(are_one(&before, &after, "a") && are_one(&before, &after, "c"));
    for (_, row) in after.iter_mut(|row| row.contested) {
        row.contested = false;
    }
    after.retain(|known, _| *known != id("c"));
    assert!(are_one(&before, &after, "a"));
    assert_eq!((before.len(), after.len()), (3, 2));
}

#[test]
fn what_is_kept_of_each_consumer_is_small() {
    // In bytes, by a consumer: a hundred thousand are held at once, some of it twice.
    let sizes = [
        ("a name", size_of::<ConsumerId>(), 24),
        ("its windows", size_of::<WindowSet>(), 8),
        ("its row", size_of::<Row>(), 256),
        ("a write of it", size_of::<Act>(), 104),
    ];
    for (what, size, most) in sizes {
        assert!(size <= most, "{what}: {size} bytes, not {most}");
    }
}
