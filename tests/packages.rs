//! What packages contain: manual page, completions, configuration file, unit, container, dashboard and alert rules.
//! `tests/packages/install.sh` installs the Debian package itself.

mod container;
mod generated;
mod monitoring;
mod unit;

use std::path::PathBuf;
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_backlinkd");

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The standard output of the program, which must succeed.
#[track_caller]
fn output(arguments: &[&str]) -> String {
    let ended = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap()
}

/// Whether the tool is installed; prints that its test is skipped if not.
fn has_tool(name: &str) -> bool {
    let run = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if run.is_err() {
        eprintln!("SKIPPED: {name} is not installed, which this test compares with");
    }
    run.is_ok()
}

/// The commands below these words, as `--help` lists them.
fn commands_below(words: &[String]) -> Vec<Vec<String>> {
    let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    arguments.push("--help");
    let help = output(&arguments);
    let Some(list) = help.split("Commands:\n").nth(1) else { return vec![words.to_vec()] };
    let names = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help");
    let longer = |name: &str| [words, &[name.to_owned()]].concat();
    names.flat_map(|name| commands_below(&longer(name))).collect()
}
