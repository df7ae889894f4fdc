//! What crosses crates: the vectors, and the tests over them.
