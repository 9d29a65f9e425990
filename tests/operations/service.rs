//! The installed service, as an operator handles it: with systemctl, journalctl and files in /etc/recess.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::machine::Machine;
use crate::support::config::Config;

/// recess in a machine, with pages on a port of the network that machine and test share.
pub struct Service<'a> {
    pub machine: &'a Machine,
    pub unit: &'static str,
    config: &'static str,
    port: u16,
}

impl<'a> Service<'a> {
    pub fn new(machine: &'a Machine, unit: &'static str, config: &'static str) -> Self {
        let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = any.local_addr().unwrap().port();
        Self {
            machine,
            unit,
            config,
            port,
        }
    }

    pub fn configure(&self, config: &Config) {
        self.configure_with(&config.text(&format!("127.0.0.1:{}", self.port)));
    }

    pub fn configure_with(&self, text: &str) {
        self.machine.write(self.config, text, 0o644);
    }

    /// `systemctl VERB`, which must succeed.
    pub fn systemctl(&self, verb: &str) {
        self.machine.ok(&format!("systemctl {verb} {}", self.unit));
    }

    /// `systemctl reload`: its exit status.
    pub fn reload(&self) -> Option<i32> {
        self.machine
            .run(&format!("systemctl reload {}", self.unit))
            .status
            .code()
    }

    pub fn property(&self, name: &str) -> String {
        self.machine.property(self.unit, name)
    }

    pub fn is_active(&self) -> bool {
        self.property("ActiveState") == "active"
    }

    pub fn pid(&self) -> u32 {
        self.property("MainPID").parse().unwrap()
    }

    /// The records of its journal that match.
    pub fn journal(&self, matches: &str) -> Vec<Value> {
        let unit = self.unit;
        let lines = self.machine.ok(&format!(
            "journalctl --sync; journalctl -u {unit} -o json {matches}"
        ));
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The records that begin so.
    pub fn told(&self, start: &str) -> Vec<Value> {
        let mut records = self.journal("");
        records.retain(|record| message(record).starts_with(start));
        records
    }

    /// The value of one series of `/metrics`, without the prefix `recess_`.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .await
            .ok()?;
        stream
            .write_all(b"GET /metrics HTTP/1.0\r\nHost: recess\r\n\r\n")
            .await
            .ok()?;
        let mut page = String::new();
        let read = stream.read_to_string(&mut page);
        tokio::time::timeout(Duration::from_secs(2), read)
            .await
            .ok()?
            .ok()?;
        let start = format!("recess_{series} ");
        page.lines()
            .find_map(|line| line.strip_prefix(&start))?
            .parse()
            .ok()
    }
}

pub fn message(record: &Value) -> &str {
    record["MESSAGE"].as_str().unwrap_or_default()
}
