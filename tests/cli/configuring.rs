//! `config show|check|default`: what is shown can be read again, and mistakes are named.

use std::process::{Command, Stdio};

use backlinkd::config::{DEFAULT_TOML, key_table};
use serde_json::Value;

use super::process::Place;

/// A text as another TOML reader, Python's, understands it; `None` without a Python that has one.
fn read_by_python(text: &str) -> Option<Value> {
    use std::io::Write;
    let script = "import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.stdin.read())))";
    let mut command = Command::new("python3");
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut python = command.spawn().ok()?;
    python.stdin.take().unwrap().write_all(text.as_bytes()).ok()?;
    let output = python.wait_with_output().unwrap();
    if !output.status.success() {
        eprintln!("SKIPPED: there is no python3 with tomllib");
        return None;
    }
    serde_json::from_slice(&output.stdout).ok()
}

fn line<'t>(shown: &'t str, key: &str) -> &'t str {
    shown.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap_or_else(|| panic!("no {key}"))
}

#[test]
fn all_keys_are_shown_and_what_is_shown_is_the_same_configuration() {
    let place = Place::new();
    let shown = place.run(&["config", "show"]).with(0).out;
    let keys: Vec<&str> = shown.lines().filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    let known: Vec<String> = key_table().into_iter().map(|row| row.key).collect();
    assert_eq!(keys, known);
    let file = place.file("shown.toml", &shown);
    let again = place.run(&["--config", &file, "config", "show"]).with(0).out;
    assert_eq!(again, shown);
    let origins = place.run(&["--config", &file, "config", "show", "--origin"]).with(0).out;
    for (number, text) in shown.lines().enumerate().filter(|(_, text)| !text.is_empty()) {
        assert!(origins.contains(&format!("\n{text}  # {file}:{}\n", number + 1)) || number == 0, "{text}");
    }
    let (Some(shown), Some(defaults)) = (read_by_python(&shown), read_by_python(DEFAULT_TOML)) else {
        return;
    };
    for (section, values) in defaults.as_object().unwrap() {
        for (key, value) in values.as_object().unwrap() {
            // A time may be written in another way.
            if !value.is_string() {
                assert_eq!(&shown[section][key], value, "{section}.{key}");
            }
        }
    }
    assert_eq!(shown["crawl"]["delay"], "1s");
}

#[test]
fn each_value_shows_the_layer_that_it_comes_from() {
    let place = Place::new().env("BACKLINKD_CRAWL__FETCHERS", "7").set("rank.damping=0.5");
    let file = place
        .file("own.toml", "[crawl]\n# slowly\ndelay = \"3s\"\nfetchers = 9\n[geo]\ndatabase = \"a.mmdb\"\n");
    let config = ["--config", &file, "config", "show"];
    let shown = place.run(&[&config[..], &["--origin"]].concat()).with(0).out;
    let folder = file.strip_suffix("/own.toml").unwrap();
    for (key, expected) in [
        ("crawl.delay", format!("\"3s\"  # {file}:3")),
        ("crawl.fetchers", "7  # BACKLINKD_CRAWL__FETCHERS".to_owned()),
        ("rank.damping", "0.5  # --set".to_owned()),
        ("geo.database", format!("\"{folder}/a.mmdb\"  # {file}:6")),
        ("geo.language", "\"en\"  # default".to_owned()),
        ("fetch.ip_versions", "[4, 6]  # default".to_owned()),
    ] {
        assert_eq!(line(&shown, key), format!("{key} = {expected}"));
    }
    let some = place.run(&[&config[..], &["crawl.delay", "geo"]].concat()).with(0).out;
    let expected =
        format!("crawl.delay = \"3s\"\n\ngeo.database = \"{folder}/a.mmdb\"\ngeo.language = \"en\"\n");
    assert_eq!(some, expected);
    for (key, told) in [
        ("crawl.dela", "did you mean crawl.delay?"),
        ("crawl.delay.x", "did you mean"),
        ("zzz", "config default"),
    ] {
        let unknown = place.run(&[&config[..], &[key]].concat()).with(2);
        assert!(unknown.err.contains(told) && unknown.err.contains(key), "{}", unknown.err);
    }
    assert!(!place.data().exists());
}

#[test]
fn the_default_file_is_valid_and_sets_nothing_until_a_key_is_uncommented() {
    let place = Place::new();
    let text = place.run(&["config", "default"]).with(0).out;
    let file = place.file("backlinkd.toml", &text);
    let checked = place.run(&["config", "check", &file]).with(0);
    assert_eq!(
        checked.err,
        format!("{file} is valid; keys that differ from the defaults or repeat them: 0.\n")
    );
    let shown = place.run(&["--config", &file, "config", "show"]).with(0).out;
    assert_eq!(shown, place.run(&["config", "show"]).with(0).out);
    let is_key = |line: &str| {
        line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    let all: String = text.lines().map(|line| format!("{}\n", &line[usize::from(is_key(line))..])).collect();
    assert_eq!(all, DEFAULT_TOML);
    let changed = place.file("changed.toml", &text.replace("#delay = \"1s\"", "delay = \"9s\""));
    let shown = place.run(&["--config", &changed, "config", "show", "crawl.delay"]).with(0).out;
    assert_eq!(shown, "crawl.delay = \"9s\"\n");
}

#[test]
fn a_wrong_file_is_status_2_and_the_mistake_is_named() {
    let place = Place::new();
    let blocks = place.file("blocks.txt", "a.test\nhttp://b.test/x\n");
    let users = place.file("users", "alice:long enough\nbob\n");
    let pipe = place.file("pipe", "");
    std::fs::remove_file(&pipe).unwrap();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let asn = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/geo/README.md");
    for (number, (text, told)) in [
        ("[crawl]\ndelay = \"1s\"\nfetcher = 3\n".to_owned(), vec![", line 3 ", "crawl.fetchers?"]),
        ("[crawl]\n\ndelay = 5\n".to_owned(), vec![", line 3 ", "crawl.delay", "to 5"]),
        ("[crawl]\ndelay = \"1s\n".to_owned(), vec![", line 2 ", "is not TOML"]),
        ("[rank]\ndamping = 2\n".to_owned(), vec!["rank.damping", ", line 2"]),
        ("[geo]\ndatabase = \"none.mmdb\"\n".to_owned(), vec!["geo.database", "none.mmdb"]),
        (format!("[geo]\ndatabase = \"{asn}\"\n"), vec!["geo.database", "README.md"]),
        (format!("[crawl]\nblock_list = \"{blocks}\"\n"), vec!["line 2", "blocks.txt"]),
        ("[fetch]\nextra_ca = \"none.pem\"\n".to_owned(), vec!["fetch.extra_ca"]),
        ("[api]\nuser_file = \"none\"\n".to_owned(), vec!["api.user_file", "none"]),
        (
            format!("[api]\nuser_file = \"{users}\"\n"),
            vec!["api.user_file", "users, line 2", "name:password"],
        ),
        (format!("[crawl]\nwarc_dir = \"{blocks}\"\n"), vec!["crawl.warc_dir", "no folder"]),
        (format!("[crawl]\nwarc_dir = \"{blocks}/warc\"\n"), vec!["crawl.warc_dir", &blocks]),
        (format!("[search]\ndirectory = \"{blocks}\"\n"), vec!["search.directory"]),
        (format!("[geo]\ndatabase = \"{pipe}\"\n"), vec!["geo.database", "a pipe"]),
        (
            "[api]\nhosts = [\"https://x.example/\"]\n".to_owned(),
            vec!["api.hosts", "\"x.example\"", ", line 2"],
        ),
        ("[fetch]\nhost_overrides = \"none.tsv\"\n".to_owned(), vec!["fetch.host_overrides"]),
    ]
    .into_iter()
    .enumerate()
    {
        let file = place.file(&format!("{number}.toml"), &text);
        for arguments in [&["config", "check", &file][..], &["--config", &file, "config", "check"]] {
            let wrong = place.run(arguments).with(2);
            assert!(told.iter().all(|told| wrong.err.contains(told)), "{text}: {}", wrong.err);
            assert_eq!((wrong.err.lines().count(), wrong.out.as_str()), (1, ""), "{}", wrong.err);
        }
    }
    place.run(&["config", "check", "/no/such.toml"]).with(2);
    // A file is checked by itself, without the other layers.
    let right = place.file(
        "right.toml",
        "[rank]\ndamping = 0.9\n[crawl]\nwarc_dir = \"new/warc\"\n[search]\ndirectory = \".\"\n[api]\nhosts = [\"x.example\"]\n",
    );
    place.run(&["--set", "crawl.delay=often", "config", "check", &right]).with(0);
    let wrong = place.run(&["--set", "crawl.delay=often", "config", "check"]).with(2);
    assert!(wrong.err.contains("--set"), "{}", wrong.err);
    assert!(!place.data().exists());
}
