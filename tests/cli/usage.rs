//! Wrong usage, and the help about usage.

use std::sync::Arc;

use backlinkd::config::StoreConfig;
use backlinkd::store::Store;
use backlinkd::urls::Suffixes;

use super::process::Place;

#[test]
fn every_command_shows_an_example_in_its_help() {
    let place = Place::new();
    for (command, example) in [
        ("", "crawl --seeds seeds.txt && backlinkd"),
        ("run", "run --seeds seeds.txt --listen 127.0.0.1:8080"),
        ("crawl", "crawl --seeds - --max-pages 1000"),
        ("rank", "backlinkd --data ./index rank"),
        ("robots", "robots https://example.com/ --agent ExampleBot / /private/page"),
        ("serve", "serve --listen 127.0.0.1:8080"),
        ("seeds", "seeds add example.com"),
        ("seeds add", "seeds add example.com https://example.org/docs/"),
        ("seeds remove", "seeds remove example.com"),
        ("seeds list", "seeds list"),
        ("user", "user add alice"),
        ("user add", "user add alice"),
        ("user remove", "user remove alice"),
        ("user list", "user list"),
        ("token", "token add notebook --role read"),
        ("token add", "token add notebook --role read --expires 90d"),
        ("token remove", "token remove notebook"),
        ("token list", "token list"),
        ("stats", "stats --json"),
        ("host", "host www.example.com"),
        ("explain", "explain https://www.example.com/page"),
        ("verify", "verify --repair"),
        ("demo", "backlinkd demo"),
        ("config", "config show --origin crawl.delay"),
        ("config show", "config show --origin fetch"),
        ("config check", "config check backlinkd.toml"),
        ("config default", "config default > backlinkd.toml"),
        ("doctor", "backlinkd --data ./index doctor"),
        ("ping", "ping --listen 127.0.0.1:8080"),
        ("open", "open example.com"),
        ("try", "try example.com"),
        ("generate", "backlinkd generate man > backlinkd.1"),
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ended = place.run(&arguments).with(0);
        let (_, shown) = ended.out.split_once("Example:\n").unwrap_or_else(|| panic!("{}", ended.out));
        assert!(shown.contains(example), "{command}: {shown}");
        assert_eq!(ended.err, "");
    }
    assert!(!place.data().exists());
}

#[test]
fn a_wrong_command_line_is_status_2_and_shows_the_usage() {
    let place = Place::new();
    for (arguments, told) in [
        (&[][..], "Usage:"),
        (&["craw"], "'crawl'"),
        (&["seeds", "add"], "<URL>"),
        (&["crawl", "--seeds", "-", "--max-pages", "-1"], "-1"),
        (&["crawl", "--seeds", "-", "--max-seconds", "soon"], "--max-seconds <S>"),
        (&["serve", "--listen", "localhost"], "--listen <ADDR>"),
        (&["user", "add"], "<NAME>"),
        (&["user", "add", "a", "--role", "write"], "[possible values: read, operate]"),
        (&["token", "add", "a", "--expires", "soon"], "12h or 90d"),
        (&["token", "add", "a", "--expires", "0s"], "expired at once"),
        (&["try", "a.test", "--pages", "0"], "--pages <N>"),
        (&["-v", "-q", "stats"], "cannot be used with"),
        (&["config"], "Usage:"),
        (&["ping", "--listen", "127.0.0.1:1", "--url", "http://a.test/"], "cannot be used with"),
        (&["try"], "<SITE>"),
        (&["try", "a.test", "--pages", "many"], "--pages <N>"),
    ] {
        let ended = place.run(arguments).with(2);
        assert!(ended.err.contains(told), "{arguments:?}: {}", ended.err);
        assert_eq!(ended.out, "");
    }
    assert!(!place.data().exists());
}

#[test]
fn help_fits_a_narrow_terminal() {
    let place = Place::new();
    for command in ["", "doctor", "token remove", "try", "mcp", "run"] {
        let help = place.shell(&format!("COLUMNS=80 backlinkd {command} --help"), "").end().with(0).out;
        let (text, _) = help.split_once("Example:").unwrap();
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!((40..=80).contains(&longest), "{longest}: {text}");
    }
}

#[test]
fn a_wrong_variable_is_status_2_and_named_once() {
    for name in ["BACKLINKD_CONFIG", "BACKLINKD_DATA"] {
        let ended = Place::new().shell(&format!("{name}= backlinkd config check"), "").end().with(2);
        assert!(ended.err.contains(&format!("the environment variable {name} is empty")), "{}", ended.err);
    }
    for command in [&["stats"][..], &["config", "check"], &["doctor"]] {
        let ended = Place::new().env("BACKLINKD_LOG", "a=b=c").run(command).with(2);
        assert!(ended.err.starts_with("backlinkd: BACKLINKD_LOG is not a log filter"), "{}", ended.err);
        assert_eq!(ended.err.matches("expected one of").count(), 1, "{}", ended.err);
    }
    for command in [&["--config", "/no/such", "stats"][..], &["config", "check", "/no/such"]] {
        let ended = Place::new().run(command).with(2);
        assert_eq!(ended.err.matches("No such file").count(), 1, "{}", ended.err);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error_and_a_token_without_one_is_taken_back() {
    let place = Place::new();
    // A pipe without a reader, as a shell without job control makes one.
    let closed = |command: &str| {
        format!("{{ sleep 1; backlinkd --data data {command}; echo $? >&3; }} 3>status | true")
    };
    let status = || std::fs::read_to_string(place.data().with_file_name("status")).unwrap();
    place.shell(&closed("demo --listen 127.0.0.1:0"), "").end().with(0);
    assert_eq!(status(), "0\n");
    for _ in 0..2 {
        let lost = place.shell(&closed("token add lost"), "").end().with(0);
        assert_eq!(status(), "1\n");
        assert!(lost.err.contains("the token lost was removed again"), "{}", lost.err);
    }
    let full = place.shell("backlinkd --data data token add lost > /dev/full", "").end().with(1);
    assert!(full.err.contains("the token lost was removed again"), "{}", full.err);
    assert_eq!(place.run(&["token", "list"]).with(0).out, "");
    let mut serving = place.start(&["serve", "--listen", "127.0.0.1:0"]);
    serving.address();
    place.shell("backlinkd --data data token add lost > /dev/full", "").end().with(1);
    assert_eq!(place.run(&["token", "list"]).with(0).out, "");
}

#[test]
fn a_wrong_configuration_is_status_2_and_names_the_key_and_the_nearest() {
    let place = Place::new();
    let unknown = place.file("unknown.toml", "[crawl]\ndelay = \"1s\"\nfetcher = 3\n");
    let bad = place.file("bad.toml", "[rank]\ndamping = 2\n");
    for (arguments, told) in [
        (&["--config", "/no/such.toml"][..], "/no/such.toml"),
        (
            &["--config", &unknown],
            "line 3 sets \"crawl.fetcher\", which is no key; did you mean crawl.fetchers?",
        ),
        (&["--config", &bad], "rank.damping"),
        (&["--set", "crawl.dela=1s"], "did you mean crawl.delay?"),
        (&["--set", "crawl.delay=often"], "sets crawl.delay to \"often\""),
        (&["--set", "crawl.delay"], "write --set section.key=value"),
        (&["--set", "urls.public_suffix_list=/no/such.dat"], "/no/such.dat"),
    ] {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["stats"]).collect();
        let ended = place.run(&arguments).with(2);
        assert!(ended.err.contains(told), "{arguments:?}: {}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
    assert!(!place.data().exists());
}

#[test]
fn configured_files_must_exist_before_the_first_fetch() {
    for (key, command) in [
        ("geo.database", &["crawl", "--seeds", "-"][..]),
        ("fetch.host_overrides", &["crawl", "--seeds", "-"]),
        ("fetch.extra_ca", &["run", "--listen", "127.0.0.1:0", "--seeds", "-"]),
    ] {
        let place = Place::new().set(&format!("{key}=/no/such/file"));
        let ended = place.run_with(command, "a.test\n").with(2);
        assert!(ended.err.contains("/no/such/file") && ended.err.contains(key), "{key}: {}", ended.err);
    }
}

#[test]
fn reading_a_missing_directory_creates_nothing() {
    let place = Place::new();
    for command in [
        &["stats"][..],
        &["verify"],
        &["host", "a.test"],
        &["explain", "a.test"],
        &["rank"],
        &["serve"],
        &["user", "list"],
        &["user", "remove", "alice"],
        &["token", "list"],
        &["token", "remove", "notebook"],
    ] {
        let ended = place.run(command).with(1);
        assert!(ended.err.contains("holds no backlinkd index"), "{command:?}: {}", ended.err);
        assert!(!place.data().exists(), "{command:?}");
    }
}

#[test]
fn users_are_added_listed_and_removed() {
    let place = Place::new();
    let added = place.run_with(&["user", "add", "bob"], "secret\nsomething else\n").with(0);
    assert_eq!((added.err.as_str(), added.out.as_str()), ("Added user bob.\n", ""));
    place.run_with(&["-q", "user", "add", "alice"], "x").with(0);
    let again = place.run_with(&["user", "add", "bob"], "another\n").with(0);
    assert_eq!(again.err, "Changed the password of user bob.\n");
    assert_eq!(place.run(&["user", "list"]).with(0).out, "alice\nbob\n");

    assert_eq!(place.run(&["user", "remove", "bob"]).with(0).err, "Removed user bob.\n");
    assert!(place.run(&["user", "remove", "bob"]).with(1).err.contains("there is no user \"bob\""));
    assert_eq!(place.run(&["-q", "user", "list"]).with(0).out, "alice\n");

    let empty = place.run_with(&["user", "add", "carol"], "").with(1);
    assert!(empty.err.contains("the password is empty"), "{}", empty.err);
    let colon = place.run_with(&["user", "add", "a:b"], "x\n").with(1);
    assert!(colon.err.contains("\":\""), "{}", colon.err);
    assert_eq!(place.run(&["user", "list"]).with(0).out, "alice\n");
}

#[test]
fn no_password_is_stored_in_plain_text() {
    let place = Place::new();
    place.run_with(&["user", "add", "bob"], "correct-horse-battery\n").with(0);
    for file in std::fs::read_dir(place.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let password = b"correct-horse-battery";
        assert!(!bytes.windows(password.len()).any(|window| window == password));
    }
    // The files are compressed, so the hash is read from the store.
    let suffixes = Arc::new(Suffixes::built_in().unwrap());
    let store = Store::open(&place.data(), &StoreConfig::default(), suffixes).unwrap();
    let users = store.users().unwrap();
    assert!(matches!(&users[..], [(name, hash)] if name == "bob" && hash.starts_with("$argon2id$")));
}

#[test]
fn the_demo_checks_itself() {
    let place = Place::new();
    let ended = place.run(&["demo", "--once", "--listen", "127.0.0.1:0"]).with(0);
    assert!(ended.out.contains("checks hold."), "{}", ended.out);
    assert!(!place.data().exists());
}

#[test]
fn a_too_low_limit_of_open_files_is_raised_or_reported() {
    let told = |soft: u32, hard: u32| {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "ulimit -Sn {soft} && ulimit -Hn {hard} && exec '{}' --data '{}' verify",
            env!("CARGO_BIN_EXE_backlinkd"),
            folder.path().display()
        );
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stderr).unwrap().contains("limit of open files is lower")
    };
    assert!(told(300, 300));
    assert!(!told(300, 6_000));
    assert!(!told(6_000, 6_000));
}
