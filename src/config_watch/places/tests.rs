use std::fs;
use std::os::unix::fs::symlink;

use super::*;

/// The places of `path` below a folder of these links (`name -> target`), folders (`name/`) and files.
fn below(entries: &[&str], path: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    for entry in entries {
        if let Some((name, target)) = entry.split_once(" -> ") {
            let target = target.replace("TOP", folder.to_str().unwrap());
            symlink(target, folder.join(name)).unwrap();
        } else if entry.ends_with('/') {
            fs::create_dir_all(folder.join(entry)).unwrap();
        } else {
            fs::write(folder.join(entry), "").unwrap();
        }
    }
    let places = places(&folder.join(path)).into_iter();
    let places = places.map(|place| place.strip_prefix(&folder).unwrap().display().to_string());
    places.collect()
}

#[test]
fn each_link_on_the_way_and_the_file_are_places() {
    for (entries, path, expected) in [
        (&["a.toml"][..], "a.toml", &["a.toml"][..]),
        (&[], "a.toml", &["a.toml"]),
        (&["x/"], "x/y/../a.toml", &["x/a.toml"]),
        (&["x/", "x/a.toml"], "x/./a.toml", &["x/a.toml"]),
        // A missing folder stands for all that would be in it.
        (&["x/"], "x/y/z/a.toml", &["x/y"]),
        (
            &["a.toml -> b.toml", "b.toml"],
            "a.toml",
            &["a.toml", "b.toml"],
        ),
        (&["a.toml -> x/b.toml"], "a.toml", &["a.toml", "x"]),
        // Kubernetes.
        (
            &[
                "..1/",
                "..1/a.toml",
                "..data -> ..1",
                "a.toml -> ..data/a.toml",
            ],
            "a.toml",
            &["..1/a.toml", "..data", "a.toml"],
        ),
        (
            &["x/", "x/1/", "x/1/a.toml", "current -> TOP/x/1"],
            "current/a.toml",
            &["current", "x/1/a.toml"],
        ),
        (
            &["x/", "y/", "x/a.toml -> ../y/a.toml"],
            "x/a.toml",
            &["x/a.toml", "y/a.toml"],
        ),
    ] {
        assert_eq!(below(entries, path), expected, "{entries:?} {path}");
    }
}

#[test]
fn links_in_a_circle_have_an_end() {
    let places = below(&["a -> b", "b -> a"], "a/recess.toml");
    assert!(places.contains(&"a".to_owned()), "{places:?}");
}
