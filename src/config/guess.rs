//! "Did you mean ..?"

use strsim::osa_distance;

/// The candidate that `word` most likely meant, if one is near enough to be worth saying. Of equally near ones, the first.
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
        .map(|candidate| (osa_distance(&word, &candidate.to_lowercase()), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, candidate)| candidate)
}

/// The zone that `word` most likely meant. People leave out or mistake the continent, so the place counts by itself.
pub(super) fn closest_zone(word: &str, zones: impl IntoIterator<Item = String>) -> Option<String> {
    let word = word.to_lowercase().replace(' ', "_");
    let place = last_part(&word);
    let near = |length: usize| (length / 4).min(3);
    zones
        .into_iter()
        .filter_map(|zone| {
            let lower = zone.to_lowercase();
            let whole = osa_distance(&word, &lower);
            let part = osa_distance(place, last_part(&lower));
            let by_whole = (whole <= near(word.chars().count())).then_some(2 * whole);
            // Half a step behind a match of the whole name that is as good.
            let by_part = (part <= near(place.chars().count())).then_some(2 * part + 1);
            Some((by_whole.into_iter().chain(by_part).min()?, zone))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, zone)| zone)
}

fn last_part(zone: &str) -> &str {
    zone.rsplit('/').next().unwrap_or(zone)
}
