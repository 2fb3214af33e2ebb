//! Names from the server, and what is there already.

use cdrlake_fetch::{Fetched, Stored};
use cdrlake_sandbox::{Breach, Reply, zip_of};

use crate::support::{Setup, UNRATED, day, fetch, options, serve};

#[test]
fn a_name_that_is_not_plain_is_replaced_by_a_generated_one() {
    let long = format!("ABC{}.zip", "a".repeat(293));
    assert_eq!(long.len(), 300);
    for name in [
        "../ABC.zip",
        "ABC/../../ABC.zip",
        "/tmp/ABC.zip",
        "ABC\\..\\ABC.zip",
        "..",
        "ABC.exe",
        "unknown.zip",
        ".ABC.zip",
        long.as_str(),
    ] {
        let reply = Reply::zip(name, zip_of(&[("a.cdr", b"abc")]));
        for reply in [reply.clone(), reply.in_multipart()] {
            let sandbox = serve(move |_| reply.clone());
            let (result, files) = fetch(options(&sandbox.url()));
            let Ok(Fetched::Files(stored)) = result else { panic!("{name}: {result:?}") };
            let [file] = &files[..] else { panic!("{files:?}") };
            let hash = &file["unratedCallDetailRecord_ABC_2026-11-01_2026-11-01_".len()..];
            assert_eq!(hash.len(), "0a1b2c3d.zip".len(), "{file}");
            assert_eq!(stored[0].path().file_name().unwrap().to_str(), Some(file.as_str()));
        }
    }
}

#[test]
fn a_nul_in_the_name_comes_to_nothing() {
    let zip = zip_of(&[("a.cdr", b"abc")]);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"ABC\0.zip\"\r\n\
         Content-Length: {}\r\n\r\n",
        zip.len()
    );
    // In a header of HTTP it is an error; in that of a part it is a name that is not plain.
    let raw = [head.into_bytes(), zip.clone()].concat();
    let sandbox = serve(move |_| Reply::empty(200).breached(Breach::Raw(raw.clone())));
    let (result, files) = fetch(options(&sandbox.url()));
    assert!(result.is_err() && files.is_empty(), "{result:?}");
    let reply = Reply::zip("ABC\0.zip", zip).in_multipart();
    let sandbox = serve(move |_| reply.clone());
    let (result, files) = fetch(options(&sandbox.url()));
    assert!(result.is_ok() && files[0].starts_with("unrated"), "{result:?}");
}

#[test]
fn the_same_again_is_left_alone_and_other_content_stored_beside() {
    let setup = Setup::small();
    let again = || match setup.one(day("2026-11-21")) {
        Ok(Fetched::Files(files)) => files.into_iter().next().unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(matches!(again(), Stored::New(_)));
    let before = std::fs::metadata(again().path()).unwrap();
    assert!(matches!(again(), Stored::Already(_)));
    let other = zip_of(&[("a.cdr", b"abc")]);
    let stored = other.clone();
    setup.carrier.next(UNRATED, move |reply| Reply { body: other.clone(), ..reply });
    let Stored::Beside { path, taken } = again() else { panic!() };
    assert_eq!(std::fs::read(&path).unwrap(), stored);
    assert_eq!(taken.file_name().unwrap(), "ABC2026112100.cdr.zip");
    let after = std::fs::metadata(&taken).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    assert_eq!(setup.files().len(), 2);
}
