//! A line as a picture: its bytes below a ruler, and a row for each field.

use std::fmt::Write as _;
use std::ops::Range;

use anstyle::{AnsiColor, Style};
use cdrlake_core::{COLUMNS, ColumnOrigin, FIELDS, Field, Reject, SourceOptions, product_name};

use super::decoded::{local_time, value};
use super::judge::Judged;
use super::line::Line;
use super::wrong::wrong_bytes;

/// Bytes in a row.
const ROW: usize = 60;

/// Bytes that are drawn of a line at the most: more than any record has.
const MAX_DRAWN: usize = 360;

const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
/// A byte that is wrong.
const WRONG: Style = AnsiColor::Red.on_default().bold().invert();
/// Fields, in turn.
const FIELD: [Style; 2] = [AnsiColor::Cyan.on_default(), AnsiColor::Yellow.on_default()];

/// The whole picture, with escape sequences for colour; ends with a line feed.
pub(super) fn draw(name: &str, line: &Line, judged: &Judged, options: &SourceOptions) -> String {
    let mut picture = Picture {
        text: String::new(),
        line,
        judged,
        has_zone: options.time_zone.is_some(),
        wrong: None,
    };
    picture.wrong = judged.fault.map(|fault| wrong_bytes(fault, &line.raw));
    picture.head(name);
    if judged.row.is_some() || judged.fault.is_some() {
        picture.bytes();
        picture.fields();
        picture.source(options);
    }
    picture.text
}

struct Picture<'p> {
    text: String,
    line: &'p Line,
    judged: &'p Judged,
    /// Whether start times are told as instants, too.
    has_zone: bool,
    /// The bytes of the line to mark.
    wrong: Option<Range<usize>>,
}

impl Picture<'_> {
    fn put(&mut self, style: Style, text: impl std::fmt::Display) {
        let _ = write!(self.text, "{style}{text}{style:#}");
    }

    fn put_line(&mut self, style: Style, text: impl std::fmt::Display) {
        self.put(style, text);
        self.text.push('\n');
    }

    /// Where the line stands, and its verdict.
    fn head(&mut self, name: &str) {
        let line = self.line;
        let number = match line.number {
            Some(number) => format!("record {number}"),
            None if line.start.is_multiple_of(line.whole_length().max(1)) => format!(
                "record {} if all lines before have {} bytes",
                line.start / line.whole_length() + 1,
                line.whole_length()
            ),
            None => "a record whose number was not counted".to_owned(),
        };
        self.put(HEAD, format_args!("{name}, {number}"));
        let end = line.start + line.whole_length();
        let ends_with = if line.has_line_feed { "and a line feed" } else { "without a line feed" };
        let _ = writeln!(self.text, "\nbytes [{},{end}): {} {ends_with}", line.start, line.length);
        match self.judged.fault {
            Some(fault) => {
                let reject = Reject {
                    record_number: line.number.unwrap_or_default(),
                    byte_offset: line.start,
                    fault,
                    raw: &line.raw,
                    raw_length: line.length,
                };
                self.put(BAD, format_args!("rejected: {}", fault.code));
                let _ = write!(self.text, ", {}", reject.message());
            }
            None if self.judged.row.is_none() => self.put(WARNING, "a blank line, no record"),
            None if self.judged.warnings.is_empty() => self.put(GOOD, "accepted"),
            None => {
                let names: Vec<_> =
                    self.judged.warnings.iter().map(|warning| warning.as_str()).collect();
                self.put(GOOD, "accepted");
                self.put(WARNING, format_args!(", with a warning: {}", names.join(", ")));
            }
        }
        self.text.push('\n');
    }

    /// The ruler, then rows of bytes; below each the numbers of the fields that begin there, and
    /// what is wrong.
    fn bytes(&mut self) {
        let raw = &self.line.raw;
        let shown = raw.len().min(MAX_DRAWN);
        let tens: String = (0..ROW / 10).map(|ten| format!("{:<10}", ten * 10)).collect();
        let ticks = "|....:....".repeat(ROW / 10);
        let _ = writeln!(self.text);
        self.put_line(FAINT, format_args!("       {}", tens.trim_end()));
        self.put_line(FAINT, format_args!("       {ticks}"));
        // A mark may stand behind the last byte, and so in a row of its own.
        let marked = self.wrong.clone().unwrap_or(0..0);
        for start in (0..shown.max(marked.end.min(MAX_DRAWN)).max(1)).step_by(ROW) {
            let row = start..(start + ROW).min(shown).max(start);
            self.put(FAINT, format_args!("{start:>6} "));
            let style = |at: usize| match Field::at(at) {
                _ if !(0x20..=0x7E).contains(&raw[at]) || marked.contains(&at) => WRONG,
                field => FIELD[field as usize % 2],
            };
            let mut rest = row.clone();
            while let Some(first) = rest.next() {
                let alike = rest.clone().take_while(|&at| style(at) == style(first)).count();
                let run: String =
                    raw[first..=first + alike].iter().map(|&byte| shown_byte(byte)).collect();
                self.put(style(first), run);
                rest.start += alike;
            }
            let _ = writeln!(self.text);
            let numbers = field_numbers(start..row.end.max(start));
            if !numbers.is_empty() {
                self.put_line(FAINT, format_args!("       {numbers}"));
            }
            let from = marked.start.max(start);
            let to = marked.end.min(start + ROW);
            if from < to {
                let (gap, marks) = (" ".repeat(from - start), "^".repeat(to - from));
                self.put_line(BAD, format_args!("       {gap}{marks}"));
            }
        }
        let hidden = self.line.length - shown as u64;
        if hidden > 0 {
            self.put_line(FAINT, format_args!("       … {hidden} bytes more"));
        }
    }

    /// A row a field: number, name, range, bytes, and the columns that it becomes.
    fn fields(&mut self) {
        let raw = &self.line.raw;
        let _ = writeln!(self.text);
        let head = format!(" #  {:<18}{:<11}{:<28}columns", "field", "bytes", "raw");
        self.put_line(FAINT, head);
        for spec in &FIELDS {
            let Some(bytes) = raw.get(spec.start..spec.end.min(raw.len())) else { break };
            self.field(spec.field, spec.start..spec.end, bytes);
        }
        let is_record = self.judged.row.is_some()
            || self.judged.fault.is_some_and(|fault| fault.field.is_some());
        if is_record
            && let Some(trailer) = raw.get(cdrlake_core::RECORD_LEN..)
            && !trailer.is_empty()
        {
            let range = cdrlake_core::RECORD_LEN..raw.len();
            self.field(Field::Trailer, range, trailer);
        }
    }

    fn field(&mut self, field: Field, range: Range<usize>, bytes: &[u8]) {
        let is_wrong = self.judged.fault.is_some_and(|fault| fault.field == Some(field));
        let style = if is_wrong { BAD } else { FIELD[field as usize % 2] };
        let number = match field {
            Field::Trailer => String::new(),
            field => (field as usize + 1).to_string(),
        };
        let range = format!("[{},{})", range.start, range.end);
        let quoted = format!("\"{}\"", escaped(bytes));
        self.put(FAINT, format_args!("{number:>2}"));
        let _ = write!(self.text, "  {:<18}{range:<11}", field.name());
        self.put(style, &quoted);
        let columns = self.columns(field);
        if is_wrong {
            let _ = write!(self.text, "{:1$}", "", 28_usize.saturating_sub(quoted.chars().count()));
            self.put(BAD, "wrong");
        } else if !columns.is_empty() {
            let _ = write!(self.text, "{:1$}", "", 28_usize.saturating_sub(quoted.chars().count()));
        }
        for (index, (name, value)) in columns.iter().enumerate() {
            if index > 0 {
                self.text += ", ";
            }
            if *name != field.name() {
                let _ = write!(self.text, "{name} ");
            }
            match value {
                Some(value) => self.put(HEAD, value),
                None => self.put(FAINT, "null"),
            }
        }
        self.text.push('\n');
    }

    /// The columns that come from a field, and their values; none if there is no row.
    fn columns(&self, field: Field) -> Vec<(&'static str, Option<String>)> {
        let Some(row) = &self.judged.row else { return Vec::new() };
        let of_field = COLUMNS.iter().filter(|column| match column.name {
            "start_time_utc" | "start_time_ambiguous" => self.has_zone && field == Field::Time,
            _ => column.origin == ColumnOrigin::Field(field),
        });
        of_field.map(|column| (column.name, value(row, column.name))).collect()
    }

    /// What is known from outside the record.
    fn source(&mut self, options: &SourceOptions) {
        let metadata = &options.metadata;
        let product =
            metadata.product_identifier.as_ref().map(|identifier| match product_name(identifier) {
                Some(name) => format!("{identifier} ({name})"),
                None => identifier.clone(),
            });
        let known = [
            ("country", metadata.country.map(|country| country.to_string())),
            ("profile", metadata.profile.clone()),
            ("product", product),
            ("sequence_number", metadata.sequence_number.map(|number| number.to_string())),
            ("file_time", metadata.file_time.map(local_time)),
        ];
        self.text.push('\n');
        self.put(FAINT, "of the source: ");
        for (index, (name, value)) in known.into_iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let _ = write!(self.text, "{comma}{name} ");
            match value {
                Some(value) => self.put(HEAD, value),
                None => self.put(FAINT, "unknown"),
            }
        }
        self.text.push('\n');
    }
}

/// The numbers of the fields that begin in a range of bytes, each below its field's first byte.
fn field_numbers(range: Range<usize>) -> String {
    let mut numbers = String::new();
    for spec in FIELDS.iter().filter(|spec| range.contains(&spec.start)) {
        let number = (spec.field as usize + 1).to_string();
        let _ = write!(numbers, "{:1$}{number}", "", spec.start - range.start - numbers.len());
    }
    numbers
}

/// A byte in one column.
fn shown_byte(byte: u8) -> char {
    if (0x20..=0x7E).contains(&byte) { char::from(byte) } else { '·' }
}

/// Bytes as text: printable ones as they are, others as `\xE9`. As long lines are cut, so is this.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in &bytes[..bytes.len().min(MAX_DRAWN)] {
        match byte {
            b'\\' => text += "\\\\",
            0x20..=0x7E => text.push(char::from(byte)),
            byte => {
                let _ = write!(text, "\\x{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_fields_stand_below_their_first_bytes() {
        let numbers = field_numbers(0..60);
        for (at, number) in [(0, "1"), (20, "2"), (40, "3"), (42, "4"), (50, "5"), (58, "6")] {
            assert_eq!(&numbers[at..=at], number);
        }
        assert_eq!(field_numbers(180..228).trim_end().len(), 49);
    }
}
