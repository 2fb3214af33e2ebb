//! An output of one's own: a line of CSV for each source, with its rows, the seconds that its calls
//! lasted, and how many of its lines were rejected.
//!
//! ```sh
//! cargo run -p cdrlake-load --example summary -- testdata/valid
//! ```
//!
//! A source that fails has no line, however late it fails; standard error says why it did, and the
//! exit status is 1. Nor has one that is skipped, as its content came before, or that is empty, for
//! a sink is only told of rows and of rejected lines.
//!
//! The report of a run has all these counts already: this example shows how a sink keeps only what
//! stays.

#![allow(clippy::print_stderr, reason = "an example")]

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use arrow_array::RecordBatch;
use cdrlake_load::{
    Encoder, Input, LoadError, LoadOptions, OpenSource, RejectedLines, Seconds, Sink, Status,
    load_into, tenths,
};

fn main() -> Result<ExitCode, LoadError> {
    let inputs = std::env::args_os().skip(1).map(|path| Input::Path(PathBuf::from(path)));
    let options = LoadOptions::new(inputs.collect());
    let (report, ()) = load_into(&options, Summary::new(io::stdout()))?;
    for source in &report.sources {
        if let Some(error) = &source.error {
            eprintln!("{}: {error}", source.source);
        }
    }
    let failed = report.count(Status::Failed) > 0;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What one block holds of one source. A source that is larger than a block has a part in several.
struct Part {
    index: usize,
    name: Arc<str>,
    rows: u64,
    tenths: u64,
}

/// Counts the rows of a block by source, on any thread.
struct CountParts;

impl Encoder for CountParts {
    type Block = Vec<Part>;
    type Rows = Vec<Part>;

    fn begin(&self) -> Result<Vec<Part>, LoadError> {
        Ok(Vec::new())
    }

    fn add(
        &self,
        parts: &mut Vec<Part>,
        source: &OpenSource,
        batch: RecordBatch,
    ) -> Result<(), LoadError> {
        let (rows, tenths) = (batch.num_rows() as u64, tenths(&batch));
        match parts.last_mut() {
            Some(part) if part.index == source.index => {
                part.rows += rows;
                part.tenths += tenths;
            }
            _ => {
                parts.push(Part { index: source.index, name: source.name.clone(), rows, tenths });
            }
        }
        Ok(())
    }

    /// Only the last part can be of this source, and there is none if no row of it was added.
    fn take_back(&self, parts: &mut Vec<Part>, source: &OpenSource) -> bool {
        parts.pop_if(|part| part.index == source.index);
        true
    }

    fn finish(&self, parts: Vec<Part>) -> Result<Vec<Part>, LoadError> {
        Ok(parts)
    }
}

/// Writes the summary when all sources have come, for until then a rollback may take parts away.
struct Summary<W> {
    out: W,
    /// Parts are only ever appended, so a length is all that a savepoint needs.
    parts: Vec<Part>,
    /// Rejected lines come when their source is sure to stay, so no rollback concerns them.
    rejected: Vec<(usize, Arc<str>, u64)>,
}

impl<W: Write> Summary<W> {
    fn new(out: W) -> Self {
        Self { out, parts: Vec::new(), rejected: Vec::new() }
    }

    fn write_csv(mut self) -> io::Result<()> {
        let mut lines: BTreeMap<usize, Line> = BTreeMap::new();
        for part in self.parts {
            let line = lines.entry(part.index).or_insert_with(|| Line::new(part.name));
            line.rows += part.rows;
            line.duration = line.duration.plus(Seconds::from_tenths(part.tenths));
        }
        for (index, name, count) in self.rejected {
            lines.entry(index).or_insert_with(|| Line::new(name)).rejected += count;
        }
        writeln!(self.out, "source,rows,seconds,rejected")?;
        for Line { name, rows, duration, rejected } in lines.into_values() {
            writeln!(self.out, "{},{rows},{duration},{rejected}", quoted(&name))?;
        }
        self.out.flush()
    }
}

impl<W: Write> Sink for Summary<W> {
    type Encoder = CountParts;
    type Savepoint = usize;
    type Output = ();

    fn encoder(&self) -> CountParts {
        CountParts
    }

    fn write(&mut self, parts: Vec<Part>) -> Result<(), LoadError> {
        self.parts.extend(parts);
        Ok(())
    }

    fn write_rejects(&mut self, rejects: RejectedLines<'_>) -> Result<(), LoadError> {
        let source = rejects.source;
        let mut count = 0;
        rejects.for_each(|_| {
            count += 1;
            Ok(())
        })?;
        self.rejected.push((source.index, source.name.clone(), count));
        Ok(())
    }

    fn savepoint(&mut self) -> Result<usize, LoadError> {
        Ok(self.parts.len())
    }

    fn rollback(&mut self, parts: usize) -> Result<(), LoadError> {
        self.parts.truncate(parts);
        Ok(())
    }

    fn finish(self) -> Result<(), LoadError> {
        self.write_csv().map_err(LoadError::caller)
    }
}

/// A line of the summary.
struct Line {
    name: Arc<str>,
    rows: u64,
    duration: Seconds,
    rejected: u64,
}

impl Line {
    fn new(name: Arc<str>) -> Self {
        Self { name, rows: 0, duration: Seconds::default(), rejected: 0 }
    }
}

/// A field of CSV, in quotes if it needs them.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
