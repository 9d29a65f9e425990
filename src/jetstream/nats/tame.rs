//! What a server says, before it gets into a log line, a page or a terminal: one line, and not without end.

/// Longer than anything that nats-server says.
const LONGEST: usize = 300;

/// The words without control characters, of which a terminal makes colours and a log other people's lines, and cut where
/// they go on for too long.
pub fn tame(words: &str) -> String {
    let mut tame = String::new();
    for (count, letter) in words.chars().enumerate() {
        if count == LONGEST {
            tame.push('…');
            break;
        }
        if letter.is_control()
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}')
        {
            tame.extend(letter.escape_default());
        } else {
            tame.push(letter);
        }
    }
    tame
}
