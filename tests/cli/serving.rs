//! `serve`: access by users, and the addresses on which it may listen.

use std::net::TcpListener;

use super::process::{Place, get};
use crate::support::fake_web::{FakeWeb, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn only_users_are_served() {
    let web = FakeWeb::new().page("a.test", "/", Reply::html("<a href=http://b.test/>b</a>")).start().await;
    let place = Place::at(&web);
    place.run_with(&["-q", "crawl", "--seeds", "-"], "a.test\n").with(0);
    place.run_with(&["user", "add", "alice"], "secret\n").with(0);
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    let address = serving.address();
    let path = "/backlinks?url=b.test";
    assert_eq!(get(address, path, None).0, 401);
    assert_eq!(get(address, path, Some("alice:wrong")).0, 401);
    let (status, answer) = get(address, path, Some("alice:secret"));
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("http://a.test/"), "{answer}");

    serving.signal("TERM");
    let ended = serving.end().with(0);
    assert!(ended.err.contains("stopping"), "{}", ended.err);
}

#[test]
fn an_empty_index_is_served_and_reported_as_empty() {
    let place = Place::new();
    for command in [&["serve"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let absent = place.run(command).with(1);
        let how = "make one with `backlinkd crawl --seeds FILE` or `backlinkd run`, or give another --data";
        assert!(
            absent.err.contains(how) && absent.err.contains("holds no backlinkd index"),
            "{}",
            absent.err
        );
        assert!(!place.data().exists(), "nothing is made by asking");
    }
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    let address = serving.address();
    serving.says(&format!("The index in {} is empty", place.data().display()));
    assert_eq!((get(address, "/livez", None).0, get(address, "/", None).0), (200, 401));
    let (_, answer) = get(address, "/anabacklinks?url=a.test", Some("alice:x"));
    assert!(answer.contains("a.test is not known to this index."), "{answer}");
    serving.signal("TERM");
    serving.end().with(0);
}

#[test]
fn without_users_only_this_machine_is_served() {
    let place = Place::new();
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    place.run(&["-q", "user", "remove", "alice"]).with(0);
    let refused = place.run(&["serve", "--listen", "0.0.0.0:0"]).with(1);
    let how = format!("`backlinkd --data {} user add NAME`", place.data().display());
    assert!(
        refused.err.contains("no API user is configured") && refused.err.contains(&how),
        "{}",
        refused.err
    );

    let mut open = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    let address = open.address();
    assert!(open.err().contains("no user is configured"), "{}", open.err());
    assert_eq!(get(address, "/health", None).0, 200);
    open.signal("INT");
    open.end().with(0);
}

#[test]
fn a_port_in_use_is_reported_with_the_option() {
    let place = Place::new();
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = place.run(&["serve", "--listen", &address]).with(1);
    assert!(ended.err.contains(&address) && ended.err.contains("--listen"), "{}", ended.err);
}

#[test]
fn only_one_process_can_hold_a_data_directory() {
    let place = Place::new();
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    serving.address();
    for command in [
        &["rank"][..],
        &["verify"],
        &["crawl", "--seeds", "-"],
        &["run", "--seeds", "-"],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let ended = place.run_with(command, "a.test\n").with(1);
        let told = format!("the data directory {} is in use by another backlinkd", place.data().display());
        assert!(ended.err.contains(&told), "{command:?}: {}", ended.err);
    }
    // A command that only reads may open the directory nevertheless, and the process itself changes the users.
    assert_eq!(place.run(&["user", "list"]).with(0).out, "alice\n");
    assert_eq!(place.run(&["stats"]).with(0).row("URLs visited"), 0);
}
