//! Containers, sound and damaged.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use arbitrary::{Arbitrary, Result, Unstructured};
use cdrlake::{Input, LoadOptions, Status, validate};
use cdrlake_core::{SourceOptions, reference};
use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::{SAMPLES, scratch};

/// What a file of the fuzzer is called.
const NAMES: [&str; 6] = ["a.cdr", "a.cdr.gz", "a.cdr.zip", "a.tar", "a.tar.gz", "a"];

/// No container, sound or damaged, makes a run fail or count wrongly; of a sound one every record is
/// counted.
///
/// Input: a name; then 0 and the file, or 1, how many bytes to damage and which, and a tree of
/// containers.
pub fn containers(input: &[u8]) {
    let mut bytes = Unstructured::new(input);
    let Ok((name, file, contents)) = file(&mut bytes) else { return };
    let directory = scratch::directory();
    let path = directory.path().join(name);
    std::fs::write(&path, &file).expect("a file");
    let mut options = LoadOptions::new(vec![Input::Path(path)]);
    options.threads = std::num::NonZero::new(1);
    let mut rejects = 0;
    let report = validate(&options, &mut |_, _| rejects += 1).expect("a run");
    let totals = &report.totals;
    assert_eq!(totals.records_read, totals.records_written + totals.records_rejected);
    assert_eq!(totals.records_rejected, rejects);
    for source in report.sources.iter().filter(|source| source.status != Status::Loaded) {
        let tally = &source.tally;
        assert_eq!((tally.records_read, tally.records_written, tally.bytes_read), (0, 0, 0));
        assert_eq!(source.status == Status::Failed, source.error.is_some());
    }
    if let Some(contents) = contents {
        // Everything can be read, but lines without a sound record among them are no CDR file.
        for source in report.sources.iter().filter(|source| source.status == Status::Failed) {
            let code = source.error_code;
            assert!(matches!(code, Some("not_cdr" | "same_as_failed")), "{source:?}");
        }
        let (rows, rejects) = expected(&contents);
        assert_eq!((totals.records_written, totals.records_rejected), (rows, rejects));
    }
}

/// Records and rejects of what must be loaded: each content once, if it has a sound record.
fn expected(contents: &[Vec<u8>]) -> (u64, u64) {
    let distinct: BTreeMap<&[u8], ()> = contents.iter().map(|content| (&content[..], ())).collect();
    let decoded =
        distinct.keys().map(|content| reference::decode(content, &SourceOptions::new("a.cdr")));
    decoded.filter(|decoded| !decoded.rows.is_empty()).fold((0, 0), |(rows, rejects), decoded| {
        (rows + decoded.rows.len() as u64, rejects + decoded.rejects.len() as u64)
    })
}

type File = (&'static str, Vec<u8>, Option<Vec<Vec<u8>>>);

/// A name, the bytes, and what is in it, if it is sound.
fn file(bytes: &mut Unstructured<'_>) -> Result<File> {
    let name = NAMES[usize::from(u8::arbitrary(bytes)?) % NAMES.len()];
    if u8::arbitrary(bytes)? % 2 == 0 {
        return Ok((name, bytes.bytes(bytes.len())?.to_vec(), None));
    }
    let damage: Vec<(u16, u8)> = (0..u8::arbitrary(bytes)? % 4)
        .map(|_| <(u16, u8)>::arbitrary(bytes))
        .collect::<Result<_>>()?;
    let tree = Tree::new(bytes, 3)?;
    let mut file = tree.pack();
    if damage.is_empty() {
        let mut contents = Vec::new();
        tree.contents(&mut contents);
        return Ok(("a", file, Some(contents)));
    }
    let len = file.len().max(1);
    for (at, byte) in damage {
        if let Some(old) = file.get_mut(usize::from(at) % len) {
            *old = byte;
        }
    }
    Ok((name, file, None))
}

/// Containers inside each other.
enum Tree {
    Plain(Vec<u8>),
    Gzip(Box<Self>),
    Zip(Vec<Self>, CompressionMethod),
    Tar(Vec<Self>),
}

impl Tree {
    fn new(bytes: &mut Unstructured<'_>, depth: usize) -> Result<Self> {
        let kind = u8::arbitrary(bytes)?;
        if depth == 0 {
            return Self::plain(bytes);
        }
        Ok(match kind % 8 {
            0 | 1 => Self::Gzip(Box::new(Self::new(bytes, depth - 1)?)),
            2 => Self::Zip(Self::members(bytes, depth)?, CompressionMethod::Deflated),
            3 => Self::Zip(Self::members(bytes, depth)?, CompressionMethod::Stored),
            4 => Self::Tar(Self::members(bytes, depth)?),
            _ => Self::plain(bytes)?,
        })
    }

    fn members(bytes: &mut Unstructured<'_>, depth: usize) -> Result<Vec<Self>> {
        (0..u8::arbitrary(bytes)? % 4).map(|_| Self::new(bytes, depth - 1)).collect()
    }

    /// Some lines of a sample, one of them perhaps damaged; never empty, for what is empty has no
    /// magic bytes.
    fn plain(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let [sample, lines, damage] = <[u8; 3]>::arbitrary(bytes)?;
        let sample = SAMPLES[usize::from(sample) % SAMPLES.len()].1;
        let lines = 1 + usize::from(lines) % 3;
        let mut plain: Vec<u8> =
            sample.split_inclusive(|&byte| byte == b'\n').take(lines).flatten().copied().collect();
        if damage > 0 {
            plain[usize::from(damage) % 228] = b'?';
        }
        Ok(Self::Plain(plain))
    }

    fn contents(&self, contents: &mut Vec<Vec<u8>>) {
        match self {
            Self::Plain(plain) => contents.push(plain.clone()),
            Self::Gzip(tree) => tree.contents(contents),
            Self::Zip(trees, _) | Self::Tar(trees) => {
                trees.iter().for_each(|tree| tree.contents(contents));
            }
        }
    }

    fn pack(&self) -> Vec<u8> {
        match self {
            Self::Plain(plain) => plain.clone(),
            Self::Gzip(tree) => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&tree.pack()).expect("memory");
                encoder.finish().expect("memory")
            }
            Self::Zip(trees, method) => {
                let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
                let options = SimpleFileOptions::default().compression_method(*method);
                for (number, tree) in trees.iter().enumerate() {
                    writer.start_file(format!("{number}"), options).expect("a name of its own");
                    writer.write_all(&tree.pack()).expect("memory");
                }
                writer.finish().expect("memory").into_inner()
            }
            Self::Tar(trees) => {
                let mut builder = tar::Builder::new(Vec::new());
                for (number, tree) in trees.iter().enumerate() {
                    let bytes = tree.pack();
                    let mut header = tar::Header::new_ustar();
                    header.set_size(bytes.len() as u64);
                    header.set_mode(0o644);
                    builder
                        .append_data(&mut header, format!("{number}"), &bytes[..])
                        .expect("a short name");
                }
                builder.into_inner().expect("memory")
            }
        }
    }
}
