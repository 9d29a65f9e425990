//! The judge is a model of the server's list, which notes for itself who was there all the time.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::{Page, read};
use crate::jetstream::RequestError;

/// What nats-server puts on a page of consumers.
const PAGE: usize = 256;

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Change {
    Create(u32),
    Delete(u32),
}

/// The server's list, and what happens to it after each page.
struct Model<'a> {
    limit: usize,
    /// In the order of the list.
    named: BTreeSet<u32>,
    /// Those without a name of their own, in front of all others and never twice in the same order.
    nameless: Vec<u32>,
    changes: Box<dyn FnMut(usize) -> Vec<Change> + 'a>,
    /// Who was there all the time.
    lasting: BTreeSet<u32>,
    /// The offsets that were asked for.
    offsets: Vec<usize>,
}

fn list(named: impl IntoIterator<Item = u32>) -> Model<'static> {
    let named: BTreeSet<u32> = named.into_iter().collect();
    Model {
        limit: PAGE,
        lasting: named.clone(),
        named,
        nameless: Vec::new(),
        changes: Box::new(|_| Vec::new()),
        offsets: Vec::new(),
    }
}

impl<'a> Model<'a> {
    fn changing<'b>(self, changes: impl FnMut(usize) -> Vec<Change> + 'b) -> Model<'b> {
        Model {
            limit: self.limit,
            named: self.named,
            nameless: self.nameless,
            changes: Box::new(changes),
            lasting: self.lasting,
            offsets: self.offsets,
        }
    }

    /// What stands on a page is the number of the request that it answered.
    fn page(&mut self, offset: usize) -> Page<u32, usize> {
        let number = self.offsets.len();
        let turn = number as u32 * 7_919;
        (self.nameless).sort_by_key(|name| (name ^ turn).wrapping_mul(2_654_435_761));
        let all = self.nameless.iter().chain(&self.named);
        let mut page = Page {
            entries: (all.skip(offset).take(self.limit))
                .map(|name| (*name, number))
                .collect(),
            total: self.nameless.len() + self.named.len(),
        };
        if page.entries.is_empty() {
            // So does a cluster.
            page.total = 0;
        }
        self.offsets.push(offset);
        for change in (self.changes)(number) {
            match change {
                Change::Create(name) => drop(self.named.insert(name)),
                Change::Delete(name) => {
                    self.named.remove(&name);
                    self.lasting.remove(&name);
                }
            }
        }
        page
    }

    fn read(&mut self) -> Result<BTreeMap<u32, usize>, RequestError> {
        let limit = self.limit;
        let reading = read(limit, |offset| ready(Ok(Some(self.page(offset)))));
        finish(reading).map(|list| list.expect("there is such a list"))
    }

    /// Reads it, and looks whether everyone is there who should be.
    #[track_caller]
    fn read_well(&mut self) -> BTreeMap<u32, usize> {
        let found = self.read().expect("it was read");
        let lost: Vec<_> = (self.lasting.iter())
            .filter(|name| !found.contains_key(name))
            .collect();
        assert_eq!(lost, [&0; 0], "offsets {:?}", self.offsets);
        found
    }
}

/// Nothing here waits.
fn finish<T>(reading: impl Future<Output = T>) -> T {
    match pin!(reading).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

/// What happens after the first page only.
fn once(what: Vec<Change>) -> impl FnMut(usize) -> Vec<Change> {
    move |number| {
        if number == 0 {
            what.clone()
        } else {
            Vec::new()
        }
    }
}

#[test]
fn a_list_that_rests_costs_a_request_a_page() {
    for (length, offsets) in [
        (0, vec![0]),
        (1, vec![0]),
        (255, vec![0]),
        (256, vec![0]),
        (257, vec![0, 255]),
        (511, vec![0, 255]),
        (512, vec![0, 255, 510]),
        (1_001, vec![0, 255, 510, 765]),
    ] {
        let mut list = list(0..length);
        let found = list.read_well();
        assert_eq!(found.len(), list.named.len());
        assert_eq!(list.offsets, offsets, "of {length}");
    }
}

#[test]
fn of_two_samples_the_later_counts() {
    let found = list(0..300).read_well();
    assert_eq!((found[&254], found[&255], found[&256]), (0, 1, 1));
}

#[test]
fn a_list_that_is_not_there_is_none() {
    let read = finish(read(PAGE, |_| ready(Ok(None::<Page<u32, ()>>))));
    assert_eq!(read.unwrap(), None);
    // Also where it was there a moment ago.
    let mut list = list(0..300);
    let read = finish(super::read(PAGE, |offset| {
        ready(Ok((offset == 0).then(|| list.page(offset))))
    }));
    assert_eq!(read.unwrap(), None);
}

#[test]
fn a_failed_request_fails_the_reading() {
    let mut list = list(0..300);
    let read = finish(read(PAGE, |offset| {
        ready(match offset {
            0 => Ok(Some(list.page(offset))),
            _ => Err(RequestError::Cut),
        })
    }));
    assert_eq!(read.unwrap_err(), RequestError::Cut);
}

#[test]
fn one_deleted_in_front_hides_nobody() {
    let mut list = list(0..600).changing(once(vec![Change::Delete(7)]));
    list.read_well();
    assert_eq!(list.offsets[..3], [0, 255, 127]);
}

#[test]
fn whoever_stands_at_the_edge_of_a_page_may_be_deleted() {
    for at_edge in 253..259 {
        list(0..600)
            .changing(once(vec![Change::Delete(at_edge)]))
            .read_well();
    }
    let all_about: Vec<_> = (250..262).map(Change::Delete).collect();
    list(0..600).changing(once(all_about)).read_well();
}

#[test]
fn a_last_page_that_vanishes_hides_nobody() {
    for left in [0, 1, 100, 254, 255, 256, 257] {
        let changes = once((left..600).map(Change::Delete).collect());
        let mut list = list(0..600).changing(changes);
        list.read_well();
        assert_eq!(list.lasting.len(), left as usize);
    }
}

#[test]
fn half_of_a_long_list_may_vanish_while_its_end_is_read() {
    let mut list = list(0..10_000).changing(|number| match number {
        30 => (5_000..10_000).map(Change::Delete).collect(),
        _ => Vec::new(),
    });
    list.read_well();
}

#[test]
fn a_first_page_that_vanishes_hides_nobody() {
    for gone in [1, 127, 128, 129, 254, 255, 256, 400] {
        let changes = once((0..gone).map(Change::Delete).collect());
        list(0..600).changing(changes).read_well();
    }
}

#[test]
fn one_created_and_one_deleted_leave_the_length_and_hide_nobody() {
    // Names in steps of two leave room between them.
    for (created, deleted) in [(1_199, 0), (1_199, 510), (1_199, 512), (1, 1_198), (509, 2)] {
        let changes = vec![Change::Create(created), Change::Delete(deleted)];
        let mut list = list((0..600).map(|name| 2 * name)).changing(once(changes));
        list.read_well();
    }
}

#[test]
fn a_page_that_does_not_connect_does_not_make_the_next_one_connect() {
    // What is deleted after the first page hides 256..306; the second page, of 306.., must not
    // vouch for the third.
    let deleted = (0..51).map(Change::Delete).collect();
    let mut list = list(0..2_000).changing(once(deleted));
    list.read_well();
}

#[test]
fn many_created_in_front_hide_nobody() {
    let created = (0..700).map(Change::Create).collect();
    let mut list = list(1_000..1_600).changing(once(created));
    list.read_well();
}

#[test]
fn a_deletion_from_every_page_to_the_next_costs_double_and_no_more() {
    let mut list = list(0..10_000).changing(|number| vec![Change::Delete(number as u32)]);
    list.read_well();
    assert!(list.offsets.len() < 82, "{} requests", list.offsets.len());
}

#[test]
fn a_hundred_changes_from_every_page_to_the_next_hide_nobody() {
    let mut front = 0;
    let mut list = list(0..10_000).changing(|number| {
        let deleted = (front..front + 60).map(Change::Delete);
        front += 60;
        let created = 20_000 + 60 * number as u32;
        deleted
            .chain((created..created + 40).map(Change::Create))
            .collect()
    });
    list.read_well();
}

#[test]
fn endless_churn_ends_with_an_error_and_not_with_a_list_that_lacks_somebody() {
    // More than a page is deleted in front and created behind, every time.
    let mut front = 0;
    let mut list = list(0..1_000).changing(|_| {
        let deleted = (front..front + 300).map(Change::Delete);
        let created = (front + 1_000..front + 1_300).map(Change::Create);
        front += 300;
        deleted.chain(created).collect()
    });
    assert_eq!(list.read(), Err(RequestError::Shifting));
    assert_eq!(list.offsets.len(), 24);
}

#[test]
fn a_list_that_says_it_is_longer_than_it_shows_ends_with_an_error() {
    let told = |offset| {
        let mut page = list(0..300).page(offset);
        page.total += 1;
        ready(Ok(Some(page)))
    };
    assert_eq!(
        finish(read(PAGE, told)).unwrap_err(),
        RequestError::Shifting
    );
}

#[test]
fn consumers_without_a_name_of_their_own_hide_nobody_who_has_one() {
    // In a cluster. Their names lie anywhere between the others, their order is another one each
    // time.
    for count in [1, 10, 255, 256, 257, 700] {
        for deleted in [
            vec![],
            (0..40).map(|name| Change::Delete(2 * name)).collect(),
        ] {
            let mut list = list((0..1_000).map(|name| 2 * name)).changing(once(deleted));
            list.nameless = (0..count).map(|number| 2 * number + 1).collect();
            let found = list.read_well();
            if count <= 256 {
                assert!(list.nameless.iter().all(|name| found.contains_key(name)));
            }
        }
    }
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Vec<Change>>> {
    let change = (any::<bool>(), 0..90_u32).prop_map(|(creates, name)| match creates {
        true => Change::Create(name),
        false => Change::Delete(name),
    });
    prop::collection::vec(prop::collection::vec(change, 0..=most), 0..40)
}

/// A list on short pages, so that a few changes already do much.
fn short_pages(
    limit: usize,
    named: BTreeSet<u32>,
    nameless: u32,
    changes: &[Vec<Change>],
) -> Model<'_> {
    let now = |number| changes.get(number).cloned().unwrap_or_default();
    let mut model = list(named).changing(now);
    model.limit = limit;
    model.nameless = (0..nameless).map(|number| 1_000 + number).collect();
    model
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn everyone_who_lasts_is_found_or_nothing_is(
        limit in 2..9_usize,
        named in prop::collection::btree_set(0..90_u32, 0..60),
        nameless in prop_oneof![3 => Just(0), 1 => 0..12_u32],
        changes in changes(12),
    ) {
        let mut model = short_pages(limit, named, nameless, &changes);
        match model.read() {
            Ok(found) => prop_assert!(
                model.lasting.iter().all(|name| found.contains_key(name)),
                "{:?} of {:?}, offsets {:?}", found.keys(), model.lasting, model.offsets
            ),
            Err(error) => prop_assert_eq!(error, RequestError::Shifting),
        }
        prop_assert!(model.offsets.len() <= 4 * 102_usize.div_ceil(limit) + 8);
    }

    #[test]
    fn a_quarter_of_a_page_may_change_from_page_to_page(
        named in prop::collection::btree_set(0..90_u32, 0..90),
        changes in changes(2),
    ) {
        let mut model = short_pages(8, named, 0, &changes);
        let found = model.read();
        prop_assert!(found.is_ok(), "offsets {:?}", model.offsets);
        let found = found.unwrap_or_default();
        prop_assert!(model.lasting.iter().all(|name| found.contains_key(name)));
    }
}

/// Reads a list that no server has.
fn read_forged(page: impl Fn(usize) -> Page<usize, ()>) -> (RequestError, usize) {
    let mut requests = 0;
    let reading = read(PAGE, |offset| {
        requests += 1;
        ready(Ok(Some(page(offset))))
    });
    let ended = pin!(reading).poll(&mut Context::from_waker(Waker::noop()));
    match ended {
        std::task::Poll::Ready(Err(error)) => (error, requests),
        _ => panic!("it was read"),
    }
}

fn forged(names: std::ops::Range<usize>, total: usize) -> Page<usize, ()> {
    Page {
        entries: names.map(|name| (name, ())).collect(),
        total,
    }
}

#[test]
fn a_list_that_claims_to_be_endless_is_given_up_at_once() {
    for total in [super::MAX_ENTRIES + 1, 1_000_000_000, usize::MAX] {
        let (error, requests) = read_forged(|_| forged(0..PAGE, total));
        assert_eq!(
            error,
            RequestError::TooLong {
                most: super::MAX_ENTRIES
            }
        );
        assert_eq!(requests, 1);
    }
}

#[test]
fn a_list_that_grows_with_each_page_is_given_up_before_it_fills_the_memory() {
    let (error, requests) = read_forged(|offset| forged(offset..offset + PAGE, offset + 2 * PAGE));
    assert_eq!(
        error,
        RequestError::TooLong {
            most: super::MAX_ENTRIES
        }
    );
    assert!(
        requests <= super::MAX_ENTRIES / (PAGE - 1) + 2,
        "{requests} requests"
    );
    // So it does where the pages are longer than any, and where the total is always just out of
    // reach.
    let (error, _) = read_forged(|offset| forged(offset..offset + 10_000, offset + 10_001));
    assert_eq!(
        error,
        RequestError::TooLong {
            most: super::MAX_ENTRIES
        }
    );
}

#[test]
fn pages_that_bring_nobody_new_are_given_up_soon() {
    for count in [0, 1, PAGE] {
        let (error, requests) = read_forged(|_| forged(0..count, 200_000));
        assert_eq!(error, RequestError::Shifting, "{count}");
        assert!(requests < 50, "{requests} requests for pages of {count}");
    }
}
