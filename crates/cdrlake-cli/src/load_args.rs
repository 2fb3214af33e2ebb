//! The part of the command line that commands which read CDR files have in common.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::num::NonZero;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use cdrlake::{
    Input, Limits, LoadOptions, MaxRejects, NamePattern, OnChanged, ProfileSettings, Selection,
    TimeZones,
};
use cdrlake_core::{Country, Metadata, Strictness, is_profile};
use clap::Args;

use crate::bar::Showing;
use crate::message::Message;
use crate::{config, interrupt, message, suggest};

/// What commands that read CDR files have in common.
#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// Files, directories, or `-` for standard input: plain, .gz, .zip or .tar, inside each other too.
    ///
    /// Directories are walked, without what begins with a dot.
    #[arg(required_unless_present_any = ["replay", "files_from"], value_name = "INPUT")]
    inputs: Vec<PathBuf>,

    /// Read the paths of further inputs from a file, one a line; `-` for standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    files_from: Option<PathBuf>,

    /// Decode the lines of a rejects file again, or of all .parquet files in a directory.
    ///
    /// For when the rules, or the file's column `raw`, were corrected. Rows keep the source_file and
    /// record_number that they would have had; a line is replayed once, however often it is given,
    /// and one that is still wrong is rejected again. Lines cut at 64 KiB cannot be replayed. A file
    /// is replayed as a whole or not at all. For several files, repeat the flag.
    #[arg(long, value_name = "REJECTS.parquet", conflicts_with = "max_rejects")]
    replay: Vec<PathBuf>,

    #[command(flatten)]
    metadata: MetadataArguments,

    #[command(flatten)]
    pub(crate) reading: ReadingArguments,

    #[command(flatten)]
    pub(crate) telling: TellingArguments,
}

/// What is said while a command runs.
#[derive(Debug, Args)]
pub(crate) struct TellingArguments {
    /// No messages but errors, and no progress bar.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// No progress bar, on a terminal either.
    #[arg(long)]
    no_progress: bool,
}

impl TellingArguments {
    /// Whether a bar shows how far the run is.
    pub(crate) fn showing(&self) -> Showing {
        Showing::of(self.quiet, self.no_progress)
    }

    /// Says something, unless nothing but errors is to be said.
    pub(crate) fn tell(&self, message: Message) {
        if !self.quiet {
            message.tell();
        }
    }
}

/// What is known of all sources.
#[derive(Debug, Args)]
pub(crate) struct MetadataArguments {
    /// Country of sources whose names do not tell, as GB.
    #[arg(long, value_name = "CC", value_parser = suggest::country)]
    #[arg(env = "CDRLAKE_COUNTRY", hide_env_values = true)]
    country: Option<Country>,

    /// Reseller profile of sources whose names do not tell.
    #[arg(long, value_parser = profile, env = "CDRLAKE_PROFILE", hide_env_values = true)]
    profile: Option<String>,

    /// Product of sources whose names do not tell: identifier, name or offering.
    #[arg(long, value_parser = suggest::product, env = "CDRLAKE_PRODUCT", hide_env_values = true)]
    product: Option<String>,
}

impl MetadataArguments {
    pub(crate) fn metadata(&self) -> Metadata {
        Metadata {
            country: self.country,
            profile: self.profile.clone(),
            product_identifier: self.product.clone(),
            ..Metadata::default()
        }
    }
}

/// How CDR files are read and judged.
#[derive(Debug, Args)]
pub(crate) struct ReadingArguments {
    #[command(flatten)]
    pub(crate) opening: OpeningArguments,

    /// Whose clocks the calls' times are of: fills start_time_utc and start_time_ambiguous.
    ///
    /// A name of the IANA database such as Europe/London, which holds for all sources; or country,
    /// for the zone of each source's country, if it has but one; or profile, for what cdrlake.toml
    /// has for each source's profile (time_zone). A source for which none can be told fails.
    #[arg(long, value_name = "ZONE|country|profile", value_parser = suggest::time_zones)]
    #[arg(env = "CDRLAKE_TIME_ZONE", hide_env_values = true)]
    time_zone: Option<TimeZones>,

    /// Read only files, and members of archives, of such names, as 'GB_*.cdr*'. May be repeated.
    ///
    /// `*` is any run of characters, `?` is one, and letter case does not matter. A pattern with `/` is
    /// held against directories, too. Archives are opened whatever they are called, for their members.
    #[arg(long, value_name = "GLOB")]
    include: Vec<NamePattern>,

    /// Leave out files, and members of archives, of such names. May be repeated.
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<NamePattern>,

    /// Reject records that would only draw a warning.
    ///
    /// This rejects every record with bytes between its end and the line feed, so all of French
    /// Voice Line.
    #[arg(long)]
    strict: bool,

    /// What to do with a delivery that comes again with other content.
    ///
    /// A version that holds every record of the one that a lake has takes its place, unless this says
    /// both. With hold any other waits until you decide, and its source is named with status 4.
    /// With supersede it takes the place of the other if it holds at least half of that one's records,
    /// and is not only a part of them. With both, both are loaded. With skip any other is left out for good.
    /// To put one version in the other's place whatever they share, name its file with --replace.
    #[arg(long, value_name = "hold|supersede|both|skip", value_parser = suggest::on_changed)]
    #[arg(env = "CDRLAKE_ON_CHANGED", hide_env_values = true)]
    on_changed: Option<OnChanged>,

    /// The same as --on-changed both.
    #[arg(long, conflicts_with = "on_changed")]
    allow_changed: bool,

    /// How many records of a source may be rejected before it fails as a whole [default: any]
    #[arg(long, value_name = "N|P%")]
    max_rejects: Option<MaxRejects>,
}

/// What is known of CDR files, and what reading them may take.
#[derive(Debug, Args)]
pub(crate) struct OpeningArguments {
    /// Settings by profile [default: cdrlake.toml, here or in a directory above]
    #[arg(long, value_name = "FILE.toml", env = "CDRLAKE_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,

    /// Threads that work [default: one a core]
    ///
    /// Each may take 96 MiB, so fewer work if the memory limit does not allow so many. The output
    /// does not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,

    /// Memory to stay within, give or take 64 MiB.
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = size)]
    memory_limit: u64,

    /// How many times its size an input may unwrap to.
    #[arg(long, value_name = "N", default_value_t = Limits::default().ratio)]
    max_ratio: u64,

    /// How many members the archives of an input may have.
    #[arg(long, value_name = "N", default_value_t = Limits::default().entries)]
    max_entries: u64,

    /// How many archives may be inside each other; a .tar.gz counts as one.
    #[arg(long, value_name = "N", default_value_t = Limits::default().depth)]
    max_depth: u32,

    /// How many bytes an input may unwrap to.
    #[arg(long, value_name = "SIZE", default_value = "1024GiB", value_parser = size)]
    max_total: u64,
}

impl OpeningArguments {
    /// `profiles` come from the configuration.
    pub(crate) fn options(
        &self,
        inputs: Vec<Input>,
        profiles: BTreeMap<String, ProfileSettings>,
    ) -> LoadOptions {
        let mut options = LoadOptions::new(inputs);
        options.settings.profiles = profiles;
        options.limits = Limits {
            ratio: self.max_ratio,
            entries: self.max_entries,
            depth: self.max_depth,
            total: self.max_total,
        };
        options.threads = self.threads;
        options.run_id = Some(message::run_id().to_owned());
        options.interrupt = interrupt::request();
        options.memory_limit = self.memory_limit;
        options
    }
}

impl ReadingArguments {
    /// What to do with a delivery that comes again with other content.
    pub(crate) fn on_changed(&self) -> OnChanged {
        match self.allow_changed {
            true => OnChanged::Both,
            false => self.on_changed.unwrap_or_default(),
        }
    }

    /// `profiles` come from the configuration; `report` is written besides what the run writes.
    pub(crate) fn options(
        &self,
        inputs: Vec<Input>,
        profiles: BTreeMap<String, ProfileSettings>,
        report: Option<&Path>,
    ) -> LoadOptions {
        let mut options = self.opening.options(inputs, profiles);
        options.time_zones = self.time_zone.clone().unwrap_or_default();
        options.selection =
            Selection { include: self.include.clone(), exclude: self.exclude.clone() };
        options.strictness = if self.strict { Strictness::Strict } else { Strictness::Lenient };
        options.on_changed = self.on_changed();
        options.max_rejects = self.max_rejects;
        options.also_written.extend(report.map(Path::to_owned));
        options
    }
}

impl LoadArguments {
    /// What of it cannot be done.
    pub(crate) fn problem(&self) -> Option<String> {
        let streams = self.inputs.iter().filter(|path| path.as_os_str() == "-").count();
        if let (Some(input), false) = (self.inputs.first(), self.replay.is_empty()) {
            return Some(format!(
                "{} cannot be read in a replay; to replay it, too, give --replay once more before it",
                input.display()
            ));
        }
        let lists = self.files_from.iter().filter(|path| path.as_os_str() == "-").count();
        (streams + lists > 1)
            .then(|| "- is given more than once; standard input can be read once".to_owned())
    }

    /// The inputs that are given, and those of the list; why the list cannot be read.
    fn inputs(&self) -> Result<Vec<PathBuf>> {
        let mut inputs = self.inputs.clone();
        if let Some(list) = &self.files_from {
            let read = match list.to_str() {
                Some("-") => {
                    let mut text = Vec::new();
                    io::stdin().lock().read_to_end(&mut text).map(|_| text)
                }
                _ => fs::read(list),
            };
            let text = read.with_context(|| format!("cannot read {}", list.display()))?;
            let lines = text.split(|&byte| byte == b'\n');
            let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
            let lines = lines.filter(|line| !line.is_empty());
            inputs.extend(lines.map(|line| PathBuf::from(OsStr::from_bytes(line))));
        }
        Ok(inputs)
    }

    /// `profiles` come from the configuration; `report` is written besides what the run writes.
    pub(crate) fn options(
        &self,
        profiles: BTreeMap<String, ProfileSettings>,
        report: Option<&Path>,
    ) -> Result<LoadOptions> {
        let inputs = self.inputs()?.into_iter().map(|path| match path.to_str() {
            Some("-") => Input::Stdin,
            _ => Input::Path(path),
        });
        let replayed = self.replay.iter().cloned().map(Input::Rejects);
        let inputs = inputs.chain(replayed).collect();
        let mut options = self.reading.options(inputs, profiles, report);
        options.settings.metadata = self.metadata.metadata();
        if let (Some(profile), false) = (&self.metadata.profile, self.telling.quiet) {
            config::warn_of_profile(profile, &options.settings.profiles);
        }
        Ok(options)
    }
}

pub(crate) fn profile(text: &str) -> Result<String, String> {
    is_profile(text)
        .then(|| text.to_owned())
        .ok_or_else(|| "expected 1 to 5 letters or digits".to_owned())
}

/// Bytes, or KiB, MiB, GiB.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => return Err("expected a size like 512MiB".to_owned()),
    };
    let number = digits.parse::<u64>().ok();
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "expected a size like 512MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("1 GiB"), Ok(1 << 30));
        assert_eq!(size("100"), Ok(100));
        for wrong in ["", "MiB", "1.5GiB", "1TiB", "99999999999GiB"] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }
}
