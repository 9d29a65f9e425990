//! From the bytes of a file to its text. A file in another encoding is refused, and read as far as
//! it can be, so that its other mistakes are reported too.

use std::ops::Range;

use super::code;
use super::findings::{Finding, Severity};

/// The text, and what is wrong with its encoding.
pub fn decode(bytes: &[u8]) -> (String, Vec<Finding>) {
    if let Some(text) = utf_16(bytes) {
        let message = "the file is in UTF-16, and TOML is UTF-8";
        let hint = "save it as UTF-8: in PowerShell with `Set-Content -Encoding utf8`, elsewhere \
                    with `iconv -f UTF-16 -t UTF-8`";
        return (text, vec![finding(message, 0..0).hint(hint)]);
    }
    let mut text = String::new();
    let mut findings: Vec<Finding> = Vec::new();
    let mut reported = None;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let Some(first) = chunk.invalid().first() else {
            continue;
        };
        let line = text.matches('\n').count();
        let start = text.len();
        text.push(char::REPLACEMENT_CHARACTER);
        if reported.replace(line) != Some(line) {
            findings.push(not_utf_8(*first, start..text.len()));
        }
    }
    (text, findings)
}

/// The first byte of a line that is not UTF-8.
fn not_utf_8(byte: u8, span: Range<usize>) -> Finding {
    let message = format!("the byte 0x{byte:02X} is not valid UTF-8, and TOML is UTF-8");
    let hint = match byte {
        0xA0.. => format!(
            "in Latin-1 it would be `{}`: save the file as UTF-8, for example with `iconv -f \
             ISO-8859-1 -t UTF-8`",
            char::from(byte)
        ),
        _ => "save the file as UTF-8, for example with `iconv -f WINDOWS-1252 -t UTF-8`".to_owned(),
    };
    finding(&message, span).hint(hint)
}

fn finding(message: &str, span: Range<usize>) -> Finding {
    Finding::new(Severity::Error, code::ENCODING, "config file", message).at(span)
}

/// The text of a file in UTF-16: by its byte order mark, else by a first character that has a zero
/// for its other byte.
fn utf_16(bytes: &[u8]) -> Option<String> {
    let (content, unit): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xFF, 0xFE, rest @ ..] => (rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => (rest, u16::from_be_bytes),
        [1..=u8::MAX, 0, ..] => (bytes, u16::from_le_bytes),
        [0, 1..=u8::MAX, ..] => (bytes, u16::from_be_bytes),
        _ => return None,
    };
    let units = content.chunks_exact(2);
    let units = units.filter_map(|pair| Some(unit(pair.try_into().ok()?)));
    let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(text.collect())
}
