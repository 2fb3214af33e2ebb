//! Completions and manual pages cover every command.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::process::Stdio;

use assert_cmd::Command;

fn cdrlake() -> Command {
    Command::cargo_bin("cdrlake").unwrap()
}

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let help = String::from_utf8(cdrlake().arg("--help").output().unwrap().stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    listed
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .map(str::to_owned)
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn every_command_has_a_manual_page() {
    let directory = tempfile::tempdir().unwrap();
    cdrlake().arg("man").arg(directory.path()).assert().success();
    let names = commands();
    assert!(names.len() > 5, "{names:?}");
    for name in names.iter().filter(|name| *name != "help") {
        let page = fs::read_to_string(directory.path().join(format!("cdrlake-{name}.1"))).unwrap();
        assert!(page.contains("SH SYNOPSIS") && page.contains(name), "{name}");
    }
    let page = fs::read_to_string(directory.path().join("cdrlake.1")).unwrap();
    assert!(page.contains("convert") && !page.contains("completions"));
    cdrlake().args(["man", "/nothing/here"]).assert().code(1);
}

#[test]
fn completions_know_every_command_and_can_be_sourced() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = cdrlake().args(["completions", shell]).output().unwrap();
        assert!(output.status.success());
        let script = String::from_utf8(output.stdout).unwrap();
        for name in commands() {
            assert!(script.contains(&name), "{shell} {name}");
        }
    }
    cdrlake().args(["completions", "cmd.exe"]).assert().code(2);
    let script = cdrlake().args(["completions", "bash"]).output().unwrap().stdout;
    let complete = "\nCOMP_WORDS=(cdrlake sta); COMP_CWORD=1; _cdrlake cdrlake sta cdrlake; \
                    printf '%s\\n' \"${COMPREPLY[@]}\"";
    let text = String::from_utf8(script).unwrap() + complete;
    let mut bash = std::process::Command::new("bash");
    let Ok(child) = bash.arg("-c").arg(text).stdout(Stdio::piped()).spawn() else {
        return; // No bash here.
    };
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "stats\n");
}
