//! The text of the pages: links that lead somewhere, short sentences, commands that the program understands.

use std::collections::BTreeSet;
use std::path::Path;

use super::page::Page;
use super::root;
use crate::readme::commands::{check_program, inline_codes};

/// Files in a folder at most.
const MOST_FILES: usize = 12;
/// Words of a sentence at most.
const MOST_WORDS: usize = 30;

/// The pages, by their path below the folder, sorted.
pub fn files() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["", "move/"] {
        let names = std::fs::read_dir(root().join(folder)).unwrap();
        let entries = names.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_file());
        let names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert!(names.len() <= MOST_FILES, "src/docs/{folder} has {} files", names.len());
        found.extend(names.iter().filter(|name| name.ends_with(".md")).map(|name| format!("{folder}{name}")));
    }
    found.sort();
    found
}

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// The text outside of blocks.
fn prose(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        !inside && !is_fence
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// The anchors of the headings of a Markdown file, as code-hosting sites name them.
fn anchors(path: &Path) -> BTreeSet<String> {
    let text = prose(&std::fs::read_to_string(path).unwrap());
    let headings =
        text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#'));
    let keep = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings
        .map(|text| text.trim().to_lowercase().chars().filter(keep).collect::<String>().replace(' ', "-"))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for name in files() {
        let text = prose(&text(&name));
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = root().join(&name).parent().unwrap().join(file);
            assert!(path.is_file(), "{name} links to {target}");
            assert!(anchor.is_empty() || anchors(&path).contains(anchor), "{name} links to {target}");
            links += 1;
        }
    }
    assert!(links > 40, "{links}");
}

#[test]
fn every_page_is_in_the_contents_and_has_one_title() {
    let contents = text("README.md");
    for name in files() {
        assert!(name == "README.md" || contents.contains(&format!("]({name})")), "README.md has no {name}");
        let titles = prose(&text(&name)).lines().filter(|line| line.starts_with("# ")).count();
        assert_eq!(titles, 1, "{name}");
    }
}

/// Sentences of a text; items, cells and headings end one.
fn sentences(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for line in prose(text).lines().map(str::trim) {
        let is_new = line.is_empty()
            || line.starts_with(['|', '#', '*', '<'])
            || line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        if is_new {
            found.push(String::new());
        }
        for part in line.split_inclusive([';', ':', '|']).flat_map(|part| part.split_inclusive(". ")) {
            found.last_mut().unwrap().push_str(part);
            if part.ends_with([';', ':', '|']) || part.ends_with(". ") {
                found.push(String::new());
            }
        }
        found.last_mut().unwrap().push(' ');
    }
    found
}

#[test]
fn sentences_are_short_and_markup_is_plain() {
    for name in files() {
        let text = text(&name);
        for sentence in sentences(&text) {
            let words = sentence.split_whitespace().count();
            let is_code = sentence.contains("$API") || sentence.contains('→');
            assert!(words <= MOST_WORDS || is_code, "{name}: {words} words: {sentence}");
        }
        for line in prose(&text).lines().map(str::trim).filter(|line| line.starts_with('<')) {
            assert!(line.starts_with("<!-- ") && line.ends_with(" -->"), "{name}: {line}");
        }
        let lower = text.to_lowercase();
        for word in ["whoever", "somebody", "nobody", "anew"] {
            assert!(!lower.contains(&format!(" {word} ")), "{name} says {word}");
        }
    }
}

/// Commands within sentences, which do not run, are at least commands.
#[test]
fn commands_in_sentences_are_understood() {
    let mut checked = 0;
    for name in files() {
        for code in inline_codes(&text(&name)) {
            let words: Vec<String> = code.split_whitespace().map(str::to_owned).collect();
            if words.len() > 1 && words[0] == "backlinkd" {
                assert_eq!(check_program(&words[1..]), Ok(()), "{name}: {code}");
                checked += 1;
            }
        }
    }
    assert!(checked > 5, "{checked}");
}

#[test]
fn skipped_blocks_have_reasons() {
    for name in files() {
        for block in Page::read(&name).blocks {
            assert!(block.note("skip").is_none_or(|reason| reason.len() > 10), "{name}:{}", block.line);
        }
    }
}
