//! The dashboard and the alert rules, against the metrics that the program exports, and promtool.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use backlinkd::metrics::METRICS;
use regex::Regex;

use super::{has_tool, read, root};

const ALERTS: &str = "config/monitoring/alerts.yaml";

/// The expressions of the dashboard.
fn dashboard_expressions() -> Vec<String> {
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("config/monitoring/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// The expressions of the alert rules, each on its line.
fn alert_expressions() -> Vec<String> {
    read(ALERTS).lines().filter_map(|line| Some(line.trim().strip_prefix("expr: ")?.to_owned())).collect()
}

/// The metrics of the program by name, as their samples are named, with their labels.
fn exported() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut names = BTreeMap::new();
    for metric in METRICS {
        let labels: BTreeSet<&str> = metric.labels.iter().copied().collect();
        if metric.kind.as_str() == "histogram" {
            for part in ["_count", "_sum", "_bucket"] {
                let mut labels = labels.clone();
                labels.extend((part == "_bucket").then_some("le"));
                names.insert(format!("{}{part}", metric.name), labels);
            }
        } else {
            names.insert(metric.name.to_owned(), labels);
        }
    }
    names
}

/// The metrics of an expression.
fn metrics(expression: &str) -> Vec<String> {
    let name = Regex::new(r"\b(?:backlinkd|process)_[a-z_]+").unwrap();
    // The value of a label is no metric.
    let bare = Regex::new(r#""[^"]*""#).unwrap().replace_all(expression, "");
    name.find_iter(&bare).map(|found| found.as_str().to_owned()).collect()
}

/// The labels that an expression selects or sums by, without those of a scrape.
fn labels(expression: &str) -> Vec<String> {
    let selected = Regex::new(r#"([a-z_]+)=~?""#).unwrap();
    let summed = Regex::new(r"by \(([^)]*)\)").unwrap();
    let selected = selected.captures_iter(expression).map(|found| found[1].to_owned());
    let summed = summed
        .captures_iter(expression)
        .flat_map(|found| found[1].split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>());
    selected.chain(summed).filter(|name| !matches!(name.as_str(), "job" | "instance")).collect()
}

#[test]
fn every_metric_of_dashboard_and_alerts_is_exported_with_its_labels() {
    let exported = exported();
    let expressions: Vec<String> = dashboard_expressions().into_iter().chain(alert_expressions()).collect();
    assert!(expressions.len() > 60, "{}", expressions.len());
    for expression in &expressions {
        let names = metrics(expression);
        assert!(!names.is_empty() || expression.contains("up{job="), "{expression}");
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for name in &names {
            let labels = exported.get(name);
            known.extend(labels.unwrap_or_else(|| panic!("{name} is not exported: {expression}")).iter());
        }
        for label in labels(expression) {
            assert!(known.contains(label.as_str()), "no metric has the label {label}: {expression}");
        }
    }
}

#[test]
fn every_metric_is_on_the_dashboard() {
    let shown: BTreeSet<String> = dashboard_expressions().iter().flat_map(|text| metrics(text)).collect();
    for metric in METRICS {
        let name = metric.name;
        assert!(shown.contains(name) || shown.contains(&format!("{name}_bucket")), "{name} has no panel");
    }
}

/// The values that the expressions select are ones that the help texts name.
#[test]
fn selected_values_are_in_the_help_texts() {
    let selected = Regex::new(r#"(backlinkd_[a-z_]+)\{[^}]*?([a-z]+)="([a-z-]+)"\}"#).unwrap();
    let mut checked = 0;
    for expression in dashboard_expressions().into_iter().chain(alert_expressions()) {
        for found in selected.captures_iter(&expression) {
            let metric = METRICS.iter().find(|metric| *metric.name == found[1]).unwrap();
            assert!(metric.help.contains(&format!("`{}`", &found[3])), "{expression}: {}", metric.help);
            checked += 1;
        }
    }
    assert!(checked >= 4, "{checked}");
}

#[test]
fn promtool_accepts_the_rules_and_they_fire() {
    if !has_tool("promtool") {
        return;
    }
    for arguments in [&["check", "rules", ALERTS][..], &["test", "rules", "tests/packages/alerts.yaml"]] {
        let ended = Command::new("promtool").args(arguments).current_dir(root()).output().unwrap();
        let out =
            format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success() && out.contains("SUCCESS"), "{arguments:?}: {out}");
    }
}
