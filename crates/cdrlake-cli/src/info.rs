//! `cdrlake info`: what a lake is and what came of it, in a few lines.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::{Context, Result};
use cdrlake::{FileCounts, LakeInfo, LakeLocation};
use clap::Args;
use serde::Serialize;

use crate::outcome::{Failure, Outcome};
use crate::quoted::quoted;

#[derive(Debug, Args)]
pub(crate) struct InfoArguments {
    /// The lake.
    #[arg(value_name = "LAKE", env = "CDRLAKE_LAKE", hide_env_values = true)]
    lake: PathBuf,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    /// Where the lake's ledger is [default: _cdrlake/ledger.sqlite in it]
    #[arg(long, value_name = "FILE.sqlite")]
    ledger: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document<'i> {
    lake: String,
    #[serde(flatten)]
    info: &'i LakeInfo,
}

pub(crate) fn run(arguments: &InfoArguments) -> Result<Outcome> {
    let location = LakeLocation {
        ledger: arguments.ledger.clone(),
        ..LakeLocation::new(arguments.lake.clone())
    };
    let info = match cdrlake::info(&location) {
        Ok(info) => info,
        Err(error) => return Failure::from(error).into_outcome(),
    };
    let lake = arguments.lake.display().to_string();
    let text = match arguments.json {
        true => {
            let document = Document { lake, info: &info };
            serde_json::to_string_pretty(&document).context("cannot write JSON")? + "\n"
        }
        false => to_text(&lake, &info),
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Nobody reading on is not an error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot print what the lake is")
        }
        _ => Ok(Outcome::Done),
    }
}

fn to_text(lake: &str, info: &LakeInfo) -> String {
    let mut text = format!("{lake}\n\n");
    for (name, value) in lines(lake, info) {
        let _ = writeln!(text, "  {name:<20}  {value}");
    }
    text
}

fn lines(lake: &str, info: &LakeInfo) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    line("ledger", ledger(info));
    line("layout", version(info.layout_version.as_ref()));
    line("table of calls", version(info.schema_version.as_ref()));
    line("this program", program(info.tool_version, info.rules_version));
    for writer in &info.written_by {
        let wrote = format!(
            "{}: {}, {} of those that are loaded",
            program(&writer.tool_version, writer.rules_version),
            counted(writer.runs, "run"),
            counted(writer.loaded_sources, "source"),
        );
        line("written by", wrote);
    }
    if let Some(run) = &info.publishing {
        line("publishing", format!("run {run}, or it died at it: the next run finishes it"));
    }
    for (name, value) in &info.settings {
        line(&name.replace('_', " "), value.clone());
    }
    line("runs", info.runs.to_string());
    let sources = info.sources.iter().map(|(status, count)| format!("{count} {status}"));
    line("sources", listed(&sources.collect::<Vec<_>>()));
    line("calls", files(info.calls));
    line("rejected lines", format!("{}; {} open", files(info.rejects), info.open_rejects));
    line(
        "file times",
        match (info.first_file_time, info.last_file_time) {
            (Some(first), Some(last)) => format!("{first} to {last}").replace('T', " "),
            _ => "none".to_owned(),
        },
    );
    line(
        "under older rules",
        match info.older_rules {
            0 => "no loaded source".to_owned(),
            count => format!(
                "{}; convert --replace loads its file again under today's",
                counted(count, "loaded source")
            ),
        },
    );
    let (all, unrecorded) =
        (info.calls.files + info.rejects.files, info.calls.unrecorded + info.rejects.unrecorded);
    line(
        "without a BLAKE3",
        match unrecorded {
            0 => format!("none of {}", counted(all, "file")),
            count => format!(
                "{count} of {}; cdrlake audit --verify --record {} checks and records them",
                counted(all, "file"),
                quoted(lake)
            ),
        },
    );
    lines
}

fn ledger(info: &LakeInfo) -> String {
    let LakeInfo { ledger_version, current_ledger_version, .. } = info;
    match ledger_version == current_ledger_version {
        true => format!("version {ledger_version}"),
        false => format!(
            "version {ledger_version}; the next run that changes the lake makes it version \
             {current_ledger_version}, and keeps the old one"
        ),
    }
}

fn version(version: Option<&String>) -> String {
    version.map_or_else(|| "not known".to_owned(), |version| format!("version {version}"))
}

fn program(version: &str, rules: u32) -> String {
    format!("cdrlake {version}, rules version {rules}")
}

fn files(counts: FileCounts) -> String {
    let FileCounts { files, rows, bytes, .. } = counts;
    format!("{}, {}, {}", counted(files, "file"), counted(rows, "row"), counted(bytes, "byte"))
}

fn counted(count: u64, name: &str) -> String {
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

fn listed(parts: &[String]) -> String {
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}
