//! `cdrlake audit`.

mod html;
mod verified;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cdrlake::{
    Audit, AuditError, AuditOptions, Difference, ExpectedTotals, FileContent, Input, LakeLocation,
    LoadOptions, Overview, Report, ScratchLake, Status, TotalsRow,
};
use serde::{Serialize, Serializer};

use crate::advice::of_finding;
use crate::audit_args::AuditArguments;
use crate::bar::RunBar;
use crate::config;
use crate::message::{self, Event, Message, tell};
use crate::metrics::Metrics;
use crate::outcome::{Failure, Outcome};
use crate::output_file::OutputFile;
use crate::table::{Align, table};

pub(crate) fn run(arguments: &AuditArguments) -> Result<Outcome> {
    let mut metrics = None;
    if let (Some(path), [lake]) = (&arguments.metrics_file, &arguments.paths[..]) {
        let location = arguments.access.location(lake.clone());
        metrics = Some(Metrics::create(path, "audit", &location)?);
    }
    let ended = judge(arguments, metrics.as_mut());
    if let Some(metrics) = metrics {
        metrics.write(*ended.as_ref().unwrap_or(&Outcome::Failed));
    }
    ended
}

fn judge(arguments: &AuditArguments, metrics: Option<&mut Metrics>) -> Result<Outcome> {
    let (lakes, inputs): (Vec<_>, Vec<_>) =
        arguments.paths.iter().partition(|path| cdrlake::is_lake(path));
    if let Some(problem) = contradiction(arguments, lakes.len(), inputs.len()) {
        tell(Event::Usage, problem);
        return Ok(Outcome::Usage);
    }
    if let Some(missing) = inputs.iter().find(|path| is_missing(path)) {
        let missing = missing.display();
        tell(Event::Usage, format_args!("there is no {missing}; name a lake, or CDR files"));
        return Ok(Outcome::Usage);
    }
    if let Some(page) = arguments.html.as_deref()
        && let Some(lake) = lakes.iter().find(|lake| is_of_lake(page, lake, arguments))
    {
        let (page, lake) = (page.display(), lake.display());
        tell(Event::Usage, format_args!("{page} is of the lake {lake}; name a place outside it"));
        return Ok(Outcome::Usage);
    }
    let inputs = inputs.into_iter().map(|path| match path.to_str() {
        Some("-") => Input::Stdin,
        _ => Input::Path(path.clone()),
    });
    let inputs: Vec<Input> = inputs.collect();
    // Lakes need no settings.
    let profiles = match inputs.is_empty() {
        true => Some(BTreeMap::new()),
        false => config::profiles_or_usage(arguments.opening.config.as_deref()),
    };
    let Some(profiles) = profiles else { return Ok(Outcome::Usage) };
    match answer(arguments, &lakes, arguments.load(inputs, profiles), metrics) {
        Ok((text, outcome)) => print(&text).map(|()| outcome),
        Err(failure) => failure.into_outcome(),
    }
}

fn is_missing(path: &Path) -> bool {
    let found = path.symlink_metadata();
    path.as_os_str() != "-" && found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Whether a file that is to be written stands in this lake, or is its ledger.
fn is_of_lake(file: &Path, lake: &Path, arguments: &AuditArguments) -> bool {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new(".")).canonicalize();
    let is_within = parent.is_ok_and(|parent| {
        lake.canonicalize().is_ok_and(|directory| parent.starts_with(directory))
    });
    let ledger = arguments.access.location(lake.to_owned()).ledger;
    let is_ledger = ledger.is_some_and(|ledger| {
        file.canonicalize().is_ok_and(|file| ledger.canonicalize().is_ok_and(|it| it == file))
    });
    is_within || is_ledger
}

/// What of the command line does not go together.
fn contradiction(arguments: &AuditArguments, lakes: usize, inputs: usize) -> Option<&'static str> {
    let is_one_lake = (lakes, inputs) == (1, 0);
    if !arguments.accept.is_empty() && !is_one_lake {
        Some("--accept is for one lake")
    } else if arguments.record && !is_one_lake {
        Some("--record is for one lake")
    } else if arguments.verify && inputs > 0 {
        Some("--verify is for lakes")
    } else if arguments.access.has_ledger() && !is_one_lake {
        Some("--ledger is for one lake")
    } else if arguments.metrics_file.is_some() && !is_one_lake {
        Some("--metrics-file is for one lake")
    } else if arguments.html.is_some() && arguments.html == arguments.metrics_file {
        Some("--html and --metrics-file name one file")
    } else {
        None
    }
}

fn answer(
    arguments: &AuditArguments,
    lakes: &[&PathBuf],
    load: LoadOptions,
    metrics: Option<&mut Metrics>,
) -> Result<(String, Outcome), Failure> {
    let options = arguments.options();
    if let (Some(reason), [lake]) = (&arguments.reason, lakes) {
        let location = arguments.access.location((*lake).clone());
        let bar = bar_of(&location, arguments);
        let accepted = cdrlake::accept(&location, &options, &arguments.accept, reason);
        drop(bar);
        let accepted = accepted?;
        for finding in accepted {
            let text = format_args!("accepted: {}", finding.id);
            let message = Message::new(Event::FindingAccepted, text);
            arguments.telling.tell(message.with("finding", finding.id.clone()));
        }
        return Ok((String::new(), Outcome::Done));
    }
    let expected = arguments.expected.as_deref().map(ExpectedTotals::read).transpose()?;
    let page = arguments
        .html
        .as_deref()
        .map(|path| OutputFile::create(path, FileContent::Page))
        .transpose();
    let page = page.map_err(Failure::Other)?;
    let (mut answers, mut outcome) = (Vec::new(), Outcome::Done);
    for lake in lakes {
        let location = arguments.access.location((*lake).clone());
        let mut said = Said::of(arguments, &location, &options, expected.as_ref())?;
        if let Some(audit) = said.audit_mut().filter(|_| arguments.record) {
            arguments.telling.tell(verified::record(&location, audit)?);
        }
        let lake = Some(lake.display().to_string());
        answers.push(Answer { lake, inputs: Vec::new(), said });
    }
    if let (Some(metrics), [answer]) = (metrics, &answers[..])
        && let Some(audit) = answer.said.audit()
    {
        metrics.note_audit(audit);
    }
    if !load.inputs.is_empty() {
        let names = load.inputs.iter().map(Input::to_string).collect();
        let bar = RunBar::of_load(&load, arguments.telling.showing());
        let lake = ScratchLake::load(load);
        drop(bar);
        let lake = lake?;
        let mut said = Said::of(arguments, lake.location(), &options, expected.as_ref())?;
        if let Some(audit) = said.audit_mut() {
            audit.notes.extend(notes(lake.report()));
        }
        answers.push(Answer { lake: None, inputs: names, said });
        outcome = outcome_of(lake.report());
    }
    if outcome == Outcome::Done && answers.iter().any(|answer| answer.said.has_findings()) {
        outcome = Outcome::Findings;
    }
    if let Some(page) = page {
        let subjects: Vec<_> = answers.iter().filter_map(Answer::subject).collect();
        let context = format!("cannot write {}", page.path().display());
        let text = html::page(options.now, &subjects);
        let written = page.write(|file| file.write_all(text.as_bytes()));
        written.context(context).map_err(Failure::Other)?;
    }
    let text = if arguments.json {
        let (run_id, as_of) = (message::run_id(), options.now.to_string());
        let document = Document { run_id, as_of, audits: answers };
        let text = serde_json::to_string_pretty(&document).context("cannot write JSON");
        text.map_err(Failure::Other)? + "\n"
    } else {
        let texts: Vec<String> = answers.iter().map(Answer::to_text).collect();
        texts.join("\n")
    };
    Ok((text, outcome))
}

/// Shows how far an audit of a lake is.
fn bar_of(location: &LakeLocation, arguments: &AuditArguments) -> RunBar {
    RunBar::start(&location.progress, || None, arguments.telling.showing())
}

/// Of inputs none of which could be loaded there is nothing to say.
fn outcome_of(report: &Report) -> Outcome {
    match report.count(Status::Failed) {
        failed if failed > 0 && failed == report.sources.len() => Outcome::Failed,
        _ => Outcome::Done,
    }
}

fn notes(report: &Report) -> impl Iterator<Item = String> {
    let repeated = report.sources.iter().filter_map(|source| {
        let first = source.same_as.as_ref()?;
        Some(format!("{} has the same content as {first}", source.source))
    });
    let empty = report.empty_inputs.iter().map(|input| format!("nothing to read in {input}"));
    repeated.chain(empty)
}

#[derive(Serialize)]
struct Document {
    run_id: &'static str,
    as_of: String,
    audits: Vec<Answer>,
}

/// What is said of a lake, or of all inputs.
#[derive(Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    lake: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<String>,
    #[serde(flatten)]
    said: Said,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said {
    Audit(Box<Audit>),
    #[serde(serialize_with = "audit_of")]
    Overview(Box<Overview>),
    Totals {
        totals: Vec<TotalsRow>,
        #[serde(skip_serializing_if = "Option::is_none")]
        differences: Option<Vec<Difference>>,
    },
}

/// What more there is stands in the page.
fn audit_of<S: Serializer>(overview: &Overview, serializer: S) -> Result<S::Ok, S::Error> {
    overview.audit.serialize(serializer)
}

impl Said {
    fn of(
        arguments: &AuditArguments,
        location: &LakeLocation,
        options: &AuditOptions,
        expected: Option<&ExpectedTotals>,
    ) -> Result<Self, AuditError> {
        let _bar = bar_of(location, arguments);
        match arguments.totals() {
            None if arguments.html.is_some() => {
                Ok(Self::Overview(Box::new(cdrlake::overview(location, options)?)))
            }
            None => Ok(Self::Audit(Box::new(cdrlake::audit(location, options)?))),
            Some((period, of)) => {
                let totals = cdrlake::totals(location, period, of)?;
                let differences = expected.map(|expected| expected.compare(&totals));
                Ok(Self::Totals { totals, differences })
            }
        }
    }

    fn audit(&self) -> Option<&Audit> {
        match self {
            Self::Audit(audit) => Some(audit),
            Self::Overview(overview) => Some(&overview.audit),
            Self::Totals { .. } => None,
        }
    }

    fn audit_mut(&mut self) -> Option<&mut Audit> {
        match self {
            Self::Audit(audit) => Some(audit),
            Self::Overview(overview) => Some(&mut overview.audit),
            Self::Totals { .. } => None,
        }
    }

    fn has_findings(&self) -> bool {
        match self {
            Self::Audit(audit) => !audit.findings.is_empty(),
            Self::Overview(overview) => !overview.audit.findings.is_empty(),
            Self::Totals { differences, .. } => differences.iter().any(|found| !found.is_empty()),
        }
    }
}

impl Answer {
    fn name(&self) -> String {
        self.lake.clone().unwrap_or_else(|| self.inputs.join(", "))
    }

    /// What the page has of it.
    fn subject(&self) -> Option<html::Subject<'_>> {
        let lake = self.lake.as_deref();
        match &self.said {
            Said::Overview(overview) => Some(html::Subject { name: self.name(), lake, overview }),
            Said::Audit(_) | Said::Totals { .. } => None,
        }
    }

    fn to_text(&self) -> String {
        let mut text = format!("{}\n\n", self.name());
        let lake = self.lake.as_deref();
        match &self.said {
            Said::Audit(audit) => audit_text(&mut text, audit, lake),
            Said::Overview(overview) => audit_text(&mut text, &overview.audit, lake),
            Said::Totals { totals, differences } => {
                text.push_str(&totals_table(totals));
                if let Some(differences) = differences {
                    differences_text(&mut text, differences);
                }
            }
        }
        text
    }
}

fn audit_text(text: &mut String, audit: &Audit, lake: Option<&str>) {
    use Align::{Left, Right};
    let head = [
        ("country", Left),
        ("profile", Left),
        ("product", Left),
        ("deliveries", Right),
        ("a day", Right),
        ("first", Left),
        ("last", Left),
        ("short days", Right),
    ];
    let schedules = audit.schedules.iter().map(|of| {
        [
            cell(of.series.country.as_ref()),
            cell(of.series.profile.as_ref()),
            cell(of.series.product_identifier.as_ref()),
            of.deliveries.to_string(),
            of.daily.to_string(),
            of.first.to_string().replace('T', " "),
            of.last.to_string().replace('T', " "),
            of.short_days.to_string(),
        ]
    });
    text.push_str(&table(head, schedules));
    text.push('\n');
    let head = [
        ("country", Left),
        ("profile", Left),
        ("product", Left),
        ("numbers", Right),
        ("first", Right),
        ("last", Right),
        ("missing", Right),
        ("repeated", Right),
        ("wraps", Right),
        ("resets", Right),
    ];
    let sequences = audit.sequences.iter().map(|of| {
        [
            cell(of.series.country.as_ref()),
            cell(of.series.profile.as_ref()),
            cell(of.series.product_identifier.as_ref()),
            of.deliveries.to_string(),
            format!("{:04}", of.first),
            format!("{:04}", of.last),
            of.missing.to_string(),
            of.repeated.to_string(),
            of.wraps.to_string(),
            of.resets.to_string(),
        ]
    });
    text.push_str(&table(head, sequences));
    let _ = match audit.findings.len() {
        0 => writeln!(text, "\nno findings"),
        1 => writeln!(text, "\n1 finding"),
        count => writeln!(text, "\n{count} findings"),
    };
    for finding in &audit.findings {
        let _ = writeln!(text, "  {}\n    {}", finding.id, of_finding(finding));
    }
    if !audit.accepted.is_empty() {
        let _ = writeln!(text, "\n{} accepted", audit.accepted.len());
    }
    for accepted in &audit.accepted {
        let _ = writeln!(
            text,
            "  {}\n    {}\n    accepted: {}",
            accepted.finding.id,
            of_finding(&accepted.finding),
            accepted.reason
        );
    }
    for note in &audit.notes {
        let _ = writeln!(text, "\nnote: {note}");
    }
    if let Some(verified) = &audit.verified {
        let _ = writeln!(text, "\nverified: {}", verified::told(verified, lake));
    }
}

fn totals_table(totals: &[TotalsRow]) -> String {
    use Align::{Left, Right};
    let head = [
        ("period", Left),
        ("country", Left),
        ("profile", Left),
        ("product_type", Left),
        ("calls", Right),
        ("seconds", Right),
        ("zero_second_calls", Right),
    ];
    let rows = totals.iter().map(|TotalsRow { key, sum }| {
        [
            cell(key.period.as_ref()),
            cell(key.country.as_ref()),
            cell(key.profile.as_ref()),
            cell(key.product_type.as_ref()),
            sum.calls.to_string(),
            sum.seconds.to_string(),
            sum.zero_second_calls.to_string(),
        ]
    });
    table(head, rows)
}

fn differences_text(text: &mut String, differences: &[Difference]) {
    use Align::{Left, Right};
    let _ = match differences.len() {
        0 => writeln!(text, "\nas expected"),
        1 => writeln!(text, "\n1 difference"),
        count => writeln!(text, "\n{count} differences"),
    };
    if differences.is_empty() {
        return;
    }
    let head = [
        ("period", Left),
        ("country", Left),
        ("profile", Left),
        ("product_type", Left),
        ("measure", Left),
        ("expected", Right),
        ("found", Right),
    ];
    let rows = differences.iter().map(|difference| {
        [
            cell(difference.key.period.as_ref()),
            cell(difference.key.country.as_ref()),
            cell(difference.key.profile.as_ref()),
            cell(difference.key.product_type.as_ref()),
            difference.measure.to_owned(),
            cell(difference.expected.as_ref()),
            cell(difference.found.as_ref()),
        ]
    });
    text.push_str(&table(head, rows));
}

fn cell(value: Option<&String>) -> String {
    value.cloned().unwrap_or_else(|| "-".to_owned())
}

/// Nobody reading on is not an error.
fn print(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot print the audit")
        }
        _ => Ok(()),
    }
}
