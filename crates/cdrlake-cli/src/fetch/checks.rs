//! What the fetcher does not know: the carrier's names, and whether an archive is sound.

use std::fs::File;
use std::io::{self, BufReader, Read};

use cdrlake::Limits;
use cdrlake_core::{Metadata, parse_file_name};
use cdrlake_fetch::{Checks, Contents, Format};
use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

/// Checks by the carrier's forms of names, and by unwrapping archives to nowhere.
#[derive(Debug, Default)]
pub(crate) struct CarrierChecks {
    /// Decides where a name can be split in several ways.
    pub(crate) profile: Option<String>,
}

impl Checks for CarrierChecks {
    fn is_known_name(&self, name: &str) -> bool {
        parse_file_name(name, self.profile.as_deref()) != Metadata::default()
    }

    fn test(&self, archive: &mut File, format: Format) -> Result<Contents, String> {
        let tested = match format {
            Format::Zip => test_zip(archive),
            Format::Gzip => test_gzip(archive),
        };
        tested.map_err(|error| error.to_string())
    }
}

/// Every entry to its end, where its checksum is compared.
fn test_zip(archive: &mut File) -> io::Result<Contents> {
    let mut budget = Budget::of(archive)?;
    let mut zip = ZipArchive::new(BufReader::new(archive))?;
    if zip.len() as u64 > Limits::default().entries {
        return Err(io::Error::other("it has too many entries"));
    }
    for number in 0..zip.len() {
        let entry = zip.by_index(number);
        // The message may quote the entry's name; its number says as much.
        let tested = entry.map_err(io::Error::from).and_then(|entry| budget.drain(entry));
        tested.map_err(|error| {
            io::Error::new(error.kind(), format!("entry {}: {error}", number + 1))
        })?;
    }
    Ok(if zip.is_empty() { Contents::Nothing } else { Contents::Files })
}

/// Every member to its end, where checksum and length are compared.
fn test_gzip(archive: &mut File) -> io::Result<Contents> {
    let mut budget = Budget::of(archive)?;
    budget.drain(MultiGzDecoder::new(BufReader::new(archive)))?;
    Ok(Contents::Files)
}

/// How many bytes an archive may still unwrap to.
struct Budget(u64);

impl Budget {
    /// As much as `convert` would unwrap of it.
    fn of(archive: &File) -> io::Result<Self> {
        let limits = Limits::default();
        Ok(Self(archive.metadata()?.len().saturating_mul(limits.ratio).min(limits.total)))
    }

    fn drain(&mut self, stream: impl Read) -> io::Result<()> {
        let read = io::copy(&mut stream.take(self.0.saturating_add(1)), &mut io::sink())?;
        let left = self.0.checked_sub(read);
        self.0 = left.ok_or_else(|| io::Error::other("it unwraps to far more than it is"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn test(bytes: &[u8], format: Format) -> Result<Contents, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        CarrierChecks::default().test(&mut file, format)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zip(files: &[&[u8]]) -> Vec<u8> {
        let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
        for (number, file) in files.iter().enumerate() {
            zip.start_file(format!("{number}.cdr"), SimpleFileOptions::default()).unwrap();
            zip.write_all(file).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn sound_archives() {
        assert_eq!(test(&zip(&[b"abc", b""]), Format::Zip), Ok(Contents::Files));
        assert_eq!(test(&zip(&[]), Format::Zip), Ok(Contents::Nothing));
        let members = [gzip(b"abc"), gzip(b"def")].concat();
        assert_eq!(test(&members, Format::Gzip), Ok(Contents::Files));
    }

    #[test]
    fn every_cut_and_most_flips_are_found() {
        let content: Vec<u8> = (0..200u8).collect();
        for (bytes, format) in
            [(zip(&[&content, b"abcabcabc"]), Format::Zip), (gzip(&content), Format::Gzip)]
        {
            for end in 0..bytes.len() {
                assert!(test(&bytes[..end], format).is_err(), "{format:?} cut at {end}");
            }
            // The content and its checksum; headers have bits that mean nothing.
            let from = if format == Format::Zip { 35 } else { 10 };
            for at in from..from + content.len() {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1;
                assert!(test(&flipped, format).is_err(), "{format:?} flipped at {at}");
            }
        }
    }

    #[test]
    fn bombs_are_not_unwrapped_to_their_end() {
        let bomb = vec![0; 64 << 20];
        for (bytes, format) in [(gzip(&bomb), Format::Gzip), (zip(&[&bomb]), Format::Zip)] {
            assert!(test(&bytes, format).unwrap_err().contains("far more"), "{format:?}");
        }
    }

    #[test]
    fn names_of_the_carrier() {
        let checks = CarrierChecks { profile: Some("ABC".to_owned()) };
        for name in ["AM220120110182.cdr.zip", "DE_ABC_01_0001_20101208090122.cdr.gz"] {
            assert!(checks.is_known_name(name), "{name}");
        }
        for name in ["index.html", "AM2.cdr.zip", "cdr.zip"] {
            assert!(!checks.is_known_name(name), "{name}");
        }
    }
}
