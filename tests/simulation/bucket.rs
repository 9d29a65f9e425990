//! The bucket of overrides as the model has it.

use std::sync::Arc;

use jiff::Timestamp;
use recess::jetstream::bucket::{BucketEnd, BucketRead};
use recess::overrides::entry::{Undoing, Undone};
use recess::policy::{Override, OverrideId, Terms};

/// A bucket, which may not exist.
#[derive(Default)]
pub struct Overrides {
    exists: bool,
    sequence: u64,
    live: Vec<Arc<Override>>,
    undone: Vec<Undone>,
    /// Nobody answers for it.
    pub is_silent: bool,
    /// What a replica that lags answers instead.
    pub stale: Option<BucketRead>,
}

impl Overrides {
    pub fn create(&mut self) {
        self.exists = true;
    }

    /// With all that is in it.
    pub fn delete(&mut self) {
        *self = Self::default();
    }

    pub fn make(&mut self, terms: Terms, now: Timestamp) -> OverrideId {
        self.sequence += 1;
        let id = OverrideId::new("alice", self.sequence.to_string());
        self.live.push(Arc::new(Override {
            id: id.clone(),
            sequence: self.sequence,
            made: now,
            terms,
        }));
        id
    }

    pub fn undo(&mut self, id: &OverrideId, now: Timestamp) {
        let was = self.remove(id);
        self.undone.push(Undone {
            id: id.clone(),
            was: Some(was),
            undoing: Undoing {
                by: Some("bob".to_owned()),
                reason: None,
                at: now,
            },
        });
    }

    /// Without a word.
    pub fn purge(&mut self, id: &OverrideId) {
        self.remove(id);
    }

    fn remove(&mut self, id: &OverrideId) -> Override {
        let place = self.live.iter().position(|one| one.id == *id);
        self.sequence += 1;
        let was = self.live.remove(place.expect("it is there"));
        Override::clone(&was)
    }

    pub fn read(&self) -> Option<BucketRead> {
        if let Some(stale) = &self.stale {
            return Some(stale.clone());
        }
        self.exists.then(|| self.newest())
    }

    /// What its leader says, which never lags.
    pub fn end(&self) -> Option<BucketEnd> {
        self.exists.then(|| BucketEnd {
            last: self.sequence,
            is_empty: self.newest().is_empty(),
        })
    }

    pub fn newest(&self) -> BucketRead {
        BucketRead {
            live: self.live.clone(),
            undone: self.undone.clone(),
            unreadable: Vec::new(),
            up_to: Some(self.sequence),
        }
    }
}
