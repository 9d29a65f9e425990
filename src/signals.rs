//! The signals that a service gets. Only `main`'s commands listen to them.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM, SIGINT and SIGHUP, caught from the moment of [`Signals::catch`] on. SIGUSR1 does
/// nothing, where it would end a process that does not catch it.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user: Signal,
    /// SIGUSR1 is to hang the loop.
    #[cfg(debug_assertions)]
    hangs: bool,
}

/// For tests of the watchdog, and nothing else: where this variable is `SIGUSR1`, that signal hangs
/// the loop.
///
/// A release build has none of it.
#[cfg(debug_assertions)]
const HANG: (&str, &str) = ("RECESS_TEST_HANG_LOOP_ON", "SIGUSR1");

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
    /// SIGUSR1, in a test: to hang.
    #[cfg(debug_assertions)]
    Hang,
}

impl Signals {
    /// Starts to catch them.
    pub fn catch() -> io::Result<Self> {
        Ok(Self {
            #[cfg(debug_assertions)]
            hangs: std::env::var(HANG.0).is_ok_and(|given| given == HANG.1),
            user: signal(SignalKind::user_defined1())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Asked {
        loop {
            // Cancel-safe: each `recv` is, a signal that came stays noted until one returns it.
            tokio::select! {
                _ = self.user.recv() => {
                    #[cfg(debug_assertions)]
                    if self.hangs {
                        return Asked::Hang;
                    }
                }
                _ = self.terminate.recv() => return Asked::Stop,
                _ = self.interrupt.recv() => return Asked::Stop,
                _ = self.hangup.recv() => return Asked::Reload,
            }
        }
    }
}
