//! Which other clients write to consumers, as far as the server's audit of its API shows.

use std::fmt;

use jiff::Timestamp;

/// The longest part of a name that is shown: clients choose theirs freely.
const LONGEST: usize = 64;

/// A client that wrote a deadline, or removed one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    /// The user, where there are users.
    pub user: Option<String>,
    /// What the client calls itself.
    pub client: Option<String>,
    /// The address it comes from.
    pub host: Option<String>,
    /// Its account.
    pub account: Option<String>,
    /// The deadline that was written.
    pub until: Option<Timestamp>,
}

/// `user "alice" (client "NATS CLI Version 0.3.0", from 10.0.0.5)`, or as much of it as is known.
/// What others chose is quoted, so that it cannot pass for a line of ours.
impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| text.chars().take(LONGEST).collect::<String>();
        let client = self
            .client
            .as_deref()
            .map(|name| format!("client {:?}", short(name)));
        let host = self
            .host
            .as_deref()
            .map(|host| format!("from {}", short(host)));
        let user = self
            .user
            .as_deref()
            .map(|user| format!("user {:?}", short(user)));
        let account = self
            .account
            .as_deref()
            .map(|name| format!("a client in account {:?}", short(name)));
        let mut rest = client.into_iter().chain(host).collect::<Vec<_>>();
        let first = user.or_else(|| {
            let client = (!rest.is_empty() && self.client.is_some()).then(|| rest.remove(0));
            client.or(account)
        });
        f.write_str(first.as_deref().unwrap_or("another client"))?;
        match rest.as_slice() {
            [] => Ok(()),
            rest => write!(f, " ({})", rest.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(user: &str, client: &str, host: &str) -> String {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let writer = Writer {
            user: some(user),
            client: some(client),
            host: some(host),
            account: Some("APP".to_owned()),
            until: None,
        };
        writer.to_string()
    }

    #[test]
    fn as_much_is_said_as_is_known() {
        assert_eq!(
            writer("alice", "NATS CLI Version 0.3.0", "10.0.0.5"),
            r#"user "alice" (client "NATS CLI Version 0.3.0", from 10.0.0.5)"#
        );
        assert_eq!(
            writer("", "billing", "::1"),
            r#"client "billing" (from ::1)"#
        );
        assert_eq!(
            writer("", "", "::1"),
            r#"a client in account "APP" (from ::1)"#
        );
        assert_eq!(writer("alice", "", ""), r#"user "alice""#);
        assert_eq!(writer("", "", ""), r#"a client in account "APP""#);
        assert_eq!(Writer::default().to_string(), "another client");
    }

    #[test]
    fn what_others_choose_makes_no_line_and_no_flood() {
        let shown = writer("a\nERROR all is lost", &"x".repeat(1_000), "h");
        assert!(!shown.contains('\n') && shown.len() < 200, "{shown}");
    }
}
