//! Two small web servers of the tests: the pager that Alertmanager tells, and a page of consumers' lag.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::nats_server::Server;

/// One alert of one notification.
#[derive(Clone, Debug)]
pub struct Told {
    pub at: Timestamp,
    /// The path of the receiver: `page`, `ticket`.
    pub receiver: String,
    pub firing: bool,
    pub labels: Value,
}

impl Told {
    /// Whether it is about that consumer of `ORDERS`.
    pub fn is(&self, alert: &str, consumer: &str) -> bool {
        self.labels["alertname"] == alert
            && self.labels["stream_name"] == "ORDERS"
            && self.labels["consumer_name"] == consumer
    }
}

/// Whom Alertmanager wakes.
pub struct Pager {
    told: Arc<Mutex<Vec<Told>>>,
    pub port: u16,
    task: JoinHandle<()>,
}

impl Pager {
    pub async fn start() -> Self {
        let told: Arc<Mutex<Vec<Told>>> = Arc::default();
        let noted = told.clone();
        let hear = async move |Path(receiver): Path<String>, body: Bytes| {
            let notification: Value = serde_json::from_slice(&body).unwrap();
            for alert in notification["alerts"].as_array().unwrap() {
                noted.lock().unwrap().push(Told {
                    at: Timestamp::now(),
                    receiver: receiver.clone(),
                    firing: alert["status"] == "firing",
                    labels: alert["labels"].clone(),
                });
            }
        };
        let routes = Router::new().route("/{receiver}", post(hear));
        let (port, task) = serve(routes).await;
        Self { told, port, task }
    }

    /// All that it was told so far.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Stands in for prometheus-nats-exporter, which is not packaged for Debian: its metric, with the labels that matter, made
/// as it makes it, from what the server's `/jsz` tells.
pub struct LagPage {
    pub port: u16,
    task: JoinHandle<()>,
}

impl LagPage {
    pub async fn of(server: &Arc<Server>) -> Self {
        let server = server.clone();
        let show = async move || {
            // The server's page is read without async.
            let read = move || server.page("/jsz?consumers=true");
            let page = tokio::task::spawn_blocking(read).await.unwrap();
            let page: Value = serde_json::from_str(&page.unwrap_or_default()).unwrap_or_default();
            lag(&page)
        };
        let (port, task) = serve(Router::new().route("/metrics", get(show))).await;
        Self { port, task }
    }
}

impl Drop for LagPage {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lag(page: &Value) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut text = "# TYPE jetstream_consumer_num_pending gauge\n".to_owned();
    for account in list(&page["account_details"]) {
        for stream in list(&account["stream_detail"]) {
            for consumer in list(&stream["consumer_detail"]) {
                text += &format!(
                    "jetstream_consumer_num_pending{{account={},stream_name={},consumer_name={},is_consumer_leader=\"true\"}} {}\n",
                    account["name"], stream["name"], consumer["name"], consumer["num_pending"]
                );
            }
        }
    }
    text
}

async fn serve(routes: Router) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (port, task)
}
