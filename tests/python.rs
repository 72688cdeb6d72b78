//! The client for Python in `src/python`, and one that another program generates: checked by `tests/python/*.py`.
//!
//! Each test starts the program, and runs pytest against it in one process. `make python` installs what it needs; without
//! that, the tests are skipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::process::{Place, Running};
use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::python::python_with;

/// What the tests import besides the standard library.
const MODULES: [&str; 7] =
    ["httpx", "mypy", "openapi_python_client", "pandas", "polars", "pyarrow", "pytest"];

/// A Python with which the tests can run. `None`, with a message, if something is missing.
fn python() -> Option<PathBuf> {
    let found = python_with(&MODULES);
    if let Err(lack) = &found {
        eprintln!("SKIPPED: the client for Python cannot be tested: {lack}");
    }
    found.ok()
}

/// Runs the tests of these files; `servers` are variables of the environment with what they need.
fn run(python: &Path, files: &[&str], servers: &[(&str, String)]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    let mut command = Command::new(python);
    command
        .args(["-B", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"])
        .args(files)
        .current_dir(folder);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BACKLINKD_") {
            command.env_remove(name);
        }
    }
    let ended = command.envs(servers.iter().map(|(name, value)| (*name, value))).output().unwrap();
    let lines = String::from_utf8_lossy(&ended.stdout);
    println!("{lines}");
    assert!(ended.status.success(), "{lines}\n{}", String::from_utf8_lossy(&ended.stderr));
    assert!(lines.contains(" passed"), "no test has run");
}

/// The demo, and its address.
fn demo(place: &Place) -> (Running, String) {
    let mut demo = place.start(&["demo", "--listen", "127.0.0.1:0"]);
    demo.says("\nOpen http://");
    let out = demo.out();
    let (_, address) = out.rsplit_once("\nOpen ").unwrap();
    let address = address.lines().next().unwrap().trim_end_matches('/').to_owned();
    (demo, address)
}

fn run_over_demo(files: &[&str]) {
    let Some(python) = python() else { return };
    let place = Place::new();
    let (_demo, address) = demo(&place);
    run(&python, files, &[("BACKLINKD_DEMO", address)]);
}

#[test]
fn the_client_gives_what_the_server_has() {
    run_over_demo(&["test_answers.py", "test_where.py"]);
}

#[test]
fn the_client_bears_faults() {
    run_over_demo(&["test_faults.py", "test_mistakes.py"]);
}

#[test]
fn the_client_has_every_operation_and_its_files_are_current() {
    run_over_demo(&["test_operations.py", "test_source.py"]);
}

#[test]
fn a_generated_client_calls_every_endpoint() {
    run_over_demo(&["test_generated_client.py"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_steers_a_crawl() {
    let Some(python) = python() else { return };
    let web = FakeWeb::new()
        .host("a.test", "127.1.0.2")
        .page(
            "a.test",
            "/",
            Reply::html("<a href=/1>1</a> <a href=/2>2</a> <a href=http://gone.test/>gone</a>"),
        )
        .page("a.test", "/*", Reply::html("a page"))
        .host("b.test", "127.1.0.3")
        .page("b.test", "/", Reply::html("<a href=http://a.test/>a</a>"))
        .start()
        .await;
    let place = Place::at(&web).set("search.refresh=0s").set("crawl.min_free_disk_bytes=0");
    place.run(&["seeds", "add", "a.test"]).with(0);
    place.run_with(&["-q", "user", "add", "alice"], "correct horse\n").with(0);
    let token = |name: &str, roles: &[&str]| {
        let added = place.run(&[&["-q", "token", "add", name], roles].concat()).with(0);
        added.out.trim().to_owned()
    };
    let operator = token("notebook", &["--role", "read", "--role", "operate"]);
    let reader = token("reader", &[]);
    let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0"]);
    let address = format!("http://{}", daemon.address());
    let servers = [
        ("BACKLINKD_DAEMON", address),
        ("BACKLINKD_DAEMON_TOKEN", operator),
        ("BACKLINKD_DAEMON_READER", reader),
    ];
    let ran = tokio::task::spawn_blocking(move || run(&python, &["test_daemon.py"], &servers)).await;
    ran.unwrap();
}
