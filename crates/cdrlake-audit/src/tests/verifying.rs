//! Files read whole: whatever was changed in them is found.

use cdrlake_lake::record_hashes;

use super::*;

impl Lab {
    /// With the six deliveries loaded, and one of which a line was rejected.
    fn with_rejects() -> Self {
        let lab = Self::whole();
        let damaged = lab.write(&name(6), &[&calls(60).concat()[..], b"too short\n"].concat());
        lab.load(&[damaged], |_| {});
        lab
    }

    fn verify(&self) -> Audit {
        let options = AuditOptions { verify: Verify::Whole, ..self.options };
        audit(&self.location(), &options).unwrap()
    }

    /// Kinds and paths of what reading files whole finds, besides open rejects.
    fn verified(&self) -> Vec<String> {
        let findings = self.verify().findings.into_iter();
        let ids = findings.map(|finding| finding.id);
        ids.filter(|id| !id.starts_with("open_rejects")).collect()
    }

    /// All files of calls and rejects, by the ledger.
    fn files(&self) -> Vec<PathBuf> {
        let ledger = self.ledger();
        let mut statement = ledger.prepare("SELECT path FROM files").unwrap();
        let paths = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        paths.map(|path| self.path("lake").join(path.unwrap())).collect()
    }

    fn hashes(&self) -> Vec<Option<String>> {
        let ledger = self.ledger();
        let mut statement = ledger.prepare("SELECT blake3 FROM files ORDER BY file").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// As if a version before had written all files.
    fn forget_hashes(&self) {
        self.ledger().execute("UPDATE files SET blake3 = NULL", []).unwrap();
    }

    fn record(&self) -> u64 {
        record(&self.location(), &mut self.verify()).unwrap()
    }
}

#[test]
fn one_bit_anywhere_is_found() {
    let lab = Lab::with_rejects();
    let files = lab.files();
    assert!(
        files.iter().any(|path| path.starts_with(lab.path("lake/_cdrlake/rejects"))),
        "{files:?}"
    );
    assert_eq!(lab.verified(), [""; 0]);
    let verified = lab.verify().verified.unwrap();
    let bytes: u64 = files.iter().map(|path| path.metadata().unwrap().len()).sum();
    assert_eq!((verified.files, verified.bytes), (files.len() as u64, bytes));
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..200 {
        let path = &files[random.usize(..files.len())];
        let whole = fs::read(path).unwrap();
        let mut changed = whole.clone();
        let (at, bit) = (random.usize(..changed.len()), random.u8(..8));
        changed[at] ^= 1 << bit;
        fs::write(path, &changed).unwrap();
        let found = lab.verified();
        let shown = path.strip_prefix(lab.path("lake")).unwrap().display().to_string();
        let hash = blake3::hash(&changed).to_hex();
        assert_eq!(found, [format!("file_changed:{shown}:{}", &hash[..16])], "bit {bit} of {at}");
        fs::write(path, &whole).unwrap();
    }
    assert_eq!(lab.verified(), [""; 0]);
}

#[test]
fn a_changed_file_is_named_with_what_it_held() {
    let lab = Lab::whole();
    let (file, path) = (lab.file(), lab.path("lake").join(lab.file()));
    let whole = fs::read(&path).unwrap();
    let len = whole.len();
    fs::write(&path, &whole[..len - 9]).unwrap();
    let audit = lab.verify();
    let [finding] = &audit.findings[..] else { panic!("{:?}", audit.findings) };
    let directory = format!("{}/", lab.directory.path().display());
    assert_eq!(
        finding.message.replace(&directory, ""),
        format!(
            "{file} is not the file that was written: it has {} bytes, and {len} by the ledger; it \
             held rows of 6 sources: {}, {}, {} and 3 more",
            len - 9,
            name(0),
            name(1),
            name(2)
        )
    );
    // Closed, until it changes again; what closes it reads files whole by itself.
    accept(&lab.location(), &lab.options, std::slice::from_ref(&finding.id), "known").unwrap();
    assert_eq!(lab.verified(), [""; 0]);
    fs::write(&path, &whole[..len - 10]).unwrap();
    assert_eq!(lab.verified().len(), 1);
    fs::remove_file(&path).unwrap();
    assert_eq!(lab.verified(), [format!("missing_file:{file}")]);
}

#[test]
fn what_no_version_recorded_is_recorded_once() {
    let lab = Lab::with_rejects();
    let known = lab.hashes();
    assert!(known.iter().all(Option::is_some), "{known:?}");
    assert_eq!(lab.record(), 0);
    let files = known.len() as u64;
    lab.forget_hashes();
    assert_eq!(lab.verified(), [""; 0]);
    assert_eq!(lab.verify().verified.unwrap().unrecorded, files);
    let mut audit = lab.verify();
    assert_eq!(record(&lab.location(), &mut audit).unwrap(), files);
    assert_eq!(audit.verified.unwrap().unrecorded, 0);
    assert_eq!(lab.hashes(), known);
    assert_eq!((lab.record(), lab.verify().verified.unwrap().unrecorded), (0, 0));
    // One that is recorded stays, whoever asks.
    let path = lab.file();
    let other = blake3::hash(b"other");
    assert_eq!(record_hashes(&lab.location(), "a run", &[(path, other)]).unwrap(), 0);
    assert_eq!(lab.hashes(), known);
}

/// Files without a recorded BLAKE3 that are not what the ledger says are found all the same, as far as
/// they can be, and nothing is recorded of them.
#[test]
fn what_is_not_as_it_was_is_not_recorded() {
    let lab = Lab::whole();
    lab.forget_hashes();
    let path = lab.path("lake").join(lab.file());
    let whole = fs::read(&path).unwrap();
    // Truncated; another lake's.
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(lab.verified()[0].starts_with("file_changed:"));
    assert_eq!(lab.record(), 0);
    let other = Lab::new();
    other.load(&[name(0)], |_| {});
    fs::copy(other.path("lake").join(other.file()), &path).unwrap();
    assert!(lab.verified()[0].starts_with("file_changed:"));
    assert_eq!(lab.record(), 0);
    fs::write(&path, &whole).unwrap();
    // Rows that are not whose the ledger says: two sources of other seconds have changed places.
    let ledger = lab.ledger();
    let swap =
        "UPDATE file_sources SET source = CASE source WHEN 1 THEN 2 WHEN 2 THEN 1 ELSE source END";
    ledger.execute(swap, []).unwrap();
    let found = lab.verified();
    assert!(found[0].starts_with("file_differs:") && found[0].contains(":rows of other sources:"));
    assert!(
        found[1..].iter().all(|id| id.starts_with("source_differs:")) && found.len() > 1,
        "{found:?}"
    );
    assert_eq!((lab.record(), lab.hashes()), (0, vec![None]));
    ledger.execute(swap, []).unwrap();
    assert_eq!(lab.record(), 1);
}
