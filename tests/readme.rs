//! The README files: their tables equal the code, and their commands work. A test that fails for a table prints the
//! table to put in.

pub mod commands;
mod session;

use backlinkd::api::{CRAWL_ENDPOINTS, ENDPOINTS};
use backlinkd::config::key_table;
use backlinkd::metrics::METRICS;
use backlinkd::store::{COLUMN_FAMILIES, FORMAT};

use crate::api::contract::BEYOND;

const README: &str = include_str!("../README.md");
const CONFIG: &str = include_str!("../config/README.md");
const API: &str = include_str!("../src/api/README.md");
const METRICS_README: &str = include_str!("../src/metrics/README.md");
const STORE: &str = include_str!("../src/store/README.md");

const README_FILES: [&str; 10] = [
    "README.md",
    "config/README.md",
    "src/README.md",
    "src/api/README.md",
    "src/cli/README.md",
    "src/crawl/README.md",
    "src/metrics/README.md",
    "src/store/README.md",
    "tests/README.md",
    "benches/README.md",
];

/// A text within a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The table of a README file that follows this marker.
fn table(readme: &str, marker: &str) -> String {
    let start =
        readme.find(&format!("<!-- {marker} -->\n")).unwrap_or_else(|| panic!("no <!-- {marker} -->"));
    let rows = readme[start..].lines().skip(1).skip_while(|line| line.is_empty());
    rows.take_while(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect()
}

#[track_caller]
fn assert_table(readme: &str, marker: &str, expected: &str) {
    assert!(table(readme, marker) == expected, "put this below <!-- {marker} -->:\n{expected}");
}

#[test]
fn every_key_stands_in_the_configuration_table() {
    let mut expected = "| key | default | meaning |\n|---|---|---|\n".to_owned();
    for key in key_table() {
        expected += &format!("| `{}` | `{}` | {} |\n", key.key, key.default, cell(&key.doc));
    }
    assert_table(CONFIG, "config", &expected);
}

#[test]
fn every_metric_stands_in_the_table_of_metrics() {
    let mut expected = "| metric | kind | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for metric in METRICS {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind) = (metric.name, metric.kind.as_str());
        expected += &format!("| `{name}` | {kind} | {} | {} |\n", labels.join(", "), metric.help);
    }
    assert_table(METRICS_README, "metrics", &expected);
}

#[test]
fn every_column_family_stands_in_the_table_of_stored_keys() {
    let found: Vec<String> = table(STORE, "families")
        .lines()
        .skip(2)
        .map(|row| row.split('`').nth(1).unwrap_or_default().to_owned())
        .collect();
    assert_eq!(found, COLUMN_FAMILIES);
    assert!(STORE.contains(&format!("format version {FORMAT}")), "the format version is {FORMAT}");
}

#[test]
fn every_endpoint_stands_in_an_endpoint_table() {
    let beyond = |name: &str| BEYOND.contains(&name);
    for (marker, is_beyond) in [("endpoints", false), ("beyond", true)] {
        let mut expected = "| endpoint | answer | in detail |\n|---|---|---|\n".to_owned();
        let shown: Vec<_> = ENDPOINTS.iter().filter(|endpoint| beyond(endpoint.name) == is_beyond).collect();
        assert!(!shown.is_empty());
        for endpoint in shown {
            let (summary, description) = (cell(endpoint.docs.summary), cell(endpoint.docs.description));
            expected += &format!("| `{}` | {summary} | {description} |\n", endpoint.name);
        }
        assert_table(API, marker, &expected);
    }
    let found: Vec<String> = table(API, "crawl")
        .lines()
        .skip(2)
        .map(|row| row.split('`').nth(1).unwrap_or_default().to_owned())
        .collect();
    let names: Vec<&str> = CRAWL_ENDPOINTS.iter().map(|endpoint| endpoint.name).collect();
    assert_eq!(found, names, "the table crawl of src/api/README.md lists endpoints in the order of the code");
    assert!(names.is_sorted());
}

#[test]
fn every_column_of_backlinks_stands_in_the_table_of_columns() {
    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.name == "backlinks").unwrap();
    let columns = endpoint.describe_columns().unwrap();
    let mut expected = "| column | kind | meaning | shown |\n|---|---|---|---|\n".to_owned();
    for column in columns.as_array().unwrap() {
        let text = |key: &str| column[key].as_str().unwrap_or_default();
        let shown = match (column["shown"].as_bool(), text("when")) {
            (Some(false), _) => "never",
            (_, "") => "always",
            (_, when) => when,
        };
        let (name, kind, meaning) = (text("name"), text("kind"), cell(text("description")));
        expected += &format!("| `{name}` | {kind} | {meaning} | {shown} |\n");
    }
    assert_table(API, "columns", &expected);
}

#[test]
fn the_first_page_is_short_and_its_links_lead_somewhere() {
    assert!(README.len() <= 9_000, "README.md has {} bytes", README.len());
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let links: Vec<&str> = README
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|to| !to.contains("://"))
        .collect();
    assert!(links.len() > 5);
    for link in links {
        assert!(root.join(link).is_file(), "README.md links to {link}");
    }
}

/// Every command of the program, with its first words, is in the table of commands.
#[test]
fn every_command_is_in_the_table_of_commands() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_backlinkd")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.split("Commands:\n").nth(1).unwrap().lines().take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 10, "{help}");
    for command in commands {
        assert!(README.lines().any(|line| line.starts_with(&format!("| `{command}"))), "{command}");
    }
}

#[test]
fn files_that_readme_files_name_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for readme in README_FILES {
        let text = std::fs::read_to_string(root.join(readme)).unwrap();
        let is_path =
            |word: &&str| ["src/", "tests/", "benches/", "config/"].iter().any(|top| word.starts_with(top));
        for path in text.split('`').skip(1).step_by(2).filter(is_path) {
            let path = path.split([' ', ':']).next().unwrap();
            assert!(path.contains("NAME") || root.join(path).exists(), "{readme} names {path}");
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
}
