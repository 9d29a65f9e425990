//! A line of a terminal: pieces of text, each with a style that only underlines what its words say.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::visible::visible;

#[cfg(test)]
mod tests;

/// How a piece of text is set off. Without colours it is still understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// A heading, a name.
    Strong,
    /// What is known anyway.
    Faint,
    /// As it should be.
    Good,
    /// To be checked.
    Warning,
    /// Wrong.
    Bad,
}

/// Which characters a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Unicode,
    Ascii,
}

impl Charset {
    /// That of a locale, by the variables that decide it: the first that is set and not empty.
    pub fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"];
        let set = names.into_iter().filter_map(variable);
        let locale = set.into_iter().find(|value| !value.is_empty());
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        match locale.contains("utf-8") || locale.contains("utf8") {
            true => Self::Unicode,
            false => Self::Ascii,
        }
    }

    /// What stands at the end of a line that was cut.
    fn cut(self) -> char {
        match self {
            Self::Unicode => '…',
            Self::Ascii => '>',
        }
    }

    /// The part of a bar that is full, and the part that is empty.
    fn bar(self) -> (&'static str, &'static str) {
        match self {
            Self::Unicode => ("█", "░"),
            Self::Ascii => ("#", "-"),
        }
    }

    /// A bar of `width` columns, of which `parts` of a thousand are full.
    pub fn progress_bar(self, width: usize, parts: usize) -> String {
        let full = (width * parts / 1000).min(width);
        let (one, other) = self.bar();
        one.repeat(full) + &other.repeat(width - full)
    }
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub style: Style,
}

/// A line in the making. No text in it can hide or move another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<Piece>);

impl Line {
    /// A line of one piece.
    pub fn of(style: Style, text: impl AsRef<str>) -> Self {
        Self::default().and(style, text)
    }

    /// The same line with one piece more.
    pub fn and(mut self, style: Style, text: impl AsRef<str>) -> Self {
        let text = visible(text.as_ref());
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.style == style => last.text.push_str(&text),
            _ => self.0.push(Piece {
                text: text.into_owned(),
                style,
            }),
        }
        self
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        self.0.iter().map(|piece| piece.text.width()).sum()
    }

    /// The line as a terminal of that width and charset shows it. If it is too long it is cut, and
    /// its last column shows that.
    pub fn fitted(self, width: usize, charset: Charset) -> Self {
        let line = match charset {
            Charset::Unicode => self,
            Charset::Ascii => self.in_ascii(),
        };
        if line.width() <= width {
            return line;
        }
        let mut left = width.saturating_sub(1);
        let mut fitted = Vec::new();
        let mut style = Style::Plain;
        for piece in line.0 {
            style = piece.style;
            let is_whole = piece.text.width() <= left;
            let text = prefix(&piece.text, left).to_owned();
            left -= text.width();
            fitted.push(Piece { text, style });
            if !is_whole {
                break;
            }
        }
        if width > 0 {
            let text = charset.cut().to_string();
            fitted.push(Piece { text, style });
        }
        Self(fitted)
    }

    /// The line broken at blanks into lines of at most `width` columns; a word that is longer stays
    /// whole.
    pub fn wrapped(self, width: usize) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        let mut line = Self::default();
        // Blanks that stand before the next word, unless that begins a line.
        let mut gap: Option<Style> = None;
        for Piece { text, style } in self.0 {
            for (index, word) in text.split(' ').enumerate() {
                if index > 0 {
                    gap = Some(style);
                }
                if word.is_empty() {
                    continue;
                }
                let blank = gap.take().filter(|_| !line.0.is_empty());
                let needed = usize::from(blank.is_some()) + word.width();
                line = match blank {
                    Some(_) if line.width() + needed > width => {
                        lines.push(line);
                        Self::default()
                    }
                    Some(style) => line.and(style, " "),
                    None => line,
                };
                line = line.and(style, word);
            }
        }
        if !line.0.is_empty() {
            lines.push(line);
        }
        lines
    }

    fn in_ascii(self) -> Self {
        let ascii = |text: &str| {
            text.chars()
                .map(|letter| if letter.is_ascii() { letter } else { '?' })
                .collect()
        };
        let pieces = self.0.into_iter().map(|piece| Piece {
            text: ascii(&piece.text),
            ..piece
        });
        Self(pieces.collect())
    }

    /// Its words alone.
    #[cfg(test)]
    pub fn text(&self) -> String {
        self.0.iter().map(|piece| &*piece.text).collect()
    }
}

/// As much of a text as fits into so many columns.
fn prefix(text: &str, width: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, letter)| {
        used += letter.width().unwrap_or(0);
        used > width
    });
    end.map_or(text, |(at, _)| text.split_at(at).0)
}
