//! The manifests of `examples/kubernetes`, as Kubernetes reads them.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// Their folder.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/kubernetes")
}

/// What a file of YAML holds, document by document.
pub fn yaml(path: &str) -> Vec<Value> {
    let text =
        fs::read_to_string(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The list of the rest.
pub fn kustomization() -> Value {
    yaml("kustomization.yaml").remove(0)
}

/// All of that kind.
pub fn all_of(kind: &str) -> Vec<Value> {
    let kustomization = kustomization();
    let files = kustomization["resources"].as_array().unwrap();
    let manifests = files.iter().flat_map(|file| yaml(file.as_str().unwrap()));
    let found: Vec<Value> = manifests.filter(|one| one["kind"] == kind).collect();
    assert!(!found.is_empty(), "no {kind}");
    found
}

/// The one of that kind.
pub fn the(kind: &str) -> Value {
    let mut found = all_of(kind);
    assert_eq!(found.len(), 1, "{kind}");
    found.remove(0)
}

/// The two copies: the primary, then the standby.
pub fn deployments() -> [Value; 2] {
    all_of("Deployment").try_into().expect("two copies")
}
