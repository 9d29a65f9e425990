//! What goes wrong in its life: the loop hangs, the journal does not listen, the config is no config.

use std::time::Instant;

use super::{BILLING, World};
use crate::service::{Service, message};
use crate::support::recess::{secs, until};

impl World {
    pub(super) async fn comes_back_within_the_window_when_its_loop_hangs(
        &self,
        service: &Service<'_>,
    ) {
        self.drop_in("[Service]\nEnvironment=RECESS_TEST_HANG_LOOP_ON=SIGUSR1\n");
        service.systemctl("restart");
        self.until_paused(BILLING, secs(10)).await;
        until("it has looked", secs(10), async || {
            service.metric("nats_connected").await
        })
        .await;
        let pid = service.pid();
        let asked = Instant::now();
        // A build for tests can hang its loop alone; a released program stands still as a whole.
        let of_tests = "grep -q RECESS_TEST_HANG_LOOP_ON /usr/bin/recess";
        let hangs_alone = self.machine.run(of_tests).status.success();
        let signal = if hangs_alone { "USR1" } else { "STOP" };
        self.machine.ok(&format!(
            "systemctl kill --signal {signal} --kill-whom main recess"
        ));
        if hangs_alone {
            until("the loop hangs", secs(5), async || {
                (!service.told("SIGUSR1: ").is_empty()).then_some(())
            })
            .await;
        }
        tokio::time::sleep(secs(2)).await;
        self.account.resume(BILLING).await;
        tokio::time::sleep(secs(3)).await;
        assert!(
            !self.account.look(BILLING).await.paused,
            "the loop does not hang"
        );
        self.until_paused(BILLING, secs(40)).await;
        let took = asked.elapsed();
        assert!(took < secs(30), "{took:?}");
        eprintln!(
            "paused again {:.1} s after the loop hung",
            took.as_secs_f64()
        );
        assert_ne!(service.pid(), pid);
        until("it is active again", secs(5), async || {
            service.is_active().then_some(())
        })
        .await;
        assert_eq!(service.property("NRestarts"), "1");
        assert_eq!(
            service.told("watchdog: the loop has not moved for ").len(),
            usize::from(hangs_alone)
        );
        let killed = "recess.service: Failed with result 'watchdog'.";
        assert_eq!(service.told(killed).len(), 1, "{:?}", service.journal(""));
    }

    pub(super) async fn is_heard_where_the_journal_does_not_listen(&self, service: &Service<'_>) {
        self.drop_in("[Service]\nInaccessiblePaths=/run/systemd/journal/socket\n");
        service.systemctl("restart");
        until("it is heard", secs(5), async || {
            let lines = service.journal("_TRANSPORT=stdout");
            let heard = |record: &serde_json::Value| message(record).contains("Z  INFO recess 0");
            lines.iter().any(heard).then_some(())
        })
        .await;
        self.machine
            .ok("rm -r /etc/systemd/system/recess.service.d && systemctl daemon-reload");
        service.systemctl("restart");
    }

    pub(super) fn does_not_try_again_with_a_wrong_config(&self, service: &Service<'_>) {
        service.configure_with("nats.server = []\n");
        let output = self.machine.run("systemctl restart recess");
        assert_eq!(output.status.code(), Some(1));
        std::thread::sleep(secs(3));
        assert_eq!(service.property("ActiveState"), "failed");
        assert_eq!(service.property("ExecMainStatus"), "78");
        assert_eq!(service.property("NRestarts"), "0");
        let told = service.told("/etc/recess/recess.toml:1: nats.server: ");
        assert_eq!(told.len(), 1, "{:?}", service.journal("-n 20"));
        assert_eq!(told[0]["PRIORITY"], "3");
        service.configure(&self.config(&[BILLING]));
        service.systemctl("start");
    }

    fn drop_in(&self, text: &str) {
        self.machine.write(
            "/etc/systemd/system/recess.service.d/test.conf",
            text,
            0o644,
        );
        self.machine.ok("systemctl daemon-reload");
    }
}
