//! "Did you mean ..?"

pub(super) use strsim::osa_distance as distance;

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
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, candidate)| candidate)
}
