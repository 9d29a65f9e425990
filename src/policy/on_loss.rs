//! What is done where messages would be lost while a consumer is held.

use jiff::SignedDuration;

/// What is done before a consumer that is held loses messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLoss {
    /// It is said.
    #[default]
    Warn,
    /// The consumer is released.
    Release,
}

impl OnLoss {
    /// As the config file has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Release => "release",
        }
    }
}

/// The defaults of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossDefaults {
    /// For what no window says otherwise, and for pauses that people order at run time.
    pub on_loss: OnLoss,
    /// How long before a loss a consumer is released; of whole seconds.
    pub margin: SignedDuration,
}

impl Default for LossDefaults {
    fn default() -> Self {
        Self {
            on_loss: OnLoss::default(),
            margin: SignedDuration::from_mins(15),
        }
    }
}
