//! Selectors as config files and overrides have them, as far as histories make them up: a star at the end of a word at most.

/// Whether they name a consumer.
pub fn selects(selectors: &[String], path: &str, durable: bool) -> bool {
    let hits = |text: &str| {
        let ((stream, consumer), (s, c)) =
            (text.split_once('/').unwrap(), path.split_once('/').unwrap());
        matches(stream, s) && matches(consumer, c)
    };
    let mut taken = selectors.iter().filter_map(|text| text.strip_prefix('!'));
    let mut plain = selectors.iter().filter(|text| !text.starts_with('!'));
    !taken.any(hits) && plain.any(|text| hits(text) && (durable || !text.contains('*')))
}

/// Whether a list of that stream is of use for these selectors.
pub fn may_list(selectors: &[String], stream: &str) -> bool {
    (streams(selectors)).any(|of| matches(of, stream))
}

/// Whether the streams' names are: a pattern may mean any of them.
pub fn ask_for_streams(selectors: &[String]) -> bool {
    streams(selectors).any(|of| of.contains('*'))
}

/// What selectors name streams by.
fn streams(selectors: &[String]) -> impl Iterator<Item = &str> {
    let of = selectors.iter().filter(|text| !text.starts_with('!'));
    of.filter_map(|text| Some(text.split_once('/')?.0))
}

/// A pattern with a star at its end at most.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}
