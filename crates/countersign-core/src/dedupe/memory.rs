//! `MemoryStore`: placeholder.
