//! `doctor`: each state of the machine, the configuration and the index has its line, and a line that mends it.

use std::collections::HashMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::former_formats::copy;
use super::process::{Ended, Place};
use crate::support::fake_web::{FakeWeb, Reply};

/// The verdict, the finding and what to do, by the name of the check.
struct Diagnosis(HashMap<String, [String; 3]>);

impl Diagnosis {
    fn of(ended: &Ended) -> Self {
        let report: Value = serde_json::from_str(&ended.out).unwrap();
        let checks = report["checks"].as_array().unwrap();
        let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
        let rows = checks
            .iter()
            .map(|check| (text(check, "name"), ["verdict", "found", "mend"].map(|key| text(check, key))));
        let diagnosis = Self(rows.collect());
        assert_eq!(diagnosis.0.len(), checks.len(), "names are unique");
        let count = |verdict: &str| diagnosis.0.values().filter(|row| row[0] == verdict).count();
        for (key, verdict) in [("ok", "ok"), ("warnings", "warn"), ("failures", "fail")] {
            assert_eq!(report[key], count(verdict));
        }
        assert_eq!(ended.status, Some(i32::from(count("fail") > 0)), "{}", ended.out);
        for (name, [verdict, found, mend]) in &diagnosis.0 {
            assert!(!found.is_empty(), "{name}");
            assert_eq!(mend.is_empty(), verdict == "ok" || verdict == "skipped", "{name}: {verdict} {mend}");
        }
        diagnosis
    }

    #[track_caller]
    fn has(&self, name: &str, verdict: &str, parts: &[&str]) {
        let row = self.0.get(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(row[0], verdict, "{name}: {row:?}");
        let text = row[1..].join(" -> ");
        assert!(parts.iter().all(|part| text.contains(part)), "{name}: {text}");
    }
}

#[track_caller]
fn doctor(place: &Place, arguments: &[&str]) -> Diagnosis {
    Diagnosis::of(&place.run(&[arguments, &["doctor", "--json"]].concat()))
}

/// A place whose API takes a free port.
fn anywhere() -> Place {
    Place::new().set("api.listen=127.0.0.1:0")
}

#[test]
fn a_new_machine_has_warnings_and_nothing_is_created() {
    let place = anywhere();
    let found = doctor(&place, &[]);
    found.has("configuration", "ok", &["no file, 1 keys set"]);
    found.has("contact", "warn", &["fetch.contact"]);
    found.has("resolver", "skipped", &["neither fetch.contact nor the seed list"]);
    found.has("place database", "warn", &["geo.database is not set", ".mmdb"]);
    found.has("data directory", "warn", &["does not exist yet", "backlinkd crawl"]);
    found.has("process", "ok", &["none uses"]);
    found.has("port", "ok", &["is free"]);
    found.has("index", "skipped", &["none yet"]);
    found.has("users", "ok", &["open to everyone on this machine"]);
    for name in ["open files", "memory", "huge pages", "clock", "disk", "file system"] {
        assert!(found.0.contains_key(name), "{name}");
    }
    assert!(!place.data().exists());
    let text = place.run(&["doctor"]).with(0).out;
    assert!(text.lines().any(|line| line.starts_with("warn  contact ")), "{text}");
    assert!(text.lines().any(|line| line.trim_start().starts_with("-> put the address of a page")), "{text}");
    assert!(text.ends_with(" to look at, 0 failed\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_is_examined_beside_it_and_ranks_on_request() {
    let web = FakeWeb::new().page("a.test", "/", Reply::html("<a href=http://b.test/>b</a>")).start().await;
    let place = Place::at(&web).set("fetch.contact=crawler@a.test").set("rank.first=1day");
    place.run(&["seeds", "add", "a.test"]).with(0);
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    place.run(&["token", "add", "old", "--expires", "1s"]).with(0);
    let mut daemon = place.start(&["run", "--listen", "0.0.0.0:0"]);
    let port = daemon.address().port();
    daemon.waits_for("a page", |_| web.log().iter().any(|request| request.path == "/"));
    std::thread::sleep(Duration::from_secs(2));
    let found = doctor(&place, &[]);
    found.has("contact", "ok", &["crawler@a.test"]);
    found.has("resolver", "ok", &["a.test has the address 127."]);
    found.has("process", "ok", &[&format!("process {}, ", daemon.id()), "crawls and serves"]);
    found.has("port", "ok", &[&format!("127.0.0.1:{port} answers for this index")]);
    found.has("data directory", "ok", &["for its owner alone"]);
    found.has("index", "ok", &["format 6"]);
    found.has("users", "warn", &["1 users, 1 tokens", "1 have expired", "token remove"]);
    found.has("seeds", "ok", &["1 in the list"]);
    found.has("ranks", "warn", &["never computed", " rank"]);
    found.has("verification", "skipped", &["never"]);

    let ranked = place.run(&["rank"]).with(0);
    assert!(ranked.out.starts_with("The daemon ranked in "), "{}", ranked.out);
    doctor(&place, &[]).has("ranks", "ok", &["computed just now"]);
    daemon.signal("TERM");
    daemon.end().with(0);

    place.run(&["verify"]).with(0);
    let found = doctor(&place.set("api.listen=127.0.0.1:0"), &[]);
    found.has("verification", "ok", &["just now, without damage"]);
    found.has("process", "ok", &["none uses"]);
}

#[test]
fn the_configuration_of_the_daemon_is_examined_wherever_doctor_runs() {
    let place = Place::new();
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    let file = place.file(
        "own.toml",
        "[api]\nlisten = \"127.0.0.1:0\"\n[fetch]\ncontact = \"one@file.test\"\nnameservers = [\"127.0.0.1:1\"]\n",
    );
    let environment = "BACKLINKD_CRAWL__MIN_FREE_DISK_BYTES=1000000000000000000";
    let line = format!(
        "ulimit -n 300; {environment} exec backlinkd --data data --config own.toml --set geo.database=/no/such \
         --set geo.database= serve"
    );
    let mut serving = place.shell(&line, "");
    serving.address();
    let found = doctor(&place, &[]);
    found.has("configuration", "ok", &[&file, "5 keys set", "as the daemon runs"]);
    found.has("contact", "ok", &["one@file.test"]);
    found.has("resolver", "fail", &["file.test was not resolved"]);
    found.has("disk", "fail", &["crawl.min_free_disk_bytes"]);
    found.has("open files", "warn", &["limit of 300"]);
    let other = place.file("other.toml", "[fetch]\ncontact = \"two@file.test\"\n");
    let found = doctor(&place, &["--config", &other]);
    found.has("configuration", "warn", &[&other, &format!("the daemon runs with {file}"), "leave --config"]);
    found.has("contact", "ok", &["two@file.test"]);
    serving.signal("TERM");
    serving.end().with(0);
    doctor(&place, &[]).has("contact", "warn", &["fetch.contact"]);
}

#[test]
fn a_server_without_a_crawl_ranks_nothing() {
    let place = Place::new();
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    serving.address();
    let refused = place.run(&["rank"]).with(1);
    assert!(refused.err.contains("is in use by another backlinkd process; stop that one"), "{}", refused.err);
    doctor(&place, &[]).has("process", "ok", &[&format!("process {}, ", serving.id()), "serves"]);
}

#[test]
fn mistakes_of_the_configuration_have_a_line_each() {
    let geo = |name: &str| format!("geo.database={}/tests/data/geo/{name}", env!("CARGO_MANIFEST_DIR"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("api.listen={}", taken.local_addr().unwrap());
    for (set, name, verdict, parts) in [
        (
            "crawl.dela=1s".to_owned(),
            "configuration",
            "fail",
            &["did you mean crawl.delay?", "config check"][..],
        ),
        ("geo.database=/no/such".to_owned(), "configuration", "fail", &["/no/such"]),
        ("geo.database=/no/such".to_owned(), "place database", "fail", &["/no/such"]),
        (
            geo("networks-only.mmdb"),
            "place database",
            "warn",
            &["Example-ASN", "autonomous_system_number", "none with a country"],
        ),
        (
            geo("GeoLite2-City-Test.mmdb"),
            "place database",
            "warn",
            &["GeoLite2-City", "days old: countries and cities", "newer"],
        ),
        (port, "port", "fail", &["taken by another program", "ss -ltnp"]),
        (
            "api.listen=0.0.0.0:0".to_owned(),
            "users",
            "fail",
            &["others can reach 0.0.0.0:0", "user add NAME"],
        ),
        ("api.listen=192.0.2.1:80".to_owned(), "port", "fail", &["192.0.2.1:80", "api.listen"]),
        ("crawl.min_free_disk_bytes=1000000000000000000".to_owned(), "disk", "fail", &["the crawl pauses"]),
        ("search.memory_bytes=1000000000000000".to_owned(), "memory", "warn", &["search.memory_bytes"]),
    ] {
        let place = anywhere().set(&set);
        doctor(&place, &[]).has(name, verdict, parts);
        assert!(!place.data().exists());
    }
    let resolver =
        anywhere().set("fetch.contact=https://contact.test/crawler").set("fetch.nameservers=127.0.0.1:1");
    doctor(&resolver, &[]).has("resolver", "fail", &["contact.test was not resolved", "fetch.nameservers"]);
    let few = anywhere();
    let few = few.start_with_open_files(200, &["-q", "doctor", "--json"]).end();
    Diagnosis::of(&few).has("open files", "warn", &["limit of 200", "LimitNOFILE="]);
}

#[test]
fn a_mend_is_one_that_this_account_can_use() {
    let contact =
        |text: &str| anywhere().set(&format!("fetch.contact={text}")).set("fetch.nameservers=127.0.0.1:1");
    for text in ["nonsense", "mailto:"] {
        doctor(&contact(text), &[]).has("contact", "warn", &[text, "neither a page nor an e-mail address"]);
    }
    doctor(&contact("+https://a.test/bot"), &[]).has("contact", "ok", &["a.test"]);
    let place = anywhere();
    let packed = place.file("places.mmdb.gz", "\u{1f}?");
    std::fs::write(&packed, [0x1f, 0x8b, 8, 0]).unwrap();
    doctor(&place, &["--set", &format!("geo.database={packed}")]).has("place database", "fail", &["gunzip"]);

    let file = place.file("file", "");
    let place = place.over(Path::new(&file));
    let found = doctor(&place, &[]);
    found.has("data directory", "fail", &["is no directory"]);
    found.has("index", "skipped", &["the data directory cannot be used"]);
    let below = doctor(&anywhere().over(&Path::new(&file).join("data")), &[]);
    below.has("data directory", "fail", &["install -d"]);

    let place = anywhere();
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    place.run(&["token", "add", "old", "--expires", "1s"]).with(0);
    place.run(&[
        "crawl",
        "--seeds",
        &place.file("seeds", "a.test\n"),
        "--set",
        "fetch.nameservers=127.0.0.1:1",
    ]);
    std::thread::sleep(Duration::from_secs(2));
    let found = doctor(&place, &[]);
    found.has("users", "warn", &[&format!("backlinkd --data {} token remove", place.data().display())]);
    found.has("seeds", "ok", &["0 in the list"]);
    if std::os::unix::fs::chown(place.data(), Some(1), None).is_err() {
        eprintln!("SKIPPED: only root can give a directory to another account");
        return;
    }
    let found = doctor(&place, &[]);
    found.has("data directory", "fail", &["belongs to the account daemon", "this is root", "sudo -u daemon"]);
    assert!(!found.0["data directory"][2].contains("chown"), "{:?}", found.0["data directory"]);
    found.has("index", "skipped", &["the data directory cannot be used"]);
}

#[test]
fn a_full_disk_fails_whatever_the_configuration_allows() {
    let place = anywhere().set("crawl.min_free_disk_bytes=0");
    std::fs::create_dir(place.data()).unwrap();
    let Some(small) = place.start_on_disk(&place.data(), 1 << 20, &["doctor", "--json"]) else {
        eprintln!("SKIPPED: this system does not permit the mount of a disk");
        return;
    };
    Diagnosis::of(&small.end()).has(
        "disk",
        "fail",
        &["the next write of the index fails", "store.write_buffer_bytes"],
    );
}

#[test]
fn mistakes_in_the_data_directory_have_a_line_each() {
    let place = anywhere();
    place.run_with(&["-q", "user", "add", "alice"], "x\n").with(0);
    let data = place.data();
    doctor(&place, &[]).has("seeds", "warn", &["nothing to crawl", "seeds add"]);
    std::fs::write(data.join("seeds.txt"), "a.test\n two words\n").unwrap();
    std::fs::write(data.join("backlinkd.pid"), "1\n").unwrap();
    std::fs::write(
        data.join("maintenance.json"),
        r#"{"ranked":null,"verified":1790000000,"is_clean":false}"#,
    )
    .unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let place = place.set("fetch.nameservers=127.0.0.1:1");
    let found = doctor(&place, &[]);
    found.has("seeds", "warn", &["seeds.txt: line 2", "1 lines are skipped"]);
    found.has("resolver", "fail", &["a.test was not resolved"]);
    found.has("process", "warn", &["left by a daemon that was killed"]);
    found.has("verification", "fail", &["days ago, and it found damage", "--repair"]);
    found.has("data directory", "warn", &["open to other users", "chmod -R go="]);
    found.has("ranks", "skipped", &["nothing is indexed"]);
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    std::fs::File::options()
        .write(true)
        .open(data.join("seeds.txt"))
        .unwrap()
        .set_modified(tomorrow)
        .unwrap();
    doctor(&place, &[]).has("clock", "fail", &["when seeds.txt was written"]);
    std::fs::write(data.join("CURRENT"), "MANIFEST-999999\n").unwrap();
    doctor(&place, &[]).has("index", "fail", &["verify"]);
}

#[test]
fn a_directory_of_an_earlier_format_is_named_and_not_upgraded() {
    let place = anywhere();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats/4/index"), &place.data());
    for (set, how) in
        [("store.upgrade=true", "the next start upgrades it"), ("store.upgrade=false", "store.upgrade")]
    {
        doctor(&place, &["--set", set]).has(
            "index",
            "warn",
            &["format 4; this version writes format 6", how],
        );
    }
}
