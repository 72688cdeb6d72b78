//! Limits of a history, and its rows as `verify` finds them.

use super::*;

fn visit(day: u64, number: u64) -> VisitRecord {
    let links = vec![web::link(&format!("http://t{number}.org/")), web::link("http://always.org/")];
    VisitRecord { url: url("http://example.com/"), visited: day * 86_400, visit: web::answered(200, links) }
}

#[test]
fn the_first_and_the_last_visits_are_kept_in_any_order_of_imports() {
    let config = StoreConfig { max_past_visits: 5, ..config() };
    let visits: Vec<VisitRecord> = (0..12).map(|number| visit(100 + number, number)).collect();
    let kept: Vec<VisitRecord> = [&visits[..2], &visits[9..]].concat();
    let expected = live_index(&kept, &config);
    for seed in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let store = open_with(folder.path(), &config);
        let mut dice = Dice(seed);
        let mut beyond = 0;
        for call in shuffled(&visits, &mut dice) {
            beyond += store.import(&call, policy()).unwrap().beyond_limit;
        }
        assert_eq!(beyond, 7);
        assert_sound(&store);
        assert_eq!(read(store), expected);
    }
}

#[test]
fn damaged_histories_are_found_and_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let store = open_with(folder.path(), &config());
    let other = url("http://www.example.com/");
    let second = VisitRecord { url: other.clone(), ..visit(100, 1) };
    store.import(&[visit(100, 1), visit(110, 2), second.clone()], policy()).unwrap();
    drop(store);
    let names = DB::list_cf(&Options::default(), folder.path()).unwrap();
    let change = |act: &dyn Fn(&DB)| act(&DB::open_cf(&Options::default(), folder.path(), &names).unwrap());
    let key = |url: &CanonicalUrl| backlinkd::urls::Surt::from(url).as_bytes().to_vec();
    let page = key(&url("http://example.com/"));
    let find = |expected: &[(&str, &str)]| {
        let store = open_with(folder.path(), &config());
        let options = VerifyOptions { repair: true, memory_bytes: 1 << 20, ..VerifyOptions::default() };
        let findings = store.verify(options, &mut |_| {}).unwrap();
        let found: Vec<_> = findings.found.iter().map(|one| (one.family, one.what)).collect();
        assert_eq!(found, expected);
        assert_eq!(findings.left, []);
    };
    find(&[]);
    // A visit of the page without its history.
    change(&|db| db.put_cf(db.cf_handle("visits").unwrap(), &page, [5]).unwrap());
    find(&[("visits", "histories that disagree with their page or its links")]);
    for value in [&b""[..], b"\xff", b"\x05\x00", b"\x01\x09junk", b"\x01\xff\xff\xff\xff\x7f"] {
        change(&|db| db.put_cf(db.cf_handle("visits").unwrap(), key(&other), value).unwrap());
        let store = open_with(folder.path(), &config());
        let options = VerifyOptions { memory_bytes: 1 << 20, ..VerifyOptions::default() };
        let findings = store.verify(options, &mut |_| {}).unwrap();
        assert!(
            findings.found.iter().any(|one| (one.family, one.what) == ("visits", "rows that cannot be read"))
        );
        if value.len() > 1 {
            assert!(store.import(std::slice::from_ref(&second), policy()).unwrap_err().is_damage());
        }
    }
    change(&|db| {
        db.put_cf(db.cf_handle("visits").unwrap(), b"com,example,)/nothing\x01", [5]).unwrap();
        db.put_cf(db.cf_handle("visits").unwrap(), b"no url", [5]).unwrap();
    });
    let store = open_with(folder.path(), &config());
    let options = VerifyOptions { repair: true, memory_bytes: 1 << 20, ..VerifyOptions::default() };
    let findings = store.verify(options, &mut |_| {}).unwrap();
    let found: Vec<_> = findings.found.iter().map(|one| (one.family, one.what, one.count)).collect();
    assert!(found.contains(&("visits", "histories without a page", 1)), "{found:?}");
    assert!(found.contains(&("visits", "rows that cannot be read", 2)), "{found:?}");
    assert_eq!(findings.left, []);
    // The next import joins the intervals of the page whose history is lost.
    store.import(&[VisitRecord { url: other.clone(), ..visit(90, 7) }], policy()).unwrap();
    assert_eq!(store.page(&other).unwrap().unwrap().first_day.0, 90);
    assert_sound(&store);
}
