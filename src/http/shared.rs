//! An answer that takes a while to make, made once for all who ask for it while it is made or
//! shortly after.
//!
//! With 10,000 consumers the JSON of their states is some megabytes and a tenth of a second's work,
//! beside the loop and never on its threads. Invariant: of one `Shared`, one answer is made at a time; the
//! same one for at most a fifth of the time, however many ask and how often; and no answer is older
//! than a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// An answer is good for so many times as long as it took to make.
const GOOD_FOR: u32 = 4;

/// But never for longer.
const AT_MOST: Duration = Duration::from_secs(1);

type Make<Q, A, E> = dyn Fn(&Q) -> Result<A, E> + Send + Sync;

/// How the answer to a question is made, and the newest.
pub struct Shared<Q, A, E> {
    make: Arc<Make<Q, A, E>>,
    newest: Arc<Mutex<Option<Made<Q, A>>>>,
}

struct Made<Q, A> {
    question: Q,
    answer: A,
    good_until: Instant,
}

impl<Q, A> Made<Q, A> {
    fn is_good(&self) -> bool {
        Instant::now() < self.good_until
    }
}

impl<Q, A, E> Shared<Q, A, E>
where
    Q: PartialEq + Send + 'static,
    A: Clone + Send + 'static,
    E: From<String> + Send + 'static,
{
    /// `make` may block.
    pub fn of(make: impl Fn(&Q) -> Result<A, E> + Send + Sync + 'static) -> Self {
        Self {
            make: Arc::new(make),
            newest: Arc::default(),
        }
    }

    /// The answer, or why there is none.
    pub async fn get(&self, question: Q) -> Result<A, E> {
        // Who asks while it is made waits here, and gets it.
        let mut newest = self.newest.clone().lock_owned().await;
        let good = newest.as_ref().filter(|made| made.is_good());
        if let Some(made) = good.filter(|made| made.question == question) {
            return Ok(made.answer.clone());
        }
        // It is made to its end, and no other begins, though the client that wanted it may be gone
        // meanwhile.
        let make = self.make.clone();
        let making = tokio::task::spawn_blocking(move || {
            // Or there would be two.
            *newest = None;
            let began = Instant::now();
            let answer = make(&question)?;
            let good_for = (began.elapsed() * GOOD_FOR).min(AT_MOST);
            let good_until = Instant::now() + good_for;
            *newest = Some(Made {
                question,
                answer: answer.clone(),
                good_until,
            });
            Ok((answer, good_until))
        });
        let made: Result<_, E> = making.await.map_err(|error| E::from(error.to_string()))?;
        let (answer, good_until) = made?;
        tokio::spawn(forget(self.newest.clone(), good_until));
        Ok(answer)
    }
}

/// An answer that is good no more is some megabytes for nothing.
async fn forget<Q, A>(newest: Arc<Mutex<Option<Made<Q, A>>>>, at: Instant) {
    tokio::time::sleep_until(at).await;
    newest.lock().await.take_if(|made| !made.is_good());
}
