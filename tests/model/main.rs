//! The model: the real rules of recess in every order of events, up to a horizon, by an explicit-state checker.
//!
//! A copy of recess here is made of what the loop is made of: [`recess::plan::Situation::plan`] with the decision table,
//! [`recess::ledger`], [`recess::plan::Standby`], policies with overrides from config files, and
//! [`recess::send::Leaving`]. The server is a model: a deadline a consumer. Between the two lies a network that loses,
//! delays, reorders and doubles requests and loses answers; a cluster accepts first and applies later, or never. Other
//! clients pause, resume and recreate a consumer, a person overrides and takes that back, or edits the file.
//!
//! Time goes on in ticks of 3 s, as long as a request is waited for, and within a tick all can happen in any order. So a
//! run has a finite number of states, and the checker (stateright, breadth first) goes through all of them:
//!
//! - I1: no deadline beyond what the sender's windows and overrides want on its clock, save a Resume's moment and a foreign
//!   deadline that is given back; and none ends a pause but by overrides that were asked for right before;
//! - I2: from every state, once faults are over, all is as wanted within 21 s after the next resync, and stays so. No
//!   wake-up of before the faults' end is needed for that, only those of the calendar and of the plan;
//! - I3: a foreign pause that the observation showed on which a write rests is never shortened or removed, and one that was
//!   extended is given back;
//! - I4: nothing outside of the decision table, nothing again that may still show.
//!
//! The judge is `judge.rs`, which uses nothing of the plan. `holds.rs` has the runs: an opening, a seam, a close, a
//! restart, a cluster, two copies, a standby, overrides, reloads, a clear. `cargo test --test model` allows one fault and
//! one act of another client in each run: 173,000 states, 39 steps deep, 45 s of processor in a debug build.
//! `RECESS_MODEL_DEEPER=1 cargo test --release --test model holds -- --nocapture` allows one more of each and one more
//! tick.
//!
//! A run that breaks a law is shown as its shortest: when, who, what. These breaks of recess are kept (`breaks.rs`), and
//! found by (`caught.rs`):
//!
//! | break | law | steps |
//! | --- | --- | --- |
//! | every deadline counts as recess's own | I3 | 2 |
//! | a foreign pause that lasts longer than wanted is overwritten | I3 | 3 |
//! | a foreign deadline that was extended is not remembered | I3 | 7 |
//! | what was sent is not remembered | I4 | 6 |
//! | a request that was not answered is sent again at once | I4 | 5 |
//! | what another copy did a moment early is taken back | I4 | 5 |
//! | a clock that is 40 s off is trusted | I4 | 2 |
//! | overrides are not read before a pause is ended | I1 | 6 |
//! | overrides that were never read count as read | I4 | 2 |
//! | a deadline that has passed is cleared at once | I4 | 2 |
//! | deadlines are a tick too late | I1 | 3 |
//! | no pause is ended | I2 | 1 |
//! | a standby leaves everything to the primary | I2 | 0 |

mod breaks;
mod caught;
mod copy;
mod healing;
mod holds;
mod judge;
mod scenario;
mod server;
mod state;
mod steps;
mod trace;
mod writes;
