//! A folder as Kubernetes mounts a ConfigMap: each file is a link over one link, which leads to the files of a version.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Puts another version of `recess.toml` there, as the kubelet does. What was there may be a file.
pub fn swap(folder: &Path, version: &str, text: &str) {
    let old = fs::read_link(folder.join("..data"));
    fs::create_dir(folder.join(version)).unwrap();
    fs::write(folder.join(version).join("recess.toml"), text).unwrap();
    link(folder, version, "..data");
    link(folder, "..data/recess.toml", "recess.toml");
    if let Ok(old) = old {
        fs::remove_dir_all(folder.join(old)).unwrap();
    }
}

/// Puts a link in the place of what has that name.
pub fn link(folder: &Path, target: &str, name: &str) {
    let new = folder.join("..tmp");
    symlink(target, &new).unwrap();
    fs::rename(new, folder.join(name)).unwrap();
}
