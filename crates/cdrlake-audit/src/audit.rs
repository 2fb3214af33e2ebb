//! What an audit goes by, and what it has to say.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::finding::Finding;
use crate::schedule::ScheduleSummary;
use crate::sequences::SequenceSummary;
use crate::verify::{Verified, Verify};

/// What an audit goes by.
#[derive(Clone, Copy, Debug)]
pub struct AuditOptions {
    /// Date and time without zone, to compare with those of files' names.
    pub now: DateTime,
    /// How old the latest delivery of each country, profile and product may be; any age if none.
    pub max_age: Option<SignedDuration>,
    /// Whether files are read whole, too.
    pub verify: Verify,
}

impl Default for AuditOptions {
    /// The clock's time, UTC: an hour or two before the carrier's.
    fn default() -> Self {
        let now = jiff::Timestamp::now().to_zoned(TimeZone::UTC).datetime();
        Self { now, max_age: None, verify: Verify::Omit }
    }
}

/// What an audit has to say.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// Deliveries by country, profile and product, as the files' times tell.
    pub schedules: Vec<ScheduleSummary>,
    /// Deliveries by profile and product, as their numbers tell.
    pub sequences: Vec<SequenceSummary>,
    /// What nobody has closed yet.
    pub findings: Vec<Finding>,
    /// What someone has.
    pub accepted: Vec<Accepted>,
    /// What else is to be known.
    pub notes: Vec<String>,
    /// What came of reading files whole, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
}

/// A finding that someone has closed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accepted {
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it is closed.
    pub reason: String,
}
