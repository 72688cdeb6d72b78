//! The README's tables are what the code says. A test that fails prints the table to put in.

use backlinkd::api::{ENDPOINTS, METRICS};
use backlinkd::config::key_table;
use backlinkd::store::{COLUMN_FAMILIES, FORMAT};

use crate::api::contract::BEYOND;

const README: &str = include_str!("../README.md");

/// The part of the README between this marker and the next blank-line-separated text.
fn table(marker: &str) -> String {
    let start =
        README.find(&format!("<!-- {marker} -->\n")).unwrap_or_else(|| panic!("no <!-- {marker} -->"));
    let rows = README[start..].lines().skip(1).skip_while(|line| line.is_empty());
    rows.take_while(|line| line.starts_with('|')).map(|line| format!("{line}\n")).collect()
}

#[track_caller]
fn assert_table(marker: &str, expected: &str) {
    assert!(table(marker) == expected, "put this below <!-- {marker} --> in README.md:\n{expected}");
}

#[test]
fn every_key_stands_in_the_configuration_table() {
    let mut expected = "| key | default | meaning |\n|---|---|---|\n".to_owned();
    for key in key_table() {
        expected += &format!("| `{}` | `{}` | {} |\n", key.key, key.default, key.doc.replace('|', "\\|"));
    }
    assert_table("config", &expected);
}

#[test]
fn every_metric_stands_in_the_table_of_metrics() {
    let mut expected = "| metric | kind | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for metric in METRICS {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind) = (metric.name, metric.kind.as_str());
        expected += &format!("| `{name}` | {kind} | {} | {} |\n", labels.join(", "), metric.help);
    }
    assert_table("metrics", &expected);
}

#[test]
fn every_column_family_stands_in_the_table_of_stored_keys() {
    let found: Vec<String> = table("families")
        .lines()
        .skip(2)
        .map(|row| row.split('`').nth(1).unwrap_or_default().to_owned())
        .collect();
    assert_eq!(found, COLUMN_FAMILIES);
    assert!(README.contains(&format!("format version {FORMAT}")), "the format version is {FORMAT}");
}

#[test]
fn every_endpoint_stands_in_an_endpoint_table() {
    let beyond = |name: &str| BEYOND.contains(&name);
    for (marker, is_beyond) in [("endpoints", false), ("beyond", true)] {
        let found: Vec<String> = table(marker)
            .lines()
            .skip(2)
            .map(|row| row.split('`').nth(1).unwrap_or_default().to_owned())
            .collect();
        let names: Vec<&str> = ENDPOINTS.iter().map(|endpoint| endpoint.name).collect();
        let names: Vec<&str> = names.into_iter().filter(|name| beyond(name) == is_beyond).collect();
        assert_eq!(found, names, "the table {marker} of README.md lists endpoints in the order of the code");
        assert!(!found.is_empty());
    }
}
