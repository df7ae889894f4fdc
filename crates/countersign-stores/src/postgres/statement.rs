//! The statements: for the claims of many callers, and for what they make of them, a short one that does what can be done, and a
//! long one that says of the rest why not.
//!
//! Their texts are made of a checked schema's name, hex digits and numbers. Each looks keys up one by one in the primary
//! key's index, whatever the planner thinks of the table. None waits for another's transaction: a key that would be
//! written is locked first by an advisory lock of the transaction's, and answered as busy where that is taken. So an open
//! transaction that holds a key's claim keeps nobody waiting, and no two statements deadlock.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use countersign_core::dedupe::{Key, Token};
use sqlx::{Row, postgres::PgRow};

/// Lengths beyond it are as good as for ever.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// What is asked of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Claim,
    Renew,
    Commit,
    Release,
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

/// Claims those of these keys that nobody has claimed before, and answers which: of most deliveries it is the only statement,
/// and takes less than half of the server's time that [`claim`] takes.
pub(super) fn claim_new<'p>(schema: &str, parts: impl Iterator<Item = &'p Part> + Clone) -> String {
    let wanted = wanted(parts);
    format!(
        r#"INSERT INTO "{schema}".countersign_claims (token, until, committed, key)
SELECT token, clock_timestamp() + length * interval '1 microsecond', false, key FROM {wanted}
WHERE CASE WHEN (SELECT true FROM "{schema}".countersign_claims WHERE key = w.key LIMIT 1) THEN false
ELSE pg_try_advisory_xact_lock(lock) END
ON CONFLICT (key) DO NOTHING RETURNING encode(key, 'hex')"#
    )
}

/// Renews, commits and releases those of these keys that are still held, and answers which: all, as a rule. It looks a key's
/// page up before each change of it, so that old rows are cleared away there, and the new one finds its place.
pub(super) fn settle_held<'p>(schema: &str, parts: impl Iterator<Item = &'p Part> + Clone) -> String {
    let wanted = wanted(parts);
    let (commit, release) = (Call::Commit as u8, Call::Release as u8);
    format!(
        r#"INSERT INTO "{schema}".countersign_claims AS c (token, until, committed, key)
SELECT token, CASE WHEN call = {release} THEN 'epoch'
ELSE clock_timestamp() + length * interval '1 microsecond' END, call = {commit}, key FROM {wanted}
WHERE CASE WHEN (SELECT s.token = w.token AND s.until > clock_timestamp() AND (w.call = {commit} OR NOT s.committed)
FROM "{schema}".countersign_claims s WHERE s.key = w.key LIMIT 1) THEN pg_try_advisory_xact_lock(lock) END
ON CONFLICT (key) DO UPDATE SET until = excluded.until, committed = excluded.committed
WHERE c.token = excluded.token AND c.until > clock_timestamp() AND (excluded.committed OR NOT c.committed)
RETURNING encode(c.key, 'hex')"#
    )
}

/// Claims these keys, each at most once in it; as committed where they are a transaction's.
pub(super) fn claim<'p>(schema: &str, parts: impl Iterator<Item = &'p Part> + Clone) -> String {
    let wanted = wanted(parts);
    format!(
        r#"WITH seen AS MATERIALIZED (
SELECT w.*, c.token AS holder, c.committed, c.until,
CASE WHEN c.until > clock_timestamp() AND (c.committed OR c.token <> w.token) THEN NULL
ELSE pg_try_advisory_xact_lock(w.lock) END AS free
FROM {wanted} LEFT JOIN LATERAL (SELECT * FROM "{schema}".countersign_claims WHERE key = w.key LIMIT 1) c ON true
), made AS (
INSERT INTO "{schema}".countersign_claims AS c (token, until, committed, key)
SELECT token, clock_timestamp() + length * interval '1 microsecond', token = 0, key FROM seen WHERE free
ON CONFLICT (key) DO UPDATE SET token = excluded.token, until = excluded.until, committed = excluded.committed
WHERE c.until <= clock_timestamp() OR (c.token = excluded.token AND NOT c.committed)
RETURNING c.key
)
SELECT n, CASE WHEN made.key IS NOT NULL THEN 0 WHEN free IS NOT NULL THEN 1 WHEN committed THEN 2 ELSE 3 END,
coalesce(holder, 0), coalesce((extract(epoch FROM until - clock_timestamp()) * 1000000)::bigint, 0)
FROM seen LEFT JOIN made USING (key)"#
    )
}

/// Renews, commits and releases these keys, each at most once in it.
pub(super) fn settle<'p>(schema: &str, parts: impl Iterator<Item = &'p Part> + Clone) -> String {
    let wanted = wanted(parts);
    let (commit, release) = (Call::Commit as u8, Call::Release as u8);
    format!(
        r#"WITH seen AS MATERIALIZED (
SELECT w.*,
CASE WHEN c.token = w.token AND c.until > clock_timestamp() AND (w.call = {commit} OR NOT c.committed)
THEN pg_try_advisory_xact_lock(w.lock) END AS free
FROM {wanted} LEFT JOIN LATERAL (SELECT * FROM "{schema}".countersign_claims WHERE key = w.key LIMIT 1) c ON true
), made AS (
INSERT INTO "{schema}".countersign_claims AS c (token, until, committed, key)
SELECT token, CASE WHEN call = {release} THEN 'epoch'
ELSE clock_timestamp() + length * interval '1 microsecond' END, call = {commit}, key FROM seen WHERE free
ON CONFLICT (key) DO UPDATE SET until = excluded.until, committed = excluded.committed
WHERE c.token = excluded.token AND c.until > clock_timestamp() AND (excluded.committed OR NOT c.committed)
RETURNING c.key
)
SELECT n, CASE WHEN made.key IS NOT NULL THEN 0 WHEN free IS NOT NULL THEN 1 ELSE 4 END, 0::bigint, 0::bigint
FROM seen LEFT JOIN made USING (key)"#
    )
}

/// The parts as rows, numbered from 1.
fn wanted<'p>(parts: impl Iterator<Item = &'p Part> + Clone) -> String {
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
        "(SELECT n, decode(hex, 'hex') AS key, lock, token, call, length FROM unnest('{{{keys}}}'::text[], \
         '{{{locks}}}'::bigint[], '{{{tokens}}}'::bigint[], '{{{calls}}}'::int[], '{{{lengths}}}'::bigint[]) \
         WITH ORDINALITY AS u(hex, lock, token, call, length, n)) w"
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

/// The key that a row of one of the short statements is about.
pub(super) fn done(row: &PgRow) -> Result<String, sqlx::Error> {
    row.try_get_unchecked(0)
}

/// Which part a row is about, counted from 0, and the answer to it.
pub(super) fn found(row: &PgRow) -> Result<(usize, Found), sqlx::Error> {
    let number: i64 = row.try_get_unchecked(0)?;
    let found = match row.try_get_unchecked::<i32, _>(1)? {
        0 => Found::Done,
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
