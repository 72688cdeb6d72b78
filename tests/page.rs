//! The page in a browser: Chromium, driven by the checks in `tests/page/*.py`.
//!
//! Each test starts the program over an index, and runs one group of checks against it in one process of Chromium.
//! `make python` installs what they need; without it they are skipped.

pub mod web;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use backlinkd::config::StoreConfig;
use backlinkd::store::Store;
use backlinkd::urls::Suffixes;

use crate::cli::process::{Place, Running};
use crate::support::python::python_with;

/// A Python with which the checks can run. `None`, with a message, if something is missing.
fn python() -> Option<PathBuf> {
    let lack = match python_with(&["playwright", "axe_playwright_python"]) {
        Ok(python) => {
            let ready = checks(&python).arg("ready").output().unwrap();
            if ready.status.success() {
                return Some(python);
            }
            String::from_utf8_lossy(&ready.stdout).trim().to_owned()
        }
        Err(lack) => lack,
    };
    eprintln!("SKIPPED: the checks of the page cannot run: {lack}");
    None
}

fn checks(python: &Path) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page/run.py");
    let mut command = Command::new(python);
    command.arg("-B").arg(script);
    command
}

/// Runs a group of checks; each prints a line.
fn check(python: &Path, group: &str, address: SocketAddr) {
    let run = checks(python).args([group, &address.to_string()]).output().unwrap();
    let lines = String::from_utf8_lossy(&run.stdout);
    println!("{lines}");
    let failed: Vec<&str> = lines.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert!(run.status.success(), "{}\n{}", failed.join("\n"), String::from_utf8_lossy(&run.stderr));
    assert!(lines.contains("ok "), "no check has run");
}

/// A program without users, over an index with sixty days of history.
fn over_history() -> (Place, Running) {
    let place = Place::new();
    let suffixes = Arc::new(Suffixes::built_in().unwrap());
    let store = Store::open(&place.data(), &StoreConfig::default(), suffixes).unwrap();
    store.put(&web::with_history()).unwrap();
    drop(store);
    place.run(&["-q", "rank"]).with(0);
    let serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    (place, serving)
}

/// Runs a group of checks over the history.
fn check_over_history(group: &str) {
    let Some(python) = python() else { return };
    let (_place, mut serving) = over_history();
    check(&python, group, serving.address());
}

#[test]
fn a_reader_finds_filters_and_takes_away() {
    check_over_history("flow");
}

#[test]
fn a_list_offers_what_it_can_do() {
    check_over_history("lists");
}

#[test]
fn whatever_is_wrong_is_said() {
    check_over_history("states");
}

#[test]
fn every_figure_is_that_of_the_api() {
    check_over_history("figures");
}

#[test]
fn the_help_is_complete() {
    check_over_history("help");
}

#[test]
fn every_view_is_accessible() {
    check_over_history("accessibility");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_crawl_is_shown_as_it_runs() {
    let Some(python) = python() else { return };
    let web = web::busy().start().await;
    let place = Place::at(&web).set("crawl.delay=200ms").set("crawl.min_free_disk_bytes=0");
    let seeds = place.file("seeds.txt", "busy.example\n");
    let mut crawling = place.start(&["run", "--seeds", &seeds, "--listen", "127.0.0.1:0"]);
    check(&python, "crawl", crawling.address());
}

#[tokio::test(flavor = "multi_thread")]
async fn crawled_texts_and_other_sites_do_no_harm() {
    let Some(python) = python() else { return };
    let web = web::hostile().start().await;
    let place = Place::at(&web);
    place.run_with(&["-q", "crawl", "--seeds", "-"], "evil.example\n").with(0);
    place.run_with(&["-q", "user", "add", "alice"], "correct horse\n").with(0);
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    check(&python, "security", serving.address());
}
