//! What the command shows, held by files of text in `tests/shown/` that a person can review.
//!
//! `CDRLAKE_WRITE_SHOWN=1 cargo test -p cdrlake-cli --test shown` writes them anew; the diff is
//! what changed for users.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// A shell's view of a run: each command with what it printed and its exit status.
struct Session {
    directory: tempfile::TempDir,
    colour: bool,
    text: String,
}

/// With variables in front of the command.
fn shown_line(line: &str) -> String {
    let is_variable = |word: &&str| word.contains('=') && !word.starts_with('-');
    let len: usize = line.split_inclusive(' ').take_while(is_variable).map(str::len).sum();
    format!("{}cdrlake {}", &line[..len], &line[len..])
}

/// Without ids of runs, and without times and how long things took in JSON.
fn without_chance(text: &str) -> String {
    let mut shown = String::new();
    for line in text.split_inclusive('\n') {
        let mut line = line.to_owned();
        for (before, end, instead) in [
            ("(run ", ')', "<id>"),
            ("\"run_id\":\"", '"', "<id>"),
            ("\"time\":\"", '"', "<time>"),
            ("\"elapsed_seconds\":", ',', "<seconds>"),
        ] {
            if let Some(start) = line.find(before).map(|at| at + before.len())
                && let Some(len) = line[start..].find(end)
            {
                line.replace_range(start..start + len, instead);
            }
        }
        shown += &line;
    }
    shown
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

impl Session {
    /// In a directory that holds the test data.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["valid", "invalid"] {
            let data = repository().join("testdata").join(name);
            std::os::unix::fs::symlink(data, directory.path().join(name)).unwrap();
        }
        Self { directory, colour: false, text: String::new() }
    }

    fn in_colour(self) -> Self {
        Self { colour: true, ..self }
    }

    fn write(self, name: &str, text: &str) -> Self {
        fs::write(self.directory.path().join(name), text).unwrap();
        self
    }

    /// Arguments stand apart by spaces; `'` keeps some together. `NAME=value` in front is a variable.
    fn run(mut self, line: &str) -> Self {
        let mut command = Command::cargo_bin("cdrlake").unwrap();
        command.current_dir(&self.directory).env_clear().env("COLUMNS", "100");
        if self.colour {
            command.env("CLICOLOR_FORCE", "1");
        }
        let mut words = Vec::new();
        for (index, part) in line.split('\'').enumerate() {
            match index % 2 {
                0 => words.extend(part.split_whitespace().map(str::to_owned)),
                _ => words.push(part.to_owned()),
            }
        }
        let is_variable = |word: &String| word.contains('=') && !word.starts_with('-');
        let variables = words.iter().take_while(|word| is_variable(word)).count();
        for (name, value) in words.drain(..variables).filter_map(|word| {
            word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
        }) {
            command.env(name, value);
        }
        let output = command.args(words).output().unwrap();
        let _ = writeln!(self.text, "$ {}", shown_line(line));
        for (name, bytes) in [("", &output.stdout), ("on standard error:\n", &output.stderr)] {
            if !bytes.is_empty() {
                self.text += name;
                self.text += &String::from_utf8_lossy(bytes).replace('\x1b', "␛");
            }
        }
        let _ = writeln!(self.text, "exit status {}\n", output.status.code().unwrap());
        self
    }

    /// Compares with the file of this name. What no two runs have in common is left out: ids, times.
    fn is(self, name: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shown").join(name);
        let place = self.directory.path().canonicalize().unwrap();
        let mut text = without_chance(&self.text.replace(place.to_str().unwrap(), "/here"));
        if text.contains("/here") {
            // How wide columns are depends on where the directory is.
            while text.contains("   ") {
                text = text.replace("   ", "  ");
            }
        }
        if std::env::var_os("CDRLAKE_WRITE_SHOWN").is_some() {
            fs::write(path, text).unwrap();
            return;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        let differs =
            expected.lines().zip(text.lines()).position(|(expected, line)| expected != line);
        assert!(
            expected == text,
            "{name} shows something else from line {:?} on:\n{text}",
            differs.map(|line| line + 1)
        );
    }
}

#[test]
fn inspect() {
    Session::new()
        .run("inspect valid/FR_PBW_00_0001_20150820170113.cdr --record 2")
        .run("inspect valid/GB_ADC_12_0001_20111020090122.cdr --offset 300")
        .run("inspect 'invalid/two_members.tar.gz!b.cdr' --country DE --profile XY --product 12")
        .run("inspect valid/IT_AJB_12_0001_20121026170104.cdr --time-zone country")
        .run("inspect valid/IT_AJB_12_0001_20121026170104.cdr --time-zone profile")
        .run("inspect invalid/blank_lines.cdr --record 2")
        .run("inspect invalid/trailing_bytes.cdr --record 2")
        .is("inspect.txt");
}

#[test]
fn inspect_rejected() {
    Session::new()
        .run("inspect --rejected invalid/invalid_time_fraction.cdr")
        .run("inspect --rejected invalid/not_ascii_origin.cdr")
        .run("inspect --rejected invalid/shifted_by_one.cdr")
        .run("inspect --rejected invalid/long_record_without_end_of_record.cdr")
        .run("inspect --rejected invalid/line_feed_inside.cdr")
        .run("inspect --rejected invalid/line_feed_inside.cdr --limit 1")
        .run("inspect --rejected invalid/line_feed_inside.cdr --record 3")
        .run("inspect --rejected --strict invalid/carriage_return.cdr")
        .run("inspect --rejected valid")
        .is("inspect_rejected.txt");
}

#[test]
fn inspect_in_colour() {
    Session::new()
        .in_colour()
        .run("inspect valid/DE_SV_00_0001_20110930090122.cdr")
        .run("inspect --rejected invalid/not_ascii_before_value.cdr")
        .run("NO_COLOR=1 inspect invalid/blank_lines.cdr --record 2")
        .is("inspect_in_colour.txt");
}

#[test]
fn inspect_what_is_not_there() {
    Session::new()
        .run("inspect nothing.cdr")
        .run("inspect valid")
        .run("inspect valid/DE_SV_00_0001_20110930090122.cdr --record 4")
        .run("inspect valid/DE_SV_00_0001_20110930090122.cdr --offset 687")
        .run("inspect valid/DE_ABC_10_0001_20110603170122.cdr.gz --offset 100000")
        .run("inspect invalid/empty.cdr")
        .run("inspect invalid/two_members.tar!c.cdr")
        .run("inspect invalid/two_members.tar --record 9")
        .run("inspect invalid/truncated.cdr.gz")
        .run("inspect invalid/xz.cdr.xz")
        .run("inspect valid/DE_SV_00_0001_20110930090122.cdr --record 0")
        .run("inspect valid/DE_SV_00_0001_20110930090122.cdr --record 1 --offset 0")
        .is("inspect_what_is_not_there.txt");
}

#[test]
fn stats() {
    Session::new()
        .run("stats valid invalid/invalid_date.cdr invalid/short_record.cdr")
        .run("stats valid --top 2")
        .run("stats valid/GB_ADC_12_0001_20111020090122.cdr --json")
        .run("stats invalid/empty.cdr invalid/truncated.cdr.gz")
        .run("stats invalid/not_cdr.cdr")
        .run("stats invalid/encrypted.cdr.zip valid/SK_BKE_10_0001_20150922090117.cdr nothing.cdr")
        .is("stats.txt");
}

#[test]
fn config() {
    const NEARBY: &str = "lake = \"calls\"\n\n[profile.ABC]\ncountry = \"uk\"\nproduct = \"IN for \
                          Resellers\"\n\n[profile.X1]\ntime_zone = \"Europe/Rome\"\n";
    const NAMED: &str = "endpoint = \"http://127.0.0.1:1\"\ncredentials = \"secret\"\n";
    Session::new()
        .run("config")
        .write("cdrlake.toml", NEARBY)
        .write("named.toml", NAMED)
        .run("config")
        .run("CDRLAKE_LAKE=/elsewhere CDRLAKE_COUNTRY=IT CDRLAKE_CONSUMER_KEY=canary config --country FR")
        .run("config --config named.toml")
        .run("CDRLAKE_CONFIG=named.toml config --endpoint sandbox --json")
        .run("convert --quiet valid")
        .run("stats --top 1 --country DE")
        .run("fetch --config named.toml rated --ocn 1 --month Nov --year 2026 --dry-run")
        .run("CDRLAKE_COUNTRY=XX config")
        .write("cdrlake.toml", NAMED)
        .run("config")
        .run("fetch rated --ocn 1 --month Nov --year 2026 --dry-run")
        .run("validate --quiet valid")
        .write("cdrlake.toml", "lake = 7")
        .run("config")
        .is("config.txt");
}

#[test]
fn mistakes() {
    Session::new()
        .write("cdrlake.toml", "[profile.ABC]\ncountry = \"DE\"\n")
        .write("wrong.toml", "[profile.ABC]\ncontry = \"DE\"\n")
        .run("convert valid -o lake --country XX")
        .run("convert valid -o lake --country Germany")
        .run("convert valid -o lake --time-zone Europe/Lundon")
        .run("convert valid -o calls.parquet --columns start_tme,duration")
        .run("convert valid -o calls.parquet --where-date 2025-10-31..2025-10-01")
        .run("convert valid -o calls.parquet --where-date October")
        .run("convert valid -o lake --columns start_time")
        .run("convert valid -o lake --where-date 2025-10-01..")
        .run("convert valid -o calls.parquet --metrics-file cdrlake.prom")
        .run("convert valid -o lake --metrics-file nowhere/cdrlake.prom")
        .run("validate invalid/invalid_date.cdr --profile ABD -q")
        .run("validate invalid/empty.cdr --profile ABD")
        .run("validate invalid/empty.cdr --config wrong.toml")
        .run("convert valid -o lake --product 'SIP Trunk'")
        .run("convert valid -o lake --partition-by call_moth")
        .run("convert valid -o lake --compression gzip")
        .run("convert valid -o lake --contry DE")
        .run("convrt valid -o lake")
        .run("convert valid")
        .run("convert -q valid/IT_AJB_12_0001_20121026170104.cdr -o calls.parquet")
        .run("convert calls.parquet -o lake")
        .run("inspect calls.parquet")
        .write("a.cdr", "%PDF-1.7 is no CDR file")
        .write("b.cdr", "<!DOCTYPE html><html>Log in</html>")
        .run("convert -q a.cdr b.cdr invalid/xz.cdr.xz -o lake")
        .run("convert valid -o valid")
        .run("audit valid/IT_AJB_12_0001_20121026170104.cdr --totals month --expected invalid/not_cdr.cdr")
        .run("stats invalid/not_cdr.parquet")
        .run("unload nothing x")
        .is("mistakes.txt");
}

#[test]
fn help() {
    Session::new()
        .run("--help")
        .run("convert --help")
        .run("convert -h")
        .run("unload --help")
        .run("audit --help")
        .run("validate -h")
        .run("inspect --help")
        .run("stats --help")
        .run("info --help")
        .run("schema -h")
        .run("generate -h")
        .run("sync --help")
        .run("config -h")
        .is("help.txt");
}

#[test]
fn help_of_fetch() {
    Session::new()
        .run("fetch --help")
        .run("fetch unrated --help")
        .run("fetch consolidated -h")
        .run("fetch rated -h")
        .run("fetch non-usage -h")
        .run("fetch numbers -h")
        .run("fetch order -h")
        .is("help_of_fetch.txt");
}

#[test]
fn messages() {
    const CALLS: &str = "valid/IT_AJB_12_0001_20121026170104.cdr";
    Session::new()
        .run(&format!("convert {CALLS} invalid/invalid_date.cdr invalid/not_cdr.cdr -o lake"))
        .run(&format!("convert {CALLS} -o lake --log-format json"))
        .run("convert invalid/invalid_date.cdr invalid/not_cdr.cdr -o lake --log-format json")
        .run(&format!("convert {CALLS} -o some.parquet --where-date ..2012-10-25"))
        .run(&format!(
            "convert {CALLS} -o none.parquet --columns origin,start_time --where-date 1999-01-01"
        ))
        .run("unload lake invalid_date.cdr")
        .write("cdrlake.toml", "lake = \"lake\"")
        .run(&format!("convert {CALLS}"))
        .run(&format!("CDRLAKE_LAKE=lake convert {CALLS}"))
        .run("CDRLAKE_LOG_FORMAT=json convert nothing.cdr")
        .run("convert --log-format=json --country XX")
        .is("messages.txt");
}
