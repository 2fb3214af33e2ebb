//! What becomes of single lines, as the decoder says.

use std::io::{self, Read};
use std::ops::ControlFlow;

use anyhow::{Context, Result};
use cdrlake::Progress;
use cdrlake_core::{Decoder, Fault, Position, RecordBatch, Reject, SourceOptions, Warning};

use super::line::Line;

/// Bytes read at a time.
const BUFFER_LEN: usize = 256 * 1024;

/// The verdict on a line; a blank one has neither row nor fault.
pub(super) struct Judged {
    /// Its row of the table, if it is accepted.
    pub(super) row: Option<RecordBatch>,
    pub(super) fault: Option<Fault>,
    pub(super) warnings: Vec<Warning>,
}

/// Decodes one line.
pub(super) fn judge(line: &Line, options: &SourceOptions) -> Result<Judged> {
    let position = Position { record_number: line.number.unwrap_or(1), byte_offset: line.start };
    let mut decoder = Decoder::resume(options, position);
    let mut fault = None;
    let mut on_reject = |reject: Reject<'_>| fault = Some(reject.fault);
    // A line that is cut is too long anyway.
    decoder.decode(&line.raw, &mut on_reject);
    if line.has_line_feed {
        decoder.decode(b"\n", &mut on_reject);
    } else {
        decoder.finish(&mut on_reject);
    }
    let row = decoder.flush().context("cannot decode the record")?;
    let warnings = decoder.counts().warnings().map(|(warning, _)| warning).collect();
    Ok(Judged { row, fault, warnings })
}

/// Gives every rejected line to `on_line`, until that breaks off.
///
/// The outer result is of reading; the inner one is what `on_line` gave, or what it broke off with.
pub(super) fn walk_rejected<B>(
    bytes: &mut dyn Read,
    options: &SourceOptions,
    progress: &Progress,
    mut on_line: impl FnMut(Line, Judged) -> Result<ControlFlow<B>>,
) -> io::Result<Result<Option<B>>> {
    let mut decoder = Decoder::new(options);
    let mut buffer = vec![0; BUFFER_LEN];
    let mut rejected = Vec::new();
    let (mut records, mut rejects) = (0, 0);
    loop {
        let read = match bytes.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let mut on_reject = |reject: Reject<'_>| rejected.push(of_reject(&reject, read > 0));
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            rest = &rest[decoder.decode(rest, &mut on_reject)..];
            // The rows are wanted by nobody.
            if decoder.is_full()
                && let Err(error) = decoder.flush()
            {
                return Ok(Err(error).context("cannot decode records"));
            }
        }
        if read == 0 {
            decoder.finish(&mut on_reject);
        }
        let counts = decoder.counts();
        progress.add_lines(counts.records - records, counts.rejected() - rejects);
        (records, rejects) = (counts.records, counts.rejected());
        for (line, judged) in rejected.drain(..) {
            match on_line(line, judged) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(value)) => return Ok(Ok(Some(value))),
                Err(error) => return Ok(Err(error)),
            }
        }
        if read == 0 {
            return Ok(Ok(None));
        }
    }
}

fn of_reject(reject: &Reject<'_>, has_line_feed: bool) -> (Line, Judged) {
    let line = Line {
        number: Some(reject.record_number),
        start: reject.byte_offset,
        raw: reject.raw.to_vec(),
        length: reject.raw_length,
        has_line_feed,
    };
    (line, Judged { row: None, fault: Some(reject.fault), warnings: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::line::{Wanted, find};

    /// Rejected lines are the same whether they are walked through or looked up.
    #[test]
    fn walked_and_found_lines_agree() {
        let sample = include_bytes!("../../../../testdata/valid/DE_SV_00_0001_20110930090122.cdr");
        let mut text = b"short\n\n".to_vec();
        text.extend_from_slice(sample);
        text.extend_from_slice(&[b'9'; 228]);
        text.extend_from_slice(b"\nend");
        let options = SourceOptions::new("calls.cdr");
        let mut walked = Vec::new();
        let end = walk_rejected(&mut &text[..], &options, &Progress::default(), |line, judged| {
            walked.push((line, judged.fault));
            Ok(ControlFlow::<()>::Continue(()))
        });
        assert!(end.unwrap().unwrap().is_none());
        assert_eq!(walked.len(), 3);
        let mut number = 0;
        let mut found = Vec::new();
        loop {
            number += 1;
            let Ok(line) = find(&mut &text[..], Wanted::Number(number)).unwrap() else { break };
            let judged = judge(&line, &options).unwrap();
            match (judged.row, judged.fault) {
                (Some(row), None) => assert_eq!(row.num_rows(), 1),
                (None, Some(fault)) => found.push((line, Some(fault))),
                (row, fault) => assert!(row.is_none() && fault.is_none() && line.length == 0),
            }
        }
        assert_eq!((walked, number), (found, 8));
    }
}
