//! What findings are called, and what to do about them.

use cdrlake::{DaysLeft, Finding, Observation};
use jiff::ToSpan;
use jiff::civil::Date;

use crate::quoted::quoted;

/// What findings of this kind are called.
pub(super) const fn heading(observation: &Observation) -> &'static str {
    match observation {
        Observation::MissingSequence { .. } => "Missing sequence numbers",
        Observation::RepeatedSequence { .. } => "Repeated sequence numbers",
        Observation::SequenceReset { .. } => "Sequence numbers begun anew",
        Observation::MissingDelivery { .. } => "Missing deliveries",
        Observation::StaleDelivery { .. } => "Old latest deliveries",
        Observation::FailedSource { .. } => "Failed files",
        Observation::OpenRejects { .. } => "Open rejected lines",
        Observation::Overlap { .. } => "Records delivered twice",
        Observation::CarrierMismatch { .. } => "Records of another carrier",
        Observation::CallsAfterFile { .. } => "Calls that end after their file",
        Observation::FileDiffers { .. } => "Parquet files that differ from the ledger",
        Observation::FileChanged { .. } => "Parquet files that were changed",
        Observation::SourceDiffers { .. } => "Loaded files that differ from the ledger",
        Observation::MissingFile { .. } => "Missing Parquet files",
        Observation::UnknownFile { .. } => "Unknown Parquet files",
        Observation::DamagedFile { .. } => "Damaged Parquet files",
    }
}

/// What to do about findings of this kind.
pub(super) const fn advice(observation: &Observation) -> &'static str {
    match observation {
        Observation::MissingSequence { .. } => {
            "Fetch the days around the gap again while the carrier keeps them, and load what comes. \
             What does not come, ask the carrier for by its numbers; if these were never given out, \
             accept the finding with what the carrier said."
        }
        Observation::RepeatedSequence { .. } => {
            "Files of different content carry one number. Compare them with cdrlake stats and ask the \
             carrier which counts; take the other out with cdrlake unload. If both do, accept the \
             finding."
        }
        Observation::SequenceReset { .. } => {
            "Ask the carrier whether it began to number anew on that day; if so, accept the finding. \
             If not, deliveries are missing before it."
        }
        Observation::MissingDelivery { .. } => {
            "Fetch these days again while the carrier keeps them, and load what comes. If there was \
             nothing to deliver, accept the finding."
        }
        Observation::StaleDelivery { .. } => {
            "See whether the job that fetches still runs, by its log and its exit status; then whether \
             the carrier still delivers this product."
        }
        Observation::FailedSource { .. } => {
            "Nothing of such a file is in the lake. Fetch it again, or mend what the message names, and \
             convert it once more: when it is loaded the finding is settled."
        }
        Observation::OpenRejects { .. } => {
            "Look at the lines with cdrlake inspect --rejected. Correct their bytes in the column raw of \
             the lake's rejects and load them with cdrlake convert --replay; or accept the finding, \
             which waives them."
        }
        Observation::Overlap { .. } => {
            "These calls count twice. Take one of both files out with cdrlake unload. Lakes made with \
             --record-id leave such records out with --deduplicate."
        }
        Observation::CarrierMismatch { .. } => {
            "Another reseller's calls may be among yours: do not bill them before the carrier has said \
             whose they are."
        }
        Observation::CallsAfterFile { .. } => {
            "A file cannot know how a call ends that still goes on: see whether files and calls are \
             of the same time zone, and ask the carrier if they are."
        }
        Observation::FileDiffers { .. }
        | Observation::FileChanged { .. }
        | Observation::SourceDiffers { .. }
        | Observation::MissingFile { .. }
        | Observation::DamagedFile { .. } => {
            "The lake is not as it was written. Restore the Parquet file from a backup, or load all \
             delivered files that it held again, in one run, with cdrlake convert --replace."
        }
        Observation::UnknownFile { .. } => {
            "Readers count what no run wrote. Move the file out of the lake; if it holds calls that \
             belong there, load the files they were delivered in."
        }
    }
}

/// A command that may get what is missing, while the carrier keeps it.
pub(super) fn fetch(finding: &Finding, today: Date) -> Option<String> {
    let (first, last) = match finding.observation {
        Observation::MissingSequence { after, before, .. } => (after, before),
        Observation::MissingDelivery { first_day, last_day, .. } => (first_day, last_day),
        _ => return None,
    };
    let kept_from = today.checked_sub((DaysLeft::KEPT - 1).days()).ok()?;
    let first = first.max(kept_from);
    let profile = finding.series.profile.as_deref()?;
    let product = finding.series.product_identifier.as_deref()?;
    (first <= last).then(|| {
        let (profile, product) = (quoted(profile), quoted(product));
        format!(
            "cdrlake fetch unrated --profile {profile} --product {product} --from {first} --to {last} -o \
             inbox/"
        )
    })
}

/// A command that closes a finding of this lake.
pub(super) fn accept(lake: &str) -> String {
    format!("cdrlake audit {} --accept FINDING --reason TEXT", quoted(lake))
}
