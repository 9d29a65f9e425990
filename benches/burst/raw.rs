//! NATS' text protocol over a socket, and no more of it than a measurement needs: what a request costs below any library.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a single answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Raw {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    inbox: String,
    subscriptions: u32,
}

/// A message, or an answer.
pub struct Message {
    pub subject: String,
    pub payload: Vec<u8>,
}

impl Raw {
    /// Connects, and hears answers below an inbox of that name.
    pub fn connect(port: u16, name: &str) -> io::Result<Self> {
        let writer = TcpStream::connect(("127.0.0.1", port))?;
        writer.set_nodelay(true)?;
        writer.set_read_timeout(Some(PATIENCE))?;
        let mut raw = Self {
            reader: BufReader::with_capacity(1 << 16, writer.try_clone()?),
            writer,
            inbox: format!("_INBOX.{name}"),
            subscriptions: 1,
        };
        let inbox = raw.inbox.clone();
        raw.send(&format!(
            "CONNECT {{\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true}}\r\nSUB {inbox}.* 1\r\n"
        ))?;
        Ok(raw)
    }

    pub fn subscribe(&mut self, subject: &str) -> io::Result<()> {
        self.hear(subject, "")
    }

    /// Hears the first message only: a tap that heard a whole burst would be a part of its cost.
    pub fn subscribe_once(&mut self, subject: &str) -> io::Result<()> {
        let number = self.subscriptions + 1;
        self.hear(subject, &format!("UNSUB {number} 1\r\n"))
    }

    fn hear(&mut self, subject: &str, limit: &str) -> io::Result<()> {
        // A number that is taken would be passed over in silence.
        self.subscriptions += 1;
        let number = self.subscriptions;
        self.send(&format!("SUB {subject} {number}\r\n{limit}PING\r\n"))?;
        let mut line = String::new();
        while line.trim() != "PONG" {
            line.clear();
            self.reader.read_line(&mut line)?;
        }
        Ok(())
    }

    fn send(&mut self, text: &str) -> io::Result<()> {
        self.writer.write_all(text.as_bytes())
    }

    /// Sends a request whose answer has this number.
    pub fn request(&mut self, subject: &str, number: usize, body: &str) -> io::Result<()> {
        let inbox = &self.inbox;
        let length = body.len();
        let text = format!("PUB {subject} {inbox}.{number} {length}\r\n{body}\r\n");
        self.send(&text)
    }

    /// The next message of any subscription.
    pub fn next(&mut self) -> io::Result<Message> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.reader.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let (subject, header, length) = match words.as_slice() {
                ["MSG", subject, _, .., length] => (*subject, "0", *length),
                ["HMSG", subject, _, .., header, length] => (*subject, *header, *length),
                ["PING"] => {
                    self.send("PONG\r\n")?;
                    continue;
                }
                ["-ERR", ..] => return Err(io::Error::other(line.trim().to_owned())),
                _ => continue,
            };
            let number = |text: &str| text.parse::<usize>().map_err(io::Error::other);
            let (header, length) = (number(header)?, number(length)?);
            let mut payload = vec![0; length + 2];
            let subject = subject.to_owned();
            self.reader.read_exact(&mut payload)?;
            payload.truncate(length);
            payload.drain(..header);
            return Ok(Message { subject, payload });
        }
    }

    /// Sends all of these, so many at a time, each when an answer before it has come. `check` sees every answer.
    pub fn pipeline(
        &mut self,
        requests: &[(String, String)],
        window: usize,
        check: fn(&[u8]) -> bool,
    ) -> io::Result<()> {
        let mut sent = 0;
        for answered in 0..requests.len() {
            while sent < requests.len() && sent < answered + window {
                let (subject, body) = &requests[sent];
                self.request(subject, sent, body)?;
                sent += 1;
            }
            let answer = self.next()?;
            if !check(&answer.payload) {
                let text = String::from_utf8_lossy(&answer.payload).into_owned();
                return Err(io::Error::other(text));
            }
        }
        Ok(())
    }

    /// One request and its answer.
    pub fn ask(&mut self, subject: &str, body: &str) -> io::Result<Vec<u8>> {
        self.request(subject, 0, body)?;
        Ok(self.next()?.payload)
    }
}
