//! `verify`: what it says, what it repairs, and its exit status.

use rocksdb::{DB, Options};

use super::process::Place;
use crate::support::fake_web::{FakeWeb, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_told_and_repaired_on_demand() {
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

    let names = DB::list_cf(&Options::default(), place.data()).unwrap();
    let database = DB::open_cf(&Options::default(), place.data(), names).unwrap();
    let key = b"test,b,)/\x01test,a,)/\x01\x00";
    let backlinks = database.cf_handle("backlinks").unwrap();
    assert!(database.get_cf(backlinks, key).unwrap().is_some());
    database.delete_cf(backlinks, key).unwrap();
    drop(database);

    let told = "backlinks: rows that are missing: 1, such as test,b,)/\\x01test,a,)/\\x01\\x00\n";
    let found = place.run(&["verify"]).with(1);
    assert!(found.out.starts_with(told), "{}", found.out);
    assert!(found.out.contains("`backlinkd verify --repair`"), "{}", found.out);
    let repaired = place.run(&["-q", "verify", "--repair"]).with(0);
    assert!(repaired.out.starts_with(told), "{}", repaired.out);
    assert!(repaired.out.ends_with("Repaired; a second look finds nothing wrong.\n"), "{}", repaired.out);
    assert_eq!(repaired.err, "");
    assert_eq!(place.run(&["verify"]).with(0).out, sound.out);
}
