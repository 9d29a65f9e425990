//! The Debian package, by the list of its files in `Cargo.toml`: the documents that it installs are whole.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;
use toml::Table;

use crate::support::documents::{read, root};

/// Each installed file that the repository has, with where it is there. Those in `target` are made by `cargo run --example assets`.
fn installed() -> BTreeMap<PathBuf, PathBuf> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: Table = manifest.parse().unwrap();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array();
    let mut files = BTreeMap::new();
    for asset in assets.unwrap() {
        let (from, to) = (asset[0].as_str().unwrap(), asset[1].as_str().unwrap());
        if from.starts_with("target/") {
            continue;
        }
        let found = matching(from);
        assert!(!found.is_empty(), "{from} matches no file");
        for (path, below) in found {
            let to = match to.ends_with('/') {
                true => Path::new(to).join(below),
                false => PathBuf::from(to),
            };
            files.insert(to, path);
        }
    }
    files
}

/// The files that an asset's pattern matches, each with its path below the folder in front of the first wildcard.
fn matching(pattern: &str) -> Vec<(PathBuf, PathBuf)> {
    let Some(wildcard) = pattern.find('*') else {
        let path = PathBuf::from(pattern);
        let name = PathBuf::from(path.file_name().unwrap());
        return match root().join(&path).is_file() {
            true => vec![(path, name)],
            false => Vec::new(),
        };
    };
    let folder = pattern[..wildcard].rfind('/').unwrap_or_default();
    let folder = Path::new(&pattern[..folder]);
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.unwrap().compile_matcher();
    let mut found = Vec::new();
    walk(folder, &mut |path| {
        if glob.is_match(path) {
            let below = path.strip_prefix(folder).unwrap();
            found.push((path.to_owned(), below.to_owned()));
        }
    });
    found
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => walk(&path, visit),
            false => visit(&path),
        }
    }
}

/// Without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(plain.pop(), "{}", path.display()),
            component => plain.push(component),
        }
    }
    plain
}

#[test]
fn every_link_of_an_installed_document_leads_to_an_installed_file() {
    let installed = installed();
    let mut followed = 0;
    for (place, path) in &installed {
        if path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let prose = read(path.to_str().unwrap()).prose();
        let targets = (prose.split("](").skip(1))
            .filter_map(|rest| rest.split_once([')', '#']).map(|(file, _)| file))
            .filter(|file| !file.is_empty() && !file.starts_with("http"));
        for target in targets {
            let file = plain(&place.parent().unwrap().join(target));
            let exists = installed.keys().any(|other| other.starts_with(&file));
            assert!(exists, "{}: no {target} in the package", place.display());
            followed += 1;
        }
    }
    assert!(followed >= 40, "{followed}");
}

/// The fuzz targets are a package of their own, which `cargo test` does not build: what they share with it may only use what both
/// have.
#[test]
fn the_fuzz_targets_have_every_crate_that_their_properties_use() {
    let manifest = |path: &str| -> Table { read(path).text.parse().unwrap() };
    let properties = read("tests/fuzz/properties.rs").text;
    let ours = manifest("Cargo.toml");
    let theirs = manifest("tests/fuzz/Cargo.toml");
    let tables = ["dependencies", "dev-dependencies"].map(|key| ours[key].as_table().unwrap());
    let used: Vec<&String> = (tables.iter().flat_map(|table| table.keys()))
        .filter(|name| {
            let path = format!("{}::", name.replace('-', "_"));
            let mut places = properties.match_indices(&path);
            places.any(|(at, _)| {
                let before = properties[..at].chars().next_back();
                !before.is_some_and(|letter| letter.is_alphanumeric() || "_:".contains(letter))
            })
        })
        .collect();
    assert!(used.len() >= 3, "only {used:?}");
    let theirs = theirs["dependencies"].as_table().unwrap();
    for name in used {
        assert!(theirs.contains_key(name), "{name} is missing");
    }
}

#[test]
fn every_place_that_names_the_version_names_this_one() {
    let this = env!("CARGO_PKG_VERSION");
    for (path, before) in [
        ("config/debian/changelog", "recess ("),
        ("CHANGELOG.md", "\n## ["),
        ("examples/kubernetes/kustomization.yaml", "newTag: "),
    ] {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let (_, version) = text.split_once(before).unwrap_or_default();
        assert!(version.starts_with(this), "{path}: {:?}", version.get(..20));
    }
    // Files, images and log lines in documents.
    let mut named = 0;
    for path in installed()
        .values()
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
    {
        let text = fs::read_to_string(root().join(path)).unwrap();
        for after in text.split("recess").skip(1) {
            let Some(after) = after.strip_prefix(['-', '_', ':', ' ']) else {
                continue;
            };
            let version = after
                .split(|c: char| !c.is_ascii_digit() && c != '.')
                .next();
            let version = version.unwrap_or_default().trim_end_matches('.');
            if version.contains('.') {
                assert_eq!(version, this, "{}", path.display());
                named += 1;
            }
        }
    }
    assert!(named >= 5, "{named}");
}
