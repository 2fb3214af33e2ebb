//! The part of the command line that says what becomes of parties' numbers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cdrlake::{ClearRejects, PrivacyOptions};
use cdrlake_core::{Numbers, PrivacyKey};
use cdrlake_fetch::read_secret_file;
use clap::{Args, ValueEnum};

use crate::message::{Event, tell};

/// What becomes of parties' numbers; fixed when a lake is made.
#[derive(Debug, Args)]
pub(crate) struct PrivacyArguments {
    /// Mask numbers: the first digits stay (--keep), the others become x.
    ///
    /// Whichever party is named, it covers every column that may repeat a party's number: origin,
    /// destination, account_code, charged_number, dialled_number and all _e164. The last four digits never
    /// stay. record_id then needs --key-file.
    #[arg(long, value_name = "PARTY", value_delimiter = ',', requires = "keep")]
    mask: Vec<Party>,

    /// How many digits a mask keeps, 0 to 15; in the _e164 columns they are counted behind the +.
    #[arg(long, value_name = "N", requires = "mask")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=i64::from(Numbers::MAX_KEEP)))]
    keep: Option<u8>,

    /// Put tokens in place of numbers, made with the key: the same number has the same token in every
    /// column, file and run.
    ///
    /// It covers the same columns as --mask. A lake of tokens is still one of personal data: who has
    /// the key can tell whose they are.
    #[arg(long, value_name = "PARTY", value_delimiter = ',', conflicts_with = "mask")]
    pseudonymize: Vec<Party>,

    /// The key: a file of 32 random bytes or 64 hexadecimal digits that nobody else may read (mode 0600, or
    /// root's 0640). A lake that was made with one takes no other.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// Write rejected lines, which hold numbers in clear, though numbers are masked or pseudonymized;
    /// else they are counted only.
    #[arg(long)]
    rejects_in_clear: bool,
}

/// Whose number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Party {
    Origin,
    Destination,
}

impl PrivacyArguments {
    /// Whether rejected lines, if there are any, are only counted, as far as the command line tells.
    pub(crate) fn omits_rejects(&self) -> bool {
        self.numbers().is_some() && !self.rejects_in_clear
    }

    fn numbers(&self) -> Option<Numbers> {
        match self.keep {
            Some(keep) => Some(Numbers::Masked { keep }),
            None => (!self.pseudonymize.is_empty()).then_some(Numbers::Pseudonymized),
        }
    }

    /// The options; none, and it is said why, if the key cannot be read. Unless quiet it is also said
    /// that both parties are covered if but one is named.
    pub(crate) fn options_or_usage(&self, is_quiet: bool) -> Option<PrivacyOptions> {
        let key = self.key_file.as_deref().map(read_key).transpose();
        let key = key.inspect_err(|error| tell(Event::Usage, format_args!("{error:#}"))).ok()?;
        let named = self.mask.iter().chain(&self.pseudonymize);
        if !is_quiet && let Some(other) = other_party(named.copied()) {
            let text =
                format_args!("{other} is covered, too: columns repeat either party's number");
            tell(Event::PrivacyNote, text);
        }
        Some(PrivacyOptions {
            numbers: self.numbers(),
            key,
            rejects: match self.rejects_in_clear {
                true => ClearRejects::Write,
                false => ClearRejects::Omit,
            },
        })
    }
}

/// The party that is not named, if the other one is.
fn other_party(named: impl Iterator<Item = Party>) -> Option<&'static str> {
    let named: Vec<Party> = named.collect();
    match [Party::Origin, Party::Destination].map(|party| named.contains(&party)) {
        [true, false] => Some("destination"),
        [false, true] => Some("origin"),
        _ => None,
    }
}

fn read_key(path: &Path) -> Result<PrivacyKey> {
    let content = read_secret_file(path)?;
    PrivacyKey::parse(&content).with_context(|| format!("{} holds no key", path.display()))
}
