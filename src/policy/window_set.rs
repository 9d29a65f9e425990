//! The windows that one consumer follows.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use super::Window;

/// The windows that a consumer follows, in the order of the file.
///
/// They are the windows themselves, not their places in a policy: a set outlives a reload, and still says what it said. Two sets
/// are equal if they hold the very same windows, which those of two policies never do.
#[derive(Clone, Debug, Default)]
pub struct WindowSet(Arc<[Arc<Window>]>);

impl WindowSet {
    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|window| &*window.name)
    }
}

impl Deref for WindowSet {
    type Target = [Arc<Window>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromIterator<Arc<Window>> for WindowSet {
    fn from_iter<I: IntoIterator<Item = Arc<Window>>>(windows: I) -> Self {
        Self(windows.into_iter().collect())
    }
}

impl PartialEq for WindowSet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.len() == other.len())
                && (self.iter().zip(other.iter())).all(|(one, other)| Arc::ptr_eq(one, other))
    }
}

impl Eq for WindowSet {}

impl Hash for WindowSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for window in self.iter() {
            Arc::as_ptr(window).hash(state);
        }
    }
}
