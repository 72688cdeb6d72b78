//! `verify`: its report, its repairs, and its exit status.

use std::path::Path;

use rocksdb::{DB, Options};

use super::process::Place;
use crate::support::fake_web::{FakeWeb, Reply};

fn database(directory: &Path) -> DB {
    let names = DB::list_cf(&Options::default(), directory).unwrap();
    DB::open_cf(&Options::default(), directory, names).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_reported_and_repaired_on_demand() {
    let web = FakeWeb::new()
        .host("b.test", "127.1.0.2")
        .page("a.test", "/", Reply::html("<a href=http://b.test/>b</a>"))
        .page("b.test", "/", Reply::html("<a href=http://a.test/>a</a>"))
        .start()
        .await;
    let place = Place::at(&web);
    place.run_with(&["crawl", "--seeds", "-"], "a.test\n").with(0);
    let sound = place.run(&["verify"]).with(0);
    assert_eq!(sound.out, "Nothing is wrong with the index.\n");

    let database = database(&place.data());
    let key = b"test,b,)/\x01test,a,)/\x01\x00";
    let backlinks = database.cf_handle("backlinks").unwrap();
    assert!(database.get_cf(backlinks, key).unwrap().is_some());
    database.delete_cf(backlinks, key).unwrap();
    drop(database);

    let told = "backlinks: rows that are missing: 1, such as http://a.test/ -> http://b.test/\n";
    let found = place.run(&["verify"]).with(1);
    assert!(found.out.starts_with(told), "{}", found.out);
    assert!(found.out.contains("`backlinkd verify --repair`"), "{}", found.out);
    let repaired = place.run(&["-q", "verify", "--repair"]).with(0);
    assert!(repaired.out.starts_with(told), "{}", repaired.out);
    assert!(repaired.out.ends_with("Repaired; a second look finds nothing wrong.\n"), "{}", repaired.out);
    assert_eq!(repaired.err, "");
    assert_eq!(place.run(&["verify"]).with(0).out, sound.out);
}

/// A page whose links were lost is requested as if it had never been fetched. Otherwise its server would respond with
/// not modified, and the links would be lost for as long as the page does not change.
#[tokio::test(flavor = "multi_thread")]
async fn lost_links_return_although_their_page_has_not_changed() {
    let web = FakeWeb::new()
        .host("b.test", "127.1.0.2")
        .page("a.test", "/", Reply::html("<a href=/p>p</a>"))
        .answer("a.test", "/p", |request| match request.header("if-none-match") {
            Some("\"v1\"") => Reply::status(304),
            _ => Reply::html("<a href=http://b.test/>b</a><a href=/>a</a>").header("ETag", "\"v1\""),
        })
        .page("b.test", "/", Reply::html("b"))
        .start()
        .await;
    let place = Place::at(&web);
    place.run_with(&["crawl", "--seeds", "-"], "a.test\n").with(0);
    let (page, backlink) = (b"test,a,)/p\x01", b"test,b,)/\x01test,a,)/p\x01\x00");
    let asked = || web.log().iter().filter(|request| request.path == "/p").count();
    for (times, damage) in [(2, None), (3, Some(&b"\xff"[..]))] {
        let before = database(&place.data());
        let outlinks = before.cf_handle("outlinks").unwrap();
        match damage {
            None => before.delete_cf(outlinks, page).unwrap(),
            Some(damage) => before.put_cf(outlinks, page, damage).unwrap(),
        }
        drop(before);
        let found = place.run(&["verify"]).with(1);
        assert!(found.out.contains("pages whose number of links is wrong: 1"), "{}", found.out);
        place.run(&["verify", "--repair"]).with(0);
        place.run_with(&["crawl", "--seeds", "-"], "b.test\n").with(0);
        assert_eq!(asked(), times, "the page was visited, though it was not due");
        let after = database(&place.data());
        assert!(after.get_cf(after.cf_handle("outlinks").unwrap(), page).unwrap().is_some());
        assert!(after.get_cf(after.cf_handle("backlinks").unwrap(), backlink).unwrap().is_some());
        drop(after);
        place.run(&["verify"]).with(0);
    }
}
