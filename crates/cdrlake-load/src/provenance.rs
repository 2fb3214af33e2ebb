//! Row provenance: runs of rows, the source of each, and what files of calls tell of them.

use cdrlake_core::{SOURCE_HASH_LEN, source_hash};
use cdrlake_parquet::LabelRun;
use parquet::file::metadata::KeyValue;
use serde::Serialize;

/// Key of the number of the run that made a file of a lake, counted from 1.
const RUN_KEY: &str = "cdrlake.run";

/// Key of the sources of a file's rows: a JSON array of objects with `hash` (BLAKE3 of the source's
/// decompressed bytes, 64 hexadecimal digits), `name` (as in the column `source_file`) and `rows`: pairs of a
/// first row, counted from 0, and a number of rows.
const SOURCES_KEY: &str = "cdrlake.sources";

/// Consecutive rows of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRows {
    /// The source's index in the run.
    pub source: usize,
    /// How many rows.
    pub rows: u64,
}

/// Adds rows after others, in one entry if they are of the same source.
pub fn add_rows(all: &mut Vec<SourceRows>, next: SourceRows) {
    match all.last_mut() {
        Some(last) if last.source == next.source => last.rows += next.rows,
        _ => all.push(next),
    }
}

/// The rows as labels of the column `source_hash`: each source's index is its label.
#[must_use]
pub fn labels(rows: &[SourceRows]) -> Vec<LabelRun> {
    rows.iter().map(|rows| LabelRun { label: rows.source, rows: rows.rows }).collect()
}

/// The sources of rows, as far as the files of these rows tell of them, by their index.
#[derive(Clone, Debug, Default)]
pub struct SourceIdentities(Vec<SourceIdentity>);

#[derive(Clone, Debug)]
struct SourceIdentity {
    name: String,
    hash: Option<(blake3::Hash, [u8; SOURCE_HASH_LEN])>,
}

impl SourceIdentities {
    /// Adds the next source, by its `source_file`.
    pub fn push(&mut self, source_file: &str, hash: Option<blake3::Hash>) {
        let hash = hash.map(|hash| (hash, source_hash(&hash)));
        self.0.push(SourceIdentity { name: source_file.to_owned(), hash });
    }

    /// The source of this index has ended, and has this content.
    pub fn end(&mut self, index: usize, hash: blake3::Hash) {
        if let Some(source) = self.0.get_mut(index) {
            source.hash = Some((hash, source_hash(&hash)));
        }
    }

    /// Whether the content of each of these rows' sources is known.
    #[must_use]
    pub fn are_known(&self, rows: &[SourceRows]) -> bool {
        rows.iter().all(|rows| self.0.get(rows.source).is_some_and(|of| of.hash.is_some()))
    }

    /// The value of `source_hash` of the source of this index, if its content is known.
    #[must_use]
    pub fn source_hash(&self, index: usize) -> &[u8] {
        let hash = self.0.get(index).and_then(|source| source.hash.as_ref());
        hash.map_or(&[], |(_, first)| first)
    }

    /// What a file of these rows, made by the run of this number of a lake, tells in its metadata.
    #[must_use]
    pub fn metadata(&self, run: Option<u64>, rows: &[SourceRows]) -> Vec<KeyValue> {
        let mut told: Vec<Told<'_>> = Vec::new();
        let mut places = std::collections::HashMap::new();
        let mut first = 0;
        for &SourceRows { source, rows } in rows {
            let Some(SourceIdentity { name, hash: Some((hash, _)) }) = self.0.get(source) else {
                continue;
            };
            let place = *places.entry(source).or_insert_with(|| {
                let hash = hash.to_hex().to_string();
                told.push(Told { hash, name, rows: Vec::new() });
                told.len() - 1
            });
            told[place].rows.push([first, rows]);
            first += rows;
        }
        let json = serde_json::to_string(&told).unwrap_or_default();
        let run = run.map(|run| KeyValue::new(RUN_KEY.to_owned(), run.to_string()));
        run.into_iter().chain([KeyValue::new(SOURCES_KEY.to_owned(), json)]).collect()
    }
}

#[derive(Serialize)]
struct Told<'s> {
    hash: String,
    name: &'s str,
    rows: Vec<[u64; 2]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_whose_its_rows_are() {
        let mut sources = SourceIdentities::default();
        let [a, b] = [b"a", b"b"].map(|content| blake3::hash(content));
        sources.push("a.cdr", None);
        sources.push("b.cdr", Some(b));
        let rows = [(1, 3), (0, 2), (1, 4)].map(|(source, rows)| SourceRows { source, rows });
        assert!(!sources.are_known(&rows) && sources.are_known(&rows[..1]));
        sources.end(0, a);
        assert!(sources.are_known(&rows));
        assert_eq!(sources.source_hash(0), &a.as_bytes()[..16]);
        let told = sources.metadata(Some(7), &rows);
        assert_eq!(told[0], KeyValue::new("cdrlake.run".to_owned(), "7".to_owned()));
        let json: serde_json::Value =
            serde_json::from_str(told[1].value.as_deref().unwrap()).unwrap();
        let expected = serde_json::json!([
            {"hash": b.to_hex().as_str(), "name": "b.cdr", "rows": [[0, 3], [5, 4]]},
            {"hash": a.to_hex().as_str(), "name": "a.cdr", "rows": [[3, 2]]},
        ]);
        assert_eq!(json, expected);
    }
}
