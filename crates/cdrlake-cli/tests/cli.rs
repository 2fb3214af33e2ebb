//! The command as a user meets it: files in, files out, exit statuses, messages.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::Command;

const SAMPLE: &str = "valid/DE_SV_00_0001_20110930090122.cdr";
const DAMAGED: &str = "invalid/invalid_date.cdr";
const FOREIGN: &str = "invalid/not_cdr.cdr";

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

/// A run of `cdrlake` in a directory of its own.
struct Run {
    directory: tempfile::TempDir,
}

struct Ended {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("cdrlake").unwrap();
        command.current_dir(&self.directory);
        for argument in arguments {
            match argument.strip_prefix("testdata:") {
                Some(name) => command.arg(testdata(name)),
                None => command.arg(argument),
            };
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        Self::ended(&mut self.command(arguments))
    }

    fn ended(command: &mut Command) -> Ended {
        let output = command.output().unwrap();
        Ended {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The names in the directory, hidden ones included.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn sample() -> String {
    format!("testdata:{SAMPLE}")
}

fn damaged() -> String {
    format!("testdata:{DAMAGED}")
}

fn foreign() -> String {
    format!("testdata:{FOREIGN}")
}

#[test]
fn exit_statuses() {
    let run = Run::new();
    let convert = |inputs: &[&str]| {
        let arguments = [&["convert", "--overwrite", "-o", "calls.parquet"], inputs].concat();
        run.run(&arguments).status
    };
    let (sample, damaged, foreign) = (sample(), damaged(), foreign());
    assert_eq!(convert(&[&sample]), 0);
    assert_eq!(convert(&[&sample, &damaged]), 3);
    assert_eq!(convert(&[&sample, &damaged, &foreign]), 4);
    assert_eq!(convert(&[&foreign]), 1);
    assert_eq!(convert(&["missing.cdr"]), 1);
    assert_eq!(convert(&["missing.cdr", &sample]), 4);
    assert_eq!(convert(&[]), 2);
    assert_eq!(convert(&["--country", "XX", &sample]), 2);
    assert_eq!(convert(&["--product", "SIP Trunk", &sample]), 2);
    assert_eq!(convert(&["--profile", "TOOLONG", &sample]), 2);
    assert_eq!(convert(&["--max-rejects", "many", &sample]), 2);
    assert_eq!(convert(&["--memory-limit", "1MiB", &sample]), 2);
    assert_eq!(convert(&["--threads", "0", &sample]), 2);
    // A source that was skipped is as good as loaded.
    assert_eq!(convert(&[&sample, &sample]), 0);
}

#[test]
fn an_existing_output_is_refused_and_kept() {
    let run = Run::new();
    fs::write(run.path("calls.parquet"), "precious").unwrap();
    let ended = run.run(&["convert", &sample(), "-o", "calls.parquet"]);
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("calls.parquet exists already"), "{}", ended.stderr);
    assert_eq!(fs::read(run.path("calls.parquet")).unwrap(), b"precious");
    assert_eq!(run.names(), ["calls.parquet"]);
    let overwrite = ["convert", &sample(), "-o", "calls.parquet", "--overwrite"];
    let ended = run.run(&overwrite);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("is not a Parquet file"), "{}", ended.stderr);
    assert_eq!(fs::read(run.path("calls.parquet")).unwrap(), b"precious");
    // Another program's.
    fs::write(run.path("calls.parquet"), "PAR1 of another PAR1").unwrap();
    assert_eq!(run.run(&overwrite).status, 0);
    assert!(fs::read(run.path("calls.parquet")).unwrap().len() > 1000);
}

#[test]
fn rejects_have_their_own_file_which_does_not_outlive_them() {
    let run = Run::new();
    let arguments = ["convert", "-o", "calls.parquet", "--overwrite"];
    let ended = run.run(&[&arguments[..], &[&damaged()]].concat());
    assert_eq!(ended.status, 3);
    assert_eq!(run.names(), ["calls.parquet", "calls.rejects.parquet"]);
    let mode = fs::metadata(run.path("calls.rejects.parquet")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777 & !0o640, 0, "{mode:o}");
    assert_eq!(run.run(&[&arguments[..], &[&sample()]].concat()).status, 0);
    assert_eq!(run.names(), ["calls.parquet"]);
    let ended = run.run(&[&arguments[..], &["--rejects", "bad.parquet", &damaged()]].concat());
    assert_eq!(ended.status, 3);
    assert_eq!(run.names(), ["bad.parquet", "calls.parquet"]);
    let ended = run.run(&[&arguments[..], &["--rejects", "calls.parquet", &damaged()]].concat());
    assert_eq!(ended.status, 2);
}

#[test]
fn the_output_honours_the_umask() {
    let run = Run::new();
    let arguments = ["convert", &sample(), "-o", "calls.parquet"];
    let cdrlake = run.command(&arguments);
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(&run.directory).args(["-c", "umask 027; exec \"$@\"", "sh"]);
    shell.arg(cdrlake.get_program()).args(cdrlake.get_args());
    assert!(shell.status().unwrap().success());
    let mode = fs::metadata(run.path("calls.parquet")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_failed_run_leaves_nothing() {
    let run = Run::new();
    let ended = run.run(&["convert", &foreign(), "-o", "calls.parquet", "--report", "r.json"]);
    assert_eq!(ended.status, 1);
    assert_eq!(run.names(), ["r.json"]);
    let ended = run.run(&["convert", &sample(), "-o", "missing/calls.parquet"]);
    assert_eq!(ended.status, 1);
    assert!(ended.stderr.contains("there is no directory missing; create it"), "{}", ended.stderr);
    assert_eq!(run.names(), ["r.json"]);
}

#[test]
fn a_directory_is_walked_in_order_and_special_files_are_named() {
    let run = Run::new();
    fs::create_dir_all(run.path("in/b")).unwrap();
    for name in ["in/b/2.cdr", "in/c.cdr", "in/a.cdr", "in/.hidden.cdr"] {
        let mut content = fs::read(testdata(SAMPLE)).unwrap();
        // Contents must differ, lest they be skipped: each in a trunk of its own name.
        content[100..100 + name.len()].copy_from_slice(name.as_bytes());
        fs::write(run.path(name), content).unwrap();
    }
    std::os::unix::fs::symlink("..", run.path("in/b/loop")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(run.path("in/fifo")).status().unwrap();
    assert!(fifo.success());
    let ended = run.run(&["convert", "in", "-o", "calls.parquet", "--report", "r.json"]);
    assert_eq!(ended.status, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("in/fifo is neither a file nor a directory"), "{}", ended.stderr);
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(run.path("r.json")).unwrap()).unwrap();
    let sources: Vec<_> = report["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["source"].as_str().unwrap())
        .collect();
    assert_eq!(sources, ["in/a.cdr", "in/b/2.cdr", "in/c.cdr", "in/fifo"]);
}

/// Files and directories that may not be read are named, and keep nothing else from loading.
#[test]
fn what_cannot_be_read_is_named() {
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let run = Run::new();
    fs::create_dir_all(run.path("in/closed")).unwrap();
    for name in ["in/a.cdr", "in/closed.cdr", "in/closed/b.cdr"] {
        fs::copy(testdata(SAMPLE), run.path(name)).unwrap();
    }
    let program = run.path("cdrlake");
    fs::copy(run.command(&[]).get_program(), &program).unwrap();
    let set_mode = |name: &str, mode| {
        fs::set_permissions(run.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, mode) in [("", 0o777), ("in/closed.cdr", 0), ("in/closed", 0)] {
        set_mode(name, mode);
    }
    let mut command = std::process::Command::new(program);
    command.current_dir(&run.directory).args(["convert", "in", "-o", "calls.parquet"]);
    if fs::File::open(run.path("in/closed.cdr")).is_ok() {
        // Root reads everything.
        command.uid(NOBODY);
    }
    let output = command.output().unwrap();
    set_mode("in/closed", 0o755);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    for name in ["in/closed.cdr", "in/closed"] {
        let failed = format!("failed: {name} cannot be opened: Permission denied");
        assert!(stderr.contains(&failed), "{stderr}");
    }
    assert!(stderr.contains("sources: 1 loaded, 0 skipped, 2 failed"), "{stderr}");
    // A read that the system refuses, as a broken disk would.
    let ended = run.run(&["convert", "/proc/self/mem", "-o", "b.parquet"]);
    assert_eq!(ended.status, 1);
    let failed =
        "/proc/self/mem cannot be read to its end, after 0 decompressed bytes: Input/output";
    assert!(ended.stderr.contains(failed), "{}", ended.stderr);
}

/// What was rejected is decoded again once its bytes, or the command line, are right.
#[test]
fn rejects_are_replayed() {
    let run = Run::new();
    let trailing = "testdata:invalid/trailing_bytes.cdr";
    let ended = run.run(&["convert", "--strict", trailing, "-o", "calls.parquet"]);
    assert_eq!(ended.status, 3);
    let replay = ["--replay", "calls.rejects.parquet"];
    let ended = run.run(&[&["convert", "--strict", "-o", "again.parquet"][..], &replay].concat());
    assert_eq!(ended.status, 3);
    assert_eq!(run.run(&[&["validate"][..], &replay, &replay].concat()).status, 0);
    let ended = run.run(&[&["convert", "-o", "more.parquet"][..], &replay].concat());
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("more.parquet: 1 rows"), "{}", ended.stderr);
    let source = "calls.rejects.parquet!trailing_bytes.cdr";
    assert!(ended.stderr.contains(source), "{}", ended.stderr);
    for arguments in [&["in.cdr"][..], &["--max-rejects", "1"]] {
        let all = [&["convert", "-o", "x.parquet"][..], &replay, arguments].concat();
        assert_eq!(run.run(&all).status, 2);
    }
    let over = ["convert", "--overwrite", "-o", "calls.rejects.parquet"];
    assert_eq!(run.run(&[&over[..], &replay].concat()).status, 2);
    let ended = run.run(&[&["convert", "-o", "x.parquet"][..], &replay, &["b.parquet"]].concat());
    assert!(ended.stderr.contains("give --replay once more before it"), "{}", ended.stderr);
    // Nothing is overwritten that is found in a directory, either.
    let over = ["convert", "--overwrite", "-o", "calls.parquet", "--replay", "."];
    assert_eq!(run.run(&over).status, 2);
    let twice = run.run(&[&["convert", "-o", "twice.parquet"][..], &replay, &replay].concat());
    assert!(twice.stderr.contains("was replayed before"), "{}", twice.stderr);
    assert_eq!(run.run(&["validate", "-", "-"]).status, 2);
}

#[test]
fn standard_input_is_a_source() {
    let run = Run::new();
    let archive = "valid/IT_AJC_15_0001_20121106170122.cdr.zip";
    for (name, status) in
        [(SAMPLE, 0), ("valid/DE_ABC_10_0001_20110603170122.cdr.gz", 0), (archive, 1)]
    {
        let mut command = run.command(&["convert", "-", "-o", "calls.parquet", "--overwrite"]);
        let ended = Run::ended(command.write_stdin(fs::read(testdata(name)).unwrap()));
        assert_eq!(ended.status, status, "{name}: {}", ended.stderr);
        let says_why = ended.stderr.contains("from a file but not from a stream");
        assert_eq!(says_why, status == 1, "{}", ended.stderr);
    }
}

#[test]
fn a_closed_standard_output_is_no_error() {
    let run = Run::new();
    for arguments in [&["schema"][..], &["schema", "--json"], &["validate", &damaged()]] {
        let command = run.command(arguments);
        let mut child = std::process::Command::new(command.get_program())
            .args(command.get_args())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let status = child.wait().unwrap().code();
        assert_eq!(status, Some(if arguments[0] == "validate" { 3 } else { 0 }));
    }
}

#[test]
fn quiet_prints_errors_only() {
    let run = Run::new();
    let ended = run.run(&["convert", &damaged(), "-q", "-o", "calls.parquet"]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    let ended = run.run(&["convert", &foreign(), &sample(), "-q", "-o", "b.parquet"]);
    assert_eq!(ended.stderr.lines().count(), 1);
    assert!(ended.stderr.contains("is not a CDR file"), "{}", ended.stderr);
}

#[test]
fn schema_lists_every_field_and_column() {
    let run = Run::new();
    let text = run.run(&["schema"]).stdout;
    let json: serde_json::Value =
        serde_json::from_str(&run.run(&["schema", "--json"]).stdout).unwrap();
    assert_eq!(json["fields"].as_array().unwrap().len(), 19);
    assert_eq!(json["columns"].as_array().unwrap().len(), 37);
    for column in json["columns"].as_array().unwrap() {
        assert!(text.contains(column["name"].as_str().unwrap()));
    }
}

/// A number that stands in a damaged record shows nowhere but in the rejects file.
#[test]
fn no_number_reaches_messages_or_reports() {
    const CANARY: &str = "07700900417";
    let run = Run::new();
    let mut content = fs::read(testdata(SAMPLE)).unwrap();
    content[..11].copy_from_slice(CANARY.as_bytes());
    // Every field of the second record is shifted, and holds another's digits.
    let shifted =
        [&content[..229], &content[..228][CANARY.len()..], CANARY.as_bytes(), b"\n"].concat();
    fs::write(run.path("in.cdr"), shifted).unwrap();
    fs::write(run.path("foreign.cdr"), format!("{CANARY}\n")).unwrap();
    for command in [&["validate"][..], &["convert", "-o", "calls.parquet"]] {
        let arguments = [command, &["in.cdr", "foreign.cdr", "--report", "r.json"]].concat();
        let ended = run.run(&arguments);
        assert_eq!(ended.status, 4);
        let report = fs::read_to_string(run.path("r.json")).unwrap();
        for text in [&ended.stdout, &ended.stderr, &report] {
            assert!(!text.contains(CANARY) && !text.contains(&CANARY[1..]), "{text}");
        }
        assert!(report.contains("\"records_rejected\": 1"));
    }
}

/// No two files of a run may be one, by whatever names, and none may be an input.
#[test]
fn outputs_do_not_destroy_each_other_or_inputs() {
    let run = Run::new();
    let content = fs::read(testdata(SAMPLE)).unwrap();
    fs::write(run.path("in.cdr"), &content).unwrap();
    fs::write(run.path("in.parquet"), &content).unwrap();
    fs::create_dir(run.path("d.parquet")).unwrap();
    std::os::unix::fs::symlink(".", run.path("here")).unwrap();
    let names = run.names();
    let damaged = damaged();
    for (arguments, status, message) in [
        (&["-o", "./c.parquet", "--rejects", "c.parquet", "in.cdr"][..], 2, "two different files"),
        (&["-o", "here/c.parquet", "--rejects", "c.parquet", &damaged], 2, "two different files"),
        (&["-o", "c.parquet", "--report", "c.parquet", "in.cdr"], 2, "two different files"),
        (&["-o", "c.parquet", "--report", "in.cdr", "in.cdr"], 2, "is not a report"),
        (&["-o", "c.parquet", "--rejects", "in.parquet", "in.parquet"], 2, "is an input"),
        (&["-o", "c.parquet", "--rejects", "in.cdr", "in.cdr"], 2, "does not end in .parquet"),
        (&["-o", "in.parquet", "here/in.parquet"], 2, "is an input"),
        (&["-o", "d.parquet", &damaged], 2, "is no regular file"),
        (&["-o", "c.parquet", "--report", "here", "in.cdr"], 1, "it is a directory"),
    ] {
        let ended = run.run(&[&["convert", "--overwrite"], arguments].concat());
        assert_eq!(ended.status, status, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(message), "{arguments:?}: {}", ended.stderr);
        assert_eq!(run.names(), names, "{arguments:?}");
        assert_eq!(fs::read(run.path("in.cdr")).unwrap(), content);
        assert_eq!(fs::read(run.path("in.parquet")).unwrap(), content);
    }
}

#[test]
fn a_directory_may_hold_the_output_too() {
    let run = Run::new();
    fs::create_dir(run.path("d")).unwrap();
    fs::copy(testdata(DAMAGED), run.path("d/in.cdr")).unwrap();
    for _ in 0..2 {
        let arguments =
            ["convert", "d", "-o", "d/c.parquet", "--overwrite", "--report", "d/r.json"];
        let ended = run.run(&arguments);
        assert_eq!(ended.status, 3, "{}", ended.stderr);
        assert!(
            ended.stderr.contains("sources: 1 loaded, 0 skipped, 0 failed"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn inputs_without_sources_are_named() {
    let run = Run::new();
    fs::create_dir(run.path("nothing")).unwrap();
    let mut zip = b"PK\x05\x06".to_vec();
    zip.resize(22, 0);
    fs::write(run.path("empty.zip"), zip).unwrap();
    fs::write(run.path("empty.cdr"), "").unwrap();
    let sample = sample();
    let convert = ["convert", "-o", "c.parquet", "--overwrite", "nothing", "empty.zip"];
    let ended = run.run(&[&convert[..], &["-q"]].concat());
    assert_eq!(ended.status, 1);
    let said = "nothing to read in nothing\nnothing to read in empty.zip\n\
        nothing was loaded, so nothing is written\n";
    assert_eq!(ended.stderr, said);
    let ended = run.run(&[&convert[..], &[&sample, "empty.cdr"]].concat());
    assert_eq!(ended.status, 0);
    for said in ["nothing to read in nothing\n", "nothing to read in empty.zip\n", "empty.cdr"] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn an_unknown_country_is_warned_of_once_a_source() {
    let run = Run::new();
    fs::copy(testdata(SAMPLE), run.path("in.cdr")).unwrap();
    fs::copy(testdata(SAMPLE), run.path("XX_ABC_10_0001_20110930090122.cdr")).unwrap();
    for input in ["in.cdr", "XX_ABC_10_0001_20110930090122.cdr"] {
        let ended = run.run(&["validate", input]);
        assert!(ended.stderr.contains("warning: 1 unknown_country"), "{}", ended.stderr);
        let ended = run.run(&["validate", "--country", "de", input]);
        assert!(!ended.stderr.contains("unknown_country"), "{}", ended.stderr);
    }
}

/// One bad file among a hundred does not keep the others from loading.
#[test]
fn one_of_a_hundred_fails_alone() {
    let run = Run::new();
    fs::create_dir(run.path("in")).unwrap();
    let mut content = fs::read(testdata(SAMPLE)).unwrap();
    for number in 0..100 {
        // Contents must differ, lest they be skipped.
        content[100..103].copy_from_slice(format!("{number:03}").as_bytes());
        fs::write(run.path(&format!("in/{number:03}.cdr")), &content).unwrap();
    }
    fs::write(run.path("in/042.cdr"), "no record\n").unwrap();
    let ended = run.run(&["convert", "in", "-o", "calls.parquet"]);
    assert_eq!(ended.status, 4);
    assert!(ended.stderr.contains("failed: in/042.cdr is not a CDR file"), "{}", ended.stderr);
    assert!(ended.stderr.contains("sources: 99 loaded, 0 skipped, 1 failed"), "{}", ended.stderr);
    let total = ended.stderr.lines().find(|line| line.starts_with("total ")).unwrap();
    let cells: Vec<_> = total.split_whitespace().collect();
    assert_eq!(cells[..5], ["total", "297", "297", "0", "0"]);
}

/// A name may hold anything; a listing is still one line a reject.
#[test]
fn control_characters_of_names_are_not_printed() {
    let run = Run::new();
    fs::copy(testdata(DAMAGED), run.path("a\x1B[31m\nb.cdr")).unwrap();
    let ended = run.run(&["validate", "a\x1B[31m\nb.cdr"]);
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
    assert!(!ended.stdout.contains('\x1B'));
}

/// A consolidated archive names no country: its profile's entry in `cdrlake.toml` does.
#[test]
fn profiles_come_from_the_configuration() {
    let run = Run::new();
    fs::create_dir_all(run.path("in/deep")).unwrap();
    fs::copy(testdata(SAMPLE), run.path("in/deep/AM220120110182.cdr")).unwrap();
    let validate = |arguments: &[&str]| {
        let mut command = run.command(&[&["validate", "AM220120110182.cdr"], arguments].concat());
        Run::ended(command.current_dir(run.path("in/deep")))
    };
    let warns = |ended: &Ended| ended.stderr.contains("1 unknown_country");
    assert!(warns(&validate(&[])));
    fs::write(run.path("cdrlake.toml"), "[profile.AM2]\ncountry = \"DE\"\n").unwrap();
    assert!(!warns(&validate(&[])));
    fs::write(run.path("other.toml"), "[profile.ABC]\ncountry = \"DE\"\n").unwrap();
    assert!(warns(&validate(&["--config", "../../other.toml"])));
    fs::write(run.path("cdrlake.toml"), "[profile.AM2]\ncountry = \"Germany\"\n").unwrap();
    let ended = validate(&[]);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("cdrlake.toml is wrong: profile AM2: unknown country"));
    assert_eq!(validate(&["--config", "missing.toml"]).status, 2);
}
