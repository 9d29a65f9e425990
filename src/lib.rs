//! recess pauses NATS JetStream consumers in maintenance windows. A TOML file names the windows; at
//! a window's start the daemon sets each consumer's `pause_until` to the window's end, confirms it,
//! and shows everything as Prometheus metrics.
//!
//! Four ideas carry the program:
//!
//! 1. **A pause is a deadline that the server keeps.** recess must be alive when a window opens,
//!    never when it closes: with recess dead, the network cut or the host lost, every consumer
//!    still resumes on time.
//! 2. **Desired state is a pure function of the config, the overrides and the clock.** Edges only
//!    wake; levels decide. Started late, with a suspended host, a stepped clock or a second copy
//!    beside it, the next pass computes the same answer.
//! 3. **One street.** `check`, `plan`, `explain`, `status` and `run` walk the same street to
//!    different corners, so a preview cannot disagree with the daemon.
//! 4. **Every decision is a value with a reason.** What is sent, what is not, and why, is computed
//!    before anything is sent, and each view (log, metrics, page, `status`, `explain --live`) shows
//!    that same value.
//!
//! ```text
//!    TOML    overrides (KV)    now                 nats-server
//!      | config   | read         |                      | observe (LIST, INFO)
//!      v          v              v                      v
//!   Policy --> Policy --------> Desired ----+        Found
//!         (policy, calendar)                v          |
//!                                     plan::decide <---+   the decision table: a verdict and its rule
//!                                           v
//!                                  plan::Situation::plan   (ledger: is it time to write that again?)
//!                                           | Plan: writes, clears, a decision per consumer, when to observe
//!                                           v
//!                                  reconcile::act: pause, retime, resume ---> nats-server
//!                                           | Report --> changes (before, after)
//!                        +------------------+------------------+
//!                        v                  v                  v
//!                log lines, events      /metrics       page, status, plan
//! ```
//!
//! # Layout
//!
//! A module uses those above it in this list and none below (`tests/offline/layering.rs` holds
//! that), and every foreign crate with a subject of its own is spoken in one place.
//!
//! The core is pure: no clock, no I/O, no async. Time is an argument.
//!
//! - [`visible`]: text that others wrote, made fit to be shown
//! - [`text`]: how times, lengths of time and long lists are written
//! - [`consumer`]: names and labels, what was found, and the marks by which recess knows its own
//!   deadlines
//! - [`now`]: the two clocks' reading that everything pure takes as an argument
//! - [`mod@write`]: what recess asks of the server, and what can come of it
//! - [`drain`]: when a consumer counts as paused, drained or running, for those who wait
//! - [`calendar`]: schedules (a cron rule, or times written down) in a zone, turned into instants;
//!   `calendar/fields.rs` reads cron lines, `calendar/dialects.rs` says what to write instead of
//!   others, `calendar/cron.rs` speaks croner
//! - [`ics`]: iCalendar files, read into events and written; `ics/property.rs` speaks icalendar,
//!   `ics/recurrence.rs` speaks rrule
//! - [`policy`]: which consumers follow which windows, what exclusions leave of those, and what
//!   that makes desired at an instant
//! - [`overrides`]: what people decide at run time: what their commands mean to the second, and how
//!   a bucket's keys hold it
//! - [`retention`]: what a pause does to messages that wait: the limits of streams and consumers
//! - [`ledger`]: what we wrote and what came of it: confirmation, backoff, contests, foreign
//!   deadlines to give back
//! - [`plan`]: the decision table, and the plan for many consumers as a value
//!
//! The world:
//!
//! - [`config`]: a TOML file, checked into a [`policy::Policy`] and [`config::Settings`], every
//!   mistake at once; and what is doubtful about the year ahead (`config/outlook.rs`)
//! - [`config_watch`]: when the file, or a calendar that it names, has been replaced;
//!   `config_watch/events.rs` speaks notify
//! - [`clock`]: the wall clock and the monotonic one, read together
//! - [`jetstream`]: the requests, as a trait; `jetstream/nats.rs` speaks async-nats
//! - [`report`]: what one pass saw, decided and did
//! - [`changes`]: what happened between two reports, derived once for every view; pure
//! - [`summary`]: the state of everything in a sentence, and what is to be done; pure
//! - [`clock_watch`]: the wall-clock watcher, speaks tokio-cron-scheduler
//! - [`observe`]: which requests show the state of which consumers, for the loop and for the
//!   commands alike
//! - [`send`]: writes in their order, a bounded number at a time, for the loop and for the commands
//!   alike
//! - [`bulk`]: many consumers paused or resumed at once, without a calendar
//! - [`reconcile`]: the loop, the only place where the core meets the world
//! - [`logging`]: where log lines go
//! - [`views`]: log lines, metrics, JSON, events for programs, systemd's status line and the page, each
//!   a function of a report, its changes and the policy
//! - [`http`], [`signals`]: the page, calendar, JSON, metrics and health over HTTP, and the
//!   process's signals
//! - [`cli`]: a file a command
//!
//! A good way in are the five values that the street is made of, each with an example to run and
//! change: a [`calendar::Schedule`], [`policy::Policy::desired`], [`plan::decide`],
//! [`plan::Situation::plan`] and [`changes::changes`]. Then [`reconcile::run`].

#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the docs are for those who read the code: `cargo doc --document-private-items`"
)]
// A daemon that holds other people's messages back does not panic, loses no number on the way, and
// decides nothing about a case that was added after the decision was written.
#![cfg_attr(
    not(test),
    warn(
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        clippy::wildcard_enum_match_arm,
        unused_qualifications
    )
)]
#![warn(clippy::allow_attributes_without_reason)]

// In street order, which is not the alphabet's: the blank lines keep rustfmt from sorting them.
pub mod visible;

pub mod text;

pub mod consumer;

pub mod now;

pub mod write;

pub mod drain;

pub mod calendar;

pub mod ics;

pub mod policy;

pub mod overrides;

pub mod retention;

pub mod ledger;

pub mod plan;

pub mod config;

pub mod config_watch;

pub mod clock;

pub mod jetstream;

pub mod report;

pub mod changes;

pub mod summary;

pub mod clock_watch;

pub mod observe;

pub mod send;

pub mod bulk;

pub mod reconcile;

pub mod logging;

pub mod views;

pub mod http;

pub mod signals;

pub mod cli;
