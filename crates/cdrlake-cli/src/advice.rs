//! What a user of this command could do about a source that failed: libraries say what is wrong, and
//! know neither commands nor options.
//!
//! Reports and ledgers hold what was wrong as a text, so the text is what advice goes by. Its words
//! are the library's; a test holds both together.

use std::borrow::Cow;
use std::fmt::Display;

use cdrlake::{Finding, Observation};

/// How texts begin, perhaps after others, how they end, and what is to be added. A text that an
/// earlier version wrote into a ledger holds its advice already, and ends otherwise.
const ADVICE: [(&str, &str, &str); 15] = [
    (
        "is neither a file nor a directory",
        "is neither a file nor a directory",
        "; pass a stream as `-`, on standard input",
    ),
    ("is packed as a sparse file", "which is not read", "; pack it without --sparse"),
    (
        "is a zip archive in another",
        "; unpack the outer archive first",
        ", or raise --memory-limit to four times its size",
    ),
    (
        "has a directory of more than ",
        " bytes",
        ", a quarter of the memory limit; if that is right, raise --memory-limit",
    ),
    ("unwraps to more than ", " times its size", "; if that is right, raise --max-ratio"),
    ("has more than ", " members", "; if that is right, raise --max-entries"),
    ("is wrapped more than ", " deep", "; if that is right, raise --max-depth"),
    ("unwraps to more than ", " bytes", "; if that is right, raise --max-total"),
    (
        "is not a CDR file but ",
        " a Parquet file",
        "; convert reads what the carrier delivers: count it with stats, query it as it is, or if it is \
         a rejects file give it to --replay",
    ),
    ("cannot be read as a rejects file to its end: ", "", REJECTS_FILE),
    ("cannot be replayed: ", " is needed", REJECTS_FILE),
    (
        "was delivered before with other content (",
        ")",
        "; if both are right, allow it with --on-changed both",
    ),
    (
        "was delivered before with other content, and ",
        "",
        "; to put it in that one's place, name its file with --replace; with --on-changed both, both are \
         loaded; with --on-changed skip it is left out for good",
    ),
    (
        "has no time zone: its country is not known",
        "its country is not known",
        "; give --country, or name a zone with --time-zone",
    ),
    ("the file changed while it was read", "while it was read", "; convert it again"),
];

const REJECTS_FILE: &str = "; replay a rejects file that convert wrote";

/// What is added to why a source failed; often nothing.
pub(crate) fn of_source(error: &str) -> &'static str {
    if error == "has no time zone" {
        return ": give its profile one (time_zone) in cdrlake.toml, or name a zone with --time-zone";
    }
    if error.starts_with("has no time zone: ") && error.contains("has several time zones") {
        // An old text ends with it.
        let advice = ", with --time-zone";
        return if error.ends_with(advice) { "" } else { advice };
    }
    let is_it = |(begins, ends): (&str, &str)| {
        error.rfind(begins).is_some_and(|at| error[at..].ends_with(ends))
    };
    let advice = ADVICE.iter().find(|(begins, ends, _)| is_it((begins, ends)));
    advice.map_or("", |(_, _, advice)| advice)
}

/// What repairs a file of a lake, behind the names of the sources that it held.
pub(crate) const REPAIR: &str =
    "restore it from a backup, or load these again in one run, with convert --replace";

/// Why a source failed, and what to do about it.
pub(crate) fn with_advice(error: impl Display) -> String {
    let mut error = error.to_string();
    error += of_source(&error);
    error
}

/// What a finding says, and what to do about it.
pub(crate) fn of_finding(finding: &Finding) -> Cow<'_, str> {
    let message = &finding.message;
    match &finding.observation {
        Observation::FailedSource { error, .. } if !of_source(error).is_empty() => {
            message.replacen(error, &with_advice(error), 1).into()
        }
        Observation::FileChanged { .. } => format!("{message}; {REPAIR}").into(),
        _ => message.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use cdrlake::{Chain, LimitExceeded, SourceError};
    use cdrlake_core::TimeZone;

    use super::*;

    fn told(error: &SourceError) -> String {
        with_advice(Chain(error))
    }

    /// As they are printed.
    #[test]
    fn every_error_that_an_option_helps_says_so() {
        let of_country = TimeZone::of_country("ES".parse().unwrap()).unwrap_err();
        let limit = SourceError::Limit;
        for (error, expected) in [
            (
                SourceError::SpecialFile,
                "is neither a file nor a directory; pass a stream as `-`, on standard input",
            ),
            (
                SourceError::Sparse,
                "is packed as a sparse file, which is not read; pack it without --sparse",
            ),
            (
                SourceError::ZipLengthBehind,
                "is a zip archive in another, whose entries tell their length only behind their \
                 content; unpack the outer archive first, or raise --memory-limit to four times its \
                 size",
            ),
            (
                SourceError::ZipDirectoryTooLarge { most: 9 },
                "has a directory of more than 9 bytes, a quarter of the memory limit; if that is \
                 right, raise --memory-limit",
            ),
            (
                limit(LimitExceeded::Ratio(250)),
                "unwraps to more than 250 times its size; if that is right, raise --max-ratio",
            ),
            (
                limit(LimitExceeded::Entries(7)),
                "has more than 7 members; if that is right, raise --max-entries",
            ),
            (
                limit(LimitExceeded::Depth(3)),
                "is wrapped more than 3 deep; if that is right, raise --max-depth",
            ),
            (
                limit(LimitExceeded::Total(9)),
                "unwraps to more than 9 bytes; if that is right, raise --max-total",
            ),
            (
                SourceError::Read { bytes: 5, error: io::Error::other(LimitExceeded::Total(9)) },
                "cannot be read to its end, after 5 decompressed bytes: unwraps to more than 9 \
                 bytes; if that is right, raise --max-total",
            ),
            (
                SourceError::Document { what: "a Parquet file" },
                "is not a CDR file but a Parquet file; convert reads what the carrier delivers: \
                 count it with stats, query it as it is, or if it is a rejects file give it to \
                 --replay",
            ),
            (
                SourceError::RejectsColumn { name: "raw", found: None, wanted: "binary" },
                "cannot be replayed: there is no column raw, but column raw of type binary is \
                 needed; replay a rejects file that convert wrote",
            ),
            (SourceError::NoCountry, {
                "has no time zone: its country is not known; give --country, or name a zone with \
                 --time-zone"
            }),
            (
                SourceError::NoZoneOfProfile,
                "has no time zone: give its profile one (time_zone) in cdrlake.toml, or name a zone \
                 with --time-zone",
            ),
            (
                SourceError::TimeZone(of_country),
                "has no time zone: ES has several time zones; name one, such as Europe/Madrid, with \
                 --time-zone",
            ),
            (SourceError::Encrypted, "is encrypted; decrypt it first"),
        ] {
            assert_eq!(told(&error), expected);
            // What an earlier version wrote is not advised again.
            assert_eq!(with_advice(expected), expected);
        }
        let hash = blake3::hash(b"");
        let changed = SourceError::Changed { hash, earlier: hash };
        assert!(told(&changed).ends_with("); if both are right, allow it with --on-changed both"));
    }
}
