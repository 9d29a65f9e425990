//! A server, or what stands in its place, that sends bytes without end and no message.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::{Session, wire};

/// So many bytes without a message are pings and the like.
const CHATTER: u64 = 1 << 20;

/// More must have become a message after this time: twice as long as a list is waited for.
const MESSAGE_DEADLINE: Duration = Duration::from_secs(10);

/// How often it is checked whether what comes in makes messages: where something comes in, and
/// where it does not. An idle daemon is woken by little else, and a flood slows itself: in four
/// seconds async-nats takes in some tens of megabytes, as it searches them again at each read.
const CHECK: Duration = Duration::from_millis(100);
const CHECK_AT_REST: Duration = Duration::from_secs(4);

/// Returns when the server has sent more than any answer is long, or for longer than any is waited
/// for, and no message came of it: async-nats keeps what it cannot make one of, without a limit,
/// and searches all of it at each read.
pub(super) async fn unreadable_flood(session: &Session) {
    let statistics = session.client.statistics();
    let read = || {
        let messages = statistics.in_messages.load(Ordering::Relaxed);
        (messages, statistics.in_bytes.load(Ordering::Relaxed))
    };
    let (mut messages, mut bytes) = read();
    let mut since = Instant::now();
    let mut rest = CHECK_AT_REST;
    loop {
        tokio::time::sleep(rest).await;
        let now = read();
        rest = CHECK_AT_REST;
        let waiting = now.1.saturating_sub(bytes);
        if now.0 != messages {
            (messages, bytes) = now;
            since = Instant::now();
            // What came after the last message may be the most of it.
            if waiting > CHATTER {
                rest = CHECK;
            }
        } else if waiting < CHATTER {
            since = Instant::now();
        } else if waiting > u64::try_from(wire::LONGEST_ANSWER).unwrap_or(u64::MAX)
            || since.elapsed() > MESSAGE_DEADLINE
        {
            return;
        } else {
            rest = CHECK;
        }
    }
}
