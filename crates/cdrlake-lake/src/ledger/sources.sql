-- One row a source that came, by what came of it: `same` is a delivery whose content is loaded from another
-- source, `held` waits until somebody decides, `excluded` is never to be loaded; `replaced`, `unloaded` and
-- `superseded` (by another version of the delivery) were loaded once. Times are local, as delivered.
CREATE TABLE sources (
    source INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    -- As the user gave it.
    name TEXT NOT NULL,
    -- The same, from the root on; none of standard input.
    path TEXT,
    source_file TEXT NOT NULL,
    carrier_name TEXT,
    content_hash TEXT,
    status TEXT NOT NULL CHECK (status IN ('loaded', 'same', 'held', 'failed', 'excluded', 'replaced',
        'unloaded', 'superseded')),
    -- The run that replaced, unloaded or superseded it; of one that is `same`, the run in which another version
    -- of its delivery was loaded.
    ended_run INTEGER REFERENCES runs,
    -- When it was fetched, in UTC, if an inbox knows.
    arrived TEXT,
    -- When a run met it first, and last, in UTC; the last to the day.
    first_seen TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    last_seen TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d', 'now')),
    error_code TEXT,
    error TEXT,
    country TEXT,
    profile TEXT,
    product_identifier TEXT,
    -- What tells these three: its name, what was asked for when it was fetched, a flag of the run, or the
    -- profile's configuration; none of sources of ledger version 2.
    country_told_by TEXT CHECK (country_told_by IN ('name', 'order', 'flag', 'configuration')),
    profile_told_by TEXT CHECK (profile_told_by IN ('name', 'order', 'flag', 'configuration')),
    product_told_by TEXT CHECK (product_told_by IN ('name', 'order', 'flag', 'configuration')),
    -- The zone of its local times, if one was in force.
    time_zone TEXT,
    time_zone_told_by TEXT CHECK (time_zone_told_by IN ('flag', 'country', 'configuration')),
    sequence_number INTEGER,
    file_time TEXT,
    records_read INTEGER NOT NULL,
    records_written INTEGER NOT NULL,
    records_rejected INTEGER NOT NULL,
    records_duplicate INTEGER NOT NULL,
    blank_lines INTEGER NOT NULL,
    bytes_read INTEGER NOT NULL,
    duration_tenths INTEGER NOT NULL,
    first_start_time TEXT,
    last_start_time TEXT,
    -- `waived` also of what is held or failed, and was set aside.
    rejects_state TEXT NOT NULL CHECK (rejects_state IN ('none', 'open', 'replayed', 'waived')),
    -- The record numbers of rejected lines that were not replayed, as a serialized Roaring treemap.
    open_rejects BLOB,
    -- Whether lines were replayed without leaving out what other sources hold.
    has_plain_replays INTEGER NOT NULL DEFAULT FALSE,
    CHECK (records_rejected >= 0),
    CHECK (records_read = records_written + records_rejected + records_duplicate)
) STRICT;
CREATE UNIQUE INDEX loaded_content ON sources (content_hash)
    WHERE status = 'loaded' AND bytes_read > 0;
CREATE INDEX loaded_name ON sources (carrier_name) WHERE status = 'loaded';
CREATE INDEX unloaded_content ON sources (content_hash) WHERE status = 'unloaded';
CREATE INDEX unloaded_name ON sources (carrier_name) WHERE status = 'unloaded';
CREATE INDEX left_out_content ON sources (content_hash)
    WHERE status IN ('unloaded', 'superseded', 'excluded');
CREATE INDEX same_name ON sources (carrier_name) WHERE status = 'same';
CREATE INDEX failed_content ON sources (content_hash) WHERE status IN ('failed', 'held');
CREATE INDEX failed_name ON sources (carrier_name) WHERE status IN ('failed', 'held');
CREATE INDEX failed_path ON sources (path) WHERE status IN ('failed', 'held');
CREATE INDEX content ON sources (content_hash);
-- Names and paths end in it, so they are looked up by it, too.
CREATE INDEX source_name ON sources (source_file);
