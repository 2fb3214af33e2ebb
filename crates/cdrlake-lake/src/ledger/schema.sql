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
    -- Who ran it, and on which machine; none of runs of ledger version 2.
    user TEXT,
    host TEXT,
    -- For people; nothing is ordered by it.
    recorded_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;

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
    -- BLAKE3 of the whole file in hexadecimal digits; null of files that versions before 3 wrote, until it is
    -- recorded.
    blake3 TEXT CHECK (length(blake3) = 64 AND blake3 NOT GLOB '*[^0-9a-f]*'),
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
