-- The lake's settings, and what it is.
CREATE TABLE lake (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- One row a run that changed the lake. A run that is `publishing` is finished by the next.
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    command TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('publishing', 'published')),
    tool_version TEXT NOT NULL,
    rules_version INTEGER NOT NULL,
    options TEXT NOT NULL,
    report TEXT NOT NULL,
    -- For people; nothing is ordered by it.
    recorded_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;

-- One row a source that was loaded, or failed. Times are local, as delivered.
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
    status TEXT NOT NULL CHECK (status IN ('loaded', 'failed', 'replaced', 'unloaded')),
    -- The run that replaced or unloaded it.
    ended_run INTEGER REFERENCES runs,
    error_code TEXT,
    error TEXT,
    country TEXT,
    profile TEXT,
    product_identifier TEXT,
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
CREATE INDEX failed_content ON sources (content_hash) WHERE status = 'failed';
CREATE INDEX failed_name ON sources (carrier_name) WHERE status = 'failed';
CREATE INDEX failed_path ON sources (path) WHERE status = 'failed';
-- Names and paths end in it, so they are looked up by it, too.
CREATE INDEX source_name ON sources (source_file);

-- For the sake of which other source's rows a source left duplicates out.
CREATE TABLE left_out (
    source INTEGER NOT NULL REFERENCES sources,
    kept INTEGER NOT NULL REFERENCES sources,
    PRIMARY KEY (source, kept)
) STRICT, WITHOUT ROWID;
CREATE INDEX left_out_for ON left_out (kept);

-- One row a file of calls or rejects, by its path in the lake.
CREATE TABLE files (
    file INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('calls', 'rejects')),
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    duration_tenths INTEGER NOT NULL,
    added_run INTEGER NOT NULL REFERENCES runs,
    -- Its name in the staging directory, until its run is published.
    staged TEXT,
    -- The run that removes it; the row goes when that is published.
    removed_run INTEGER REFERENCES runs
) STRICT;

-- Whose a file's rows are: consecutive rows of one source.
CREATE TABLE file_sources (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    first_row INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    source INTEGER NOT NULL REFERENCES sources,
    PRIMARY KEY (file, first_row)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_of_source ON file_sources (source);

-- Findings of the audit that someone has closed.
CREATE TABLE accepted_findings (
    finding TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    recorded_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;
