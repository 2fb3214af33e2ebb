//! Findings closed by someone.

use super::*;

#[test]
fn open_rejects_are_waived() {
    let lab = Lab::whole();
    let name = name(6);
    let mut content = calls(77).concat();
    content.extend(b"a short line\nanother\n");
    lab.write(&name, &content);
    lab.load(std::slice::from_ref(&name), |_| {});
    assert_eq!(lab.told(), [format!("open_rejects: 2 rejected lines are open: {name}")]);
    let id = lab.audit().findings[0].id.clone();
    let closed = accept(&lab.location(), &lab.options, std::slice::from_ref(&id), "noise").unwrap();
    assert_eq!(closed[0].id, id);
    assert!(lab.told().is_empty());
    let again = lab.load(&[name], |_| {});
    assert_eq!(again.sources[0].open_rejects, 0);
    let faces = tables::read(&lab.path("lake/_cdrlake/sources/sources.pq"));
    let states = faces.iter().flat_map(|batch| {
        use arrow_array::cast::AsArray;
        let states = batch.column_by_name("rejects_state").unwrap().as_string::<i32>();
        states.iter().map(|state| state.unwrap().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(states.filter(|state| state == "waived").count(), 1);
}

#[test]
fn findings_are_accepted_until_they_change() {
    let lab = Lab::new();
    lab.load(&[name(0), name(1), name(4), name(5)], |_| {});
    let ids: Vec<String> = lab.audit().findings.into_iter().map(|finding| finding.id).collect();
    assert_eq!(
        ids,
        [
            "missing_sequence:ABC:10:0003-0004:2025-10-01",
            "missing_delivery:GB:ABC:10:2025-10-02..2025-10-02"
        ]
    );
    let wrong = accept(&lab.location(), &lab.options, &["missing_sequence:x".to_owned()], "?");
    assert!(matches!(wrong, Err(AuditError::NoFinding(_))), "{wrong:?}");
    accept(&lab.location(), &lab.options, &ids, "the carrier had an outage").unwrap();
    let Audit { findings, accepted, .. } = lab.audit();
    assert_eq!((findings.len(), accepted.len()), (0, 2));
    assert_eq!(accepted[0].reason, "the carrier had an outage");
    // The reason may be given again.
    accept(&lab.location(), &lab.options, &ids[..1], "a holiday").unwrap();
    assert_eq!(lab.audit().accepted[0].reason, "a holiday");
    lab.load(&[name(2)], |_| {});
    let findings = lab.audit().findings;
    assert_eq!(findings[0].id, "missing_sequence:ABC:10:0004-0004:2025-10-02");
}

/// Whoever looks at the ledger finds the run that the caller named.
#[test]
fn runs_have_the_ids_that_their_caller_gives_them() {
    let lab = Lab::new();
    lab.load(&[name(0), name(2)], |options| options.load.run_id = Some("loading".to_owned()));
    let named = |run_id: &str| LakeLocation { run_id: Some(run_id.to_owned()), ..lab.location() };
    let ids: Vec<String> = lab.audit().findings.into_iter().map(|finding| finding.id).collect();
    accept(&named("accepting"), &lab.options, &ids, "known").unwrap();
    cdrlake_lake::unload(&named("unloading"), &[name(2)], cdrlake_parquet::Compression::None)
        .unwrap();
    let report = lab.load(&[name(3)], |_| {});
    let ledger = lab.ledger();
    let mut runs =
        ledger.prepare("SELECT run_id, command, options FROM runs ORDER BY run").unwrap();
    let runs = runs.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let runs: Vec<(String, String, String)> = runs.map(Result::unwrap).collect();
    let found: Vec<_> =
        runs.iter().map(|(id, command, _)| (id.as_str(), command.as_str())).collect();
    assert_eq!(
        found,
        [
            ("loading", "convert"),
            ("accepting", "accept"),
            ("unloading", "unload"),
            (report.run_id.as_str(), "convert")
        ]
    );
    assert!(runs[1].2.contains(&ids[0]) && runs[1].2.contains("known"), "{}", runs[1].2);
    assert!(report.run_id.len() == 32, "{}", report.run_id);
}
