//! Everything in the file but its windows, checked.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;

use super::file::code;
use super::file::findings::{Finding, Severity};
use super::file::raw::{self, Entry, Placed};
use super::nats::connection;
use super::value::choice::choice;
use super::value::length::duration_in;
use super::value::names;
use super::{
    ConsumerMetrics, Controller, DEFAULT_INSTANCE, Events, Http, Overrides, Reason, Settings,
};
use crate::policy::Policy;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const RESYNC: RangeInclusive<Duration> = Duration::from_secs(1)..=DAY;
const REQUEST_TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60);
/// A pause that nothing bounds would be a pause for ever.
const MAX_PAUSE: RangeInclusive<Duration> =
    Policy::SHORTEST_MAX_PAUSE.unsigned_abs()..=Duration::from_secs(366 * 24 * 60 * 60);
const KEEP: RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(366 * 24 * 60 * 60);
/// The bucket's stream has three letters more, and nats-server lets a name have 255.
const LONGEST_BUCKET: usize = 252;
const MAX_IN_FLIGHT: RangeInclusive<i64> = 1..=1000;

/// The name of this deployment.
pub fn instance(raw: &Entry<String>, findings: &mut Vec<Finding>) -> String {
    if raw.is_absent() {
        let message = format!("not set, so this deployment has the name `{DEFAULT_INSTANCE}`");
        let hint = "write a name at the top of the file, as in instance = \"prod-eu\": two \
                    deployments of one name in one account treat each other's pauses as their own";
        findings.push(
            Finding::new(Severity::Warning, code::NO_INSTANCE, "instance", &message).hint(hint),
        );
    }
    let Some(instance) = raw.given() else {
        return DEFAULT_INSTANCE.to_owned();
    };
    names::name(instance, findings);
    instance.value.clone()
}

/// The settings; what is wrong or not said is the default. Relative paths are relative to `folder`.
pub fn settings(
    raw: &raw::File,
    folder: &Path,
    max_pause: Option<SignedDuration>,
    findings: &mut Vec<Finding>,
) -> Settings {
    let default = Settings::default();
    Settings {
        nats: connection::nats(&raw.nats, folder, findings),
        http: http(&raw.http, default.http, findings),
        controller: Controller {
            max_pause: max_pause.unwrap_or(default.controller.max_pause),
            ..controller(&raw.controller, default.controller, findings)
        },
        events: events(&raw.events, findings),
        overrides: overrides(&raw.overrides, default.overrides, findings),
    }
}

/// The longest pause; `None` where the file says something wrong about it.
pub fn max_pause(raw: &raw::Controller, findings: &mut Vec<Finding>) -> Option<SignedDuration> {
    match &raw.max_pause {
        Entry::Absent => Some(Controller::default().max_pause),
        Entry::Broken => None,
        Entry::Given(text) => {
            SignedDuration::try_from(duration_in(text, &MAX_PAUSE, findings)?).ok()
        }
    }
}

fn http(raw: &raw::Http, default: Http, findings: &mut Vec<Finding>) -> Http {
    let listen = raw.listen.given().and_then(|listen| {
        let address = listen.value.parse::<SocketAddr>().ok();
        if address.is_none() {
            let message = format!("{:?} is not an IP address and a port", listen.value);
            let hint = r#"write "127.0.0.1:7778", or "0.0.0.0:7778" to allow other hosts"#;
            findings.push(listen.place.error(code::BAD_ADDRESS, message).hint(hint));
        }
        address
    });
    let consumer_metrics = (raw.consumer_metrics.given()).and_then(|word| {
        let choices = [
            ("all", ConsumerMetrics::All),
            ("notable", ConsumerMetrics::Notable),
            ("none", ConsumerMetrics::None),
        ];
        choice(word, &choices, findings)
    });
    Http {
        consumer_metrics: consumer_metrics.unwrap_or(default.consumer_metrics),
        listen: listen.unwrap_or(default.listen),
        hosts: (raw.hosts.given())
            .map_or(default.hosts, |hosts| self::hosts(&hosts.value, findings)),
    }
}

/// Names of hosts, as a browser asks for them.
fn hosts(raw: &raw::Texts, findings: &mut Vec<Finding>) -> Vec<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(fits);
    for host in raw {
        let name = host.value.strip_suffix('.').unwrap_or(&host.value);
        if !name.split('.').all(is_label) {
            let message = format!("{:?} is not a host name", host.value);
            let hint = r#"write the name alone, without https://, port or wildcard, as in "recess.example.com""#;
            findings.push(host.place.error(code::BAD_ADDRESS, message).hint(hint));
        }
    }
    raw.iter().map(|host| host.value.clone()).collect()
}

fn events(raw: &raw::Events, findings: &mut Vec<Finding>) -> Events {
    if let Some(subject) = raw.subject.given()
        && subject.value.starts_with('$')
    {
        let message = format!(
            "{:?}: subjects that begin with $ belong to the server",
            subject.value
        );
        let hint = r#"choose another prefix, as in "recess.events""#;
        findings.push(subject.place.error(code::BAD_SUBJECT, message).hint(hint));
    }
    Events {
        subject: connection::subject(&raw.subject, findings),
    }
}

fn overrides(raw: &raw::Overrides, default: Overrides, findings: &mut Vec<Finding>) -> Overrides {
    let bucket = raw.bucket.given().and_then(|name| bucket(name, findings));
    let keep = (raw.keep.given()).and_then(|text| duration_in(text, &KEEP, findings));
    let reason = (raw.reason.given()).and_then(|word| {
        let choices = [
            ("required", Reason::Required),
            ("optional", Reason::Optional),
        ];
        choice(word, &choices, findings)
    });
    Overrides {
        bucket,
        keep: keep.unwrap_or(default.keep),
        reason: reason.unwrap_or(default.reason),
    }
}

/// The name of a bucket, by nats-server's rules.
fn bucket(name: &Placed<String>, findings: &mut Vec<Finding>) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let text = &name.value;
    if !text.is_empty() && text.len() <= LONGEST_BUCKET && text.bytes().all(fits) {
        return Some(text.clone());
    }
    let message = format!("{text:?} is not the name of a key-value bucket");
    let hint = r#"write letters, digits, - and _ only, as in bucket = "recess""#;
    findings.push(name.place.error(code::BAD_BUCKET, message).hint(hint));
    None
}

fn controller(
    raw: &raw::Controller,
    default: Controller,
    findings: &mut Vec<Finding>,
) -> Controller {
    let mut length = |raw: &Entry<String>, range| duration_in(raw.given()?, &range, findings);
    let resync = length(&raw.resync, RESYNC);
    let request_timeout = length(&raw.request_timeout, REQUEST_TIMEOUT);
    let max_in_flight = (raw.max_in_flight.given()).and_then(|number| in_flight(number, findings));
    Controller {
        resync: resync.unwrap_or(default.resync),
        max_in_flight: max_in_flight.unwrap_or(default.max_in_flight),
        request_timeout: request_timeout.unwrap_or(default.request_timeout),
        dry_run: (raw.dry_run.given()).map_or(default.dry_run, |dry_run| dry_run.value),
        watch: (raw.watch.given()).map_or(default.watch, |watch| watch.value),
        ..default
    }
}

fn in_flight(number: &Placed<i64>, findings: &mut Vec<Finding>) -> Option<usize> {
    let in_range = Some(number.value).filter(|number| MAX_IN_FLIGHT.contains(number));
    if in_range.is_none() {
        let (least, most) = MAX_IN_FLIGHT.into_inner();
        let message = format!("it must be from {least} to {most}");
        let hint = "it is the number of requests in flight at once, as in max_in_flight = 8";
        findings.push(number.place.error(code::OUT_OF_RANGE, message).hint(hint));
    }
    usize::try_from(in_range?).ok()
}
