//! Lines that are replayed: their verdicts, their places, and each once.

use super::*;

/// However few or many lines, whatever the threads: loaded and replayed rows together are those of
/// the sound file, every column of them.
#[test]
fn edited_lines_join_those_that_were_loaded() {
    for (records, nth) in [(10, 3), (5000, 2), (5000, 999)] {
        let mut first = None;
        for threads in [1, 2, 5] {
            let lab = Lab { threads, ..Lab::new() };
            let file = Damaged::write(&lab, 1, records, nth);
            lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
            lab.edit("loaded.rejects.parquet", "edited.parquet", |number, _| {
                Some(file.line(number))
            });
            let report = lab.replay(&["edited.parquet"], "replayed.parquet");
            assert_eq!(report.totals.records_written, file.rejected() as u64);
            assert_eq!(report.totals.records_read, file.rejected() as u64);
            let hash = blake3::hash(&fs::read(lab.path(&file.name)).unwrap());
            assert_eq!(report.sources[0].content_hash, Some(hash));
            let rows = [lab.rows("loaded.parquet"), lab.rows("replayed.parquet")].concat();
            assert!(sorted(rows) == sorted(file.rows()), "{records} records, {threads} threads");
            let bytes = fs::read(lab.path("replayed.parquet")).unwrap();
            assert!(*first.get_or_insert_with(|| bytes.clone()) == bytes, "{threads} threads");
        }
    }
}

/// Without a fix nothing is gained and nothing lost: the same lines are rejected again.
#[test]
fn lines_that_are_still_wrong_are_rejected_again() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 2, 3000, 4);
    let mut content = fs::read(lab.path(&file.name)).unwrap();
    // A line longer than the column holds, in the middle and at the end.
    content.splice(229 * 4..229 * 4, vec![b'7'; 3 * RAW_LIMIT]);
    content.resize(content.len() + 2 * RAW_LIMIT, b'7');
    fs::write(lab.path(&file.name), content).unwrap();
    let loaded = lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    let report = lab.replay(&["loaded.rejects.parquet"], "replayed.parquet");
    assert_eq!(report.totals.rejects, loaded.totals.rejects);
    assert_eq!(report.totals.rejects["long_record"], 2);
    assert_eq!(report.totals.records_written, 0);
    assert_eq!(lab.rows("replayed.rejects.parquet"), lab.rows("loaded.rejects.parquet"));
}

#[test]
fn a_line_is_replayed_once_however_often_it_is_given() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 3, 2000, 4);
    let other = Damaged::write(&lab, 4, 30, 4);
    let inputs = [&file, &other].map(|file| path_input(&lab.path(&file.name)));
    lab.convert(inputs.to_vec(), "loaded.parquet");
    let of_both = |number: i64, raw: &[u8]| {
        let is_of = |file: &&&Damaged| {
            file.sound.len() >= number as usize * 229 && file.line(number).starts_with(raw)
        };
        [&file, &other].iter().find(is_of).map(|file| file.line(number))
    };
    lab.edit("loaded.rejects.parquet", "all.parquet", of_both);
    fs::create_dir(lab.path("rejects")).unwrap();
    fs::copy(lab.path("all.parquet"), lab.path("rejects/a.parquet")).unwrap();
    fs::copy(lab.path("all.parquet"), lab.path("rejects/b.parquet")).unwrap();
    fs::write(lab.path("rejects/README"), "no rejects").unwrap();
    let report = lab.replay(&["all.parquet", "rejects", "all.parquet"], "replayed.parquet");
    let expected = file.rejected() + other.rejected();
    assert_eq!(report.totals.records_written, expected as u64);
    assert_eq!(report.count(Status::Loaded), 2);
    assert_eq!(report.count(Status::Same), 6);
    let rows = [lab.rows("loaded.parquet"), lab.rows("replayed.parquet")].concat();
    assert!(sorted(rows) == sorted([file.rows(), other.rows()].concat()));
}

/// A line that stands twice in one file, first wrong and then right, is the first; the second is
/// counted.
#[test]
fn a_copy_in_the_same_file_is_counted_as_a_duplicate() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 5, 12, 4);
    lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    let numbers: ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![1, 5, 1]));
    lab.rewrite("loaded.rejects.parquet", "twice.parquet", |_| ("record_number", numbers.clone()));
    lab.edit("twice.parquet", "edited.parquet", |number, _| Some(file.line(number)));
    let totals = lab.replay(&["edited.parquet"], "replayed.parquet").totals;
    assert_eq!((totals.records_read, totals.records_written, totals.records_duplicate), (3, 2, 1));
}

/// What was known of a source can be mended, too.
#[test]
fn a_country_given_later_normalizes_numbers() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 6, 10, 2);
    fs::rename(lab.path(&file.name), lab.path("calls.cdr")).unwrap();
    lab.convert(vec![path_input(&lab.path("calls.cdr"))], "loaded.parquet");
    lab.edit("loaded.rejects.parquet", "edited.parquet", |number, _| Some(file.line(number)));
    let country: ArrayRef = Arc::new(arrow_array::StringArray::from(vec!["GB"; 5]));
    lab.rewrite("edited.parquet", "mended.parquet", |_| ("country", country.clone()));
    for (rejects, is_known) in [("edited.parquet", false), ("mended.parquet", true)] {
        let report = lab.replay(&[rejects], "replayed.parquet");
        assert_eq!(report.totals.warnings.contains_key("unknown_country"), !is_known);
        let column = cdrlake_core::schema().index_of("origin_e164").unwrap();
        let rows = lab.rows("replayed.parquet");
        assert!(rows.len() == 5 && rows.iter().all(|row| row[column].is_some() == is_known));
    }
}

/// A file of one sound record and one last line, and what the reference says of it.
fn with_last_line(last: &[u8], strictness: Strictness) -> (Vec<u8>, reference::Decoded) {
    let content: Vec<u8> = Calls::new(10, 1).flatten().chain(last.iter().copied()).collect();
    let options = SourceOptions {
        source_hash: source_hash(&blake3::hash(&content)),
        metadata: parse_file_name(LAST_LINE, None),
        strictness,
        ..SourceOptions::new(LAST_LINE)
    };
    let decoded = reference::decode(&content, &options);
    (content, decoded)
}

const LAST_LINE: &str = "GB_ABC_10_0001_20251101090122.cdr";

/// A line that nobody has edited gets the verdict it had, however it ended.
#[test]
fn an_unedited_line_gets_the_same_verdict() {
    let sound: Vec<u8> = Calls::new(11, 1).flatten().take(228).collect();
    let with = |range: std::ops::Range<usize>, byte: u8| {
        let mut line = sound.clone();
        line[range].fill(byte);
        line
    };
    let lines: [Vec<u8>; 9] = [
        Vec::new(),
        sound[..100].to_vec(),
        sound[..227].to_vec(),
        sound.clone(),
        with(42..50, b'9'),
        with(3..4, 0xFF),
        with(227..228, b' '),
        [&sound[..], &[b'x'; 64]].concat(),
        [&sound[..], b" \xFF"].concat(),
    ];
    let mut rejected = 0;
    for line in &lines {
        for tail in ["", "\r", "\x1A", "\r\x1A", "\x1A\r", "\x1A\x1A", "x"] {
            for line_feed in ["", "\n"] {
                for strictness in [Strictness::Lenient, Strictness::Strict] {
                    let last = [line, tail.as_bytes(), line_feed.as_bytes()].concat();
                    let (content, expected) = with_last_line(&last, strictness);
                    if expected.rejects.is_empty() {
                        continue;
                    }
                    rejected += 1;
                    let lab = Lab { threads: 1, strictness, ..Lab::new() };
                    fs::write(lab.path(LAST_LINE), content).unwrap();
                    lab.convert(vec![path_input(&lab.path(LAST_LINE))], "loaded.parquet");
                    let report = lab.replay(&["loaded.rejects.parquet"], "replayed.parquet");
                    let [reject] = &expected.rejects[..] else { panic!("more rejects than one") };
                    let codes: Vec<_> = report.totals.rejects.keys().collect();
                    let what = format!("{} bytes, {tail:?}, {line_feed:?}", line.len());
                    assert_eq!(report.totals.records_read, 1, "{what}");
                    // What was too long for its 0x1A may also be wrong for what stands at its end.
                    assert_eq!(codes, [reject.code.as_str()], "{what}");
                    let rejects =
                        [lab.rows("loaded.rejects.parquet"), lab.rows("replayed.rejects.parquet")];
                    assert_eq!(rejects[0], rejects[1], "{what}");
                }
            }
        }
    }
    assert!(rejected > 100, "{rejected}");
}

/// An edited last line is what it would have been, had it been sound when it was delivered.
#[test]
fn an_edited_last_line_ends_its_source() {
    for tail in ["\n", "\r\n", "", "\r", "\x1A", "\r\x1A"] {
        for strictness in [Strictness::Lenient, Strictness::Strict] {
            let sound: Vec<u8> = Calls::new(11, 1).flatten().take(228).collect();
            let mut wrong = sound.clone();
            wrong[42..50].fill(b'9');
            let fixed = [&sound[..], tail.as_bytes()].concat();
            let (_, expected) = with_last_line(&fixed, strictness);
            let (content, _) = with_last_line(&[&wrong[..], tail.as_bytes()].concat(), strictness);
            // The row tells of what was delivered.
            let delivered = source_hash(&blake3::hash(&content));
            let delivered = delivered.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            let lab = Lab { threads: 1, strictness, ..Lab::new() };
            fs::write(lab.path(LAST_LINE), content).unwrap();
            lab.convert(vec![path_input(&lab.path(LAST_LINE))], "loaded.parquet");
            let raw = fixed.strip_suffix(b"\n").unwrap_or(&fixed).to_vec();
            lab.edit("loaded.rejects.parquet", "edited.parquet", |_, _| Some(raw.clone()));
            let report = lab.replay(&["edited.parquet"], "replayed.parquet");
            // Without 0x1A nothing tells that there was no line feed.
            let is_told = tail.ends_with(['\n', '\x1A']);
            let mut rows: Vec<Row> = expected.rows.into_iter().skip(1).collect();
            let column = cdrlake_core::schema().index_of("source_hash").unwrap();
            rows.iter_mut().for_each(|row| row[column] = Some(delivered.clone()));
            if is_told {
                assert_eq!(lab.rows("replayed.parquet"), rows, "{tail:?}");
                let codes: Vec<_> =
                    expected.rejects.iter().map(|line| line.code.as_str()).collect();
                assert_eq!(report.totals.rejects.keys().collect::<Vec<_>>(), codes);
            } else if strictness == Strictness::Lenient {
                assert_eq!(lab.rows("replayed.parquet"), rows, "{tail:?}");
            }
            if strictness == Strictness::Lenient {
                let is_warned = report.totals.warnings.contains_key("missing_line_feed");
                assert_eq!(is_warned, tail.ends_with('\x1A'), "{tail:?}");
            }
        }
    }
}
