//! What the binary prints is what the README says to type.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn it_prints_what_to_type_in_another_terminal() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdrlake-sandbox"));
    let mut child = command.args(["--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(2);
    let lines: Vec<String> = lines.map(|line| line.unwrap()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let url = lines[1].split(' ').find(|word| word.starts_with("http://127.0.0.1:")).unwrap();
    let readme = include_str!("../../../README.md").replace("http://127.0.0.1:8229", url);
    let typed = readme.replace(" \\\n    ", " ").replace('"', "'");
    for line in &lines {
        assert!(typed.contains(&format!("\n{line}\n")), "{line}");
    }
}
