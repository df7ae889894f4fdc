//! Bodies: as they arrive, and whole.

use bytes::{Bytes, BytesMut};

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

/// A body as it arrives: one chunk is kept as it is, more are copied together.
pub(super) enum Collected {
    One(Bytes),
    Many(BytesMut),
}

impl Default for Collected {
    fn default() -> Self {
        Self::One(Bytes::new())
    }
}

impl Collected {
    pub(super) fn push(&mut self, chunk: Bytes) {
        match self {
            Self::One(first) if first.is_empty() => *first = chunk,
            Self::One(first) => {
                let mut all = BytesMut::with_capacity(first.len().saturating_add(chunk.len()));
                all.extend_from_slice(first);
                all.extend_from_slice(&chunk);
                *self = Self::Many(all);
            }
            Self::Many(all) => all.extend_from_slice(&chunk),
        }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes,
        }
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }
}
