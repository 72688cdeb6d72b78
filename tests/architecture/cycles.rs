//! Groups of files that import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// The groups, each with its modules in alphabetical order.
pub fn cycles(files: &[Source]) -> Vec<Vec<&str>> {
    let imports = imports_of_each(files);
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|module| (*module, reached_from(module, &imports))).collect();
    let mut groups = BTreeSet::new();
    for (module, others) in &reached {
        let group: Vec<&str> =
            others.iter().copied().filter(|other| reached[other].contains(module)).collect();
        groups.extend((!group.is_empty()).then_some(group));
    }
    groups.into_iter().collect()
}

/// The modules of the files that each file imports. Imports between a file and the modules that contain it do not count.
fn imports_of_each(files: &[Source]) -> BTreeMap<&str, BTreeSet<&str>> {
    let modules: BTreeSet<&str> = files.iter().map(|file| file.module.as_str()).collect();
    let of_file = |file: &Source| -> BTreeSet<&str> {
        let imports = file.imports();
        let targets = imports.iter().filter_map(|import| file_of(import, &modules));
        targets
            .filter(|target| !is_within(target, &file.module) && !is_within(&file.module, target))
            .collect()
    };
    files
        .iter()
        .filter(|file| !matches!(file.path.as_str(), "lib.rs" | "main.rs"))
        .map(|file| (file.module.as_str(), of_file(file)))
        .collect()
}

/// The module of the file that a path such as `store::db::Database` leads to: the longest prefix that is a file.
fn file_of<'a>(path: &str, modules: &BTreeSet<&'a str>) -> Option<&'a str> {
    let ends = path.match_indices("::").map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| modules.get(&path[..end]).copied()).last()
}

fn is_within(module: &str, outer: &str) -> bool {
    module.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The modules that a chain of imports leads to.
fn reached_from<'a>(module: &str, imports: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = imports[module].iter().copied().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(imports.get(next).into_iter().flatten());
        }
    }
    reached
}
