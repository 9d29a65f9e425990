//! `notify.py`: a chat hears what happens to a window, once.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

use crate::support::config::Span;
use crate::support::recess::{Recess, secs, until};
use crate::world::{World, folder, python};

/// A webhook of the test's own, and what was posted to it.
fn webhook() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let posted = Arc::new(Mutex::new(Vec::new()));
    let noted = posted.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap_or(0) > 2 {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            noted
                .lock()
                .unwrap()
                .push(body["text"].as_str().unwrap().to_owned());
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, posted)
}

/// Ends with the test.
struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-py: tests/automation/run"]
async fn a_chat_hears_of_a_window_once_though_two_copies_tell_it() {
    let world = World::new().await;
    let (url, posted) = webhook();
    let span = Span::opening_in(5, 10);
    let config = world
        .config()
        .set(r#"events.subject = "recess.events""#)
        .window("night", &["BILLING/*"], span);
    let mut command = world.command("python3", &folder().join("none"));
    command
        .arg(folder().join("notify.py"))
        .env("PYTHONPATH", python())
        .env("NATS_URL", world.server.url())
        .env("WEBHOOK", url);
    let mut child = Child(command.spawn().unwrap());
    until("it listens", secs(10), async || {
        let page = world.server.page("/connz?subs=1").unwrap_or_default();
        page.contains("recess.events.").then_some(())
    })
    .await;
    let _copies = [Recess::start(&config).await, Recess::start(&config).await];
    let all = async || {
        let posted = posted.lock().unwrap();
        posted
            .iter()
            .any(|text| text.contains("closed"))
            .then_some(())
    };
    until("the close is posted", secs(40), all).await;
    tokio::time::sleep(secs(2)).await;
    let ended = child.0.try_wait().unwrap();
    assert_eq!(ended, None, "it ended by itself");
    assert_eq!(
        *posted.lock().unwrap(),
        [
            format!("window night is open until {}", span.closes),
            "window night: all 2 consumers are drained".to_owned(),
            "window night is closed".to_owned(),
        ]
    );
}
