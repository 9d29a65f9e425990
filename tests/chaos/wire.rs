//! The NATS protocol, as far as it tells what recess asks and what it is told.

use serde_json::Value;

/// One line of the protocol, with its payload.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// `PUB`, `MSG`, `-ERR`; both forms with headers count as those without.
    pub verb: String,
    pub subject: String,
    /// Where the answer is to go.
    pub reply: String,
    /// A line each.
    pub headers: String,
    pub payload: String,
}

impl Frame {
    /// The number in the first line of the headers.
    pub fn status(&self) -> Option<u16> {
        let mut words = self.headers.lines().next()?.split_ascii_whitespace();
        words.nth(1)?.parse().ok()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = (self.headers.lines()).filter_map(|line| line.split_once(':'));
        let (_, value) = fields.find(|(key, _)| *key == name)?;
        Some(value.trim())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap_or_default()
    }
}

/// One direction of a connection.
#[derive(Default)]
pub struct Frames(Vec<u8>);

impl Frames {
    /// Takes in bytes as they come, and tells which frames they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.0.extend_from_slice(bytes);
        let mut frames = Vec::new();
        while let Some((frame, length)) = first(&self.0) {
            self.0.drain(..length);
            frames.push(frame);
        }
        frames
    }
}

fn first(bytes: &[u8]) -> Option<(Frame, usize)> {
    let end = bytes.windows(2).position(|two| two == b"\r\n")?;
    let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let begin = end + 2;
    let mut words: Vec<&str> = line.split_ascii_whitespace().collect();
    let verb = words
        .first()
        .copied()
        .unwrap_or_default()
        .to_ascii_uppercase();
    let headers = matches!(verb.as_str(), "HPUB" | "HMSG");
    let place = match verb.as_str() {
        "PUB" | "HPUB" => 2,
        "MSG" | "HMSG" => 3,
        "-ERR" => {
            let frame = Frame {
                payload: line.clone(),
                verb,
                ..Frame::default()
            };
            return Some((frame, begin));
        }
        _ => {
            let frame = Frame {
                verb,
                ..Frame::default()
            };
            return Some((frame, begin));
        }
    };
    let length: usize = words.pop()?.parse().expect("a length");
    let skipped: usize = match headers {
        true => words.pop()?.parse().expect("a length of headers"),
        false => 0,
    };
    let payload = bytes.get(begin..begin + length)?;
    bytes.get(begin + length..begin + length + 2)?;
    let frame = Frame {
        verb: verb.trim_start_matches('H').to_owned(),
        subject: words[1].to_owned(),
        reply: words.get(place).copied().unwrap_or_default().to_owned(),
        headers: String::from_utf8_lossy(&payload[..skipped]).into_owned(),
        payload: String::from_utf8_lossy(&payload[skipped..]).into_owned(),
    };
    Some((frame, begin + length + 2))
}

#[test]
fn frames_are_read_however_they_are_cut() {
    let text = "INFO {}\r\nPUB a.b c.d 2\r\nhi\r\nHMSG x 7 y 5 7\r\nh\r\n\r\nok\r\nMSG q 1 0\r\n\r\n-ERR 'no'\r\n";
    for step in 1..text.len() {
        let mut frames = Frames::default();
        let pieces = text.as_bytes().chunks(step);
        let read: Vec<Frame> = pieces.flat_map(|piece| frames.feed(piece)).collect();
        let told: Vec<_> = read
            .iter()
            .map(|frame| {
                let Frame {
                    verb,
                    subject,
                    reply,
                    payload,
                    ..
                } = frame;
                format!("{verb} {subject} {reply} {payload:?}")
            })
            .collect();
        let wanted = [
            r#"INFO   """#,
            r#"PUB a.b c.d "hi""#,
            r#"MSG x y "ok""#,
            r#"MSG q  """#,
            r#"-ERR   "-ERR 'no'""#,
        ];
        assert_eq!(told, wanted, "in pieces of {step}");
    }
}
