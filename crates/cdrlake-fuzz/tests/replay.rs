//! Every input of the corpus, and every one that was a finding, once more and without the fuzzer.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cdrlake_fuzz::TARGETS;
use fastrand::Rng;

fn files(kind: &str, target: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(kind).join(target);
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn corpus_and_regressions_hold() {
    for (name, target) in TARGETS {
        let corpus = files("corpus", name);
        assert!(!corpus.is_empty(), "{name} has no corpus");
        for file in corpus.iter().chain(&files("regressions", name)) {
            let result = std::panic::catch_unwind(|| target(&fs::read(file).unwrap()));
            assert!(result.is_ok(), "{name} fails with {}", file.display());
        }
    }
}

/// A directory that is named after no target would never be replayed, a target without a program
/// never run.
#[test]
fn every_directory_and_program_is_a_targets() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stems = |kind: &str| -> BTreeSet<String> {
        let paths = files(kind, "").into_iter();
        let targets = paths.filter(|path| path.file_name().unwrap() != "README.md");
        targets.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    assert_eq!(stems("corpus"), names);
    assert_eq!(stems("targets"), names);
    assert!(stems("regressions").is_subset(&names));
}

/// A little of what the fuzzer does, where there is none: inputs of the corpus with random edits.
#[test]
fn edited_corpora_hold() {
    let mut rng = Rng::with_seed(7);
    for (name, target) in TARGETS {
        let corpus: Vec<Vec<u8>> =
            files("corpus", name).into_iter().map(|file| fs::read(file).unwrap()).collect();
        let runs = if matches!(name, "containers" | "parquet") { 100 } else { 2000 };
        for _ in 0..runs {
            let mut input = rng.choice(&corpus).unwrap().clone();
            for _ in 0..rng.usize(1..6) {
                let at = rng.usize(0..=input.len());
                match rng.u8(0..4) {
                    0 => input.truncate(at),
                    1 => input.insert(at, rng.u8(..)),
                    _ if at < input.len() => input[at] = rng.u8(..),
                    _ => input.push(rng.u8(..)),
                }
            }
            target(&input);
        }
    }
}
