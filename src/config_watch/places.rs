//! The way to a file: what has to be watched so that no change of what a path leads to is missed.
//!
//! A path may lead over symbolic links, as in Kubernetes, where `recess.toml` is a link to
//! `..data/recess.toml`, and `..data` one to a folder of which each version of a ConfigMap has its
//! own. Whichever of them is replaced, the path leads to another file.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Linux follows no more in one path.
const MOST_LINKS: usize = 40;

/// The links on the way to the file at `path`, an absolute one, and the file itself, each by a name in
/// a folder that exists and is no link. Where a folder is missing, its own name stands for what would
/// be in it.
pub fn places(path: &Path) -> BTreeSet<PathBuf> {
    let mut links = Vec::new();
    let mut at = PathBuf::from("/");
    let mut rest: VecDeque<OsString> = parts(path).collect();
    while let Some(part) = rest.pop_front() {
        match Path::new(&part).components().next() {
            Some(Component::RootDir | Component::Prefix(_)) => at = PathBuf::from("/"),
            Some(Component::ParentDir) => {
                at.pop();
            }
            Some(Component::CurDir) | None => {}
            Some(Component::Normal(name)) => {
                let next = at.join(name);
                match fs::read_link(&next) {
                    Ok(target) if links.len() < MOST_LINKS => {
                        links.push(next);
                        for part in parts(&target).rev() {
                            rest.push_front(part);
                        }
                    }
                    Ok(_) | Err(_) => at = next,
                }
            }
        }
    }
    let all = links.into_iter().chain([at]);
    all.map(first_that_can_appear).collect()
}

fn parts(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    let parts = path.components().map(|part| part.as_os_str().to_owned());
    parts.collect::<Vec<_>>().into_iter()
}

/// The path, or its first folder that is missing.
fn first_that_can_appear(path: PathBuf) -> PathBuf {
    let mut place = path;
    while let Some(folder) = place.parent()
        && !folder.is_dir()
    {
        place = folder.to_owned();
    }
    place
}

#[cfg(test)]
mod tests;
