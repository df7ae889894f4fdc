//! Bodies: as they arrive, and whole.

use bytes::Bytes;

use super::budget::{Budget, Grant, SMALL};
use crate::error::VerifyError;

/// A whole body: [`Bytes`] and owned buffers are taken over, slices and text are copied once they were verified.
///
/// Sealed: what is hashed and what is handed out must be the same bytes.
pub trait IntoBody: AsRef<[u8]> + sealed::Sealed {
    /// The body as shared bytes.
    fn into_body(self) -> Bytes;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! into_body {
    ($($body:ty => |$value:ident| $into:expr),* $(,)?) => {$(
        impl sealed::Sealed for $body {}

        impl IntoBody for $body {
            fn into_body(self) -> Bytes {
                let $value = self;
                $into
            }
        }
    )*};
}

into_body! {
    Bytes => |body| body,
    &Bytes => |body| body.clone(),
    Vec<u8> => |body| body.into(),
    String => |body| body.into(),
    &Vec<u8> => |body| Bytes::copy_from_slice(body),
    &[u8] => |body| Bytes::copy_from_slice(body),
    &str => |body| Bytes::copy_from_slice(body.as_bytes()),
    &String => |body| Bytes::copy_from_slice(body.as_bytes()),
}

impl<const LEN: usize> sealed::Sealed for &[u8; LEN] {}

impl<const LEN: usize> IntoBody for &[u8; LEN] {
    fn into_body(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}

/// The least and the most that is allocated at once for a body that arrives in pieces.
const LEAST: usize = 1 << 10;
const MOST: usize = 64 << 10;

/// A body as it arrives, and its part of the budget.
///
/// The first chunk stays as it is: most bodies are one. A body that is waited for is copied into segments, each about as large as what
/// has arrived before it. So what is held is known: a chunk may be a small part of a large buffer of the server's, and a buffer that
/// doubles is there twice for a while.
pub(crate) struct Collected<'b> {
    first: Bytes,
    segments: Vec<Vec<u8>>,
    /// The capacity of all segments.
    capacity: usize,
    grant: Grant<'b>,
    /// The most that can come: the declared length, or the limit.
    expected: usize,
}

impl<'b> Collected<'b> {
    pub(super) fn new(budget: &'b Budget, expected: usize) -> Self {
        Self { first: Bytes::new(), segments: Vec::new(), capacity: 0, grant: Grant::of(budget), expected }
    }

    /// What is there, which leaves this empty.
    pub(super) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new(self.grant.budget(), self.expected))
    }

    /// Adds a chunk. The first one is not drawn on the budget before it is waited for: [`hold`](Self::hold).
    pub(super) fn push(&mut self, chunk: Bytes) -> Result<(), VerifyError> {
        if self.first.is_empty() && self.segments.is_empty() {
            self.first = chunk;
            return Ok(());
        }
        self.hold()?;
        self.copy(&chunk)
    }

    /// What has arrived, in its order.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&*self.first).chain(self.segments.iter().map(Vec::as_slice))
    }

    /// What has arrived, where that was one chunk.
    pub(super) fn only_chunk(&self) -> &[u8] {
        self.segments.first().map_or(&*self.first, Vec::as_slice)
    }

    /// Draws what is there on the budget, since more is waited for.
    pub(crate) fn hold(&mut self) -> Result<(), VerifyError> {
        let first = std::mem::take(&mut self.first);
        self.copy(&first)
    }

    /// Draws the first chunk on the budget, as it is: its buffer is the caller's.
    pub(super) fn count(&mut self) -> Result<(), VerifyError> {
        self.grant.grow_to(self.first.len())
    }

    fn copy(&mut self, bytes: &[u8]) -> Result<(), VerifyError> {
        let last = self.segments.last_mut();
        let free = last.as_ref().map_or(0, |last| last.capacity().saturating_sub(last.len()));
        let (fits, rest) = bytes.split_at_checked(free).unwrap_or((bytes, &[]));
        if let Some(last) = last {
            last.extend_from_slice(fits);
        }
        if rest.is_empty() {
            return Ok(());
        }
        let left = self.expected.saturating_sub(self.capacity);
        // A small body is not to become a large one by what is allocated ahead of it.
        let small = SMALL.checked_sub(self.capacity).filter(|small| *small > 0).unwrap_or(MOST);
        let size = self.capacity.clamp(LEAST, MOST).min(left).min(small).max(rest.len());
        let capacity = self.capacity.saturating_add(size);
        self.grant.grow_to(capacity)?;
        let mut segment = Vec::with_capacity(size);
        segment.extend_from_slice(rest);
        self.segments.push(segment);
        self.capacity = capacity;
        Ok(())
    }

    /// The whole body, which is not drawn on the budget any more.
    pub(super) fn into_bytes(self) -> Bytes {
        self.into_kept().body
    }

    /// The whole body, and its part of the budget.
    pub(crate) fn into_kept(self) -> Kept<'b> {
        let Self { first, mut segments, capacity, grant, .. } = self;
        let body = match &mut segments[..] {
            [] => first,
            [only] => std::mem::take(only).into(),
            _ => {
                let mut body = Vec::with_capacity(capacity);
                // Each is freed once it is copied.
                segments.into_iter().for_each(|segment| body.extend_from_slice(&segment));
                body.into()
            }
        };
        Kept { body, _grant: grant }
    }
}

/// A body that is there as a whole and is not judged yet.
pub(crate) struct Kept<'b> {
    pub(crate) body: Bytes,
    _grant: Grant<'b>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// A body of this size in chunks of these sizes, over and over, with a wait behind each of them or none.
    fn check(size: usize, chunks: &[usize], expected: usize, waits: bool) {
        let budget = Budget::new(2 * MIB);
        let body: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let mut collected = Collected::new(&budget, expected);
        let (mut rest, mut sizes) = (&body[..], chunks.iter().cycle());
        while !rest.is_empty() {
            let (chunk, more) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            collected.push(Bytes::copy_from_slice(chunk)).unwrap();
            if waits {
                collected.hold().unwrap();
            }
            rest = more;
            let (has, allocated) = (
                size.saturating_sub(rest.len()),
                collected.segments.iter().map(Vec::capacity).sum::<usize>(),
            );
            assert!(allocated <= budget.held(), "{allocated} of {}", budget.held());
            assert!(budget.held() <= has.saturating_mul(2).max(LEAST), "{} for {has}", budget.held());
            assert!(budget.held() <= expected.max(has), "{} for {has}, of {expected}", budget.held());
        }
        assert_eq!(collected.into_bytes(), body, "{size} {chunks:?} {expected}");
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn what_is_held_is_counted_and_never_much_more_than_what_has_arrived() {
        for size in [0, 1, 2, LEAST - 1, LEAST, LEAST + 1, 5000, MOST, MOST + 1, 3 * MOST + 17, MIB] {
            for chunks in [&[1][..], &[1400], &[16_384], &[70_000], &[3, 5, 70_000, 2, 1400], &[usize::MAX]] {
                if size > LEAST + 1 && chunks == [1] {
                    continue;
                }
                // Declared, not declared, and declared falsely.
                for expected in [size, MIB, 0, size / 2, size + 1] {
                    check(size, chunks, expected, true);
                    check(size, chunks, expected, false);
                }
            }
        }
    }

    #[test]
    fn a_small_body_stays_small_however_it_arrives() {
        for (size, length) in [LEAST - 1, 1400, 5000, 9000, 20_000, 33_000, 40_000, SMALL - 1]
            .into_iter()
            .flat_map(|length| [length + 1, 45_000, 50_000, 60_000, SMALL].map(|size| (size, length)))
        {
            let budget = Budget::new(8 * SMALL);
            let mut large = Grant::of(&budget);
            large.grow_to(7 * SMALL).unwrap();
            let mut collected = Collected::new(&budget, MIB);
            for chunk in vec![0; size].chunks(length) {
                let pushed = collected.push(Bytes::copy_from_slice(chunk)).and_then(|()| collected.hold());
                assert_eq!(pushed, Ok(()), "{size} in pieces of {length}");
            }
        }
    }

    #[test]
    fn one_chunk_is_neither_copied_nor_counted_before_it_is_waited_for() {
        let (budget, chunk) = (Budget::new(10), Bytes::from_static(b"more than ten bytes"));
        let mut collected = Collected::new(&budget, 100);
        collected.push(chunk.clone()).unwrap();
        assert_eq!(collected.take().into_bytes().as_ptr(), chunk.as_ptr());
        collected.push(chunk.clone()).unwrap();
        assert_eq!(collected.hold(), Err(VerifyError::OverBudget { budget: 10 }));
        let mut collected = Collected::new(&budget, 100);
        collected.push(chunk.clone()).unwrap();
        assert_eq!(collected.count(), Err(VerifyError::OverBudget { budget: 10 }));
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn a_body_that_is_kept_keeps_its_part_and_empty_chunks_take_none() {
        let budget = Budget::new(MIB);
        let mut collected = Collected::new(&budget, 100);
        for chunk in ["", "abc", "", "def", ""] {
            collected.push(Bytes::from_static(chunk.as_bytes())).unwrap();
            collected.hold().unwrap();
        }
        let kept = collected.into_kept();
        assert_eq!((&*kept.body, budget.held()), (&b"abcdef"[..], 100));
        drop(kept);
        assert_eq!(budget.held(), 0);
    }
}
