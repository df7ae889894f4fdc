//! `InProcess`: tells one store in this process's memory from another.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::Key;

/// Tells a store whose claims are in this process's memory, and seen nowhere else, from every other such store.
///
/// A receiver warns when a provider's endpoint has a second such store: each of the two would let a copy of the same delivery through.
#[derive(Debug, Default)]
pub struct InProcess(Arc<()>);

/// A store that some receiver was built with.
struct Used {
    store: Weak<()>,
    /// The endpoints that it serves, as keys without an id: small, and of one length.
    endpoints: BTreeSet<Key>,
    has_warned: bool,
}

/// The stores in use, in the order of their first receivers. Those that were dropped are forgotten when the next receiver is built.
static USED: Mutex<Vec<Used>> = Mutex::new(Vec::new());

impl InProcess {
    /// Whether another store, which is still there, serves this endpoint of the provider as well. Said once of each store.
    pub(crate) fn is_second(&self, provider: &str, endpoint: &str) -> bool {
        let endpoint = Key::new(provider, endpoint, [""; 0]);
        let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|used| used.store.strong_count() > 0);
        let is_self = |used: &Used| std::ptr::eq(used.store.as_ptr(), Arc::as_ptr(&self.0));
        let is_second = used.iter().any(|used| !is_self(used) && used.endpoints.contains(&endpoint));
        if let Some(own) = used.iter_mut().find(|used| is_self(used)) {
            own.endpoints.insert(endpoint);
            return is_second && !std::mem::replace(&mut own.has_warned, is_second);
        }
        let (store, endpoints) = (Arc::downgrade(&self.0), BTreeSet::from([endpoint]));
        used.push(Used { store, endpoints, has_warned: is_second });
        is_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_store_of_one_endpoint_is_told_once() {
        let (first, second) = (InProcess::default(), InProcess::default());
        assert!(!first.is_second("in-process-test", "a"));
        assert!(!first.is_second("in-process-test", "a"));
        assert!(!second.is_second("in-process-test", "b"));
        assert!(!second.is_second("in-process-test-2", "a"));
        assert!(second.is_second("in-process-test", "a"));
        assert!(!second.is_second("in-process-test", "a"));
    }

    #[test]
    fn a_store_that_was_dropped_is_not_in_the_way_of_the_next() {
        for _ in 0..2 {
            assert!(!InProcess::default().is_second("in-process-sequence", ""));
        }
    }
}
