//! `Store`: who claims a key first, atomically.

use std::{fmt, future::Future, num::NonZeroU64, pin::Pin, sync::Arc, time::Duration};

use super::{InProcess, Key};
use crate::error::StoreError;

/// A future on the heap, so that stores can be exchanged at run time.
pub type BoxFuture<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// A store's answer, to be waited for.
pub type StoreFuture<'f, T> = BoxFuture<'f, Result<T, StoreError>>;

/// Where claims are kept.
///
/// A key is free, claimed under a lease by the holder of one token, or committed until its retention ends. Each call is
/// atomic on its key: of any number of concurrent claims exactly one is [`Claim::Claimed`]. No unexpired key is ever
/// dropped: a store at its limit answers [`StoreError::Full`]. A call that is cancelled half-way leaves the key as if it
/// had not been made, or as if it had been.
///
/// A store of your own is done when it passes the conformance suite (feature `conformance`).
pub trait Store: Send + Sync + 'static {
    /// Claims a key for the length of the lease.
    ///
    /// Claiming a key that this very token already holds succeeds and starts the lease anew: so a claim whose answer
    /// was lost can be tried again. A key that it committed is [`Claim::Committed`], as for any other.
    ///
    /// # Errors
    /// [`StoreError::Full`] at the limit; [`StoreError::Unavailable`], [`StoreError::TimedOut`].
    fn claim<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, Claim>;

    /// Starts the lease anew, for a handler that is still working.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the token does not hold the key any more, or committed it: a renewal that arrives late must
    /// not shorten the retention. [`StoreError::Unavailable`], [`StoreError::TimedOut`].
    fn renew<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, ()>;

    /// Remembers a key as settled for the length of the retention.
    ///
    /// Committing again with the same token succeeds, and may start the retention anew.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the token does not hold the key any more; [`StoreError::Unavailable`],
    /// [`StoreError::TimedOut`].
    fn commit<'s>(&'s self, key: &'s Key, token: Token, retention: Duration) -> StoreFuture<'s, ()>;

    /// Commits every key of one delivery.
    ///
    /// A store that can does so in one step, so that a crash half-way leaves all of them committed or none: a delivery that is
    /// known by one of its keys alone is handled again when a copy comes that has the others. Unless overridden, they are
    /// committed one after the other.
    ///
    /// # Errors
    /// Of the first key that could not be committed, as for [`commit`](Self::commit); the others may be committed or not.
    fn commit_all<'s>(&'s self, keys: &'s [Key], token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        Box::pin(async move {
            for key in keys {
                self.commit(key, token, retention).await?;
            }
            Ok(())
        })
    }

    /// Frees a key at once, for the next try.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the token does not hold the key any more, or committed it;
    /// [`StoreError::Unavailable`], [`StoreError::TimedOut`].
    fn release<'s>(&'s self, key: &'s Key, token: Token) -> StoreFuture<'s, ()>;

    /// How many keys it holds, expired ones that are not removed yet among them; `None`, unless overridden, where that is
    /// not known without asking somebody else. For metrics.
    fn held(&self) -> Option<u64> {
        None
    }

    /// What tells it from other stores, where its claims are in this process's memory and seen nowhere else; `None` unless overridden.
    /// A store around another one returns that one's.
    fn in_process(&self) -> Option<&InProcess> {
        None
    }
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn claim<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, Claim> {
        (**self).claim(key, token, lease)
    }

    fn renew<'s>(&'s self, key: &'s Key, token: Token, lease: Duration) -> StoreFuture<'s, ()> {
        (**self).renew(key, token, lease)
    }

    fn commit<'s>(&'s self, key: &'s Key, token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        (**self).commit(key, token, retention)
    }

    fn commit_all<'s>(&'s self, keys: &'s [Key], token: Token, retention: Duration) -> StoreFuture<'s, ()> {
        (**self).commit_all(keys, token, retention)
    }

    fn release<'s>(&'s self, key: &'s Key, token: Token) -> StoreFuture<'s, ()> {
        (**self).release(key, token)
    }

    fn held(&self) -> Option<u64> {
        (**self).held()
    }

    fn in_process(&self) -> Option<&InProcess> {
        (**self).in_process()
    }
}

/// The answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// The key is yours until the lease ends.
    Claimed,
    /// The key was committed, and its retention has not ended.
    Committed,
    /// Another token holds the key.
    InFlight {
        /// When its lease ends unless it is renewed.
        retry_after: Duration,
    },
}

/// A fencing token: the name of one claim. 64 random bits, so two claims of one key have the same by a chance of 2^-64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(NonZeroU64);

impl Token {
    /// A token of this number.
    pub const fn new(number: NonZeroU64) -> Self {
        Self(number)
    }

    /// The token's number.
    pub const fn get(self) -> NonZeroU64 {
        self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:016x})", self.0)
    }
}
