//! Text that others wrote, before it gets into a table, a log line or an error: every letter shows,
//! and none moves, hides or colours the text beside it.
//!
//! nats-server takes names with control characters, blanks of all kinds and marks that turn the
//! direction of the text. Programs get a name as it is (JSON, labels, fields of the journal);
//! people get it by way of this module.

use std::borrow::Cow;

#[cfg(test)]
mod tests;

/// Longer than anything that nats-server says.
const LONGEST: usize = 300;

/// The text with each letter escaped that would not be seen as one: `be\u{7}ll`, `a\u{202e}b`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.contains(is_unseen) {
        Cow::Owned(text.chars().fold(String::new(), push))
    } else {
        Cow::Borrowed(text)
    }
}

/// The same of a text of several lines, line by line.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    if text.contains(|letter| letter != '\n' && is_unseen(letter)) {
        let lines: Vec<_> = text.split('\n').map(visible).collect();
        Cow::Owned(lines.join("\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The same of words without end: one line, cut where it goes on for too long.
pub fn sanitize(words: &str) -> String {
    let mut sanitize = words.chars().take(LONGEST).fold(String::new(), push);
    if words.chars().nth(LONGEST).is_some() {
        sanitize.push('…');
    }
    sanitize
}

fn push(mut text: String, letter: char) -> String {
    if is_unseen(letter) {
        text.extend(letter.escape_default());
    } else {
        text.push(letter);
    }
    text
}

/// Control characters, of which a terminal makes colours and a log other people's lines; blanks
/// that are not the blank; and the marks of Unicode that have no width or reorder what stands
/// beside them.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || (letter.is_whitespace() && letter != ' ')
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
