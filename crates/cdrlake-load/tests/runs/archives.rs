//! Archives of every kind, inside each other, sound, cut, flipped and lying.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use cdrlake_core::reference::{Row, batch_rows};
use cdrlake_generate::frozen::Calls;
use cdrlake_load::{
    ConvertOptions, Input, LoadOptions, Overwrite, Report, SourceReport, Status, convert,
};
use cdrlake_source::Limits;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::{BLOCK_LEN, read};

const SAMPLE: &[u8] = include_bytes!("../../../../testdata/valid/DE_SV_00_0001_20110930090122.cdr");

/// A file, or an archive of others, by name.
#[derive(Clone, Debug)]
enum Tree {
    Plain(Vec<u8>),
    /// In so many members.
    Gzip(Box<Tree>, usize),
    Zip(Vec<(String, Tree)>, CompressionMethod),
    Tar(Vec<(String, Tree)>),
    TarGz(Vec<(String, Tree)>),
}

impl Tree {
    fn extension(&self) -> &'static str {
        match self {
            Self::Plain(_) => ".cdr",
            Self::Gzip(..) => ".gz",
            Self::Zip(..) => ".zip",
            Self::Tar(_) => ".tar",
            Self::TarGz(_) => ".tar.gz",
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Plain(bytes) => bytes.clone(),
            Self::Gzip(inner, members) => {
                let bytes = inner.bytes();
                let len = bytes.len().div_ceil(*members).max(1);
                bytes.chunks(len).flat_map(gzip).chain(gzip(b"")).collect()
            }
            Self::Zip(entries, method) => {
                let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
                let options = SimpleFileOptions::default().compression_method(*method);
                for (name, tree) in entries {
                    archive.start_file(name, options).unwrap();
                    archive.write_all(&tree.bytes()).unwrap();
                }
                archive.finish().unwrap().into_inner()
            }
            Self::Tar(entries) => {
                let mut archive = tar::Builder::new(Vec::new());
                for (name, tree) in entries {
                    let bytes = tree.bytes();
                    let mut header = tar::Header::new_ustar();
                    header.set_size(bytes.len() as u64);
                    archive.append_data(&mut header, name, &bytes[..]).unwrap();
                }
                archive.into_inner().unwrap()
            }
            Self::TarGz(entries) => gzip(&Self::Tar(entries.clone()).bytes()),
        }
    }

    /// The contents of the plain files in it.
    fn contents(&self) -> Vec<&[u8]> {
        match self {
            Self::Plain(bytes) => vec![bytes],
            Self::Gzip(inner, _) => inner.contents(),
            Self::Zip(entries, _) | Self::Tar(entries) | Self::TarGz(entries) => {
                entries.iter().flat_map(|(_, tree)| tree.contents()).collect()
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn calls(seed: u64, records: u64) -> Vec<u8> {
    Calls::new(seed, records).flatten().collect()
}

/// A directory for one file after the other, and its conversion.
struct Lab {
    directory: tempfile::TempDir,
    load: LoadOptions,
}

impl Lab {
    fn new() -> Self {
        let mut load = LoadOptions::new(Vec::new());
        load.sizes.block_len = BLOCK_LEN;
        load.settings.metadata.country = "GB".parse().ok();
        Self { directory: tempfile::tempdir().unwrap(), load }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn convert(&self, inputs: &[&Path]) -> (Report, Vec<Row>) {
        let mut load = self.load.clone();
        load.inputs = inputs.iter().map(|path| Input::Path(path.to_path_buf())).collect();
        let output = self.path("out.parquet");
        let options = ConvertOptions {
            compression: cdrlake_parquet::Compression::None,
            overwrite: Overwrite::Replace,
            ..ConvertOptions::new(load, output.clone())
        };
        let _ = fs::remove_file(&output);
        let report = convert(&options).unwrap();
        let batches = if output.exists() { read(&output) } else { Vec::new() };
        (report, batches.iter().flat_map(batch_rows).collect())
    }

    fn convert_bytes(&self, name: &str, bytes: &[u8]) -> (Report, Vec<Row>) {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        self.convert(&[&path])
    }
}

/// How often each row occurs, whatever it is called and wherever it stands.
fn multiset<'r>(rows: impl IntoIterator<Item = &'r Row>) -> BTreeMap<&'r [Option<String>], usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(&row[1..]).or_default() += 1;
    }
    counts
}

fn of_status(report: &Report, status: Status) -> Vec<&SourceReport> {
    report.sources.iter().filter(|source| source.status == status).collect()
}

#[test]
fn every_container_in_every_other() {
    let lab = Lab::new();
    let (_, expected) = lab.convert_bytes("a.cdr", SAMPLE);
    assert_eq!(expected.len(), 3);
    let plain = || Tree::Plain(SAMPLE.to_vec());
    let wrap = |kind: usize, tree: Tree| {
        let entries = |tree: Tree| vec![(format!("in/a{}", tree.extension()), tree)];
        match kind {
            0 => Tree::Gzip(Box::new(tree), 3),
            1 => Tree::Zip(entries(tree), CompressionMethod::Stored),
            2 => Tree::Zip(entries(tree), CompressionMethod::Deflated),
            3 => Tree::Tar(entries(tree)),
            _ => Tree::TarGz(entries(tree)),
        }
    };
    for outer in 0..5 {
        for middle in 0..5 {
            for inner in 0..5 {
                let tree = wrap(outer, wrap(middle, wrap(inner, plain())));
                // Under a name that says nothing, and with zips read forward and held in memory.
                for zip_buffer in [10, 1 << 20] {
                    let mut lab = Lab::new();
                    lab.load.sizes.zip_buffer = Some(zip_buffer);
                    let (report, rows) = lab.convert_bytes("a", &tree.bytes());
                    let errors: Vec<_> = report.sources.iter().map(|s| &s.error).collect();
                    assert_eq!(multiset(&rows), multiset(&expected), "{tree:?}: {errors:?}");
                    assert_eq!(report.count(Status::Failed), 0);
                }
            }
        }
    }
}

#[test]
fn a_fourth_layer_is_refused_by_name() {
    let lab = Lab::new();
    let mut tree = Tree::Plain(SAMPLE.to_vec());
    for _ in 0..4 {
        tree = Tree::Zip(vec![("a".to_owned(), tree)], CompressionMethod::Stored);
    }
    let (report, rows) = lab.convert_bytes("a.zip", &tree.bytes());
    assert!(rows.is_empty());
    let failed = of_status(&report, Status::Failed);
    assert_eq!(failed[0].error_code, Some("limit_exceeded"));
    assert!(failed[0].source.ends_with("a.zip!a!a!a"), "{}", failed[0].source);
    assert!(failed[0].error.as_ref().unwrap().contains("is wrapped more than 3 deep"));
}

#[test]
fn members_are_named_and_described_by_their_own_names_first() {
    let lab = Lab::new();
    let tree = Tree::Zip(
        vec![
            ("x/FR_PBW_00_0007_20150820170113.cdr".to_owned(), Tree::Plain(calls(1, 1))),
            ("calls.bin".to_owned(), Tree::Plain(calls(2, 1))),
        ],
        CompressionMethod::Deflated,
    );
    let (_, rows) = lab.convert_bytes("IT_AJC_15_0001_20121106170122.cdr.zip", &tree.bytes());
    let text = |row: usize, column: usize| rows[row][column].as_deref().unwrap();
    let archive = "IT_AJC_15_0001_20121106170122.cdr.zip";
    assert_eq!(text(0, 0), format!("{archive}!x/FR_PBW_00_0007_20150820170113.cdr"));
    assert_eq!((text(0, 2), text(0, 3), text(0, 6)), ("FR", "PBW", "7"));
    assert_eq!(text(1, 0), format!("{archive}!calls.bin"));
    assert_eq!((text(1, 2), text(1, 3), text(1, 6)), ("IT", "AJC", "1"));
}

/// Cut at every byte and with every bit flipped, an archive fails by name or gives the same rows.
#[test]
fn no_damage_to_an_archive_is_silent() {
    let plain = |name: &str, seed| (name.to_owned(), Tree::Plain(calls(seed, 1)));
    let gzipped = Tree::Gzip(Box::new(Tree::Plain(calls(1, 2))), 1);
    let deflated = Tree::Zip(vec![plain("a", 1), plain("b", 2)], CompressionMethod::Deflated);
    let stored = Tree::Zip(vec![plain("a", 1)], CompressionMethod::Stored);
    let tar_gz = Tree::TarGz(vec![plain("a", 1), plain("b", 2)]);
    let nested = Tree::TarGz(vec![("z".to_owned(), deflated.clone())]);
    // The last in both ways of reading a zip in another archive.
    for (tree, zip_buffer) in [
        (gzipped, 0),
        (deflated, 0),
        (stored, 0),
        (tar_gz, 0),
        (nested.clone(), 10),
        (nested, 1 << 20),
    ] {
        let mut lab = Lab::new();
        lab.load.sizes.zip_buffer = Some(zip_buffer);
        let bytes = tree.bytes();
        let name = &format!("x{}", tree.extension());
        let (_, expected) = lab.convert_bytes(name, &bytes);
        assert!(!expected.is_empty());
        let check = |damaged: &[u8], what: String| {
            let (report, rows) = lab.convert_bytes(name, damaged);
            if report.count(Status::Failed) > 0 {
                assert!(rows.iter().all(|row| expected.contains(row)), "{what}: other rows");
            } else {
                assert_eq!(rows, expected, "{what}: silently wrong");
            }
        };
        for len in 0..bytes.len() {
            check(&bytes[..len], format!("{} cut at {len}", tree.extension()));
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            check(&damaged, format!("{} with bit {bit} flipped", tree.extension()));
        }
    }
}

/// What an archive held that failed at its end is not loaded, and may come again.
#[test]
fn an_archive_that_fails_at_its_end_leaves_nothing() {
    for records in [5, 2000] {
        let mut lab = Lab::new();
        lab.load.sizes.zip_buffer = Some(10);
        let entries = |names: [&str; 2]| {
            names.map(|name| {
                let seed = name.bytes().map(u64::from).sum();
                (name.to_owned(), Tree::Plain(calls(seed, records)))
            })
        };
        let zip = Tree::Zip(entries(["b", "bb"]).to_vec(), CompressionMethod::Deflated);
        let mut inner = zip.bytes();
        let end = inner.len();
        inner[end - 54] ^= 1; // the checksum of the last entry in the directory
        let [first, last] = entries(["a", "aaa"]);
        let tar = Tree::Tar(vec![first, ("z".to_owned(), Tree::Plain(inner)), last]);
        let (good, cut) = (tar.bytes(), &gzip(&tar.bytes()));
        // The zip in the tar fails alone.
        let (report, rows) = lab.convert_bytes("x.tar", &good);
        assert_eq!(rows.len(), 2 * records as usize);
        let codes: Vec<_> = report.sources.iter().map(|source| source.error_code).collect();
        let zip_codes = [Some("archive_failed"), Some("archive_failed"), Some("damaged_zip")];
        assert_eq!(codes, [&[None][..], &zip_codes, &[None]].concat(), "{records}");
        // The gzip around the tar fails all of it; a sound copy is loaded.
        fs::write(lab.path("1.tar.gz"), &cut[..cut.len() - 4]).unwrap();
        fs::write(lab.path("2.tar"), &good).unwrap();
        let (report, rows) = lab.convert(&[&lab.path("1.tar.gz"), &lab.path("2.tar")]);
        assert_eq!(rows.len(), 2 * records as usize);
        assert_eq!(of_status(&report, Status::Loaded).len(), 2);
        assert_eq!(report.totals.records_written, 2 * records);
        assert!(of_status(&report, Status::Loaded).iter().all(|s| s.source.contains("2.tar!")));
    }
}

#[test]
fn caps_stop_bombs() {
    let bomb = gzip(&vec![b'0'; 64 << 20]);
    let many = Tree::Zip(
        (0..11).map(|n| (n.to_string(), Tree::Plain(calls(n, 1)))).collect(),
        CompressionMethod::Stored,
    );
    let limits = Limits::default();
    let cases = [
        (bomb.clone(), Limits { ratio: 100, ..limits }, "100 times its size"),
        (bomb, Limits { ratio: u64::MAX, total: 1 << 20, ..limits }, "more than 1048576 bytes"),
        (many.bytes(), Limits { entries: 10, ..limits }, "more than 10 members"),
        (many.bytes(), Limits { depth: 0, ..limits }, "more than 0 deep"),
    ];
    for (bytes, limits, message) in cases {
        let mut lab = Lab::new();
        lab.load.limits = limits;
        let (report, _) = lab.convert_bytes("x", &bytes);
        let errors: Vec<_> =
            report.sources.iter().filter_map(|source| source.error.as_ref()).collect();
        assert!(errors.len() == 1 && errors[0].contains(message), "{message}: {errors:?}");
    }
}

/// However many tiny members earn their archive new reads: the file's bytes count once.
#[test]
fn headers_read_over_and_over_do_not_earn_more_ratio() {
    let lab = Lab::new();
    let names = (0..60).map(|n| {
        let content = [calls(n, 1), vec![b'7'; 1 << 20]].concat();
        (format!("{n}.cdr"), Tree::Plain(content))
    });
    let bytes = Tree::Zip(names.collect(), CompressionMethod::Deflated).bytes();
    assert!(bytes.len() < 200_000, "{}", bytes.len());
    let (report, _) = lab.convert_bytes("x.zip", &bytes);
    let unwrapped: u64 = report.totals.bytes_read;
    let allowed = (250 * bytes.len() as u64).max(16 << 20);
    assert!(unwrapped <= allowed, "{unwrapped} of {allowed} bytes");
    assert!(of_status(&report, Status::Failed).len() >= 60 - (allowed >> 20) as usize);
}

/// A zip says at its end how many entries it has: too many are not even listed.
#[test]
fn too_many_entries_are_refused_before_they_are_listed() {
    let mut lab = Lab::new();
    lab.load.limits.entries = 10;
    let names = (0..11).map(|n| (n.to_string(), Tree::Plain(calls(n, 1))));
    let bytes = Tree::Zip(names.collect(), CompressionMethod::Stored).bytes();
    let (report, rows) = lab.convert_bytes("x.zip", &bytes);
    assert!(rows.is_empty());
    assert_eq!(report.sources.len(), 1);
    assert_eq!(report.sources[0].error_code, Some("limit_exceeded"));
    // Whatever it says: what is listed is counted, and what is held of it is bounded.
    let end = bytes.len() - 22;
    for count in [0_u16, 1, 10, 12] {
        let mut lying = bytes.clone();
        lying[end + 8..end + 10].copy_from_slice(&count.to_le_bytes());
        lying[end + 10..end + 12].copy_from_slice(&count.to_le_bytes());
        let (report, rows) = lab.convert_bytes("x.zip", &lying);
        assert!(rows.is_empty() && report.count(Status::Failed) == 1, "{count}");
    }
}

/// What follows the end of a zip fails it when it is read forward, too, and a directory that has
/// content is a file there.
#[test]
fn a_zip_that_is_read_forward_is_judged_alike() {
    let directory = include_bytes!("../../../../testdata/invalid/directory_with_content.cdr.zip");
    let garbage = include_bytes!("../../../../testdata/invalid/garbage_after_end.cdr.zip");
    let comment = include_bytes!("../../../../testdata/invalid/comment.cdr.zip");
    let behind = include_bytes!("../../../../testdata/invalid/data_descriptors.cdr.zip");
    for zip_buffer in [10, 1 << 20] {
        let mut lab = Lab::new();
        lab.load.sizes.zip_buffer = Some(zip_buffer);
        let judge = |zip: &[u8]| {
            let tar = Tree::Tar(vec![("x.zip".to_owned(), Tree::Plain(zip.to_vec()))]);
            let (report, rows) = lab.convert_bytes("x.tar", &tar.bytes());
            let codes = report.sources.iter().filter_map(|source| source.error_code);
            (rows.len(), codes.collect::<Vec<_>>())
        };
        assert_eq!(judge(directory), (3, vec![]), "{zip_buffer}");
        assert_eq!(judge(comment), (3, vec![]), "{zip_buffer}");
        let (rows, codes) = judge(garbage);
        assert!(rows == 0 && codes.contains(&"damaged_zip"), "{zip_buffer}: {codes:?}");
        // Forward, nothing tells where such an entry ends.
        let expected = if zip_buffer == 10 { (0, vec!["zip_length_behind"]) } else { (3, vec![]) };
        assert_eq!(judge(behind), expected, "{zip_buffer}");
    }
}

#[test]
fn members_that_are_no_files_are_named() {
    let lab = Lab::new();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, "link.cdr", "elsewhere").unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(SAMPLE.len() as u64);
    archive.append_data(&mut header, "../../a.cdr", SAMPLE).unwrap_or_default();
    archive.append_data(&mut header, "a.cdr", SAMPLE).unwrap();
    let (report, rows) = lab.convert_bytes("a.tar", &archive.into_inner().unwrap());
    assert_eq!(rows.len(), 3);
    let failed = of_status(&report, Status::Failed);
    assert_eq!((failed.len(), failed[0].error_code), (1, Some("special_file")));
}

/// Random trees of archives of random sources.
fn tree(depth: u32) -> BoxedStrategy<Tree> {
    let plain =
        (any::<u64>(), 0_u64..1200).prop_map(|(seed, records)| Tree::Plain(calls(seed, records)));
    if depth == 0 {
        return plain.boxed();
    }
    let entries = prop::collection::vec(tree(depth - 1), 0..4).prop_map(|trees| {
        let named = trees.into_iter().enumerate();
        named.map(|(n, tree)| (format!("{n}{}", tree.extension()), tree)).collect::<Vec<_>>()
    });
    prop_oneof![
        plain,
        (tree(depth - 1), 1_usize..5).prop_map(|(tree, members)| match tree {
            // A gzip directly in a gzip, or around a tar, changes the layers; see above.
            Tree::Plain(_) | Tree::Zip(..) => Tree::Gzip(Box::new(tree), members),
            other => other,
        }),
        (entries.clone(), any::<bool>()).prop_map(|(entries, stored)| {
            let method =
                if stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
            Tree::Zip(entries, method)
        }),
        entries.clone().prop_map(Tree::Tar),
        entries.prop_map(Tree::TarGz),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Whatever the nesting, splitting and order, the multiset of rows is the same.
    #[test]
    fn wrapping_changes_no_row(tree in tree(3), zip_buffer in prop::sample::select(vec![10, 1 << 20])) {
        let mut lab = Lab::new();
        lab.load.sizes.zip_buffer = Some(zip_buffer);
        // Equal contents are loaded once.
        let mut contents = tree.contents();
        contents.sort();
        contents.dedup();
        for (n, content) in contents.iter().enumerate() {
            fs::create_dir_all(lab.path("plain")).unwrap();
            fs::write(lab.path(&format!("plain/{n}.cdr")), content).unwrap();
        }
        let expected =
            if contents.is_empty() { Vec::new() } else { lab.convert(&[&lab.path("plain")]).1 };
        let (report, rows) = lab.convert_bytes(&format!("x{}", tree.extension()), &tree.bytes());
        prop_assert_eq!(report.count(Status::Failed), 0, "{:?}", report.sources);
        prop_assert_eq!(multiset(&rows), multiset(&expected));
    }
}
