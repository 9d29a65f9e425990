//! `examples/kubernetes` by the schemas of Kubernetes and of the Prometheus Operator. How the manifests fit together:
//! `tests/offline/kubernetes.rs`.

use std::process::Command;

use crate::support::manifests::{folder, kustomization};
use crate::world::python;

/// The oldest that the README names. The newest is what the schemas have.
const OLDEST: &str = "1.30";

/// Those of the Prometheus Operator, of which its own models know each key.
const OPERATORS: [&str; 2] = ["podmonitor.yaml", "prometheusrule.yaml"];

/// Prints what a model does not know or does not take.
const BY_MODELS: &str = "
import sys, yaml
from cloudcoil.models.prometheus_operator import v1
for path in sys.argv[1:]:
    document = yaml.safe_load(open(path))
    model = getattr(v1, document['kind']).model_validate(document)
    known = model.model_dump(mode='json', by_alias=True, exclude_unset=True)
    if known != document:
        sys.exit(f'{path}: {document} is understood as {known}')
";

fn run(arguments: &[&str]) {
    let mut command = Command::new("python3");
    command.args(arguments).current_dir(folder());
    let output = command.env("PYTHONPATH", python()).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    // What has no schema is a warning only.
    assert!(output.status.success() && printed.is_empty(), "{printed}");
}

#[test]
#[ignore = "needs kubernetes-validate: tests/automation/run"]
fn kubernetes_knows_every_key_of_the_manifests() {
    let kustomization = kustomization();
    let files = kustomization["resources"].as_array().unwrap().iter();
    let files: Vec<&str> = files.map(|file| file.as_str().unwrap()).collect();
    let (operators, own): (Vec<&str>, Vec<&str>) =
        files.iter().partition(|file| OPERATORS.contains(file));
    assert_eq!(operators, OPERATORS);
    assert!(own.len() > 4, "{own:?}");
    for version in [&["-k", OLDEST][..], &[]] {
        let start = ["-m", "kubernetes_validate", "--strict", "--quiet"];
        run(&[&start[..], version, &own].concat());
    }
    run(&[&["-c", BY_MODELS][..], &operators].concat());
}
