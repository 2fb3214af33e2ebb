//! Questions to a lake: is every delivery here, once, and as it was delivered?
//!
//! An audit takes no lock and writes nothing, so that it can be asked while a run writes the lake,
//! and where nothing can be written. It reads what the lake knows at one moment and the files after
//! it; if a run changed the lake meanwhile it begins again.
//!
//! [`audit`], [`overview`] and [`totals`] ask; each question has a file: `sequences`, `schedule`,
//! `sources`, `rows`, `overlaps`, `files`, `verify`. [`standing`] asks the ledger alone, after every
//! run; [`accept`] and [`record`] are the only ones that write.

mod accept;
mod ask;
mod audit;
mod check;
mod error;
mod expected;
mod files;
mod finding;
mod inputs;
mod overlaps;
mod overview;
mod record;
mod rows;
mod scan;
mod schedule;
mod sequences;
mod sources;
mod standing;
mod steadily;
#[cfg(test)]
mod tests;
mod totals;
mod verify;

pub use accept::accept;
pub use ask::{audit, overview, totals};
pub use audit::{Accepted, Audit, AuditOptions};
pub use error::AuditError;
pub use expected::{Difference, ExpectedTotals};
pub use finding::{DaysLeft, Finding, GapState, Measure, Observation, Series};
pub use inputs::ScratchLake;
pub use overview::{Overview, RejectsRow, SourceCounts};
pub use record::record;
pub use schedule::{DeliveryDays, ScheduleSummary};
pub use sequences::SequenceSummary;
pub use standing::{Standing, standing};
pub use totals::{Period, PeriodOf, TotalsKey, TotalsRow, TotalsSum};
pub use verify::{Verified, Verify};
