//! `Sweep`: removes what has expired, a few pages of the table at a time.
//!
//! Pages are read in their order, since an index on the times would have to change with each commit. Of all processes one
//! sweeps: whoever finds the last turn long enough ago takes the next.

use std::time::Duration;

use sqlx::Row;

use super::session::{Failure, Session, Source};

/// How many pages are read at a time, by a statement of their own: 2 MiB.
const PAGES: i64 = 256;

/// Between two turns of one sweep; so it reads 10 MiB a second at the most.
const PACE: Duration = Duration::from_millis(200);

/// Between the end of a sweep and the start of the next.
const PAUSE: Duration = Duration::from_secs(30);

pub(super) struct Sweep {
    schema: String,
    session: Session,
}

impl Sweep {
    pub(super) fn new(schema: &str, source: Source) -> Self {
        Self { schema: schema.to_owned(), session: Session::new(source) }
    }

    /// Sweeps until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            match self.turn().await {
                Ok(true) => tokio::time::sleep(PACE).await,
                Ok(false) => {
                    self.session.rest().await;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(failure) => {
                    // Nothing is lost by it: what has expired is in nobody's way.
                    tracing::debug!(?failure, "expired claims were not removed; will try again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Removes everything that has expired.
    pub(super) async fn all(mut self) -> Result<u64, Failure> {
        let (mut first, mut removed) = (0, 0_u64);
        let pages = self.pages().await?;
        while first < pages {
            removed = removed.saturating_add(self.remove(first).await?);
            first = first.saturating_add(PAGES);
        }
        self.session.rest().await;
        Ok(removed)
    }

    /// Takes the next turn if it is due; `false` when it is not, or was the last of its sweep.
    async fn turn(&mut self) -> Result<bool, Failure> {
        let pages = self.pages().await?;
        let schema = &self.schema;
        let (pace, pause) = (PACE.as_millis(), PAUSE.as_millis());
        // The block is moved first: pages that a crash leaves out are swept the next time. A turn in what is to come was taken
        // before the clock was set back, and holds up nobody.
        let turn = format!(
            r#"UPDATE "{schema}".countersign_state AS s SET swept_at = clock_timestamp(),
next_block = CASE WHEN s.next_block + {PAGES} < {pages} THEN s.next_block + {PAGES} ELSE 0 END
FROM (SELECT next_block FROM "{schema}".countersign_state
WHERE swept_at NOT BETWEEN clock_timestamp() - interval '1 millisecond' * CASE next_block WHEN 0 THEN {pause} ELSE {pace} END / 2
AND clock_timestamp()
FOR UPDATE SKIP LOCKED) AS due RETURNING due.next_block, s.next_block"#
        );
        let rows = self.session.run(&turn).await?;
        let Some(row) = rows.first() else { return Ok(false) };
        self.remove(row.try_get_unchecked(0)?).await?;
        Ok(row.try_get_unchecked::<i64, _>(1)? != 0)
    }

    async fn pages(&mut self) -> Result<i64, Failure> {
        let schema = &self.schema;
        let size = format!(
            r#"SELECT pg_relation_size('"{schema}".countersign_claims') / current_setting('block_size')::bigint"#
        );
        let rows = self.session.run(&size).await?;
        rows.first().map_or(Ok(0), |row| Ok(row.try_get_unchecked(0)?))
    }

    /// Removes what has expired from the pages from this one on.
    async fn remove(&mut self, first: i64) -> Result<u64, Failure> {
        let (schema, end) = (&self.schema, first.saturating_add(PAGES));
        let remove = format!(
            r#"WITH removed AS (
DELETE FROM "{schema}".countersign_claims WHERE ctid = ANY(ARRAY(
SELECT ctid FROM "{schema}".countersign_claims WHERE ctid >= '({first},0)' AND ctid < '({end},0)'
AND until <= clock_timestamp() FOR UPDATE SKIP LOCKED
)) RETURNING 1) SELECT count(*) FROM removed"#
        );
        let rows = self.session.run(&remove).await?;
        let removed: i64 = rows.first().map_or(Ok(0), |row| row.try_get_unchecked(0))?;
        Ok(removed.try_into().unwrap_or_default())
    }
}
