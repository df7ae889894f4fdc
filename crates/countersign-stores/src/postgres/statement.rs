//! The statements: one for the claims of many callers, one for what they make of them.
//!
//! They call the functions of `migrations/1.sql`, which say how. Their texts are made of a checked schema's name, hex digits
//! and numbers.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use countersign_core::dedupe::{Key, Token};
use sqlx::{Row, postgres::PgRow};

/// Lengths beyond it are as good as for ever.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// What is asked of a key, by the numbers that the functions know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Claim = 0,
    Renew = 1,
    Commit = 2,
    Release = 3,
}

/// One key's part of a statement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) key: Key,
    /// `None` for the claim of a transaction, which nobody renews or commits by a token.
    pub(super) token: Option<Token>,
    pub(super) call: Call,
    pub(super) length: Duration,
}

/// The answer to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It was done.
    Done,
    /// The key is committed.
    Committed,
    /// The key is claimed by another token.
    Held { holder: i64, left: Duration },
    /// Another transaction is about to change the key.
    Busy,
    /// The token does not hold the key.
    Fenced,
}

/// Claims these keys, each at most once in it; as committed where they are a transaction's.
pub(super) fn claim<'p>(schema: &str, parts: impl Iterator<Item = &'p Part> + Clone) -> String {
    call(schema, "countersign_claim", parts)
}

/// Renews, commits and releases these keys, each at most once in it.
pub(super) fn settle<'p>(schema: &str, parts: impl Iterator<Item = &'p Part> + Clone) -> String {
    call(schema, "countersign_settle", parts)
}

fn call<'p>(schema: &str, function: &str, parts: impl Iterator<Item = &'p Part> + Clone) -> String {
    let list = |value: &dyn Fn(&mut String, &Part) -> fmt::Result| {
        let mut list = String::new();
        for part in parts.clone() {
            if !list.is_empty() {
                list.push(',');
            }
            // Writing to a string does not fail.
            let _ = value(&mut list, part);
        }
        list
    };
    let keys = list(&|list, part| write!(list, "{}", part.key));
    let locks = list(&|list, part| write!(list, "{}", lock(&part.key)));
    let tokens = list(&|list, part| write!(list, "{}", number(part.token)));
    let calls = list(&|list, part| write!(list, "{}", part.call as u8));
    let lengths = list(&|list, part| write!(list, "{}", part.length.min(LONGEST).as_micros()));
    format!(
        r#"SELECT * FROM "{schema}".{function}('{{{keys}}}','{{{locks}}}','{{{tokens}}}','{{{calls}}}','{{{lengths}}}')"#
    )
}

/// A token as the table has it. A token is not zero, so that zero can stand for none.
pub(super) fn number(token: Option<Token>) -> i64 {
    token.map_or(0, |token| token.get().get().cast_signed())
}

/// A key's advisory lock: 64 bits of it, so two keys have the same by a chance of 2^-64.
fn lock(key: &Key) -> i64 {
    key.as_bytes().first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

/// Which part a row is about, counted from 0, and the answer to it.
pub(super) fn found(row: &PgRow) -> Result<(usize, Found), sqlx::Error> {
    let number: i64 = row.try_get_unchecked(0)?;
    let found = match row.try_get_unchecked::<i32, _>(1)? {
        2 => Found::Committed,
        3 => {
            let left: i64 = row.try_get_unchecked(3)?;
            // Whoever is told of a lease that has just ended may try at once, but not before.
            let left = Duration::from_micros(left.try_into().unwrap_or_default());
            Found::Held { holder: row.try_get_unchecked(2)?, left: left.max(Duration::from_millis(1)) }
        }
        4 => Found::Fenced,
        _ => Found::Busy,
    };
    Ok((number.saturating_sub(1).try_into().unwrap_or(usize::MAX), found))
}
