//! The arguments of `cdrlake audit`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cdrlake::{AuditOptions, Input, LoadOptions, Period, PeriodOf, ProfileSettings, Verify};
use clap::{Args, ValueEnum};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use crate::lake_access::LakeAccess;
use crate::load_args::{MetadataArguments, OpeningArguments, TellingArguments};

#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Lakes; or CDR files and directories of them, which are audited together.
    ///
    /// CDR files are loaded into a lake in the directory for temporary files (TMPDIR), which is
    /// removed at the end.
    #[arg(required = true, value_name = "LAKE|INPUT")]
    #[arg(env = "CDRLAKE_LAKE", hide_env_values = true)]
    pub(crate) paths: Vec<PathBuf>,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// How old the latest delivery of a country, profile and product may be, as 36h or 2d, by the
    /// time in its name [default: any age]
    #[arg(long, value_name = "AGE", value_parser = age)]
    max_age: Option<SignedDuration>,

    /// The day, or date and time, as of which to judge, as 2025-11-03 [default: now, UTC]
    #[arg(long, value_name = "DATE")]
    today: Option<DateTime>,

    /// Read every file of the lake whole, too, and hold its bytes against the BLAKE3 that was recorded
    /// when it was written.
    ///
    /// Of files that versions before wrote none is recorded: of these every value is read, and bytes and
    /// rows are counted.
    #[arg(long, conflicts_with = "totals")]
    pub(crate) verify: bool,

    /// Record the BLAKE3 of files that have none, if they prove to be as the ledger says; one that is
    /// recorded stays. For one lake; needs its lock.
    #[arg(long, requires = "verify", conflicts_with = "accept")]
    pub(crate) record: bool,

    /// Close a finding, by its identifier, so that it counts no more; rejects are waived.
    ///
    /// When it changes it is found again. Needs the lake's lock.
    #[arg(long, value_name = "FINDING", requires = "reason", conflicts_with_all = ["totals", "json"])]
    pub(crate) accept: Vec<String>,

    /// Why it is closed.
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub(crate) reason: Option<String>,

    /// Print calls, seconds and zero-second calls by period, country, profile and product type,
    /// instead of findings.
    #[arg(long, value_name = "PERIOD")]
    pub(crate) totals: Option<TotalsPeriod>,

    /// Whether the period is that of the call, or of the file that delivered it.
    #[arg(long, value_name = "WHAT", default_value = "call", requires = "totals")]
    by: TotalsBy,

    /// Compare totals with those of a CSV file, and list what differs.
    ///
    /// Its header names columns of period (2025-10, or 2025-10-19), country, profile and
    /// product_type, over which totals are summed where a column is left out; and at least one of
    /// calls, seconds and zero_second_calls, where empty cells are not compared.
    #[arg(long, value_name = "TOTALS.csv", requires = "totals")]
    pub(crate) expected: Option<PathBuf>,

    /// Write what was found, and where the lake stands, as metrics for Prometheus, in place of any
    /// earlier ones; audits that fail do so, too. For one lake.
    ///
    /// For the textfile collector of node_exporter, which wants a name that ends in .prom.
    #[arg(long, value_name = "FILE.prom", conflicts_with = "totals")]
    pub(crate) metrics_file: Option<PathBuf>,

    /// Write the audit as a page of HTML, too, in place of any earlier one: what is found and what to
    /// do, deliveries and calls by day, rejects, sequence numbers and control totals.
    ///
    /// One file that needs no network and runs no script. It cannot stand in a lake.
    #[arg(long, value_name = "FILE.html", conflicts_with_all = ["totals", "accept"])]
    pub(crate) html: Option<PathBuf>,

    #[command(flatten)]
    metadata: MetadataArguments,

    #[command(flatten)]
    pub(crate) opening: OpeningArguments,

    #[command(flatten)]
    pub(crate) access: LakeAccess,

    #[command(flatten)]
    pub(crate) telling: TellingArguments,
}

/// How long a period of totals is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TotalsPeriod {
    Month,
    Day,
}

/// What decides to which period a call belongs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TotalsBy {
    Call,
    File,
}

impl AuditArguments {
    pub(crate) fn options(&self) -> AuditOptions {
        let default = AuditOptions::default();
        AuditOptions {
            now: self.today.unwrap_or(default.now),
            max_age: self.max_age,
            verify: if self.verify { Verify::Whole } else { Verify::Omit },
        }
    }

    /// Period and what it is of, if totals are asked for.
    pub(crate) fn totals(&self) -> Option<(Period, PeriodOf)> {
        let period = self.totals.map(|period| match period {
            TotalsPeriod::Month => Period::Month,
            TotalsPeriod::Day => Period::Day,
        });
        let of = match self.by {
            TotalsBy::Call => PeriodOf::Call,
            TotalsBy::File => PeriodOf::File,
        };
        period.map(|period| (period, of))
    }

    /// `profiles` come from the configuration.
    pub(crate) fn load(
        &self,
        inputs: Vec<Input>,
        profiles: BTreeMap<String, ProfileSettings>,
    ) -> LoadOptions {
        let mut options = self.opening.options(inputs, profiles);
        options.settings.metadata = self.metadata.metadata();
        options.also_written.extend(self.html.clone());
        options
    }
}

/// A span as 36h, 2d or 1d12h; a day has 24 hours.
fn age(text: &str) -> Result<SignedDuration, String> {
    let span = text.parse::<Span>();
    let age = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    age.ok()
        .filter(|age| !age.is_negative())
        .ok_or_else(|| "expected an age like 36h or 2d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (text, hours) in [("36h", 36), ("2d", 48), ("1d12h", 36), ("1w", 168), ("0h", 0)] {
            assert_eq!(age(text), Ok(SignedDuration::from_hours(hours)), "{text}");
        }
        for wrong in ["", "36", "-2d", "1month", "soon"] {
            assert!(age(wrong).is_err(), "{wrong:?}");
        }
    }
}
