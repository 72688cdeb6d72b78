//! `seeds`: the list of the index, changed by commands and used at the start of a crawl.

use super::process::Place;
use crate::support::fake_web::{FakeWeb, Reply};

fn list(place: &Place) -> String {
    place.run(&["seeds", "list"]).with(0).out
}

#[test]
fn seeds_are_added_listed_and_removed() {
    let place = Place::new();
    assert_eq!(list(&place), "");
    assert!(!place.data().exists(), "nothing is made by asking");
    let added = place.run(&["seeds", "add", "b.test", "https://a.test/x#y"]).with(0);
    assert_eq!(added.err, "Added http://b.test/.\nAdded https://a.test/x.\n");
    let again = place.run(&["seeds", "add", "http://b.test:80"]).with(0);
    assert_eq!(again.err, "http://b.test/ is a seed already.\n");
    let file = place.data().join("seeds.txt");
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, "http://b.test/\nhttps://a.test/x\n");

    std::fs::write(&file, format!("# by hand\n{text}c.test # too\nnot a url\n")).unwrap();
    let bad = place.run(&["seeds", "list"]).with(1);
    assert_eq!(bad.out, "http://b.test/\nhttps://a.test/x\nhttp://c.test/\n");
    assert!(bad.err.contains("seeds.txt, line 5: "), "{}", bad.err);
    place.run(&["-q", "seeds", "remove", "b.test", "c.test"]).with(0);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, "# by hand\nhttps://a.test/x\nnot a url\n");

    let unknown = place.run(&["seeds", "remove", "b.test"]).with(1);
    assert!(unknown.err.contains("http://b.test/ is no seed of"), "{}", unknown.err);
    let wrong = place.run(&["seeds", "add", "ftp://b.test/", "d.test"]).with(1);
    assert!(wrong.err.contains("ftp://b.test/"), "{}", wrong.err);
    assert!(!std::fs::read_to_string(&file).unwrap().contains("d.test"), "all or nothing");
}

#[test]
fn concurrent_commands_lose_no_seed() {
    let place = Place::new();
    let names: Vec<String> = (0..12).map(|number| format!("http://h{number}.test/")).collect();
    let running: Vec<_> = names.iter().map(|name| place.start(&["seeds", "add", name])).collect();
    running.into_iter().for_each(|running| drop(running.end().with(0)));
    let mut found: Vec<String> = list(&place).lines().map(str::to_owned).collect();
    found.sort_by_key(|name| (name.len(), name.clone()));
    assert_eq!(found, names);
    let files = std::fs::read_dir(place.data()).unwrap();
    assert_eq!(files.count(), 1, "what was written beside is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_begins_with_the_seeds_of_the_index_and_of_its_arguments() {
    let web = FakeWeb::new()
        .host("b.test", "127.1.0.2")
        .page("a.test", "/", Reply::html("a"))
        .page("b.test", "/", Reply::html("b"))
        .start()
        .await;
    let place = Place::at(&web);
    let nothing = place.run(&["crawl"]).with(1);
    assert!(nothing.err.contains("there is nothing to crawl"), "{}", nothing.err);
    place.run(&["seeds", "add", "a.test"]).with(0);
    assert_eq!(place.run(&["crawl", "--no-rank"]).with(0).row("visits"), 1);
    let both = place.run_with(&["crawl", "--no-rank", "--seeds", "-"], "b.test\n").with(0);
    assert_eq!(both.row("visits"), 2, "{}", both.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_writes_its_process_id() {
    let web = FakeWeb::new().page("a.test", "/", Reply::html("a")).start().await;
    let place = Place::at(&web);
    place.run(&["seeds", "add", "a.test"]).with(0);
    let file = place.data().join("backlinkd.pid");
    // Left behind by a killed daemon.
    std::fs::write(&file, "1\n").unwrap();
    let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0"]);
    daemon.address();
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), daemon.id().to_string());
    daemon.signal("TERM");
    daemon.end().with(0);
    assert!(!file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_applies_new_seeds_and_blocks() {
    let mut web = FakeWeb::new();
    for (number, host) in ["a.test", "b.test", "c.test", "d.test"].into_iter().enumerate() {
        web = web.host(host, &format!("127.1.0.{}", number + 2)).page(host, "/", Reply::html("a page"));
    }
    let web = web.start().await;
    let place = Place::at(&web);
    let blocks = place.file("blocks.txt", "");
    let place = place.set(&format!("crawl.block_list={blocks}"));
    let fetched =
        |host: &str| web.log().iter().filter(|request| request.host == host && request.path == "/").count();
    place.run(&["seeds", "add", "a.test"]).with(0);
    let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0"]);
    daemon.waits_for("the first seed", |_| fetched("a.test") == 1);
    let added = place.run(&["seeds", "add", "b.test"]).with(0);
    assert!(added.err.contains("The daemon that runs there has been told."), "{}", added.err);
    daemon.waits_for("the new seed", |_| fetched("b.test") == 1);

    // An unusable seed is reported, and changes nothing.
    std::fs::write(&blocks, "no host at all\n").unwrap();
    daemon.signal("HUP");
    daemon.says("the block list stays as it is");
    std::fs::write(&blocks, "c.test\n").unwrap();
    place.run(&["seeds", "add", "c.test", "d.test"]).with(0);
    daemon.waits_for("the seed that is not blocked", |_| fetched("d.test") == 1);
    daemon.says("2 new seeds, 1 blocked hosts");
    daemon.signal("TERM");
    daemon.end().with(0);
    assert_eq!(["a.test", "b.test", "c.test"].map(fetched), [1, 1, 0], "seeds are not visited anew");
}
