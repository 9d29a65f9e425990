//! From text to [`raw::File`]: which keys there are, of which type, and what an example of each
//! looks like.
//!
//! Lenient on purpose: what can be read is read and the rest is reported, so that an operator sees
//! every mistake of a file at once. [`super::table`] knows how.

use super::findings::Finding;
use super::table::{self, Table};
use super::{raw, syntax};

/// Reads a text as far as possible, and returns what could not be read.
pub fn read(text: &str) -> (raw::File, Vec<Finding>) {
    let (file, findings, errors) = table::parse(text, file);
    (file, syntax::merge(text, &errors, findings))
}

fn file(table: &mut Table<'_>) -> raw::File {
    raw::File {
        instance: table.optional("instance", r#""prod-eu""#),
        nats: table.section("nats", nats),
        http: table.section("http", http),
        controller: table.section("controller", controller),
        events: table.section("events", events),
        overrides: table.section("overrides", overrides),
        defaults: table.section("defaults", defaults),
        windows: table.list("window", window),
        exclusions: table.list("exclusion", exclusion),
    }
}

fn nats(table: &mut Table<'_>) -> raw::Nats {
    raw::Nats {
        servers: table.optional("servers", r#"["nats://127.0.0.1:4222"]"#),
        context: table.optional("context", r#""prod""#),
        credentials: table.optional("credentials", r#""/etc/recess/nats.creds""#),
        nkey_seed_file: table.optional("nkey_seed_file", r#""/etc/recess/nats.nk""#),
        username: table.optional("username", r#""recess""#),
        password_file: table.optional("password_file", r#""/etc/recess/nats.password""#),
        token_file: table.optional("token_file", r#""/etc/recess/nats.token""#),
        tls: table.optional_section("tls", tls),
        domain: table.optional("domain", r#""hub""#),
        api_prefix: table.optional("api_prefix", r#""$JS.hub.API""#),
        inbox_prefix: table.optional("inbox_prefix", r#""_INBOX""#),
        allow_crash_prone: table.optional("allow_crash_prone", "false"),
    }
}

fn tls(table: &mut Table<'_>) -> raw::Tls {
    raw::Tls {
        ca: table.optional("ca", r#""/etc/recess/nats-ca.crt""#),
        cert: table.optional("cert", r#""/etc/recess/nats.crt""#),
        key: table.optional("key", r#""/etc/recess/nats.key""#),
        handshake_first: table.optional("handshake_first", "true"),
    }
}

fn http(table: &mut Table<'_>) -> raw::Http {
    raw::Http {
        listen: table.optional("listen", r#""127.0.0.1:7778""#),
        hosts: table.optional("hosts", r#"["recess.example.com"]"#),
        consumer_metrics: table.optional("consumer_metrics", r#""notable""#),
    }
}

fn controller(table: &mut Table<'_>) -> raw::Controller {
    raw::Controller {
        resync: table.optional("resync", r#""1m""#),
        max_in_flight: table.optional("max_in_flight", "8"),
        request_timeout: table.optional("request_timeout", r#""3s""#),
        max_pause: table.optional("max_pause", r#""7d""#),
        dry_run: table.optional("dry_run", "false"),
        watch: table.optional("watch", "true"),
    }
}

fn events(table: &mut Table<'_>) -> raw::Events {
    raw::Events {
        subject: table.optional("subject", r#""recess.events""#),
    }
}

fn overrides(table: &mut Table<'_>) -> raw::Overrides {
    raw::Overrides {
        bucket: table.optional("bucket", r#""recess""#),
        keep: table.optional("keep", r#""7d""#),
        reason: table.optional("reason", r#""optional""#),
    }
}

fn defaults(table: &mut Table<'_>) -> raw::Defaults {
    raw::Defaults {
        timezone: table.optional("timezone", r#""Europe/Zurich""#),
        exempt: table.optional("exempt", r#""recess.exempt""#),
        on_loss: table.optional("on_loss", r#""release""#),
        loss_margin: table.optional("loss_margin", r#""15m""#),
    }
}

fn window(table: &mut Table<'_>) -> raw::Window {
    raw::Window {
        name: table.required("name", r#""nightly-vacuum""#),
        consumers: table.required("consumers", r#"["ORDERS/*", "!ORDERS/audit"]"#),
        timing: timing(table),
        gap: table.optional("gap", r#""skip""#),
        repeat: table.optional("repeat", r#""last""#),
        valid_from: table.optional("valid_from", "2026-12-01"),
        valid_until: table.optional("valid_until", "2027-06-30"),
        resume_spread: table.optional("resume_spread", r#""10m""#),
        conditions: table.optional("where", r#"{ team = "billing" }"#),
        on_loss: table.optional("on_loss", r#""release""#),
    }
}

fn exclusion(table: &mut Table<'_>) -> raw::Exclusion {
    raw::Exclusion {
        name: table.required("name", r#""holidays""#),
        timing: timing(table),
        dates: table.optional("dates", "[2026-12-25, 2026-12-26]"),
        calendar: table.optional("calendar", r#""holidays.ics""#),
        events: table.optional("events", r#"["*", "!*half day*"]"#),
        windows: table.optional("windows", r#"["nightly-vacuum"]"#),
    }
}

fn timing(table: &mut Table<'_>) -> raw::Timing {
    raw::Timing {
        place: table.place(),
        schedule: table.optional("schedule", r#""30 1 * * *""#),
        duration: table.optional("duration", r#""2h""#),
        from: table.optional("from", "2026-12-05T22:00:00"),
        until: table.optional("until", r#""03:30""#),
        timezone: table.optional("timezone", r#""Europe/Zurich""#),
    }
}
