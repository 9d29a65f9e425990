//! The life of the package on a machine: installed, configured, reloaded, hung, restarted, purged, with a nats-server beside it
//! that asks for a password which only root may read.

use std::path::Path;
use std::time::{Duration, Instant};

use async_nats::ConnectOptions;
use jiff::ToSpan;

use crate::machine::Machine;
use crate::package::{deb, in_target};
use crate::service::{Service, message};
use crate::support::account::Account;
use crate::support::config::{Config, Span};
use crate::support::nats_server::{Options, Server};
use crate::support::recess::{secs, until};

mod trouble;

const BILLING: &str = "ORDERS/billing";
const SHIPPING: &str = "ORDERS/shipping";

const PASSWORD: &str = "only root may read this";

/// What recess may, as `examples/nats/README.md` has it, and what the test may.
const ACCOUNTS: &str = r#"authorization {
    users: [
        { user: tester, password: tester }
        { user: recess, password: "only root may read this", permissions: {
            publish: [
                "$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.*", "$JS.API.CONSUMER.LIST.*", "$JS.API.CONSUMER.INFO.*.*",
                "$JS.API.CONSUMER.PAUSE.*.*"
            ]
            subscribe: [
                "_INBOX_recess.>", "$JS.EVENT.ADVISORY.CONSUMER.PAUSE.*.*", "$JS.EVENT.ADVISORY.CONSUMER.CREATED.*.*",
                "$JS.EVENT.ADVISORY.CONSUMER.DELETED.*.*"
            ]
        } }
    ]
}"#;

/// systemd 252 where this host is Debian 12.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and Debian packages: tests/operations/run"]
async fn the_package_lives_on_this_hosts_systemd() {
    live("host", Path::new("/")).await;
}

/// A tree of Debian 13, with systemd 257.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root and Debian packages: tests/operations/run"]
async fn the_package_lives_on_a_newer_systemd() {
    live("trixie", &in_target("operations/trixie")).await;
}

async fn live(name: &'static str, tree: &Path) {
    let world = World::start(name, tree).await;
    let service = Service::new(&world.machine, "recess.service", "/etc/recess/recess.toml");
    world.installs_and_pauses_nothing(&service);
    world
        .pauses_with_a_secret_that_only_root_may_read(&service)
        .await;
    world.finds_lines_by_their_fields(&service);
    world
        .reloads_what_is_good_and_refuses_what_is_not(&service)
        .await;
    world
        .stops_within_a_second_and_leaves_pauses(&service)
        .await;
    world
        .comes_back_within_the_window_when_its_loop_hangs(&service)
        .await;
    world
        .is_heard_where_the_journal_does_not_listen(&service)
        .await;
    world.does_not_try_again_with_a_wrong_config(&service);
    world.runs_instances().await;
    world.leaves_nothing_after_a_purge().await;
}

struct World {
    server: Server,
    account: Account,
    machine: Machine,
    span: Span,
}

impl World {
    async fn start(name: &'static str, tree: &Path) -> Self {
        let server = Server::start(Options {
            config: ACCOUNTS.to_owned(),
            ..Options::default()
        })
        .unwrap();
        let tester = ConnectOptions::with_user_and_password("tester".into(), "tester".into());
        let account = Account::connect_with(&server.url(), tester).await;
        account.durables(&[BILLING, SHIPPING]).await;
        let machine = Machine::boot(name, tree, &[("/srv/recess.deb", &deb())]).await;
        let version = machine.ok("systemctl --version | head -n 1");
        eprintln!("{name}: {version}");
        Self {
            server,
            account,
            machine,
            span: Span::open_for(600),
        }
    }

    fn config(&self, consumers: &[&str]) -> Config {
        Config::new([self.server.url()])
            .set("controller.resync = \"1s\"")
            .set("nats.inbox_prefix = \"_INBOX_recess\"")
            .set("nats.username = \"recess\"")
            .set("nats.password_file = \"$CREDENTIALS_DIRECTORY/nats.password\"")
            .window("night", consumers, self.span)
    }

    async fn until_paused(&self, path: &str, within: Duration) {
        until(&format!("{path} is paused"), within, async || {
            let paused = self.account.is_paused_until(path, self.span.deadline());
            paused.await.then_some(())
        })
        .await;
    }

    /// A fresh package: active, harmless, and it says what to do.
    fn installs_and_pauses_nothing(&self, service: &Service<'_>) {
        self.machine.ok("dpkg -i /srv/recess.deb");
        assert!(service.is_active());
        assert_eq!(service.property("UnitFileState"), "enabled");
        assert_eq!(
            service.told("config: window: ").len(),
            1,
            "{:?}",
            service.journal("")
        );
        let verify = self
            .machine
            .run("systemd-analyze verify --man=no recess.service recess@x.service");
        assert!(verify.status.success(), "{verify:?}");
        // Before 254 systemd does not know two keys, as the unit says.
        let told = String::from_utf8_lossy(&verify.stderr).into_owned()
            + &String::from_utf8_lossy(&verify.stdout);
        let surprises: Vec<&str> = told
            .lines()
            .filter(|line| !(line.contains("Unknown key") && line.contains("Restart")))
            .collect();
        assert!(surprises.is_empty(), "{told}");
        let version: u32 = self
            .machine
            .ok("systemctl --version | head -n 1 | cut -d ' ' -f 2")
            .parse()
            .unwrap();
        assert_eq!(told.is_empty(), version >= 254, "{told}");
    }

    async fn pauses_with_a_secret_that_only_root_may_read(&self, service: &Service<'_>) {
        self.machine
            .write("/etc/recess/nats.password", PASSWORD, 0o600);
        service.configure(&self.config(&[BILLING]));
        service.systemctl("restart");
        self.until_paused(BILLING, secs(10)).await;
        let user: u32 = self
            .machine
            .ok(&format!("stat -c %u /proc/{}", service.pid()))
            .parse()
            .unwrap();
        assert!(
            (61_184..=65_519).contains(&user),
            "user {user} is not a dynamic one"
        );
        assert_eq!(
            self.machine.ok("stat -c '%u %a' /etc/recess/nats.password"),
            "0 600"
        );
        assert!(
            service
                .property("StatusText")
                .starts_with("connected to nats-server"),
            "{}",
            service.property("StatusText")
        );
        // The commands find the service's file by themselves.
        let told = self.machine.ok("recess check");
        assert!(
            told.starts_with("/etc/recess/recess.toml: ok, 1 window"),
            "{told}"
        );
        // In a shell secrets are where they are kept, for whoever may read them.
        let told = self
            .machine
            .ok("CREDENTIALS_DIRECTORY=/etc/recess recess status");
        assert!(
            told.contains("1 of 1 consumers paused; open: night"),
            "{told}"
        );
    }

    fn finds_lines_by_their_fields(&self, service: &Service<'_>) {
        let about_orders = service.journal("STREAM=ORDERS");
        let paused = about_orders
            .iter()
            .find(|record| message(record).starts_with("paused ORDERS > billing until "));
        let paused = paused.unwrap_or_else(|| panic!("{about_orders:?}"));
        assert_eq!(paused["PRIORITY"], "6");
        assert_eq!(paused["CONSUMER"], "billing");
        assert_eq!(paused["WINDOW"], "night");
        assert!(service.journal("STREAM=EVENTS").is_empty());
        let open = service.journal("WINDOW=night -p info");
        assert!(
            open.iter()
                .any(|record| message(record).starts_with("window night opened until ")),
            "{open:?}"
        );
        assert!(service.journal("-p err").is_empty());
    }

    async fn reloads_what_is_good_and_refuses_what_is_not(&self, service: &Service<'_>) {
        let pid = service.pid();
        service.configure(&self.config(&[BILLING, SHIPPING]));
        assert_eq!(service.reload(), Some(0));
        self.until_paused(SHIPPING, secs(5)).await;

        service.configure_with("[[window]]\nname = \"night\"\ntimezone = \"Europe/Zurch\"\n");
        assert_eq!(service.reload(), Some(1));
        let mistake = "/etc/recess/recess.toml:3: window night: timezone: \"Europe/Zurch\" is not a time zone (did you mean";
        let told = service.told(mistake);
        assert_eq!(told.len(), 1, "{:?}", service.journal("-p err"));
        assert_eq!(told[0]["PRIORITY"], "3");
        // Nobody asks `recess check` first where the signal is sent by hand.
        self.machine.ok("systemctl kill --signal HUP recess");
        let told = format!("new config rejected, the active one stays: {mistake}");
        until("the refusal is told", secs(5), async || {
            (service.told(&told).len() == 1).then_some(())
        })
        .await;
        assert_eq!(
            service.metric("config_last_reload_successful").await,
            Some(0.0)
        );
        assert!(
            self.account
                .is_paused_until(SHIPPING, self.span.deadline())
                .await
        );

        service.configure(&self.config(&[BILLING]));
        assert_eq!(service.reload(), Some(0));
        until("shipping runs again", secs(10), async || {
            (!self.account.look(SHIPPING).await.paused).then_some(())
        })
        .await;
        assert_eq!(
            service.metric("config_last_reload_successful").await,
            Some(1.0)
        );
        assert_eq!(service.pid(), pid, "it was restarted");
    }

    async fn stops_within_a_second_and_leaves_pauses(&self, service: &Service<'_>) {
        let asked = Instant::now();
        service.systemctl("stop");
        let took = asked.elapsed();
        assert!(took < secs(1), "{took:?}");
        eprintln!("stopped in {} ms", took.as_millis());
        assert_eq!(service.property("Result"), "success");
        assert!(
            self.account
                .is_paused_until(BILLING, self.span.deadline())
                .await
        );
        // An upgrade, or what is one to dpkg: it is started again.
        self.machine.ok("dpkg -i /srv/recess.deb");
        assert!(service.is_active());
        assert_eq!(
            self.machine.ok("stat -c '%u %a' /etc/recess/nats.password"),
            "0 600"
        );
    }

    async fn runs_instances(&self) {
        let second = Service::new(
            &self.machine,
            "recess@second.service",
            "/etc/recess/second.toml",
        );
        self.machine
            .write("/etc/recess/second/nats.password", PASSWORD, 0o600);
        let config = self.config(&[SHIPPING]).set("instance = \"second\"");
        second.configure(&config);
        second.systemctl("enable --now");
        assert!(second.is_active());
        until("shipping is paused", secs(10), async || {
            self.account.look(SHIPPING).await.paused.then_some(())
        })
        .await;
        assert_eq!(second.reload(), Some(0));
    }

    async fn leaves_nothing_after_a_purge(&self) {
        self.machine.ok("dpkg --purge recess");
        // What was written since the boot lies on top of the tree; journals are systemd's.
        let left = self.machine.ok(
            "find /etc /usr /var /lib /run /opt -xdev -name '*recess*' -not -path '/var/log/journal/*' -cnewer /srv/recess.deb",
        );
        assert_eq!(left, "");
        assert!(self.machine.run("ls /etc/recess").status.code() != Some(0));
        let running = self
            .machine
            .ok("for process in /proc/[0-9]*; do readlink $process/exe || true; done");
        assert!(
            running.contains("systemd-journald") && !running.contains("recess"),
            "{running}"
        );
        assert_eq!(
            self.machine
                .ok("systemctl list-units --all --no-legend 'recess*'"),
            ""
        );
        // The server keeps what was promised.
        let look = self.account.look(BILLING).await;
        assert!(
            look.paused
                && look
                    .until
                    .is_some_and(|until| until > self.span.closes - 1.seconds())
        );
    }
}
