//! A journal, line by line, whatever somebody may have put in its place.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use crate::line::Line;
use crate::names::{JOURNAL, is_plain_name};

/// Bytes of a journal that are read at the most, its last: a decade of daily requests.
const MOST_BYTES: u64 = 16 << 20;
/// Bytes of a line at the most: an answer of many files.
const LONGEST_LINE: u64 = 64 << 10;

/// Gives `on_line` the lines of a directory's journal, the oldest first. There may be none.
///
/// What is no line of a journal is left out, such as one that a killed run left unfinished, and so are
/// lines of files that have no plain name. Of a journal that is too long its end counts. A journal that is a link, or anything but a file, is none.
///
/// # Errors
///
/// The journal cannot be read.
pub fn read_journal(directory: &Path, mut on_line: impl FnMut(Line)) -> io::Result<()> {
    let path = directory.join(JOURNAL);
    // A fifo would block, and a link may lead anywhere.
    let len = match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut file = File::open(&path)?;
    // What is left of the line there is no line.
    file.seek(SeekFrom::Start(len.saturating_sub(MOST_BYTES)))?;
    let mut reader = BufReader::new(file.take(MOST_BYTES));
    let mut text = Vec::new();
    loop {
        text.clear();
        if (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut text)? == 0 {
            return Ok(());
        }
        // The pieces of a longer line are no lines either.
        if let Ok(mut line) = serde_json::from_slice::<Line>(&text) {
            // All or nothing: a request without one of its files would pass for a whole one.
            if line.files.iter().all(|file| is_plain_name(&file.file)) {
                line.files.shrink_to_fit();
                on_line(line);
            }
        }
    }
}
