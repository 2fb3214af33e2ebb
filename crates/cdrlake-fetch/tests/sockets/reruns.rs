//! A rerun fetches what is missing, and what was not final.

use cdrlake_fetch::{Fetched, Task};
use cdrlake_sandbox::Reply;

use crate::support::{Setup, UNRATED, day, run};

fn days() -> [Task; 4] {
    ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"].map(day)
}

fn kinds(report: &cdrlake_fetch::Report) -> Vec<&'static str> {
    let kind = |task: &cdrlake_fetch::TaskReport| match &task.result {
        Ok(Fetched::Files(_)) => "files",
        Ok(Fetched::Nothing) => "nothing",
        Ok(Fetched::Earlier(_)) => "earlier",
        Err(_) => "error",
    };
    report.tasks.iter().map(kind).collect()
}

#[test]
fn only_what_is_missing_is_asked_for_again() {
    let setup = Setup::small();
    setup.carrier.next(UNRATED, |_| Reply::error(400, "", "", ""));
    setup.carrier.next(UNRATED, |_| Reply::empty(204));
    assert_eq!(kinds(&setup.run(&days())), ["error", "nothing", "files", "files"]);
    // It is the 22nd: the 20th is final, the 21st is not.
    assert_eq!(kinds(&setup.run(&days())), ["files", "files", "earlier", "files"]);
    assert_eq!(kinds(&setup.run(&days())), ["earlier", "earlier", "earlier", "files"]);
    std::fs::remove_file(setup.directory.path().join("ABC2026111900.cdr.zip")).unwrap();
    assert_eq!(kinds(&setup.run(&days())), ["earlier", "files", "earlier", "files"]);
    let mut options = setup.options();
    options.today = "2026-11-23".parse().unwrap();
    let last = || run(options.clone(), &days(), setup.directory.path());
    assert_eq!(kinds(&last())[3], "files");
    assert_eq!(kinds(&last())[3], "earlier");
    assert_eq!(setup.files().len(), 4);
}
