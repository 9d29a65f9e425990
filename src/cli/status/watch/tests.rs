use super::*;
use crate::jetstream::Server;
use crate::report::Pass;
use crate::report::example::{full_pass, report};

fn up(connects: u64) -> Link {
    Link::Up(Server {
        version: "2.15.1".to_owned(),
        address: "nats://nats-1:4222".to_owned(),
        connects,
        crash_prone: false,
        denied: Default::default(),
    })
}

/// A new connection has shown nothing yet, whatever was observed before.
#[test]
fn nothing_is_reported_before_the_connection_has_shown_everything_once() {
    let down = |reason: &str| Link::Down {
        reason: reason.to_owned(),
    };
    let partial = || Pass {
        full: false,
        ..full_pass()
    };
    let story = [
        (down(""), None, false),
        (down("connection refused"), None, true),
        (up(1), None, false),
        (up(1), Some(partial()), false),
        (up(1), Some(full_pass()), true),
        (up(1), None, true),
        (down("connection reset"), None, true),
        (up(2), None, false),
        (up(2), Some(full_pass()), true),
    ];
    let mut seen = Seen {
        report: Arc::new(report("prod-eu")),
        lately: Lately::default(),
        observed_by: None,
    };
    for (step, (link, pass, is_known)) in story.into_iter().enumerate() {
        let report = Report {
            link,
            pass,
            ..report("prod-eu")
        };
        seen.take(report, &[]);
        assert_eq!(seen.is_known(), is_known, "step {step}");
    }
}
