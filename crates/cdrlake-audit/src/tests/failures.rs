//! Sources that failed: each delivery's last attempt, until it is loaded.

use std::fs;
use std::io::Write;

use cdrlake_load::{MaxRejects, OnChanged, Status};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::SignedDuration;

use super::{Lab, calls, content, name};

const FOREIGN: &[u8] = b"no record at all\n";

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

impl Lab {
    fn with(directories: &[&str]) -> Self {
        let lab = Self::whole();
        for directory in directories {
            fs::create_dir(lab.path(directory)).unwrap();
        }
        lab
    }

    /// Loads this content under this name, which is then one of a failed source or is not.
    fn try_load(&self, name: &str, content: &[u8]) -> Status {
        let name = self.write(name, content);
        self.load(&[name], |_| {}).sources[0].status
    }

    /// The names of failed sources that are open.
    fn failed(&self) -> Vec<String> {
        let told = self.told().into_iter();
        let of_failed = |told: String| {
            let rest = told.strip_prefix("failed_source: failed: ")?;
            Some(rest.split_once(": ")?.0.to_owned())
        };
        told.filter_map(of_failed).collect()
    }
}

/// Whether it is settled later or not.
#[test]
fn a_failed_attempt_is_no_delivery() {
    let lab = Lab::new();
    fs::create_dir(lab.path("first")).unwrap();
    let failed = lab.write(&format!("first/{}", name(2)), FOREIGN);
    let last = lab.write(&format!("first/{}", name(5)), FOREIGN);
    lab.load(&[name(0), name(1), failed, name(3), name(4), last], |_| {});
    let mut kinds: Vec<String> =
        lab.told().iter().map(|told| told.split(':').next().unwrap().to_owned()).collect();
    kinds.sort();
    let [failed, delivery, sequence] = ["failed_source", "missing_delivery", "missing_sequence"];
    assert_eq!(kinds, [failed, failed, delivery, sequence]);
    let mut options = lab.options;
    options.max_age = Some(SignedDuration::from_hours(20));
    let stale = |options| {
        let audit = super::audit(&lab.location(), options).unwrap();
        audit.findings.iter().filter(|f| f.observation.kind() == "stale_delivery").count()
    };
    assert_eq!(stale(&options), 1);
    lab.load(&[name(2), name(5)], |_| {});
    assert!(lab.told().is_empty(), "{:?}", lab.told());
    let audit = lab.audit();
    assert_eq!((audit.schedules[0].deliveries, audit.sequences[0].deliveries), (6, 6));
    assert_eq!(stale(&options), 0);
}

#[test]
fn one_failure_however_it_is_called() {
    let lab = Lab::with(&["a", "b"]);
    // Moved: the same content.
    assert_eq!(lab.try_load("a/calls.cdr", FOREIGN), Status::Failed);
    assert_eq!(lab.try_load("b/moved.cdr", FOREIGN), Status::Failed);
    assert_eq!(lab.failed(), ["b/moved.cdr"]);
    // Fetched again elsewhere: the same name of the carrier's form, the content unknown.
    let whole = compressed(&calls(70).concat());
    let name = "GB_ABC_10_0007_20251003180000.cdr.gz";
    for directory in ["a", "b"] {
        let path = format!("{directory}/{name}");
        assert_eq!(lab.try_load(&path, &whole[..whole.len() - 1]), Status::Failed);
    }
    assert_eq!(lab.failed(), ["b/moved.cdr".to_owned(), format!("b/{name}")]);
    // Named in another way: the same place.
    for path in ["a/calls.gz", "a/../a/calls.gz", "b/../a/./calls.gz"] {
        assert_eq!(lab.try_load(path, &whole[..whole.len() - 2]), Status::Failed);
    }
    assert_eq!(lab.failed().len(), 3, "{:?}", lab.failed());
    // What is another in every respect is another.
    assert_eq!(lab.try_load("b/calls.gz", &whole[..whole.len() - 3]), Status::Failed);
    assert_eq!(lab.failed().len(), 4);
}

/// A finding that was accepted stays so when its source fails again from elsewhere.
#[test]
fn a_failure_that_was_accepted_stays_so() {
    let lab = Lab::with(&["a", "b"]);
    lab.try_load("a/calls.cdr", FOREIGN);
    let id = lab.audit().findings[0].id.clone();
    super::accept(&lab.location(), &lab.options, &[id], "a list of numbers").unwrap();
    lab.try_load("b/moved.cdr", FOREIGN);
    assert!(lab.told().is_empty(), "{:?}", lab.told());
}

#[test]
fn a_failure_is_settled_wherever_its_delivery_is_loaded_from() {
    let lab = Lab::with(&["a", "b"]);
    // The same content, judged less strictly.
    let content = [&calls(71).concat()[..], FOREIGN].concat();
    let none = |options: &mut cdrlake_lake::LakeOptions| {
        options.load.max_rejects = Some(MaxRejects::Count(0));
    };
    let strict = lab.write("a/calls.cdr", &content);
    assert_eq!(lab.load(&[strict], none).sources[0].status, Status::Failed);
    assert_eq!(lab.failed(), ["a/calls.cdr"]);
    assert_eq!(lab.try_load("b/other.cdr", &content), Status::Loaded);
    assert_eq!(lab.failed(), [""; 0]);
    // Mended where it stands.
    assert_eq!(lab.try_load("a/mended.cdr", FOREIGN), Status::Failed);
    assert_eq!(lab.try_load("a/mended.cdr", &calls(72).concat()), Status::Loaded);
    assert_eq!(lab.failed(), [""; 0]);
    // Or its content is here already, under another name.
    let whole = compressed(&calls(72).concat());
    assert_eq!(lab.try_load("a/calls.gz", &whole[..whole.len() - 1]), Status::Failed);
    assert_eq!(lab.try_load("a/calls.gz", &whole), Status::Same);
    assert_eq!(lab.failed(), [""; 0]);
}

/// An archive is loaded by its members.
#[test]
fn a_failed_archive_is_settled_by_its_members() {
    let lab = Lab::with(&["a"]);
    let mut archive = tar::Builder::new(Vec::new());
    for seed in [80, 81] {
        let content = calls(seed).concat();
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, format!("{seed}.cdr"), &content[..]).unwrap();
    }
    let whole = compressed(&archive.into_inner().unwrap());
    let cut = lab.write("a/calls.tar.gz", &whole[..whole.len() - 4]);
    let report = lab.load(&[cut], |_| {});
    assert_eq!((report.count(Status::Failed), lab.failed().len()), (3, 3));
    lab.try_load("a/calls.tar.gz", &whole);
    assert_eq!(lab.failed(), [""; 0]);
}

/// Of two contents under one name, that one is loaded says nothing of the other.
#[test]
fn a_changed_delivery_is_open_until_it_is_loaded_itself() {
    let lab = Lab::with(&["a", "b"]);
    let (first, path) = (content(&lab, &name(0)), format!("a/{}", name(0)));
    let other = calls(90).concat();
    assert_eq!(lab.try_load(&path, &other), Status::Held);
    let moved = format!("b/{}", name(0));
    assert_eq!(lab.try_load(&moved, &other), Status::Held);
    assert_eq!(lab.failed(), std::slice::from_ref(&moved));
    assert_eq!(lab.try_load(&name(0), &first), Status::Same);
    assert_eq!(lab.failed(), [moved]);
    let again = lab.write(&path, &other);
    lab.load(&[again], |options| options.load.on_changed = OnChanged::Both);
    assert_eq!(lab.failed(), [""; 0]);
}

#[test]
fn sources_that_failed_until_they_are_loaded() {
    let lab = Lab::whole();
    fs::create_dir(lab.path("first")).unwrap();
    let failed = format!("first/{}.gz", name(6).replace("20251004", "20251003"));
    lab.write(&failed, b"\x1f\x8b\x08");
    lab.load(std::slice::from_ref(&failed), |_| {});
    let told = lab.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with(&format!("failed_source: failed: {failed}: ")), "{told:?}");
    assert!(told[0].ends_with("; 89 days left to fetch again"), "{told:?}");
    let sound = name(6).replace("20251004", "20251003");
    lab.load(&[sound], |_| {});
    assert!(lab.told().is_empty());
}
