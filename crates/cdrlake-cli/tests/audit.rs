//! `cdrlake audit` as a user meets it: what it prints, and exit statuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use assert_cmd::Command;
use cdrlake_generate::frozen::Calls;
use serde_json::Value;

/// The morning after the last delivery.
const TODAY: &str = "--today=2025-10-04T08:00";

const NAMES: [&str; 6] = [
    "GB_ABC_10_9998_20251001090000.cdr",
    "GB_ABC_10_9999_20251001170000.cdr",
    "GB_ABC_10_0001_20251002090000.cdr",
    "GB_ABC_10_0002_20251002170000.cdr",
    "GB_ABC_10_0003_20251003090000.cdr",
    "GB_ABC_10_0004_20251003170000.cdr",
];

struct Lab {
    directory: tempfile::TempDir,
}

struct Ended {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Lab {
    /// A lake of the deliveries of these places.
    fn new(places: &[usize]) -> Self {
        let lab = Self { directory: tempfile::tempdir().unwrap() };
        for (place, name) in NAMES.iter().enumerate() {
            // Of the first minutes of 2025-10-01.
            let lines: Vec<u8> = Calls::new(place as u64, 1_000_000).take(10).flatten().collect();
            fs::write(lab.path(name), lines).unwrap();
        }
        let names: Vec<&str> = places.iter().map(|&place| NAMES[place]).collect();
        lab.convert(&names);
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn convert(&self, names: &[&str]) -> i32 {
        self.run(&[&["convert", "-o", "lake"], names].concat()).status
    }

    fn audit(&self, arguments: &[&str]) -> Ended {
        self.run(&[&["audit", TODAY], arguments].concat())
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::cargo_bin("cdrlake").unwrap();
        let output = command.current_dir(&self.directory).args(arguments).output().unwrap();
        Ended {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.audit(&[&["--json"], arguments].concat());
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr))
    }
}

#[test]
fn a_whole_lake() {
    let lab = Lab::new(&[0, 1, 2, 3, 4, 5]);
    let ended = lab.audit(&["lake"]);
    assert_eq!(
        ended.stdout,
        "\
lake

  country  profile  product  deliveries  a day  first                last                 short days
  GB       ABC      10                6      2  2025-10-01 09:00:00  2025-10-03 17:00:00           0

  country  profile  product  numbers  first  last  missing  repeated  wraps  resets
  -        ABC      10             6   9998  0004        0         0      1       0

no findings
"
    );
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
    assert_eq!(lab.audit(&["lake", "--max-age=1d"]).status, 0);
    let stale = lab.audit(&["lake", "--max-age=12h"]);
    assert_eq!(stale.status, 3);
    assert!(
        stale.stdout.ends_with(
            "
1 finding
  stale_delivery:GB:ABC:10:2025-10-03T17:00:00
    the latest delivery is of 2025-10-03 17:00:00 (15 hours old)
"
        ),
        "{}",
        stale.stdout
    );
}

#[test]
fn findings_are_printed_and_accepted() {
    let lab = Lab::new(&[0, 1, 2, 5]);
    let ended = lab.audit(&["lake"]);
    assert_eq!(
        ended.stdout,
        "\
lake

  country  profile  product  deliveries  a day  first                last                 short days
  GB       ABC      10                4      2  2025-10-01 09:00:00  2025-10-03 17:00:00           2

  country  profile  product  numbers  first  last  missing  repeated  wraps  resets
  -        ABC      10             4   9998  0004        2         0      1       0

2 findings
  missing_sequence:ABC:10:0002-0003:2025-10-02
    sequence numbers 0002 to 0003 are missing (2), between 2025-10-02 and 2025-10-03; 88 days left to fetch again
  missing_delivery:GB:ABC:10:2025-10-02..2025-10-03
    2 of 4 deliveries on 2025-10-02 to 2025-10-03; 88 days left to fetch again
"
    );
    assert_eq!(ended.status, 3);
    let accept = |finding: &str| lab.audit(&["lake", "--accept", finding, "--reason", "a strike"]);
    let accepted = accept("missing_sequence:ABC:10:0002-0003:2025-10-02");
    assert_eq!(accepted.status, 0, "{}", accepted.stderr);
    assert_eq!(accepted.stderr, "accepted: missing_sequence:ABC:10:0002-0003:2025-10-02\n");
    assert_eq!(lab.audit(&["lake"]).status, 3);
    assert_eq!(accept("missing_delivery:GB:ABC:10:2025-10-02..2025-10-03").status, 0);
    let ended = lab.audit(&["lake"]);
    assert_eq!(ended.status, 0);
    let (_, rest) = ended.stdout.split_once("\nno findings\n").unwrap();
    assert_eq!(
        rest,
        "
2 accepted
  missing_sequence:ABC:10:0002-0003:2025-10-02
    sequence numbers 0002 to 0003 are missing (2), between 2025-10-02 and 2025-10-03; 88 days left to fetch again
    accepted: a strike
  missing_delivery:GB:ABC:10:2025-10-02..2025-10-03
    2 of 4 deliveries on 2025-10-02 to 2025-10-03; 88 days left to fetch again
    accepted: a strike
"
    );
    // Something new.
    lab.convert(&[NAMES[3]]);
    assert_eq!(lab.audit(&["lake"]).status, 3);
}

#[test]
fn json() {
    let lab = Lab::new(&[0, 1, 3, 4, 5]);
    let json = lab.json(&["lake"]);
    assert_eq!(json["as_of"], "2025-10-04T08:00:00");
    let audit = &json["audits"][0];
    assert_eq!(audit["lake"], "lake");
    assert_eq!(audit["schedules"][0]["short_days"], 1);
    assert_eq!(audit["sequences"][0]["wraps"], 1);
    let finding = &audit["findings"][0];
    let expected = serde_json::json!({
        "id": "missing_sequence:ABC:10:0001-0001:2025-10-01",
        "country": null,
        "profile": "ABC",
        "product_identifier": "10",
        "kind": "missing_sequence",
        "first": 1,
        "last": 1,
        "after": "2025-10-01",
        "before": "2025-10-02",
        "days_left": 87,
        "message": "sequence number 0001 is missing, between 2025-10-01 and 2025-10-02; \
                    87 days left to fetch again",
    });
    assert_eq!(*finding, expected);
    assert_eq!(audit["findings"][1]["kind"], "missing_delivery");
    assert_eq!(audit["accepted"], serde_json::json!([]));
}

#[test]
fn totals_and_what_was_expected() {
    let lab = Lab::new(&[0, 1]);
    let json = lab.json(&["lake", "--totals=month"]);
    let row = &json["audits"][0]["totals"][0];
    // Bytes 58 to 66 of a record are its tenths of seconds.
    let lines = [0, 1].map(|place| fs::read(lab.path(NAMES[place])).unwrap()).concat();
    let tenths: Vec<u64> = lines
        .chunks(229)
        .map(|line| std::str::from_utf8(&line[58..66]).unwrap().parse().unwrap())
        .collect();
    let sum: u64 = tenths.iter().sum();
    let seconds = format!("{}.{}", sum / 10, sum % 10);
    let zero = tenths.iter().filter(|&&tenths| tenths == 0).count();
    let expected = serde_json::json!({
        "period": "2025-10", "country": "GB", "profile": "ABC", "product_type": "79",
        "calls": 20, "seconds": seconds, "zero_second_calls": zero,
    });
    assert_eq!(*row, expected);

    let csv = lab.path("totals.csv");
    fs::write(&csv, format!("period,profile,calls,seconds\n2025-10,ABC,20,{seconds}\n")).unwrap();
    let arguments = ["lake", "--totals=month", "--by=file", "--expected=totals.csv"];
    let same = lab.audit(&arguments);
    assert_eq!(same.status, 0, "{}", same.stdout);
    assert!(same.stdout.ends_with("\nas expected\n"), "{}", same.stdout);
    fs::write(&csv, "period,profile,calls\n2025-10,ABC,21\n2025-11,ABC,1\n").unwrap();
    let different = lab.audit(&arguments);
    assert_eq!(different.status, 3);
    assert!(
        different.stdout.ends_with(
            "
2 differences
  period   country  profile  product_type  measure  expected  found
  2025-10  -        ABC      -             calls          21     20
  2025-11  -        ABC      -             calls           1      -
"
        ),
        "{}",
        different.stdout
    );
    fs::write(&csv, "month,calls\n").unwrap();
    let wrong = lab.audit(&arguments);
    assert_eq!(wrong.status, 2);
    assert!(wrong.stderr.contains("unknown column \"month\""), "{}", wrong.stderr);
}

#[test]
fn files_without_a_lake() {
    let lab = Lab::new(&[]);
    let whole = lab.audit(&NAMES);
    assert_eq!(whole.status, 0, "{}{}", whole.stdout, whole.stderr);
    let gap = lab.audit(&[NAMES[0], NAMES[1], NAMES[4], NAMES[5]]);
    assert_eq!(gap.status, 3);
    assert!(gap.stdout.contains("missing_sequence:ABC:10:0001-0002:2025-10-01"), "{}", gap.stdout);
    fs::copy(lab.path(NAMES[0]), lab.path("again.cdr")).unwrap();
    let again = lab.audit(&[NAMES[0], "again.cdr"]);
    let note = format!("note: again.cdr has the same content as {}\n", NAMES[0]);
    assert!(again.stdout.ends_with(&note), "{}", again.stdout);
    fs::write(lab.path("nothing.cdr"), "nothing").unwrap();
    let nothing = lab.audit(&["nothing.cdr"]);
    assert_eq!(nothing.status, 1);
    assert!(nothing.stdout.contains("failed: nothing.cdr: "), "{}", nothing.stdout);
}

#[test]
fn what_is_not_there_is_misspelt() {
    let lab = Lab::new(&[0]);
    for name in ["lakes/", "nothing.cdr"] {
        let ended = lab.audit(&["lake", name]);
        let said = format!("error: there is no {name}; name a lake, or CDR files\n");
        assert_eq!((ended.status, ended.stdout, ended.stderr), (2, String::new(), said));
    }
}

/// What is known of profiles, and what reading may take, is as for convert.
#[test]
fn files_are_read_as_convert_reads_them() {
    let lab = Lab::new(&[]);
    fs::copy(lab.path(NAMES[0]), lab.path("ABC20251001001.cdr")).unwrap();
    let countries = |arguments: &[&str]| {
        let totals = ["--totals=month", "ABC20251001001.cdr"];
        let answer = lab.json(&[&totals[..], arguments].concat());
        answer["audits"][0]["totals"][0]["country"].clone()
    };
    assert_eq!(countries(&[]), Value::Null);
    fs::write(lab.path("other.toml"), "[profile.ABC]\ncountry = \"FR\"\n").unwrap();
    assert_eq!(countries(&["--config=other.toml"]), "FR");
    fs::write(lab.path("cdrlake.toml"), "[profile.ABC]\ncountry = \"GB\"\n").unwrap();
    assert_eq!(countries(&["--threads=1"]), "GB");
    let little = lab.audit(&[NAMES[0], "--memory-limit=1MiB"]);
    assert!(little.status == 2 && little.stderr.contains("memory limit"), "{}", little.stderr);
    let mut archive = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    archive.write_all(&fs::read(lab.path(NAMES[0])).unwrap()).unwrap();
    fs::write(lab.path("calls.gz"), archive.finish().unwrap()).unwrap();
    let short = lab.audit(&["calls.gz", "--max-total=1KiB"]);
    assert!(short.status == 1 && short.stdout.contains("raise --max-total"), "{}", short.stdout);
    fs::write(lab.path("cdrlake.toml"), "[profile").unwrap();
    assert_eq!(lab.audit(&[NAMES[0]]).status, 2);
    // A lake needs no settings.
    lab.run(&["convert", "-o", "lake", NAMES[0], "--config=other.toml"]);
    assert_ne!(lab.audit(&["lake"]).status, 2);
}

#[test]
fn what_does_not_go_together() {
    let lab = Lab::new(&[0]);
    let accept = ["--accept=x", "--reason=y"];
    for (arguments, problem) in [
        (&[NAMES[0], accept[0], accept[1]][..], "--accept is for one lake"),
        (&["lake", "lake", accept[0], accept[1]], "--accept is for one lake"),
        (&["lake", accept[0], accept[1]], "there is no finding x"),
        (&["lake", accept[0]], "--reason"),
        (&["lake", "--reason=y"], "--accept"),
        (&["lake", NAMES[0], "--ledger=ledger.sqlite"], "--ledger is for one lake"),
        (&["lake", "--by=file"], "--totals"),
        (&["lake", "--max-age=soon"], "expected an age"),
        (&[], "LAKE|INPUT"),
    ] {
        let ended = lab.audit(arguments);
        assert_eq!(ended.status, 2, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(problem), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_page() {
    let lab = Lab::new(&[0, 1, 2, 5]);
    fs::write(lab.path("<script>alert(1).cdr"), "no record").unwrap();
    lab.convert(&["<script>alert(1).cdr", NAMES[0]]);
    let without = lab.audit(&["lake"]);
    let ended = lab.audit(&["lake", "--html=page.html"]);
    assert_eq!((ended.status, &ended.stdout), (3, &without.stdout));
    let page = fs::read_to_string(lab.path("page.html")).unwrap();
    assert!(page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';"));
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("failed: &lt;script&gt;alert(1).cdr: "), "{page}");
    // Every finding with its identifier, and what can be fetched still, with the command.
    for line in without.stdout.lines().skip_while(|line| !line.contains("findings")).skip(1) {
        let escaped = line.trim().replace('<', "&lt;").replace('>', "&gt;");
        assert!(page.contains(&escaped), "{line}");
    }
    assert!(
        page.contains(
            "cdrlake fetch unrated --profile ABC --product 10 --from 2025-10-02 --to 2025-10-03 -o \
             inbox/"
        ),
        "{page}"
    );
    // Another page takes its place, and nothing else is left.
    lab.audit(&["lake", "--html=page.html"]);
    assert_eq!(fs::read_to_string(lab.path("page.html")).unwrap(), page);
    let names = fs::read_dir(&lab.directory).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("page") || name.starts_with('.')).count(), 1);
}

#[test]
fn a_page_of_files() {
    let lab = Lab::new(&[]);
    let ended = lab.audit(&[&NAMES[..], &["--html=page.html"]].concat());
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let page = fs::read_to_string(lab.path("page.html")).unwrap();
    assert!(page.contains("No findings"), "{page}");
    // Of no lake nothing can be accepted.
    assert!(!page.contains("--accept"), "{page}");
}

#[test]
fn a_page_over_what_is_audited_is_refused() {
    let lab = Lab::new(&[0, 1]);
    let ledger = lab.path("lake/_cdrlake/ledger.sqlite");
    let (files, before) = (fs::read(lab.path(NAMES[0])).unwrap(), fs::read(&ledger).unwrap());
    for path in
        ["lake/page.html", "lake/_cdrlake/ledger.sqlite", "lake/_cdrlake/sources/sources.pq"]
    {
        let ended = lab.audit(&["lake", &format!("--html={path}")]);
        assert_eq!(ended.status, 2, "{}", ended.stderr);
        let said = format!("error: {path} is of the lake lake; name a place outside it\n");
        assert_eq!(ended.stderr, said);
    }
    fs::hard_link(&ledger, lab.path("elsewhere.sqlite")).unwrap();
    let elsewhere = ["lake", "--ledger=elsewhere.sqlite", "--html=elsewhere.sqlite"];
    assert_eq!(lab.audit(&elsewhere).status, 2);
    let over_input = lab.audit(&[NAMES[0], NAMES[1], &format!("--html={}", NAMES[0])]);
    assert_eq!(over_input.status, 2);
    assert!(over_input.stderr.contains("would be overwritten"), "{}", over_input.stderr);
    let nowhere = lab.audit(&["lake", "--html=nowhere/page.html"]);
    assert_eq!(nowhere.status, 1);
    assert!(nowhere.stderr.contains("cannot write nowhere/page.html"), "{}", nowhere.stderr);
    assert_eq!(fs::read(lab.path(NAMES[0])).unwrap(), files);
    assert_eq!(fs::read(&ledger).unwrap(), before);
    assert!(!lab.path("lake/page.html").exists());
}
