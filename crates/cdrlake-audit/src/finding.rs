//! Findings: what an audit has to say, each with an identifier that stays the same while the
//! finding does.

use std::fmt;

use cdrlake_lake::SourceFacts;
use cdrlake_load::Seconds;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use serde::{Serialize, Serializer};

/// Whose deliveries a finding is about, as far as names and settings tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Series {
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// The reseller's profile.
    pub profile: Option<String>,
    /// The product identifier.
    pub product_identifier: Option<String>,
}

impl Series {
    /// Returns the series of deliveries that a source belongs to.
    pub(crate) fn of(source: &SourceFacts) -> Self {
        Self {
            country: source.country.clone(),
            profile: source.profile.clone(),
            product_identifier: source.product_identifier.clone(),
        }
    }
}

impl fmt::Display for Series {
    /// `GB ABC 10`; what is not known is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.country, &self.profile, &self.product_identifier];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        f.write_str(&parts.join(" "))
    }
}

/// One thing that an audit found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What names it, for accepting it: the same in every audit until the finding changes.
    pub id: String,
    /// Whose deliveries it is about.
    #[serde(flatten)]
    pub series: Series,
    /// What was found.
    #[serde(flatten)]
    pub observation: Observation,
    /// The same for people.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(series: Series, observation: Observation) -> Self {
        let id = observation.id(&series);
        let message = observation.to_string();
        Self { id, series, observation, message }
    }
}

/// How many days are left to fetch a delivery again, of those that the carrier keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DaysLeft(u32);

impl DaysLeft {
    /// The carrier's days (its section 3).
    pub const KEPT: i32 = 90;

    /// Of a delivery of this day.
    #[must_use]
    pub fn of(delivered: Date, today: Date) -> Self {
        let age = (today - delivered).get_days();
        Self((Self::KEPT - age).clamp(0, Self::KEPT) as u32)
    }

    /// The first day whose deliveries can be fetched still.
    pub(crate) fn kept_from(today: Date) -> Option<Date> {
        today.checked_sub((Self::KEPT - 1).days()).ok()
    }

    /// Days; 0 if it is too late.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.0
    }
}

impl fmt::Display for DaysLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => write!(f, "the carrier keeps {} days: too late to fetch again", Self::KEPT),
            1 => f.write_str("1 day left to fetch again"),
            days => write!(f, "{days} days left to fetch again"),
        }
    }
}

/// How [`Observation::FileChanged`] is called: it is found only if files are read whole.
pub(crate) const FILE_CHANGED: &str = "file_changed";

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Observation {
    /// Sequence numbers that did not come, though later ones did.
    MissingSequence {
        /// The first of them.
        first: u16,
        /// The last of them.
        last: u16,
        /// The day of the delivery before.
        #[serde(serialize_with = "as_text")]
        after: Date,
        /// The day of the delivery after.
        #[serde(serialize_with = "as_text")]
        before: Date,
        /// From `after`, so the least there may be.
        days_left: DaysLeft,
    },
    /// One sequence number on several sources of different content.
    RepeatedSequence {
        /// The number.
        number: u16,
        /// The sources' names.
        sources: Vec<String>,
        /// The day of the last of them.
        #[serde(serialize_with = "as_text")]
        last: Date,
    },
    /// Numbers that begin anew without having come to their end: what is missing there, if
    /// anything, cannot be told.
    SequenceReset {
        /// The number before.
        from: u16,
        /// The number after.
        to: u16,
        /// The day of that.
        #[serde(serialize_with = "as_text")]
        on: Date,
    },
    /// Days on which fewer deliveries came than the schedule says.
    MissingDelivery {
        /// The first of them.
        #[serde(serialize_with = "as_text")]
        first_day: Date,
        /// The last of them.
        #[serde(serialize_with = "as_text")]
        last_day: Date,
        /// Whether deliveries came after them.
        state: GapState,
        /// How many came.
        delivered: u32,
        /// How many the schedule says.
        expected: u32,
        /// For the first day.
        days_left: DaysLeft,
        /// The first of these days whose deliveries the carrier still keeps; none if it is too late
        /// for all of them.
        #[serde(serialize_with = "as_optional_text")]
        kept_from: Option<Date>,
    },
    /// The latest delivery is older than it may be.
    StaleDelivery {
        /// Its time, as its name tells.
        #[serde(serialize_with = "as_text")]
        latest: DateTime,
        /// Its age in whole hours.
        age_hours: i64,
    },
    /// A source that could not be loaded, and was not since.
    FailedSource {
        /// Its name.
        source: String,
        /// What tells it from others, however it is called: the carrier's name for it and the first
        /// digits of its content's hash, as far as these are known, else its path.
        key: String,
        /// Why, in a word.
        code: String,
        /// Why.
        error: String,
        /// How long it can be fetched again, if its time is known.
        days_left: Option<DaysLeft>,
    },
    /// Rejected lines that were neither replayed nor waived.
    OpenRejects {
        /// The source's name.
        source: String,
        /// The first digits of its content's hash.
        content_hash: String,
        /// How many.
        rejects: u64,
    },
    /// Records that were delivered in two sources, and are in the lake twice.
    Overlap {
        /// The source that was loaded first.
        first: String,
        /// The other one.
        second: String,
        /// First digits of the hashes of both.
        content_hashes: [String; 2],
        /// How many records.
        records: u64,
        /// Their durations, once.
        seconds: Seconds,
    },
    /// Records whose field `carrier` is not the source's profile.
    CarrierMismatch {
        /// The source's name.
        source: String,
        /// The first digits of its content's hash.
        content_hash: String,
        /// How many records.
        records: u64,
        /// What they have instead, up to three different values; shapes where it is all digits.
        carriers: Vec<String>,
    },
    /// Calls that end after the file's own time: perhaps the time zone is not what it seems.
    CallsAfterFile {
        /// The source's name.
        source: String,
        /// The first digits of its content's hash.
        content_hash: String,
        /// How many records.
        records: u64,
        /// By how much the last of them ends too late.
        seconds: Seconds,
    },
    /// A file whose rows or seconds are not those of the ledger.
    FileDiffers {
        /// Its path in the lake.
        path: String,
        /// What differs.
        what: Measure,
        /// By the ledger.
        ledger: String,
        /// By the file.
        found: String,
    },
    /// A file that has other bytes than those that were written, or more or fewer. Nothing tells what its rows
    /// are, or which sources they come from.
    FileChanged {
        /// Its path in the lake.
        path: String,
        /// Bytes that it has.
        bytes: u64,
        /// Bytes that it has by the ledger.
        ledger_bytes: u64,
        /// BLAKE3 of those that it has.
        blake3: String,
        /// Names of the sources that have rows in the file by the ledger.
        sources: Vec<String>,
    },
    /// A source whose rows or seconds in the lake are not those of the ledger.
    SourceDiffers {
        /// The source's name.
        source: String,
        /// The first digits of its content's hash.
        content_hash: String,
        /// What differs.
        what: Measure,
        /// By the ledger.
        ledger: String,
        /// By the lake's files.
        found: String,
    },
    /// A file that the ledger knows and that is not there.
    MissingFile {
        /// Its path in the lake.
        path: String,
        /// Its rows, by the ledger.
        rows: u64,
    },
    /// A file that readers see and the ledger does not know.
    UnknownFile {
        /// Its path in the lake.
        path: String,
    },
    /// A file that cannot be read.
    DamagedFile {
        /// Its path in the lake.
        path: String,
        /// What the reader says.
        error: String,
    },
}

/// Whether a gap in deliveries has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapState {
    /// Deliveries came after it.
    Closed,
    /// Nothing came since.
    Ongoing,
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Rows of a table.
    Rows,
    /// Sum of durations.
    Seconds,
    /// Rows that tell another source than the ledger does of their place.
    RowsOfOthers,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rows => "rows",
            Self::Seconds => "seconds",
            Self::RowsOfOthers => "rows of other sources",
        })
    }
}

fn as_optional_text<T: fmt::Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl Observation {
    /// Its kind, as in JSON and at the start of identifiers.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::MissingSequence { .. } => "missing_sequence",
            Self::RepeatedSequence { .. } => "repeated_sequence",
            Self::SequenceReset { .. } => "sequence_reset",
            Self::MissingDelivery { .. } => "missing_delivery",
            Self::StaleDelivery { .. } => "stale_delivery",
            Self::FailedSource { .. } => "failed_source",
            Self::OpenRejects { .. } => "open_rejects",
            Self::Overlap { .. } => "overlap",
            Self::CarrierMismatch { .. } => "carrier_mismatch",
            Self::CallsAfterFile { .. } => "calls_after_file",
            Self::FileDiffers { .. } => "file_differs",
            Self::FileChanged { .. } => FILE_CHANGED,
            Self::SourceDiffers { .. } => "source_differs",
            Self::MissingFile { .. } => "missing_file",
            Self::UnknownFile { .. } => "unknown_file",
            Self::DamagedFile { .. } => "damaged_file",
        }
    }

    /// What makes it another finding is in it: whose it is, where, and how much where more of the
    /// same would be news. Numbers of sequences come again after years, so their days are, too.
    fn id(&self, series: &Series) -> String {
        let known = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
        let numbered = format!("{}:{}", known(&series.profile), known(&series.product_identifier));
        let scheduled = format!("{}:{numbered}", known(&series.country));
        let rest = match self {
            Self::MissingSequence { first, last, after, .. } => {
                format!("{numbered}:{first:04}-{last:04}:{after}")
            }
            Self::RepeatedSequence { number, last, .. } => format!("{numbered}:{number:04}:{last}"),
            Self::SequenceReset { from, to, on } => format!("{numbered}:{from:04}-{to:04}:{on}"),
            Self::MissingDelivery { first_day, state: GapState::Ongoing, .. } => {
                format!("{scheduled}:{first_day}..")
            }
            Self::MissingDelivery { first_day, last_day, .. } => {
                format!("{scheduled}:{first_day}..{last_day}")
            }
            Self::StaleDelivery { latest, .. } => format!("{scheduled}:{latest}"),
            Self::FailedSource { key, code, .. } => format!("{key}:{code}"),
            Self::OpenRejects { content_hash, rejects, .. } => format!("{content_hash}:{rejects}"),
            Self::Overlap { content_hashes: [first, second], records, .. } => {
                format!("{first}:{second}:{records}")
            }
            Self::CarrierMismatch { content_hash, records, .. }
            | Self::CallsAfterFile { content_hash, records, .. } => {
                format!("{content_hash}:{records}")
            }
            Self::FileDiffers { path, what, found, .. } => format!("{path}:{what}:{found}"),
            Self::FileChanged { path, blake3, .. } => {
                format!("{path}:{}", blake3.get(..16).unwrap_or(blake3))
            }
            Self::SourceDiffers { content_hash, what, found, .. } => {
                format!("{content_hash}:{what}:{found}")
            }
            Self::MissingFile { path, .. }
            | Self::UnknownFile { path }
            | Self::DamagedFile { path, .. } => path.clone(),
        };
        format!("{}:{rest}", self.kind())
    }
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingSequence { first, last, after, before, days_left } => {
                if first == last {
                    write!(f, "sequence number {first:04} is missing")?;
                } else {
                    let count = last - first + 1;
                    write!(f, "sequence numbers {first:04} to {last:04} are missing ({count})")?;
                }
                write!(f, ", between {after} and {before}; {days_left}")
            }
            Self::RepeatedSequence { number, sources, .. } => {
                write!(f, "sequence number {number:04} came {} times: ", sources.len())?;
                f.write_str(&sources.join(", "))
            }
            Self::SequenceReset { from, to, on } => {
                write!(f, "sequence numbers begin anew on {on}: {to:04} after {from:04}")
            }
            Self::MissingDelivery {
                first_day,
                last_day,
                state,
                delivered,
                expected,
                days_left,
                kept_from,
            } => {
                write!(f, "{delivered} of {expected} deliveries on {first_day}")?;
                if first_day != last_day {
                    write!(f, " to {last_day}")?;
                }
                if *state == GapState::Ongoing {
                    f.write_str(", and none since")?;
                }
                match kept_from {
                    Some(day) if day != first_day => {
                        write!(f, "; the carrier still keeps those from {day} on")
                    }
                    _ => write!(f, "; {days_left}"),
                }
            }
            Self::StaleDelivery { latest, age_hours } => {
                write!(f, "the latest delivery is of {} ({age_hours} hours old)", Spaced(latest))
            }
            Self::FailedSource { source, error, days_left, .. } => {
                write!(f, "failed: {source}: {error}")?;
                match days_left {
                    Some(days_left) => write!(f, "; {days_left}"),
                    None => Ok(()),
                }
            }
            Self::OpenRejects { source, rejects, .. } => {
                write!(
                    f,
                    "{} open: {source}",
                    counted(*rejects, "rejected line is", "rejected lines are")
                )
            }
            Self::Overlap { first, second, records, seconds, .. } => {
                let records = counted(*records, "record", "records");
                write!(f, "{records} ({seconds} s) of {second} also in {first}")
            }
            Self::CarrierMismatch { source, records, carriers, .. } => {
                let carriers = carriers.join(", ");
                let records = counted(*records, "record has", "records have");
                write!(f, "{records} another carrier ({carriers}): {source}")
            }
            Self::CallsAfterFile { source, records, seconds, .. } => write!(
                f,
                "{} after the file's own time, by up to {seconds} s (is it of another time zone?): \
                 {source}",
                counted(*records, "call ends", "calls end")
            ),
            Self::FileDiffers { path, what, ledger, found } => {
                write!(f, "{path} has {found} {what}, and {ledger} by the ledger")
            }
            Self::FileChanged { path, bytes, ledger_bytes, sources, .. } => {
                write!(f, "{path} is not the file that was written: it has ")?;
                match bytes == ledger_bytes {
                    true => f.write_str("other bytes"),
                    false => write!(f, "{bytes} bytes, and {ledger_bytes} by the ledger"),
                }?;
                let held = counted(sources.len() as u64, "source", "sources");
                write!(f, "; it held rows of {held}: {}", First(sources))
            }
            Self::SourceDiffers { source, what, ledger, found, .. } => {
                write!(f, "{source} has {found} {what} in the lake, and {ledger} by the ledger")
            }
            Self::MissingFile { path, rows } => {
                write!(f, "{path} is missing ({rows} rows by the ledger)")
            }
            Self::UnknownFile { path } => write!(f, "{path} is not in the ledger"),
            Self::DamagedFile { path, error } => write!(f, "{path} cannot be read: {error}"),
        }
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The first three names, and how many more there are.
struct First<'n>(&'n [String]);

impl fmt::Display for First<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const TOLD: usize = 3;
        let (told, others) = self.0.split_at(self.0.len().min(TOLD));
        f.write_str(&told.join(", "))?;
        match others.len() {
            0 => Ok(()),
            count => write!(f, " and {count} more"),
        }
    }
}

/// A date and time with a space between.
struct Spaced<'t>(&'t DateTime);

impl fmt::Display for Spaced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.date(), self.0.time())
    }
}
