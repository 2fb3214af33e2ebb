//! The verdicts on all lines, and nothing written.

use std::sync::Arc;

use arrow_array::RecordBatch;
use cdrlake_core::Reject;

use crate::blocks::OpenSource;
use crate::check_outputs::check_outputs;
use crate::error::LoadError;
use crate::load_run::{Run, load};
use crate::options::LoadOptions;
use crate::publish::Overwrite;
use crate::report::Report;
use crate::sink::{Encoder, RejectedLines, Sink};

/// Gives every line the verdict that [`convert`](crate::convert) would, and writes nothing. Rejected lines of
/// sources that would be loaded go to `on_reject`, with the source's name, in input order.
///
/// # Errors
///
/// [`LoadError`], if the run as a whole cannot be done.
pub fn validate(
    options: &LoadOptions,
    on_reject: &mut (dyn FnMut(&str, &Reject<'_>) + Send),
) -> Result<Report, LoadError> {
    let excluded = check_outputs(options, &[], Overwrite::Refuse)?;
    let loaded = load(Run::alone(options, &excluded), Judge(on_reject))?;
    let (report, ()) = loaded.into_report(options.run_id());
    Ok(report)
}

/// Rows nowhere; rejected lines of sources that would be loaded to the caller.
struct Judge<'j>(&'j mut (dyn FnMut(&str, &Reject<'_>) + Send));

impl Sink for Judge<'_> {
    type Encoder = NoRows;
    type Savepoint = ();
    type Output = ();

    fn encoder(&self) -> NoRows {
        NoRows
    }

    fn write(&mut self, (): ()) -> Result<(), LoadError> {
        Ok(())
    }

    fn write_rejects(&mut self, rejects: RejectedLines<'_>) -> Result<(), LoadError> {
        let name = Arc::clone(&rejects.source.name);
        rejects.for_each(|reject| {
            (self.0)(&name, reject);
            Ok(())
        })
    }

    fn savepoint(&mut self) -> Result<(), LoadError> {
        Ok(())
    }

    fn rollback(&mut self, (): ()) -> Result<(), LoadError> {
        Ok(())
    }

    fn finish(self) -> Result<(), LoadError> {
        Ok(())
    }
}

/// Records are only judged.
struct NoRows;

impl Encoder for NoRows {
    type Block = ();
    type Rows = ();

    fn begin(&self) -> Result<(), LoadError> {
        Ok(())
    }

    fn add(&self, (): &mut (), _: &OpenSource, _: RecordBatch) -> Result<(), LoadError> {
        Ok(())
    }

    fn take_back(&self, (): &mut (), _: &OpenSource) -> bool {
        true
    }

    fn finish(&self, (): ()) -> Result<(), LoadError> {
        Ok(())
    }
}
