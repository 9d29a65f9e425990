//! Whether a write follows from what its process may have in mind.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::mind::Mind;
use crate::natures::Nature;
use crate::rules::Span;
use crate::table::Case;
use crate::told::{Sight, State, is_release, keeps_messages};
use crate::wants::Want;

/// What is looked at is prepared so long before an edge, and an answer that comes at the edge itself is not waited for.
const PREPARED: SignedDuration = SignedDuration::from_millis(2_700);

/// How long an accepted write may take to show, and how long one that has timed out may still lie in the server's queue.
const SETTLING: SignedDuration = SignedDuration::from_millis(4_700);

/// A write that is to be judged.
pub struct Sending {
    pub deadline: Option<Timestamp>,
    pub connection: usize,
    pub at: Timestamp,
    pub since: Timestamp,
    pub blur: SignedDuration,
}

/// What may be wanted of the consumer, if that is its nature.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Wanted<'n> {
    nature: &'n Nature,
    want: Want,
    /// Whether a window opens before long.
    opens_soon: bool,
    /// What holds it, where that matters.
    held: Option<Span>,
    /// The same, where nobody has ordered a pause: so long it runs that was let go for its messages.
    runs: Option<Span>,
    may_end: bool,
    /// Until when a pause is kept that nothing wants any more.
    kept: Option<i64>,
}

impl Mind {
    pub fn judge_write(&mut self, path: &str, sent: &Sending) -> Vec<String> {
        let Sending {
            deadline,
            connection,
            at,
            since,
            blur,
        } = *sent;
        let rules = self.rules_in(since, at);
        let seconds = self.seconds(since, at);
        let skew = self.skew(since);
        let in_scope = self.is_in_scope(path, &rules, since);
        let stopped = self.stops.iter().any(|stop| stop.1 >= since);
        let beliefs = self.beliefs(&rules, since, at);
        let is_fresh =
            !rules.iter().any(|rules| rules.has_bucket) || self.readings.is_fresh(since - 2 * blur);
        let withdrawn: Vec<bool> = (beliefs.iter())
            .map(|belief| self.was_withdrawn(path, &belief.rules, since))
            .collect();
        let known = self.consumers.entry(path.to_owned()).or_default();
        let mut wrong = Vec::new();
        let said = deadline.map_or_else(|| "nothing".to_owned(), |until| until.to_string());

        if !in_scope {
            wrong.push(format!("I4: {path} is out of its scope"));
        }
        let rested = known.rests_on(connection, since - PREPARED);
        if rested.is_empty() {
            wrong.push(format!(
                "I4: {said} for {path} rests on no look in this connection since the write before"
            ));
        }
        if let Some(write) = &known.write {
            let waits = at.duration_since(write.at) < SETTLING;
            // One that a lost connection has cut is over.
            // What came while it was sending is read after that, and may be older than its write.
            let mut advised = known.advised.iter();
            let doubtful = advised.any(|(told, advice)| {
                *told >= write.at - at.duration_since(since) && write.is_contradicted_by(advice)
            });
            if waits && !write.over && !doubtful && write.connection == connection {
                wrong.push(format!(
                    "I4: {said} for {path}, {:#} after another write that may still show",
                    at.duration_since(write.at)
                ));
            }
        }
        let ends = |sight: &Sight| match sight.state {
            State::Paused { until, .. } => deadline.is_none_or(|deadline| deadline < until),
            _ => deadline.is_none(),
        };
        if !is_fresh && !rested.is_empty() && rested.iter().all(ends) {
            wrong.push(format!(
                "I1: {said} for {path} ends a pause, and the overrides were not read before"
            ));
        }
        // To work out what holds it takes long, and matters to a release alone.
        let may_be_released = (rested.iter())
            .filter_map(|sight| sight.state.deadline())
            .any(is_release);
        let may_run = (rested.iter())
            .filter_map(|sight| sight.state.deadline())
            .any(keeps_messages);
        let natures: BTreeSet<&Nature> = rested.iter().map(|sight| &sight.nature).collect();
        let wants: BTreeSet<Wanted<'_>> = (beliefs.iter().zip(withdrawn))
            .flat_map(|one| seconds.iter().map(move |second| (one, *second)))
            .flat_map(|((belief, withdrawn), second)| {
                let rules = &belief.rules;
                natures.iter().map(move |nature| Wanted {
                    nature,
                    want: rules.want(path, nature, second),
                    opens_soon: rules.opens_within(path, nature, second, 55),
                    held: (may_be_released && belief.releases_count)
                        .then(|| rules.holds(path, nature, second))
                        .flatten(),
                    runs: (may_run && !rules.are_overridden_by_pauses())
                        .then(|| rules.holds(path, nature, second))
                        .flatten(),
                    may_end: belief.may_end,
                    kept: (!withdrawn)
                        .then(|| rules.kept(path, nature, second))
                        .flatten(),
                })
            })
            .collect();
        let case = Case {
            deadline,
            at,
            since,
            skew,
            blur,
            stopped,
            guarded: beliefs.iter().any(|belief| belief.rules.guards(path)),
            foreign: &known.foreign,
        };
        let permitted = rested.iter().any(|sight| {
            (wants.iter())
                .filter(|one| *one.nature == sight.nature)
                .filter(|one| !one.held.is_some_and(|span| sight.state.is_released(span)))
                .filter(|one| {
                    !one.runs
                        .is_some_and(|span| sight.state.keeps_messages(span))
                })
                .filter(|one| one.may_end || !ends(sight))
                .filter(|one| !sight.state.is_kept(one.want, one.kept))
                .any(|one| case.permits(one.want, one.opens_soon, sight))
        });
        if !permitted && !rested.is_empty() {
            let states: Vec<_> = rested.iter().map(|sight| sight.state).collect();
            let wants = wants.iter().map(|one| one.want);
            let law = case.broken_law(&states, wants.clone());
            let wants: BTreeSet<Want> = wants.collect();
            wrong.push(format!(
                "{law}: {said} for {path}, where {wants:?} may be wanted and it was told {states:?}"
            ));
        }
        if let Some(theirs) = known.extended
            && theirs > at + SignedDuration::from_secs(8) + skew
            && deadline.is_none_or(|until| until < theirs)
        {
            wrong.push(format!(
                "I3: {said} for {path}, which it had extended beyond somebody's {theirs}"
            ));
        }
        known.wrote(deadline, connection, at, &rested);
        wrong
    }
}
