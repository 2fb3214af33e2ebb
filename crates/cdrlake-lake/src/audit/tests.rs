//! Lakes made from synthetic deliveries, with one fault each, and none.

use jiff::ToSpan;
use jiff::civil::{DateTime, date};

use super::facts::{RejectsState, SourceFacts, SourceStatus};

/// A loaded delivery so many days after 2025-10-01, at this hour.
pub(super) fn delivery(country: &str, number: u16, day: i64, hour: i8) -> SourceFacts {
    let day = date(2025, 10, 1).checked_add(day.days()).unwrap();
    let time: DateTime = day.at(hour, 0, 0, 0);
    let name = format!("{country}_ABC_10_{number:04}_{}.cdr.gz", time.strftime("%Y%m%d%H%M%S"));
    SourceFacts {
        id: 1,
        carrier_name: Some(name.trim_end_matches(".cdr.gz").to_owned()),
        content_hash: None,
        status: SourceStatus::Loaded,
        country: Some(country.to_owned()),
        profile: Some("ABC".to_owned()),
        product_identifier: Some("10".to_owned()),
        sequence_number: Some(number),
        file_time: Some(time),
        records_written: 0,
        records_rejected: 0,
        tenths: 0,
        rejects: RejectsState::Closed,
        name,
    }
}
