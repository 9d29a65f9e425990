//! What befalls the network between a copy of recess and its servers.

use std::time::Duration;

use jiff::Timestamp;

use crate::proxy::{Break, Proxy, Weather};
use crate::record::Record;
use crate::support::random::Random;

/// One thing that befalls the network, from its beginning to its end.
pub async fn weather(proxies: &[Proxy], random: &mut Random, record: &Record, name: &str) {
    let all = random.once_in(2);
    let one = random.below(proxies.len() as i64) as usize;
    let hit: Vec<&Proxy> = (proxies.iter().enumerate())
        .filter(|(place, _)| all || *place == one)
        .map(|(_, proxy)| proxy)
        .collect();
    let where_ = if all { "everywhere" } else { "to one node" };
    let wait = Duration::from_millis((100 + random.below(3_000)) as u64);
    let how = *random.pick(&[
        Break::Reset,
        Break::Reset,
        Break::AnswersEnd,
        Break::RequestsEnd,
    ]);
    let breaks = || {
        record.note(format!("{name}: {how:?} {where_}"));
        hit.iter().for_each(|proxy| proxy.breaks(how));
    };
    if random.once_in(4) {
        breaks();
        return;
    }
    let slow = Weather::Slow(20 + random.below(280) as u64);
    let kinds = [
        slow,
        slow,
        Weather::BlackHole,
        Weather::Deaf,
        Weather::Mute,
        Weather::Cut,
    ];
    let kind = *random.pick(&kinds);
    record.note(format!("{name}: {kind:?} {where_} for {wait:?}"));
    hit.iter().for_each(|proxy| proxy.becomes(kind));
    tokio::time::sleep(wait).await;
    if random.once_in(2) {
        // Windows open at whole seconds: a burst is cut.
        meets_an_opening(random).await;
        breaks();
    }
    hit.iter().for_each(|proxy| proxy.becomes(Weather::Fine));
    record.note(format!("{name}: fine {where_}"));
}

/// Waits until a moment after the next whole second.
async fn meets_an_opening(random: &mut Random) {
    let past = i64::from(Timestamp::now().subsec_millisecond());
    let wait = 1_000 - past + random.below(150);
    tokio::time::sleep(Duration::from_millis(wait as u64)).await;
}
