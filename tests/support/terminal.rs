//! A terminal with recess on it: a real one, by `script` of util-linux, and what a person sees of it.
//!
//! Invariant: what runs in it ends with its owner.

use std::fs;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::config::Config;
use super::nats_server;
use super::recess::{PROGRAM, secs, until};

pub struct Terminal {
    script: Child,
    keys: ChildStdin,
    seen: Arc<Mutex<Seen>>,
    files: tempfile::TempDir,
}

struct Seen {
    screen: vt100::Parser,
    /// All that was written.
    bytes: Vec<u8>,
}

impl Terminal {
    /// A terminal of that size in which recess is run with that config. A shell waits for it, and compares the modes of
    /// the terminal before and after.
    pub fn start(
        config: &Config,
        arguments: &str,
        (columns, rows): (u16, u16),
        environment: &[(&str, &str)],
    ) -> Self {
        let files = tempfile::Builder::new()
            .prefix("recess-terminal-")
            .tempdir()
            .unwrap();
        config.write(files.path());
        let shell = format!(
            "stty cols {columns} rows {rows}; tty > tty; stty -g > before; echo waiting; \
             sh -c 'echo $$ > pid; exec {PROGRAM} {arguments} --config recess.toml'; \
             echo $? > exit; stty -g > after"
        );
        let mut script = Command::new("script")
            .args(["--quiet", "--flush", "--command", &shell, "/dev/null"])
            .current_dir(&files)
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .env("SHELL", "/bin/sh")
            .env_remove("NO_COLOR")
            .envs(environment.iter().copied())
            .envs(config.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`script` of util-linux");
        let seen = Arc::new(Mutex::new(Seen {
            screen: vt100::Parser::new(size(rows), size(columns), 0),
            bytes: Vec::new(),
        }));
        let mut output = script.stdout.take().unwrap();
        let sink = seen.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                let mut seen = sink.lock().unwrap();
                seen.screen.process(&buffer[..count]);
                seen.bytes.extend_from_slice(&buffer[..count]);
            }
        });
        Self {
            keys: script.stdin.take().unwrap(),
            script,
            seen,
            files,
        }
    }

    /// What a person reads, a line a row.
    pub fn text(&self) -> String {
        self.seen.lock().unwrap().screen.screen().contents()
    }

    /// Whether the screen of before is put aside.
    pub fn is_alternate(&self) -> bool {
        self.seen.lock().unwrap().screen.screen().alternate_screen()
    }

    pub fn is_cursor_hidden(&self) -> bool {
        self.seen.lock().unwrap().screen.screen().hide_cursor()
    }

    /// What was written since it was asked last.
    pub fn written(&self) -> String {
        let bytes = std::mem::take(&mut self.seen.lock().unwrap().bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Another size, as a window manager gives it.
    pub fn resize(&self, (columns, rows): (u16, u16)) {
        self.seen
            .lock()
            .unwrap()
            .screen
            .screen_mut()
            .set_size(size(rows), size(columns));
        let words = [columns.to_string(), rows.to_string()];
        let status = Command::new("stty")
            .args([
                "-F",
                self.read("tty").trim(),
                "cols",
                &words[0],
                "rows",
                &words[1],
            ])
            .status();
        assert!(status.unwrap().success());
    }

    pub fn signal(&self, name: &str) {
        nats_server::signal(self.read("pid").trim().parse().unwrap(), name);
    }

    /// Another config in the place of its own.
    pub fn edit(&self, text: &str) {
        fs::write(self.path("recess.toml"), text).unwrap();
    }

    pub async fn until_text(&self, what: &str) {
        let shows = format!("the terminal shows {what:?}");
        until(&shows, secs(20), async || {
            self.text().contains(what).then_some(())
        })
        .await;
    }

    /// Its exit status, and what it leaves on the screen. The terminal is as it was.
    pub async fn end(&mut self) -> (i32, String) {
        until("recess leaves the terminal", secs(10), async || {
            let after = fs::read_to_string(self.path("after")).unwrap_or_default();
            (!after.is_empty()).then_some(())
        })
        .await;
        self.script.wait().unwrap();
        assert_eq!(self.read("after"), self.read("before"), "its modes");
        until("the output is read", secs(5), async || {
            (!self.is_alternate()).then_some(())
        })
        .await;
        assert!(!self.is_cursor_hidden());
        (self.read("exit").trim().parse().unwrap(), self.text())
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(self.files.path()).join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

fn size(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has columns and rows")
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("-- the terminal --\n{}", self.text());
        }
        // The pseudoterminal closes with it, and SIGHUP ends what runs there.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}
