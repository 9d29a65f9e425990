//! The manifests of `examples/kubernetes` fit together and fit recess. Whether Kubernetes takes them is a matter of its schemas:
//! `tests/automation/kubernetes.rs`. `tests/operations/container.rs` runs the container as they say.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Parser;
use recess::cli::Cli;
use recess::config;
use serde_json::{Value, json};

use crate::support::manifests::{all_of, deployments, folder, kustomization, the, yaml};

/// The container of a copy.
fn container(deployment: &Value) -> &Value {
    let containers = &deployment["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers.as_array().unwrap().len(), 1);
    &containers[0]
}

fn pod_labels(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["metadata"]["labels"]
}

/// Whether the labels have all those of a selector, of which there are some.
fn matches(selector: &Value, labels: &Value) -> bool {
    let wanted = selector["matchLabels"].as_object().expect("labels");
    assert!(!wanted.is_empty());
    wanted.iter().all(|(key, value)| labels[key] == *value)
}

#[test]
fn the_rules_for_the_operator_are_the_shipped_ones() {
    let script = folder().join("make-prometheusrule");
    let output = Command::new(script).current_dir("/").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let made = String::from_utf8(output.stdout).unwrap();
    let committed = fs::read_to_string(folder().join("prometheusrule.yaml")).unwrap();
    assert!(
        made == committed,
        "the rules have changed: examples/kubernetes/make-prometheusrule >examples/kubernetes/prometheusrule.yaml"
    );
    let rules = yaml("../prometheus/recess.rules.yml").remove(0);
    let rule = the("PrometheusRule");
    assert!(rules["groups"].as_array().unwrap().len() > 3);
    assert_eq!(rule["spec"], rules);
}

#[test]
fn every_file_is_in_the_list_and_every_name_leads_to_something() {
    let kustomization = kustomization();
    let listed: BTreeSet<&str> = (kustomization["resources"].as_array().unwrap().iter())
        .map(|file| file.as_str().unwrap())
        .collect();
    let files = fs::read_dir(folder()).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files
        .filter(|name| name.ends_with(".yaml") && name != "kustomization.yaml")
        .collect();
    assert_eq!(listed, files.iter().map(String::as_str).collect());
    let namespace = the("Namespace");
    assert_eq!(kustomization["namespace"], namespace["metadata"]["name"]);
    // A pod refers to the generated ones by these names, and kustomize would change names with a hash.
    let options = &kustomization["generatorOptions"];
    assert_eq!(options["disableNameSuffixHash"], true);
    let config = &kustomization["configMapGenerator"][0];
    assert_eq!(config["files"], json!(["recess.toml"]));
    let secret = &kustomization["secretGenerator"][0];
    assert_eq!(secret["files"], json!(["nats.creds"]));
    let account = the("ServiceAccount");
    let image = &kustomization["images"][0];
    assert_eq!(image["newTag"], env!("CARGO_PKG_VERSION"));
    for deployment in deployments() {
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["serviceAccountName"], account["metadata"]["name"]);
        assert_eq!(container(&deployment)["image"], image["name"]);
        let volumes = pod["volumes"].as_array().unwrap();
        let volume = |name: &str| {
            let mut volumes = volumes.iter();
            volumes
                .find(|volume| volume["name"] == name)
                .expect("it is there")
        };
        assert_eq!(volume("config")["configMap"]["name"], config["name"]);
        assert_eq!(volume("nats")["secret"]["secretName"], secret["name"]);
        for mount in container(&deployment)["volumeMounts"].as_array().unwrap() {
            volume(mount["name"].as_str().unwrap());
            assert_eq!(mount["subPath"], Value::Null, "it would never change");
        }
    }
}

#[test]
fn the_copies_differ_in_their_role_only() {
    let [primary, standby] = deployments();
    let text = primary.to_string().replace("primary", "standby");
    let mut expected: Value = serde_json::from_str(&text).unwrap();
    expected["metadata"]["name"] = json!("recess-standby");
    let environment = json!([{ "name": "RECESS_STANDBY", "value": "5s" }]);
    expected["spec"]["template"]["spec"]["containers"][0]["env"] = environment;
    assert_eq!(standby, expected);
    // Each owns its own pods.
    for (own, other) in [(&primary, &standby), (&standby, &primary)] {
        assert!(matches(&own["spec"]["selector"], pod_labels(own)));
        assert!(!matches(&own["spec"]["selector"], pod_labels(other)));
    }
}

#[test]
fn recess_takes_the_arguments_and_serves_what_is_probed() {
    for deployment in deployments() {
        let container = container(&deployment);
        let arguments = container["args"].as_array().unwrap().iter();
        let arguments = arguments.map(|word| word.as_str().unwrap());
        let parsed = Cli::try_parse_from(["recess"].into_iter().chain(arguments));
        assert!(parsed.is_ok(), "{}", parsed.unwrap_err());
        assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/healthz");
        assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
        for probe in ["livenessProbe", "readinessProbe"] {
            let port = &container[probe]["httpGet"]["port"];
            assert_eq!(port, &container["ports"][0]["name"]);
        }
    }
}

#[test]
fn recess_knows_the_variable_that_makes_a_standby() {
    let [primary, standby] = deployments();
    assert_eq!(container(&primary)["env"], Value::Null);
    let variable = &container(&standby)["env"][0];
    let (name, value) = (variable["name"].as_str(), variable["value"].as_str());
    let run = |arguments: &[&str], value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recess"));
        command.env(name.unwrap(), value).args(arguments);
        command.output().unwrap()
    };
    let value = value.unwrap();
    let help = String::from_utf8(run(&["run", "--help"], value).stdout).unwrap();
    let shown = format!("[env: {}={value}]", name.unwrap());
    assert!(help.contains(&shown), "{help}");
    // It ends at the config, not at the variable.
    let without_config = ["run", "--config", "/none/recess.toml"];
    assert_eq!(run(&without_config, value).status.code(), Some(78));
    assert_eq!(run(&without_config, "soon").status.code(), Some(2));
}

#[test]
fn the_config_loads_and_fits_the_pods() {
    let path = folder().join("recess.toml");
    let text = fs::read_to_string(&path).unwrap();
    let without_windows = config::parse(&path, &text).unwrap();
    let codes: Vec<&str> = (without_windows.warnings.iter())
        .map(|finding| finding.code)
        .collect();
    assert_eq!(codes, ["no-windows"]);
    let with_the_example: Vec<&str> = text
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| !rest.starts_with(' '))
                .unwrap_or(line)
        })
        .collect();
    let config = config::parse(&path, &with_the_example.join("\n")).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.policy.windows().len(), 1);
    let settings = config.settings;
    assert!(settings.controller.watch);
    assert!(settings.http.listen.ip().is_unspecified());
    for deployment in deployments() {
        let container = container(&deployment);
        let port = container["ports"][0]["containerPort"].as_u64();
        assert_eq!(port, Some(settings.http.listen.port().into()));
        let mounts = container["volumeMounts"].as_array().unwrap();
        let at = |name: &str| {
            let mut mounts = mounts.iter();
            let mount = mounts.find(|mount| mount["name"] == name).unwrap();
            Path::new(mount["mountPath"].as_str().unwrap())
        };
        assert_eq!(
            at("config").join("recess.toml"),
            Path::new(config::DEFAULT_PATH)
        );
        let credentials = at("nats").join("nats.creds");
        assert!(
            text.contains(&format!("{credentials:?}")),
            "{credentials:?}"
        );
    }
}

#[test]
fn what_selects_pods_selects_both_copies() {
    let budget = the("PodDisruptionBudget");
    let policy = the("NetworkPolicy");
    let monitor = the("PodMonitor");
    for deployment in deployments() {
        let labels = pod_labels(&deployment);
        for selector in [
            &budget["spec"]["selector"],
            &policy["spec"]["podSelector"],
            &monitor["spec"]["selector"],
            &deployment["spec"]["template"]["spec"]["topologySpreadConstraints"][0]["labelSelector"],
        ] {
            assert!(matches(selector, labels), "{selector}");
        }
        let port = &container(&deployment)["ports"][0]["name"];
        assert_eq!(&policy["spec"]["ingress"][0]["ports"][0]["port"], port);
        assert_eq!(&monitor["spec"]["podMetricsEndpoints"][0]["port"], port);
    }
    assert_eq!(budget["spec"]["minAvailable"], deployments().len() - 1);
}

#[test]
fn the_copies_differ_in_instance_alone_as_the_rules_expect() {
    let rules = fs::read_to_string(folder().join("prometheusrule.yaml")).unwrap();
    assert!(rules.contains(r#"max without (instance) (up{job="recess"})"#));
    let monitor = the("PodMonitor");
    let job = monitor["spec"]["jobLabel"].as_str().unwrap();
    for deployment in deployments() {
        assert_eq!(pod_labels(&deployment)[job], "recess");
    }
    // Those of the operator that differ between pods.
    let relabelings = monitor["spec"]["podMetricsEndpoints"][0]["relabelings"].as_array();
    let mut relabelings = relabelings.unwrap().iter();
    let dropped = relabelings
        .find(|one| one["action"] == "labeldrop")
        .unwrap();
    let dropped: Vec<&str> = dropped["regex"].as_str().unwrap().split('|').collect();
    assert_eq!(dropped, ["pod", "container", "endpoint"]);
}

#[test]
fn the_pods_meet_the_restricted_standard() {
    let namespace = the("Namespace");
    let labels = &namespace["metadata"]["labels"];
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
    assert_eq!(
        all_of("ServiceAccount")[0]["automountServiceAccountToken"],
        false
    );
    for deployment in deployments() {
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false);
        let security = &pod["securityContext"];
        assert_eq!(security["runAsNonRoot"], true);
        assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
        let expected = json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        });
        assert_eq!(container(&deployment)["securityContext"], expected);
        for key in ["hostNetwork", "hostPID", "hostIPC", "initContainers"] {
            assert_eq!(pod[key], Value::Null, "{key}");
        }
        for volume in pod["volumes"].as_array().unwrap() {
            let keys: Vec<&String> = volume.as_object().unwrap().keys().collect();
            assert!(
                keys.iter()
                    .all(|key| ["name", "configMap", "secret"].contains(&key.as_str())),
                "{keys:?}"
            );
        }
    }
}
