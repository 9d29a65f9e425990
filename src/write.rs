//! What recess asks of the server, and what can come of it: the words that the ledger, the plan,
//! the connection and those who report share.

/// The kind of a write: what the metrics label `action` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Begin a pause, or extend a foreign one.
    Pause,
    /// Move the deadline of a pause of ours.
    Retime,
    /// End a pause of ours early.
    Resume,
    /// Remove a deadline of ours that has passed.
    Clear,
}

impl Action {
    /// All of them, in the order of the metrics.
    pub const ALL: [Self; 4] = [Self::Pause, Self::Retime, Self::Resume, Self::Clear];

    /// The word in metrics, JSON and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Retime => "retime",
            Self::Resume => "resume",
            Self::Clear => "clear",
        }
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The server accepted it (standalone: and applied it).
    Accepted,
    /// The server refused it: it has not taken effect.
    Refused,
    /// No answer in time: it may still take effect.
    TimedOut,
    /// The connection broke before the answer: it may have taken effect.
    Cut,
}
