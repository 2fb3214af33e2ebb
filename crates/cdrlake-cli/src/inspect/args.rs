//! The arguments of `cdrlake inspect`.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;

use cdrlake::{Input, LoadOptions, ProfileSettings, TimeZones};
use clap::Args;

use crate::load_args::{MetadataArguments, OpeningArguments, TellingArguments};
use crate::suggest;

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// A CDR file, plain or packed; `-` for standard input; or a member of an archive, as
    /// `month.zip!GB_ABC_12_0001_20251019090122.cdr`.
    #[arg(value_name = "INPUT")]
    pub(super) input: PathBuf,

    /// The record to show: its number in the source, which is its line's [default: 1]
    #[arg(long, value_name = "N")]
    record: Option<NonZero<u64>>,

    /// Show the record that holds this byte of the decompressed source, counted from 0.
    ///
    /// Of a file that is not packed only the end of the line before is looked for, however large it
    /// is; the number of the record is then what it is if all lines have the same length.
    #[arg(long, value_name = "BYTE", conflicts_with_all = ["record", "rejected"])]
    pub(super) offset: Option<u64>,

    /// Show the lines that are rejected, from the first, or from --record, on: with a mark under what
    /// is wrong, and the reason.
    #[arg(long)]
    pub(super) rejected: bool,

    /// How many rejected lines to show.
    #[arg(long, value_name = "N", default_value = "10", requires = "rejected")]
    pub(super) limit: u64,

    /// Reject records that would only draw a warning.
    #[arg(long)]
    pub(super) strict: bool,

    #[command(flatten)]
    metadata: MetadataArguments,

    /// Whose clocks the calls' times are of, as for convert.
    #[arg(long, value_name = "ZONE|country|profile", value_parser = suggest::time_zones)]
    #[arg(env = "CDRLAKE_TIME_ZONE", hide_env_values = true)]
    time_zone: Option<TimeZones>,

    #[command(flatten)]
    pub(super) opening: OpeningArguments,

    #[command(flatten)]
    pub(super) telling: TellingArguments,
}

impl InspectArguments {
    pub(super) fn record_number(&self) -> u64 {
        self.record.map_or(1, NonZero::get)
    }

    /// How `input` is opened.
    pub(super) fn options(
        &self,
        input: Input,
        profiles: BTreeMap<String, ProfileSettings>,
    ) -> LoadOptions {
        let mut options = self.opening.options(vec![input], profiles);
        options.settings.metadata = self.metadata.metadata();
        options.time_zones = self.time_zone.clone().unwrap_or_default();
        options
    }
}
