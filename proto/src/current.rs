//! What may be replaced while a service runs: a roster, a key. Comes in: the next one, checked. Goes out: the one that
//! counts now. Whoever has begun with one ends with it. Must never be half of one and half of another.

use std::sync::{Arc, PoisonError, RwLock};

/// The one that counts now.
#[derive(Debug)]
pub struct Current<T>(RwLock<Arc<T>>);

impl<T> Current<T> {
    /// The first one.
    pub fn of(first: T) -> Self {
        Self(RwLock::new(Arc::new(first)))
    }

    /// The one that counts now; it stays what it is while it is held.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next one counts from now on.
    pub fn replace(&self, next: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}
