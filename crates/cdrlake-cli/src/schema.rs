//! `cdrlake schema`.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::{Context, Result};
use cdrlake_core::{COLUMNS, FIELDS, SCHEMA_VERSION};
use serde::Serialize;

use crate::args::SchemaArguments;
use crate::outcome::Outcome;

pub(crate) fn run(arguments: &SchemaArguments) -> Result<Outcome> {
    let text = if arguments.json {
        serde_json::to_string_pretty(&description()).context("cannot write JSON")? + "\n"
    } else {
        tables()?
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Nobody reading on is not an error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot print the schema")
        }
        _ => Ok(Outcome::Done),
    }
}

fn tables() -> Result<String> {
    let mut text = String::from("The record: 228 bytes and a line feed\n\n");
    for spec in &FIELDS {
        let range = format!("[{},{})", spec.start, spec.end);
        writeln!(text, "  {:<18} {range:<10} {}", spec.name, spec.meaning)?;
    }
    writeln!(text, "\nThe table, version {SCHEMA_VERSION}: one row a record\n")?;
    for spec in &COLUMNS {
        let name = spec.column_type.name();
        let required = if spec.nullable { "" } else { "not null" };
        writeln!(text, "  {:<22} {name:<18} {required:<8} {}", spec.name, spec.meaning)?;
    }
    Ok(text)
}

#[derive(Serialize)]
struct Description {
    schema_version: u32,
    fields: Vec<FieldDescription>,
    columns: Vec<ColumnDescription>,
}

#[derive(Serialize)]
struct FieldDescription {
    name: &'static str,
    start: usize,
    end: usize,
    meaning: &'static str,
}

#[derive(Serialize)]
struct ColumnDescription {
    name: &'static str,
    #[serde(rename = "type")]
    column_type: &'static str,
    nullable: bool,
    meaning: &'static str,
}

fn description() -> Description {
    let fields = FIELDS.iter().map(|spec| FieldDescription {
        name: spec.name,
        start: spec.start,
        end: spec.end,
        meaning: spec.meaning,
    });
    let columns = COLUMNS.iter().map(|spec| ColumnDescription {
        name: spec.name,
        column_type: spec.column_type.name(),
        nullable: spec.nullable,
        meaning: spec.meaning,
    });
    Description {
        schema_version: SCHEMA_VERSION,
        fields: fields.collect(),
        columns: columns.collect(),
    }
}
