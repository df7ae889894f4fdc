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
