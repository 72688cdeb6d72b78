//! The manual page and the completions, against `--help`, groff and Bash.

use std::io::Write;
use std::process::{Command, Stdio};

use super::{commands_below, has_tool, output};

/// The standard output and the standard error of a tool with this input.
fn filter(program: &str, arguments: &[&str], input: &str) -> (String, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap())
}

/// The long options that the help of a command shows.
fn options(words: &[String]) -> Vec<String> {
    let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    arguments.push("--help");
    let help = output(&arguments);
    let lines = help.lines().filter_map(|line| {
        line.trim_start().split("--").nth(1).filter(|_| line.trim_start().starts_with('-'))
    });
    lines.map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()).collect()
}

#[test]
fn the_manual_page_has_every_command_and_option_and_no_error() {
    let page = output(&["generate", "man"]);
    assert!(page.contains(".TH backlinkd 1") && page.contains("\n.SH NAME\nbacklinkd \\- "), "{page}");
    let commands = commands_below(&[]);
    assert!(commands.len() > 20, "{commands:?}");
    let plain = page.replace("\\-", "-");
    for command in &commands {
        let heading = format!("\n.SS backlinkd {}\n", command.join(" "));
        let (_, section) = plain.split_once(&heading).unwrap_or_else(|| panic!("no {heading}"));
        let section = section.split("\n.SS ").next().unwrap();
        for option in options(command) {
            let shown = format!("\\fB--{option}\\fR");
            let is_of_all = plain.split("\n.SH COMMANDS").next().unwrap().contains(&shown);
            assert!(is_of_all || section.contains(&shown), "{command:?} lacks --{option}: {section}");
        }
        assert!(section.contains("Example:"), "{section}");
    }
    if has_tool("groff") {
        let (text, complaints) = filter("groff", &["-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=100n"], &page);
        assert_eq!(complaints, "");
        assert!(text.contains("backlinkd user add"), "{text}");
    }
}

#[test]
fn every_shell_completes_every_command() {
    let commands = commands_below(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let script = output(&["generate", shell]);
        for name in commands.iter().flatten() {
            assert!(script.contains(name.as_str()), "{shell}: {name}");
        }
    }
}

#[test]
fn bash_completes_what_is_typed() {
    if !has_tool("bash") {
        return;
    }
    let script = output(&["generate", "bash"]);
    for (typed, completed) in [
        (&["us"][..], "user"),
        (&["user", "ad"], "add"),
        (&["--da"], "--data"),
        (&["generate", "fi"], "fish"),
        (&["token", "add", "--ro"], "--role"),
    ] {
        let words = typed.join(" ");
        let complete = format!(
            "{script}\nCOMP_WORDS=(backlinkd {words}); COMP_CWORD={}\n_backlinkd backlinkd {} '' && echo \"${{COMPREPLY[@]}}\"\n",
            typed.len(),
            typed.last().unwrap(),
        );
        let (found, complaints) = filter("bash", &["--norc"], &complete);
        assert_eq!((found.trim(), complaints.as_str()), (completed, ""), "{words}");
    }
}

#[test]
fn another_word_names_what_can_be_printed() {
    let refused = Command::new(super::PROGRAM).args(["generate", "tcsh"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(message.contains("man, bash, zsh, fish"), "{message}");
}
