//! Content lines: a long one goes on in the next, which then begins with a blank (RFC 5545, 3.1).

use super::Remark;

/// A content line, whole.
pub struct Line {
    /// Where it begins, counted from 1.
    pub number: usize,
    pub text: String,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The lines of a file. They are joined as bytes: a fold may split a letter.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = Result<Line, Remark>> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let physical = bytes.split(|byte| *byte == b'\n').zip(1..);
    let mut physical = physical
        .map(|(line, number)| (line.strip_suffix(b"\r").unwrap_or(line), number))
        .filter(|(line, _)| !line.is_empty())
        .peekable();
    std::iter::from_fn(move || {
        let (first, number) = physical.next()?;
        let mut whole = first.to_vec();
        while let Some((next, _)) = physical.next_if(|(line, _)| is_folded(line)) {
            whole.extend_from_slice(next.get(1..).unwrap_or_default());
        }
        let line = String::from_utf8(whole).map(|text| Line { number, text });
        Some(line.map_err(|_| {
            let hint = "iCalendar is UTF-8: save the file as such";
            Remark::new(number, "it is not valid UTF-8").hint(hint)
        }))
    })
}

fn is_folded(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}
