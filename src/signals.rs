//! The signals that a service gets. Only `main`'s commands listen to them.

use std::env;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM, SIGINT and SIGHUP, caught from the moment of [`Signals::catch`] on.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// `None` outside tests.
    hang: Option<Signal>,
}

/// For tests of the watchdog, and nothing else: where this variable is `SIGUSR1`, that signal hangs the loop.
///
/// The packaged program must be testable, so it is no feature of the build. It takes two steps that nobody takes by accident,
/// a variable in the unit and then a signal; and a restarted process, which has the variable and not the signal, runs.
const HANG: (&str, &str) = ("RECESS_TEST_HANG_LOOP_ON", "SIGUSR1");

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
    /// SIGUSR1, in a test: to hang.
    Hang,
}

impl Signals {
    /// Starts to catch them.
    pub fn catch() -> io::Result<Self> {
        let (variable, value) = HANG;
        let hang = env::var(variable).is_ok_and(|given| given == value);
        Ok(Self {
            hang: (hang.then(|| signal(SignalKind::user_defined1()))).transpose()?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Asked {
        let hang = async {
            match &mut self.hang {
                Some(hang) => hang.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = hang => Asked::Hang,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }
}
