//! One copy of what is alike, for as long as somebody holds it: whoever brings the same is given that one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What is held by nobody any more is looked for when there are so many entries, and then when they have doubled.
const FEW: usize = 64;

/// What is held somewhere, by what makes it the same.
pub(crate) struct Shared<K, T>(Mutex<Known<K, T>>);

struct Known<K, T> {
    by_key: HashMap<K, Weak<T>>,
    sweep_at: usize,
}

impl<K: Eq + Hash, T> Shared<K, T> {
    pub fn new() -> Self {
        Self(Mutex::new(Known { by_key: HashMap::new(), sweep_at: FEW }))
    }

    /// The one that is held under this key.
    pub fn get(&self, key: &K) -> Option<Arc<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_key.get(key).and_then(Weak::upgrade)
    }

    /// The one that is held under this key already; else `new`, which is from now on.
    pub fn join(&self, key: K, new: T) -> Arc<T> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = known.by_key.get(&key).and_then(Weak::upgrade) {
            return held;
        }
        if known.by_key.len() >= known.sweep_at {
            known.by_key.retain(|_, held| held.strong_count() > 0);
            known.sweep_at = FEW.max(known.by_key.len() * 2);
        }
        let new = Arc::new(new);
        known.by_key.insert(key, Arc::downgrade(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_shared_and_what_is_not_is_forgotten() {
        let shared = Shared::new();
        let first = shared.join(1, "one");
        assert!(Arc::ptr_eq(&first, &shared.join(1, "another")));
        assert!(Arc::ptr_eq(&first, &shared.get(&1).unwrap()));
        for key in 2..10_000 {
            assert!(shared.get(&key).is_none());
            shared.join(key, "held by nobody");
        }
        assert!(shared.0.lock().unwrap().by_key.len() <= FEW + 1);
        assert!(Arc::ptr_eq(&first, &shared.join(1, "another")));
        drop(first);
        assert_eq!(*shared.join(1, "another"), "another");
    }
}
