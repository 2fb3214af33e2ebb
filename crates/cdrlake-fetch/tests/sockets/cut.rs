//! A good answer cut at every byte never leaves a file behind.

use cdrlake_fetch::{Error, Fetched, Retry};
use cdrlake_sandbox::{Breach, Framing, Reply, zip_of};

use crate::support::{day, fetch, files, only, options, run, serve};

/// The empty line behind the last chunk, which is there already.
const AFTER_LAST_CHUNK: usize = 2;

fn archive() -> Vec<u8> {
    zip_of(&[("a.cdr", b"abcabcabc")])
}

fn gzip() -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"abcabcabc").unwrap();
    encoder.finish().unwrap()
}

/// Whether `reply`, cut after so many bytes of its framed body, leaves a file.
fn fetch_cut(reply: &Reply, breach: Breach) -> (bool, Vec<String>) {
    let reply = reply.clone().breached(breach);
    let sandbox = serve(move |_| reply.clone());
    let mut options = options(&sandbox.url());
    options.retry = Retry { attempts: 1, ..options.retry };
    let (result, files) = fetch(options);
    if let Err(error) = &result {
        let is_expected = matches!(
            error,
            Error::Transport { .. }
                | Error::Multipart { .. }
                | Error::Damaged { .. }
                | Error::NotAnArchive { .. }
        );
        assert!(is_expected, "{error:?}");
    }
    (result.is_ok(), files)
}

fn cut_everywhere(reply: &Reply, whole_from: usize) {
    let len = reply.framed_body().len();
    for end in 0..len {
        let (is_done, files) = fetch_cut(reply, Breach::Cut(end));
        if end < whole_from {
            assert!(!is_done && files.is_empty(), "cut at {end} of {len}: {files:?}");
        }
    }
    let (is_done, files) = fetch_cut(reply, Breach::None);
    assert!(is_done && files.len() == 1);
}

#[test]
fn with_a_length() {
    let reply = Reply::zip("ABC.cdr.zip", archive());
    cut_everywhere(&reply, reply.body.len());
}

#[test]
fn with_a_length_and_a_reset() {
    let reply = Reply::zip("ABC.cdr.zip", archive());
    for end in 0..reply.body.len() {
        let (is_done, files) = fetch_cut(&reply, Breach::Reset(end));
        assert!(!is_done && files.is_empty(), "reset at {end}");
    }
}

#[test]
fn in_chunks() {
    let reply = Reply::zip("ABC.cdr.zip", archive()).framed(Framing::Chunked);
    cut_everywhere(&reply, reply.framed_body().len() - AFTER_LAST_CHUNK);
}

#[test]
fn until_the_connection_ends() {
    // Only the archive itself tells that it was cut.
    for body in [archive(), gzip()] {
        let reply = Reply::zip("ABC.cdr.zip", body).framed(Framing::Close);
        cut_everywhere(&reply, reply.body.len());
    }
}

#[test]
fn in_multipart() {
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        let reply = Reply::zip("ABC.cdr.zip", archive()).in_multipart().framed(framing);
        let whole_from = match framing {
            // The closing boundary is there, and only its line end is not.
            Framing::Close => reply.body.len() - 2,
            Framing::Chunked => reply.framed_body().len() - AFTER_LAST_CHUNK,
            Framing::Length => reply.body.len(),
        };
        cut_everywhere(&reply, whole_from);
    }
}

#[test]
fn damaged_at_random() {
    const ANSWERS: usize = 400;
    let zip = archive();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; \
         filename=\"ABC.cdr.zip\"\r\nContent-Length: {}\r\n\r\n",
        zip.len()
    );
    let whole = [head.as_bytes(), &zip].concat();
    let parts = Reply::zip("ABC.cdr.zip", zip.clone()).in_multipart();
    let (_, content_type) = &parts.headers[0];
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n");
    let in_parts = [head.as_bytes(), &parts.body].concat();
    let mut random = fastrand::Rng::with_seed(7);
    let mut refused = 0;
    for number in 0..ANSWERS {
        let mut raw = if number % 2 == 0 { whole.clone() } else { in_parts.clone() };
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..raw.len());
            match random.u8(..3) {
                0 => raw[at] = random.u8(..),
                1 => drop(raw.remove(at)),
                _ => raw.insert(at, *random.choice(b"\r\n:;-0P\0\xFF").unwrap()),
            }
        }
        let sandbox = serve(move |_| Reply::empty(200).breached(Breach::Raw(raw.clone())));
        let mut options = options(&sandbox.url());
        options.retry = Retry { attempts: 1, ..options.retry };
        let directory = tempfile::tempdir().unwrap();
        // The damage may be where it does no harm; then the archive is as it was.
        match only(run(options, &[day("2026-11-01")], directory.path())) {
            Ok(Fetched::Files(files)) => {
                let stored = std::fs::read(files[0].path()).unwrap();
                assert!(zip::ZipArchive::new(std::io::Cursor::new(stored)).is_ok(), "{number}");
            }
            _ => {
                refused += 1;
                assert!(files(directory.path()).is_empty(), "{number}");
            }
        }
    }
    assert!(refused > ANSWERS / 4, "{refused}");
}

#[test]
fn two_lengths() {
    // Two that differ, two chunked and not, one that is no number: nobody knows where it ends.
    let zip = archive();
    let len = zip.len();
    for lengths in [
        format!("Content-Length: {len}\r\nContent-Length: {}", len + 1),
        format!("Content-Length: {}\r\nContent-Length: {len}", len - 1),
        format!("Content-Length: {len}\r\nTransfer-Encoding: chunked"),
        format!("Content-Length: {len}, {}", len + 1),
        "Content-Length: -1".to_owned(),
        format!("Content-Length: {len}0000000000000000000000"),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\n");
        let raw = [head.into_bytes(), zip.clone()].concat();
        let (is_done, files) = fetch_cut(&Reply::empty(200), Breach::Raw(raw));
        assert!(!is_done && files.is_empty(), "{lengths}");
    }
}

#[test]
fn a_length_that_lies() {
    let reply = Reply::zip("ABC.cdr.zip", archive());
    let len = reply.body.len() as u64;
    for announced in [0, 1, 4, len - 1, len + 1, len + 1000, u64::MAX] {
        // More than was announced belongs to no answer; less is a cut.
        let (is_done, files) = fetch_cut(&reply, Breach::Length(announced));
        assert!(!is_done && files.is_empty(), "{announced} of {len}");
    }
}
