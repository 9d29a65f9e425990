//! "Did you mean ..?"

pub(super) use strsim::osa_distance as distance;

/// The candidate that `word` most likely meant, if one is near enough to be worth saying. Of
/// equally near ones, the first.
pub fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_lowercase();
    let candidates: Vec<&str> = candidates.into_iter().collect();
    // `user` for `username`, `password` for `password_file`.
    let mut longer = candidates
        .iter()
        .filter(|candidate| candidate.starts_with(&word));
    if let (true, Some(longer)) = (word.len() > 3, longer.next()) {
        return Some(longer);
    }
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, candidate)| candidate)
}

/// The key that `word` most likely meant: by another word for the same thing, else by its letters.
pub fn closest_key(word: &str, keys: &[&'static str]) -> Option<&'static str> {
    let folded = word.to_lowercase().replace('-', "_");
    let synonym = (SYNONYMS.iter())
        .filter(|(_, words)| words.contains(&&*folded))
        .find_map(|(key, _)| keys.iter().find(|known| *known == key));
    synonym
        .copied()
        .or_else(|| closest(&folded, keys.iter().copied()))
}

/// What other programs, and people, call our keys.
const SYNONYMS: [(&str, &[&str]); 13] = [
    ("schedule", &["cron", "rule", "crontab"]),
    ("duration", &["length", "for", "lasts", "period"]),
    (
        "from",
        &["start", "starts", "begin", "begins", "start_time"],
    ),
    ("until", &["end", "ends", "to", "end_time"]),
    ("timezone", &["tz", "zone", "time_zone"]),
    ("consumers", &["selectors", "targets"]),
    ("servers", &["url", "urls", "address"]),
    ("credentials", &["creds", "creds_file", "credentials_file"]),
    ("nkey_seed_file", &["nkey", "seed", "seed_file"]),
    ("listen", &["bind", "addr", "address", "port"]),
    ("exclusion", &["exclude", "except", "holiday", "holidays"]),
    ("dates", &["days", "date", "day"]),
    ("bucket", &["kv", "kv_bucket", "store"]),
];
