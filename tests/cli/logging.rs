//! The log: one line per failure, for people and for programs.

use serde_json::Value;

use super::process::Place;
use crate::support::fake_web::{FakeWeb, Reply};

async fn broken_web() -> FakeWeb {
    FakeWeb::new()
        .page("a.test", "/", Reply::html("<a href=/broken>x</a>"))
        .page("a.test", "/broken", Reply::raw("what?"))
        .start()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_fetch_is_one_line_at_the_requested_level() {
    let web = broken_web().await;
    let crawl = |options: &[&str]| {
        let arguments = [options, &["crawl", "--seeds", "-", "--no-rank"]].concat();
        Place::at(&web).set("crawl.max_attempts=1").run_with(&arguments, "a.test\n").with(0).err
    };
    let told = |log: &str| log.lines().filter(|line| line.contains("a page could not be fetched")).count();
    assert_eq!(told(&crawl(&[])), 0);
    let log = crawl(&["-v"]);
    assert_eq!(told(&log), 1, "{log}");
    let line = log.lines().find(|line| line.contains("a page could not be fetched")).unwrap();
    for part in ["INFO backlinkd::fetches", "url=http://a.test/broken", "host=a.test", "kind=protocol"] {
        assert!(line.replace('"', "").contains(part), "{part}: {line}");
    }

    let log = crawl(&["-v", "--log-format", "json"]);
    let lines = log.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let failures: Vec<&Value> = lines.iter().filter(|line| line["target"] == "backlinkd::fetches").collect();
    assert_eq!(failures.len(), 1, "{log}");
    let failure = failures[0];
    assert_eq!((&failure["level"], &failure["kind"]), (&Value::from("INFO"), &Value::from("protocol")));
    assert_eq!(
        (&failure["url"], &failure["host"]),
        (&Value::from("http://a.test/broken"), &Value::from("a.test"))
    );
    assert!(failure["cause"].as_str().is_some_and(|cause| !cause.is_empty()), "{failure}");
    assert_eq!(failure["attempt"], 1);
    assert!(failure["timestamp"].is_string(), "{failure}");
}
