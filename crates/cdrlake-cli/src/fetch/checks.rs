//! What the fetcher does not know: the carrier's names, and whether an archive is sound.

use std::fs::File;

use cdrlake::{Chain, Interrupt, Limits, LoadOptions, Progress, Settings};
use cdrlake_core::{Metadata, parse_file_name};
use cdrlake_fetch::{Checks, Contents, Format};
use cdrlake_source::{Excluded, Inboxes, Opening, Selection, SourceError, check_archive};

use crate::message::{Event, Message};

/// Checks by the carrier's forms of names, and by reading archives as `convert` reads them.
#[derive(Debug, Default)]
pub(crate) struct CarrierChecks {
    /// Decides where a name can be split in several ways.
    pub(crate) profile: Option<String>,
    /// Whether warnings are left out.
    pub(crate) is_quiet: bool,
}

impl Checks for CarrierChecks {
    fn is_known_name(&self, name: &str) -> bool {
        parse_file_name(name, self.profile.as_deref()) != Metadata::default()
    }

    fn test(&self, archive: &mut File, format: Format) -> Result<Contents, String> {
        // The archive's own name is not known yet.
        let name = match format {
            Format::Zip => "download.zip",
            Format::Gzip => "download.gz",
        };
        let opening = Opening {
            settings: &Settings::default(),
            selection: &Selection::default(),
            limits: Limits::default(),
            // As much as `convert` takes without further options.
            zip_buffer: LoadOptions::DEFAULT_MEMORY_LIMIT / 4,
            excluded: &Excluded::default(),
            inboxes: &Inboxes::default(),
            interrupt: &Interrupt::default(),
            progress: &Progress::default(),
        };
        let checked = archive.try_clone().map_err(SourceError::Open);
        let checked = checked.and_then(|archive| check_archive(archive, name, opening));
        let checked = checked.map_err(|error| format!("it {}", Chain(&error)))?;
        if checked.trailing_zeros > 0 && !self.is_quiet {
            let (code, count) = ("trailing_zeros", checked.trailing_zeros);
            let text = format_args!("{count} {code}: zeros follow so many archives of a download");
            let message = Message::new(Event::SourceWarning, text);
            message.with("code", code).with("count", count).tell();
        }
        Ok(if checked.is_empty() { Contents::Nothing } else { Contents::Files })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Seek, Write};

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
    fn zeros_may_follow_and_nothing_else() {
        for (bytes, format) in [(zip(&[b"abc"]), Format::Zip), (gzip(b"abc"), Format::Gzip)] {
            let padded = [&bytes[..], &[0; 1000]].concat();
            assert_eq!(test(&padded, format), Ok(Contents::Files), "{format:?}");
            assert!(test(&[&padded, &b"x"[..]].concat(), format).is_err(), "{format:?}");
        }
    }

    /// What is downloaded may be a bill; it is for nobody but the reader of CDRs to refuse.
    #[test]
    fn files_of_any_content_may_be_in_an_archive() {
        let office = [b"PK\x03\x04", &[0; 26][..], b"[Content_Types].xml"].concat();
        let files = [&b"%PDF-1.7"[..], b"a;b", b"<html>", b"PAR1", b"7z\xBC\xAF\x27\x1C", &office];
        assert_eq!(test(&zip(&files), Format::Zip), Ok(Contents::Files));
        let inner = zip(&[b"abc"]);
        assert_eq!(test(&zip(&[&inner]), Format::Zip), Ok(Contents::Files));
        let cut = &inner[..inner.len() - 1];
        let problem = test(&zip(&[cut]), Format::Zip).unwrap_err();
        assert!(problem.starts_with("it cannot be read as a zip archive"), "{problem}");
        let deep = zip(&[&zip(&[&zip(&[&inner])])]);
        assert!(test(&deep, Format::Zip).unwrap_err().contains("more than 3 deep"));
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
            assert!(test(&bytes, format).unwrap_err().contains("times its size"), "{format:?}");
        }
    }

    #[test]
    fn names_of_the_carrier() {
        let checks = CarrierChecks { profile: Some("ABC".to_owned()), is_quiet: false };
        for name in ["AM220120110182.cdr.zip", "DE_ABC_01_0001_20101208090122.cdr.gz"] {
            assert!(checks.is_known_name(name), "{name}");
        }
        for name in ["index.html", "AM2.cdr.zip", "cdr.zip"] {
            assert!(!checks.is_known_name(name), "{name}");
        }
    }
}
