//! Every command in the README files is one that the program, Make, Cargo or a script of this repository understands.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{README, README_FILES};

/// Programs of commands that are not checked, and the reason.
const NOT_CHECKED: [(&str, &str); 10] = [
    ("apt-get", "installs packages"),
    ("curl", "runs in `session`"),
    ("export", "runs in `session`"),
    ("kill", "its signals are sent in tests/cli and tests/crash"),
    ("pip", "installs packages"),
    ("printf", "runs in `session`"),
    ("pytest", "is not installed here"),
    ("schemathesis", "is not installed here"),
    ("tar", "unpacks a release"),
    ("wrk", "is not installed here"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The contents of the fenced blocks of this language.
pub fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let parts: Vec<&str> = text.split("```").collect();
    let blocks = parts.iter().skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// The commands of a shell block, without comments; a line that ends in a backslash continues.
pub fn commands(block: &str) -> Vec<String> {
    let joined = block.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.split(" # ").next().unwrap_or_default().trim().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

/// The texts between single backticks, outside of fenced blocks. A text may continue on the next line.
pub fn inline_codes(text: &str) -> Vec<String> {
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    let codes = prose.iter().flat_map(|prose| prose.split('`').skip(1).step_by(2));
    codes.map(|code| code.replace('\n', " ")).collect()
}

/// The words of a command, without variables before it and quotes.
fn words(command: &str) -> Vec<String> {
    let words = command.split_whitespace().map(|word| word.trim_matches('\'').to_owned());
    words.skip_while(|word| word.split_once('=').is_some_and(|(name, _)| !name.starts_with('-'))).collect()
}

/// Whether a text between backticks is a command: the name of a known program, and at least one argument.
fn is_command(code: &str) -> bool {
    let words = words(code);
    let is_program = |word: &String| {
        matches!(word.as_str(), "backlinkd" | "make" | "cargo")
            || is_script(word)
            || NOT_CHECKED.iter().any(|(program, _)| program == word)
    };
    words.len() > 1 && is_program(&words[0])
}

fn is_script(word: &str) -> bool {
    let extension = Path::new(word).extension();
    (word.starts_with("benches/") || word.starts_with("tests/"))
        && extension.is_some_and(|extension| extension == "sh" || extension == "py")
}

fn check(command: &str) -> Result<(), String> {
    let words = words(command);
    let (program, arguments) = words.split_first().ok_or("is empty")?;
    match program.as_str() {
        "backlinkd" => check_program(arguments),
        "make" => check_make(arguments),
        "cargo" => check_cargo(arguments),
        script if is_script(script) => check_script(script, arguments),
        other if NOT_CHECKED.iter().any(|(program, _)| *program == other) => Ok(()),
        other => Err(format!("{other} is unknown")),
    }
}

/// The program parses the arguments and shows the help of the command that they name.
pub fn check_program(arguments: &[String]) -> Result<(), String> {
    let arguments = arguments.iter().take_while(|word| !matches!(word.as_str(), "&" | "|" | ">"));
    let shown = Command::new(env!("CARGO_BIN_EXE_backlinkd")).args(arguments).arg("--help").output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&shown.stdout), String::from_utf8_lossy(&shown.stderr));
    (shown.status.success() && out.contains("Usage:")).then_some(()).ok_or_else(|| err.into_owned())
}

fn check_make(arguments: &[String]) -> Result<(), String> {
    let makefile = read("Makefile");
    for target in arguments.iter().filter(|word| !word.contains('=')) {
        if !makefile.lines().any(|line| line.starts_with(&format!("{target}:"))) {
            return Err(format!("the Makefile has no target {target}"));
        }
    }
    let mut settings = arguments.iter().filter_map(|word| word.split_once('='));
    match settings.find(|(name, _)| !makefile.contains(&format!("$({name})"))) {
        Some((name, _)) => Err(format!("the Makefile does not use {name}")),
        None => Ok(()),
    }
}

/// The test or bench is declared, and the sources have what follows `--`.
fn check_cargo(arguments: &[String]) -> Result<(), String> {
    let manifest = read("Cargo.toml");
    let (options, rest) = match arguments.iter().position(|word| word == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    for target in ["test", "bench"] {
        let named = options.windows(2).find(|pair| pair[0] == format!("--{target}"));
        if let Some([_, name]) = named
            && !manifest.contains(&format!("[[{target}]]\nname = \"{name}\"\n"))
        {
            return Err(format!("there is no {target} {name}"));
        }
    }
    let sources: String = ["benches", "tests"].iter().map(|folder| text_of(&root().join(folder))).collect();
    let is_given =
        |word: &&String| word.starts_with("--") || word.starts_with(|c: char| c.is_ascii_lowercase());
    for word in rest.iter().filter(is_given).filter(|word| !word.contains('=') && !word.contains('.')) {
        if !sources.contains(&format!("\"{word}")) && !sources.contains(&format!("mod {word};")) {
            return Err(format!("no test or bench mentions {word}"));
        }
    }
    Ok(())
}

/// All Rust sources below a folder.
fn text_of(folder: &Path) -> String {
    let mut text = String::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.extension() {
            _ if path.is_dir() => text += &text_of(&path),
            Some(extension) if extension == "rs" => text += &std::fs::read_to_string(path).unwrap(),
            _ => {}
        }
    }
    text
}

/// The script can be executed, and mentions each option.
fn check_script(script: &str, arguments: &[String]) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let file = std::fs::metadata(root().join(script)).map_err(|error| format!("{script}: {error}"))?;
    if file.permissions().mode() & 0o111 == 0 {
        return Err(format!("{script} cannot be executed"));
    }
    let text = read(script);
    let mut options =
        arguments.iter().map(|word| word.trim_matches(['[', ']'])).filter(|word| word.starts_with("--"));
    match options.find(|option| !text.contains(*option)) {
        Some(option) => Err(format!("{script} has no option {option}")),
        None => Ok(()),
    }
}

/// The commands of one README file, in blocks and within sentences.
fn all_commands(readme: &str) -> Vec<String> {
    let text = read(readme);
    let mut found: Vec<String> = blocks(&text, "sh").into_iter().flat_map(commands).collect();
    found.extend(inline_codes(&text).into_iter().filter(|code| is_command(code)));
    found
}

#[test]
fn every_command_is_understood() {
    let mut programs = Vec::new();
    for readme in README_FILES {
        for command in all_commands(readme) {
            if let Err(wrong) = check(&command) {
                panic!("{readme}: {command}: {wrong}");
            }
            programs.push(words(&command).swap_remove(0));
        }
    }
    assert!(programs.len() > 50, "{} commands", programs.len());
    for (program, _) in NOT_CHECKED {
        assert!(programs.iter().any(|found| found == program), "no README file runs {program}");
    }
}

#[test]
fn wrong_commands_are_found() {
    for right in [
        "backlinkd --data ./index serve &",
        "BACKLINKD_LOG=debug backlinkd robots https://example.com/ /a /b",
        "make check FOLDER=parse",
        "cargo bench --bench main -- known-urls",
        "cargo bench --bench soak -- --minutes 120 [--work DIR]",
        "benches/peers/run.py BACKLINKD [--rounds N]",
    ] {
        assert!(is_command(right) && check(right).is_ok(), "{right}: {:?}", check(right));
    }
    for wrong in [
        "backlinkd crawls",
        "backlinkd verify --mend",
        "make everything",
        "make check ROOM=parse",
        "cargo test --test unit",
        "cargo bench --bench main -- unheard-of",
        "benches/peers/run.py BACKLINKD --turns 3",
        "benches/README.py BACKLINKD",
        "sudo reboot",
    ] {
        assert!(check(wrong).is_err(), "{wrong}");
    }
}

/// The command lines that a row of the table of commands stands for, such as
/// `seeds add\|remove [URL…]`: one for each alternative, with its options.
fn lines_of_row(row: &str) -> Vec<Vec<String>> {
    let value = |word: &str| match word {
        "ADDR" => "127.0.0.1:0".to_owned(),
        "N" | "S" => "1".to_owned(),
        word => word.to_owned(),
    };
    let (mut lines, mut was_option) = (vec![Vec::<String>::new()], false);
    for word in row.replace("\\|", "|").replace(['[', ']'], "").split(' ') {
        let is_option = word.starts_with("--");
        let is_placeholder = !is_option && !word.starts_with(|c: char| c.is_ascii_lowercase());
        let alternatives: Vec<String> = match is_placeholder {
            false => word.split('|').map(str::to_owned).collect(),
            true if was_option => vec![value(word)],
            true => Vec::new(),
        };
        if !alternatives.is_empty() {
            let ended_by = |end: &String| {
                lines.iter().map(|line| [line, &[end.clone()][..]].concat()).collect::<Vec<_>>()
            };
            lines = alternatives.iter().flat_map(ended_by).collect();
        }
        was_option = is_option;
    }
    lines
}

#[test]
fn the_program_takes_the_commands_and_options_of_the_table() {
    let rows = README.split("## Commands").nth(1).unwrap().lines().skip(1);
    let rows = rows.skip_while(|line| !line.starts_with("| `")).take_while(|line| line.starts_with("| `"));
    let mut checked = 0;
    for line in rows.flat_map(|row| lines_of_row(row.split('`').nth(1).unwrap())) {
        assert_eq!(check_program(&line), Ok(()), "{line:?}");
        checked += 1;
    }
    assert!(checked > 18, "{checked}");
}
