//! The text of `/metrics`, written once for all who ask for it while it is written or shortly
//! after.
//!
//! With 10,000 consumers it is some megabytes and a tenth of a second's work, beside the loop and
//! never on its threads. Invariant: it is written one at a time, and for at most a fifth of the
//! time, however many ask and how often; and no text is older than a second.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A text is good for so many times as long as it took to write.
const GOOD_FOR: u32 = 4;

/// But never for longer.
const AT_MOST: Duration = Duration::from_secs(1);

type Write = dyn Fn() -> Result<Vec<u8>, String> + Send + Sync;

/// How the text is written, and the newest.
#[derive(Clone)]
pub struct Scrape {
    write: Arc<Write>,
    newest: Arc<Mutex<Option<Written>>>,
}

struct Written {
    text: Bytes,
    good_until: Instant,
}

impl Written {
    fn is_good(&self) -> bool {
        Instant::now() < self.good_until
    }
}

impl Scrape {
    pub fn of(write: impl Fn() -> Result<Vec<u8>, String> + Send + Sync + 'static) -> Self {
        Self {
            write: Arc::new(write),
            newest: Arc::default(),
        }
    }

    /// The text of `/metrics`, or why there is none.
    pub async fn text(&self) -> Result<Bytes, String> {
        // A scrape that arrives while it is written waits here, and gets it.
        let mut newest = self.newest.clone().lock_owned().await;
        if let Some(written) = newest.as_ref().filter(|written| written.is_good()) {
            return Ok(written.text.clone());
        }
        // It is written to its end, and no other begins, though the client that wanted it may be
        // gone meanwhile.
        let write = self.write.clone();
        let writing = tokio::task::spawn_blocking(move || {
            // Or there would be two.
            *newest = None;
            let began = Instant::now();
            let text = Bytes::from(write()?);
            let good_for = (began.elapsed() * GOOD_FOR).min(AT_MOST);
            let good_until = Instant::now() + good_for;
            *newest = Some(Written {
                text: text.clone(),
                good_until,
            });
            Ok((text, good_until))
        });
        let written: Result<_, String> = writing.await.map_err(|error| error.to_string())?;
        let (text, good_until) = written?;
        tokio::spawn(forget(self.newest.clone(), good_until));
        Ok(text)
    }
}

/// A text that is good no more is some megabytes for nothing.
async fn forget(newest: Arc<Mutex<Option<Written>>>, at: Instant) {
    tokio::time::sleep_until(at).await;
    newest.lock().await.take_if(|written| !written.is_good());
}
