//! What an answer holds: what is stored of it, and what is not.

use cdrlake_fetch::{Error, ErrorKind, Fetched};
use cdrlake_sandbox::{Reply, zip_of};

use crate::support::{UNRATED, error, fetch, good, options, serve};

#[test]
fn what_is_no_archive_is_not_stored() {
    for (reply, found) in [
        (Reply::new(200, "text/html", "<html>Please sign in</html>"), "HTML"),
        (Reply::new(200, "application/zip", "\n <!DOCTYPE html>"), "HTML"),
        (Reply::new(200, "application/zip", ""), "empty"),
        (Reply::new(200, "application/zip", "plain text"), "application/zip"),
        (Reply { status: 200, ..error(500) }, "ERR01, a reason, a message"),
        (Reply::new(200, "text/html", "<html>").in_multipart(), "HTML"),
        (Reply::new(200, "multipart/form-data; boundary=x", "--x--\r\n"), "empty"),
        (good().with("Content-Encoding", "gzip"), "gzip"),
        (Reply { status: 206, ..good() }, "206"),
    ] {
        let sandbox = serve(move |_| reply.clone());
        let (result, files) = fetch(options(&sandbox.url()));
        let error = result.unwrap_err();
        assert!(matches!(error, Error::NotAnArchive { .. }), "{error:?}");
        assert!(error.to_string().contains(found), "{error}");
        assert_eq!(error.kind(), ErrorKind::DamagedInput);
        assert!(files.is_empty());
        assert_eq!(sandbox.requests_for(UNRATED).len(), 1);
    }
}

#[test]
fn the_content_type_is_not_believed() {
    for content_type in ["text/html", "application/json", "", "multipart/form-data; boundary=x"] {
        let reply = Reply::new(200, content_type, zip_of(&[("a.cdr", b"abc")]));
        let sandbox = serve(move |_| reply.clone());
        let (result, files) = fetch(options(&sandbox.url()));
        assert!(result.is_ok(), "{content_type}: {result:?}");
        assert_eq!(files.len(), 1);
        assert!(files[0].starts_with("unratedCallDetailRecord_ABC_2026-11-01_2026-11-01_"));
        assert!(files[0].ends_with(".zip"));
    }
}

#[test]
fn a_damaged_archive_is_not_stored() {
    let whole = zip_of(&[("a.cdr", b"abcabcabcabc")]);
    for at in [36, 40, whole.len() - 22] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let sandbox = serve(move |_| Reply::zip("ABC.cdr.zip", damaged.clone()));
        let (result, files) = fetch(options(&sandbox.url()));
        assert!(matches!(result, Err(Error::Damaged { .. })), "{at}: {result:?}");
        assert!(files.is_empty());
    }
}

#[test]
fn all_archives_of_a_multipart_answer_or_none() {
    let part = |name: &str, body: &[u8]| {
        [
            format!("--x\r\nContent-Disposition: form-data; filename=\"{name}\"\r\n\r\n")
                .as_bytes(),
            body,
            b"\r\n",
        ]
        .concat()
    };
    let zip = zip_of(&[("a.cdr", b"abc")]);
    let other = zip_of(&[("b.cdr", b"abcd")]);
    let body = [
        part("ABC1.zip", &zip),
        part("about.json", b"{}"),
        part("ABC2.zip", &other),
        b"--x--".to_vec(),
    ]
    .concat();
    let content_type = "multipart/form-data; boundary=x";
    for (body, expected) in
        [(body.clone(), vec!["ABC1.zip", "ABC2.zip"]), (body[..body.len() - 1].to_vec(), vec![])]
    {
        let sandbox = serve(move |_| Reply::new(200, content_type, body.clone()));
        let (result, files) = fetch(options(&sandbox.url()));
        assert_eq!(result.is_ok(), !expected.is_empty());
        assert_eq!(files, expected);
    }
}

#[test]
fn nothing_to_download() {
    for reply in [
        Reply::empty(204),
        error(404),
        Reply::empty(404),
        Reply::zip("ABC.cdr.zip", cdrlake_sandbox::empty_zip()),
        Reply::zip("ABC.cdr.zip", cdrlake_sandbox::empty_zip()).in_multipart(),
    ] {
        let sandbox = serve(move |_| reply.clone());
        let (result, files) = fetch(options(&sandbox.url()));
        assert!(matches!(result, Ok(Fetched::Nothing)), "{result:?}");
        assert!(files.is_empty());
        assert_eq!(sandbox.requests_for(UNRATED).len(), 1);
    }
}
