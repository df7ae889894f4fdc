//! `EmbeddedStore`.

/// To be written.
#[derive(Debug)]
pub struct EmbeddedStore;
