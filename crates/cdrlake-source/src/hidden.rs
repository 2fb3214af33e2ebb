//! Hidden files: they are left out, and one that holds records was perhaps forgotten.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use cdrlake_core::{Decoder, SourceOptions};
use flate2::read::GzDecoder;

/// Whether the first line of a file, or of a gzip, is a sound record. Of what cannot be read, and of
/// archives, it is not.
pub(crate) fn holds_records(path: &Path) -> bool {
    first_line(path).is_ok_and(|line| is_record(&line))
}

fn first_line(path: &Path) -> io::Result<Vec<u8>> {
    /// No record with its line feed is longer.
    const LONGEST: u64 = 300;
    let mut file = BufReader::new(File::open(path)?);
    let is_gzip = file.fill_buf()?.starts_with(&[0x1F, 0x8B]);
    let content: &mut dyn Read = if is_gzip { &mut GzDecoder::new(file) } else { &mut file };
    let mut line = Vec::new();
    BufReader::with_capacity(512, content.take(LONGEST)).read_until(b'\n', &mut line)?;
    Ok(line)
}

fn is_record(line: &[u8]) -> bool {
    let mut decoder = Decoder::new(&SourceOptions { batch_size: 1, ..SourceOptions::new("") });
    decoder.decode(line, &mut |_| {});
    decoder.is_full()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn records_plain_and_compressed_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let holds = |content: &[u8]| {
            let path = directory.path().join(".x");
            std::fs::write(&path, content).unwrap();
            holds_records(&path)
        };
        let gzip = |content: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        };
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/valid");
        let sample = std::fs::read_dir(sample).unwrap().map(|entry| entry.unwrap().path());
        let sample = sample.filter(|path| path.extension().is_some_and(|it| it == "cdr")).min();
        let records = std::fs::read(sample.unwrap()).unwrap();
        assert!(holds(&records) && holds(&gzip(&records)));
        assert!(!holds(&records[..200]) && !holds(&gzip(&records)[..20]));
        for other in [&b""[..], b"\n", b"\x1F\x8B", b"[Dolphin]\nTimestamp=2026\n", &[0; 4096]] {
            assert!(!holds(other) && !holds(&gzip(other)), "{other:?}");
        }
        assert!(!holds_records(directory.path()));
    }
}
