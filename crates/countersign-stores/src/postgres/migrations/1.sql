-- The claims. A key is held until `until`: under a lease, or for the retention when it is committed.
-- There is no index on `until`, so that a commit changes no index; half of a page is left free, so that it
-- finds its place there.
CREATE TABLE countersign_claims (
    token bigint NOT NULL,
    until timestamptz NOT NULL,
    committed boolean NOT NULL,
    key bytea PRIMARY KEY
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    vacuum_truncate = false
);

-- One row: which version these tables have, and how far the removal of what has expired has come.
CREATE TABLE countersign_state (
    sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
    version integer NOT NULL,
    swept_at timestamptz NOT NULL DEFAULT 'epoch',
    next_block bigint NOT NULL DEFAULT 0
);
INSERT INTO countersign_state (version) VALUES (1);

-- What the store asks of keys, as functions, so that the server plans it once a connection. Each looks the keys up one by
-- one in the index, however few rows the table had when it was planned. Neither waits for another's transaction: a key that
-- would be written is locked first by an advisory lock of the transaction's, and is busy where that is taken. So an open
-- transaction that holds a key's claim keeps nobody waiting, and no two statements deadlock. Both answer with a row for each
-- key whose call was not done: 1 for busy, 2 for committed, 3 for claimed by another, 4 for not held by the token.

-- Claims these keys, each at most once in it, for so many microseconds; as committed where the token is 0.
CREATE FUNCTION countersign_claim(hexes text[], locks bigint[], tokens bigint[], calls int[], lengths bigint[])
RETURNS TABLE (number bigint, answer int, holder bigint, remaining bigint) LANGUAGE plpgsql
SET search_path FROM CURRENT SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH seen AS MATERIALIZED (
        SELECT w.*, c.token AS holder, c.committed, c.until,
            CASE WHEN c.until > clock_timestamp() AND (c.committed OR c.token <> w.token) THEN NULL
            ELSE pg_try_advisory_xact_lock(w.lock) END AS free
        FROM (
            SELECT n, decode(hex, 'hex') AS key, lock, token, length
            FROM unnest(hexes, locks, tokens, lengths) WITH ORDINALITY AS u(hex, lock, token, length, n)
        ) w LEFT JOIN LATERAL (SELECT * FROM countersign_claims WHERE key = w.key LIMIT 1) c ON true
    ), made AS (
        INSERT INTO countersign_claims AS c (token, until, committed, key)
        SELECT token, clock_timestamp() + length * interval '1 microsecond', token = 0, key FROM seen WHERE free
        ON CONFLICT (key) DO UPDATE SET token = excluded.token, until = excluded.until, committed = excluded.committed
        WHERE c.until <= clock_timestamp() OR (c.token = excluded.token AND NOT c.committed)
        RETURNING c.key
    )
    SELECT n, CASE WHEN free IS NOT NULL THEN 1 WHEN committed THEN 2 ELSE 3 END,
        coalesce(seen.holder, 0), coalesce((extract(epoch FROM until - clock_timestamp()) * 1000000)::bigint, 0)
    FROM seen WHERE key NOT IN (SELECT key FROM made);
END $$;

-- Renews (1), commits (2) and releases (3) these keys, each at most once in it.
CREATE FUNCTION countersign_settle(hexes text[], locks bigint[], tokens bigint[], calls int[], lengths bigint[])
RETURNS TABLE (number bigint, answer int, holder bigint, remaining bigint) LANGUAGE plpgsql
SET search_path FROM CURRENT SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH seen AS MATERIALIZED (
        SELECT w.*,
            CASE WHEN c.token = w.token AND c.until > clock_timestamp() AND (w.call = 2 OR NOT c.committed)
            THEN pg_try_advisory_xact_lock(w.lock) END AS free
        FROM (
            SELECT n, decode(hex, 'hex') AS key, lock, token, call, length
            FROM unnest(hexes, locks, tokens, calls, lengths) WITH ORDINALITY AS u(hex, lock, token, call, length, n)
        ) w LEFT JOIN LATERAL (SELECT * FROM countersign_claims WHERE key = w.key LIMIT 1) c ON true
    ), made AS (
        INSERT INTO countersign_claims AS c (token, until, committed, key)
        SELECT token, CASE WHEN call = 3 THEN 'epoch' ELSE clock_timestamp() + length * interval '1 microsecond' END,
            call = 2, key FROM seen WHERE free
        ON CONFLICT (key) DO UPDATE SET until = excluded.until, committed = excluded.committed
        WHERE c.token = excluded.token AND c.until > clock_timestamp() AND (excluded.committed OR NOT c.committed)
        RETURNING c.key
    )
    SELECT n, CASE WHEN free IS NOT NULL THEN 1 ELSE 4 END, 0::bigint, 0::bigint
    FROM seen WHERE key NOT IN (SELECT key FROM made);
END $$;
