//! The layers of the configuration: their precedence, and the messages about mistakes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use backlinkd::config::{COMMAND_LINE_VARIABLES, Config, ConfigError, DEFAULT_TOML, Span, key_table, load};
use toml::{Table, Value};

fn env(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect::<Vec<_>>()
        .into_iter()
}

fn sets(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn from_sets(texts: &[&str]) -> Result<Config, ConfigError> {
    load(None, env(&[]), &sets(texts))
}

fn from_env(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    load(None, env(pairs), &[])
}

/// A configuration file in its own folder.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backlinkd.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn from_file(text: &str) -> Result<Config, ConfigError> {
    let (_folder, path) = file(text);
    load(Some(&path), env(&[]), &[])
}

/// Each `section.key` of a table of sections.
fn keys(table: &Table) -> BTreeSet<String> {
    let section = |(name, keys): (&String, &Value)| {
        keys.as_table().unwrap().keys().map(|key| format!("{name}.{key}")).collect::<Vec<_>>()
    };
    table.iter().flat_map(section).collect()
}

fn assert_says<T: std::fmt::Debug>(result: Result<T, ConfigError>, parts: &[&str]) {
    let message = result.unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "\"{part}\" is not in: {message}");
    }
}

#[test]
fn the_default_file_equals_the_defaults_key_by_key() {
    let shown: Table = DEFAULT_TOML.parse().unwrap();
    let built_in = Table::try_from(Config::default()).unwrap();
    assert_eq!(keys(&shown), keys(&built_in));
    for (section, values) in &shown {
        for (key, value) in values.as_table().unwrap() {
            let keys = Table::from_iter([(key.clone(), value.clone())]);
            let alone = Table::from_iter([(section.clone(), Value::Table(keys))]);
            let read: Config = alone.try_into().unwrap();
            assert_eq!(read, Config::default(), "{section}.{key}");
        }
    }
    assert_eq!(load(None, env(&[]), &[]).unwrap(), Config::default());
    Config::default().validate().unwrap();
}

#[test]
fn every_key_has_an_explanation() {
    let table = key_table();
    let shown: Table = DEFAULT_TOML.parse().unwrap();
    assert_eq!(table.iter().map(|row| row.key.clone()).collect::<BTreeSet<_>>(), keys(&shown));
    for row in &table {
        assert!(row.doc.len() >= 30 && row.doc.ends_with('.'), "{} is not explained: {:?}", row.key, row.doc);
        let (section, key) = row.key.split_once('.').unwrap();
        assert_eq!(row.default.parse::<Value>().unwrap(), shown[section][key], "{}", row.key);
    }
    let delay = table.iter().find(|row| row.key == "crawl.delay").unwrap();
    assert_eq!(delay.default, "\"1s\"");
    assert!(delay.doc.starts_with("Time between two fetches of one host"));
}

#[test]
fn later_layers_win() {
    let (_folder, path) = file("[crawl]\nfetchers = 1\nmax_depth = 1\nmax_attempts = 1\n");
    let variables =
        [("BACKLINKD_CRAWL__MAX_DEPTH", "2"), ("BACKLINKD_CRAWL__MAX_ATTEMPTS", "2"), ("PATH", "/bin")];
    let arguments = sets(&["crawl.max_attempts=3", "crawl.store_queue=3", "crawl.store_queue=4"]);
    let crawl = load(Some(&path), env(&variables), &arguments).unwrap().crawl;
    assert_eq!((crawl.fetchers, crawl.max_depth, crawl.max_attempts, crawl.store_queue), (1, 2, 3, 4));
    assert_eq!(crawl.delay, Config::default().crawl.delay);
}

#[test]
fn values_need_no_quotes_and_lists_no_brackets() {
    let config = from_sets(&[
        "crawl.delay=0s",
        "crawl.retry_delay = \"250ms\"",
        "crawl.stay_on_seed_domains=true",
        "crawl.max_pages_per_host=2_000",
        "fetch.contact=https://example.com/?a=b",
        "fetch.allow_private_addresses=[\"127.0.0.0/8\"]",
        "urls.drop_query_params=utm_*, sid",
        "rank.tolerance=1e-6",
        "api.listen=[::1]:9000",
        "geo.language=12",
    ])
    .unwrap();
    assert_eq!(config.crawl.delay, Span::seconds(0));
    assert_eq!(config.crawl.retry_delay.0.as_millis(), 250);
    assert!(config.crawl.stay_on_seed_domains);
    assert_eq!(config.crawl.max_pages_per_host, 2_000);
    assert_eq!(config.fetch.contact, "https://example.com/?a=b");
    assert_eq!(config.fetch.allow_private_addresses, ["127.0.0.0/8".parse().unwrap()]);
    assert_eq!(config.urls.drop_query_params, ["utm_*", "sid"]);
    assert!((config.rank.tolerance - 1e-6).abs() < 1e-12);
    assert_eq!(config.api.listen, "[::1]:9000".parse().unwrap());
    assert_eq!(config.geo.language, "12");

    let lists = from_env(&[("BACKLINKD_FETCH__ALLOW_PRIVATE_ADDRESSES", "10.0.0.0/8,::1/128")]).unwrap();
    assert_eq!(lists.fetch.allow_private_addresses.len(), 2);
    assert!(from_sets(&["urls.drop_query_params="]).unwrap().urls.drop_query_params.is_empty());
    assert_eq!(from_sets(&["geo.language='de'"]).unwrap().geo.language, "de");
}

#[test]
fn hosts_are_names_alone_and_an_address_is_a_network() {
    for (host, right) in [
        ("https://x.example/", "x.example"),
        ("x.example:8443", "x.example"),
        ("x.example/path", "x.example"),
        ("fd00::1", "[fd00::1]"),
        ("[fd00::1]:80", "[fd00::1]"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.x.example", "www.links.example"),
        ("", "links.example"),
    ] {
        assert_says(
            from_file(&format!("[api]\nhosts = [\"a.example\", \"{host}\"]\n")),
            &["line 2", &format!("api.hosts has \"{host}\""), &format!("like \"{right}\"")],
        );
    }
    assert_eq!(
        from_sets(&["api.hosts=X.example,x.example.,[fd00::1],10.0.0.1,x"]).unwrap().api.hosts.len(),
        5
    );
    let proxies = from_sets(&["api.trusted_proxies=127.0.0.1,::1,10.0.0.0/8"]).unwrap().api.trusted_proxies;
    let proxies: Vec<String> = proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["127.0.0.1/32", "::1/128", "10.0.0.0/8"]);
    assert_says(
        from_sets(&["api.trusted_proxies=proxy"]),
        &["api.trusted_proxies", "127.0.0.1 or 10.0.0.0/8"],
    );
}

#[test]
fn unknown_keys_are_refused_with_name_origin_and_nearest_key() {
    assert_says(
        from_file("[crawl]\nfetchers = 1\n\ndealy = \"1s\"\n"),
        &["backlinkd.toml, line 4", "\"crawl.dealy\"", "did you mean crawl.delay?"],
    );
    assert_says(from_file("[crwal]\ndelay = \"1s\"\n"), &["line 1", "\"crwal\"", "did you mean crawl?"]);
    assert_says(from_file("delay = \"1s\"\n"), &["line 1", "\"delay\"", "did you mean crawl.delay?"]);
    assert_says(from_file("crawl.dealy = 1\n"), &["line 1", "\"crawl.dealy\"", "crawl.delay"]);
    assert_says(from_file("[crawl.deep]\ndelay = 1\n"), &["\"crawl.deep\""]);
    assert_says(from_sets(&["fetch.delay=1s"]), &["--set", "\"fetch.delay\"", "did you mean crawl.delay?"]);
    assert_says(from_sets(&["zzz.qqq=1"]), &["\"zzz.qqq\"", "`backlinkd config default` lists every key"]);
    assert_says(from_sets(&["crawl=1"]), &["\"crawl\""]);
    assert_says(from_sets(&["crawl.delay"]), &["--set crawl.delay", "equals sign"]);
}

#[test]
fn variables_without_a_key_are_refused() {
    for (name, nearest) in [
        ("BACKLINKD_CRAWL__DEALY", "BACKLINKD_CRAWL__DELAY"),
        ("BACKLINKD_CRAWL_DELAY", "BACKLINKD_CRAWL__DELAY"),
        ("BACKLINKD_API_LISTEN", "BACKLINKD_API__LISTEN"),
        ("BACKLINKD_crawl__delay", "BACKLINKD_CRAWL__DELAY"),
        ("BACKLINKD_STORE_BLOCK_CACHE_BYTES", "BACKLINKD_STORE__BLOCK_CACHE_BYTES"),
    ] {
        assert_says(from_env(&[(name, "1s")]), &[name, &format!("did you mean {nearest}?")]);
    }
    assert_says(from_env(&[("BACKLINKD_QQQ", "1")]), &["BACKLINKD_QQQ"]);
    for name in COMMAND_LINE_VARIABLES.into_iter().chain([
        "BACKLINKD_SERVICE_HOST",
        "BACKLINKD_PORT",
        "BACKLINKD_PORT_8080_TCP_ADDR",
        "OTHER_CRAWL__DEALY",
    ]) {
        assert_eq!(from_env(&[(name, "1")]).unwrap(), Config::default(), "{name}");
    }
}

#[test]
fn wrong_values_are_refused_with_the_expected_form() {
    assert_says(
        from_sets(&["crawl.fetchers=many"]),
        &["--set sets crawl.fetchers to \"many\"", "a whole number, like 64"],
    );
    assert_says(from_sets(&["crawl.fetchers=-1"]), &["crawl.fetchers to -1", "a whole number"]);
    assert_says(from_sets(&["crawl.fetchers=1.5"]), &["crawl.fetchers to 1.5", "a whole number"]);
    assert_says(from_sets(&["crawl.stay_on_seed_domains=yes"]), &["\"yes\"", "true or false"]);
    assert_says(from_sets(&["crawl.delay=1"]), &["crawl.delay to \"1\"", "is not a duration", "500ms"]);
    assert_says(from_sets(&["api.listen=8080"]), &["api.listen to \"8080\"", "like \"127.0.0.1:8080\""]);
    assert_says(from_sets(&["fetch.allow_private_addresses=10.0.0.0"]), &["10.0.0.0", "a list"]);
    assert_says(from_sets(&["urls.drop_query_params=[a,b]"]), &["[a,b]", "a list"]);
    assert_says(
        from_env(&[("BACKLINKD_RANK__DAMPING", "half")]),
        &["the environment variable BACKLINKD_RANK__DAMPING", "\"half\"", "a number, like 0.85"],
    );
    assert_says(from_file("[crawl]\ndelay = 1\n"), &["line 2 sets crawl.delay to 1", "text, like \"1s\""]);
}

#[test]
fn invalid_values_are_refused_with_their_origin() {
    for (set, part) in [
        ("crawl.fetchers=0", "crawl.fetchers is 0; it must be at least 1 (set by --set)"),
        ("rank.damping=1", "rank.damping is 1"),
        ("rank.tolerance=nan", "rank.tolerance is NaN"),
        ("fetch.user_agent=my bot/1.0", "product token"),
        ("fetch.contact=é", "printable ASCII"),
        ("robots.max_age=48h", "at most 24h"),
        ("robots.max_bytes=1000", "at least 512000"),
        ("store.compression_level=23", "from 1 to 22"),
        ("store.max_open_files=0", "at least 64, or -1"),
        ("urls.drop_query_params=*", "urls.drop_query_params holds \"*\""),
        ("urls.drop_query_params=a*b", "urls.drop_query_params holds \"a*b\""),
        ("urls.max_length=10", "at least 100"),
    ] {
        assert_says(from_sets(&[set]), &[part]);
    }
    assert_says(from_file("[api]\nmax_limit = 0\n"), &["api.max_limit is 0", "backlinkd.toml, line 2"]);
}

#[test]
fn unreadable_files_are_named() {
    assert_says(
        load(Some(Path::new("/no/such/file.toml")), env(&[]), &[]),
        &["/no/such/file.toml", "cannot be read"],
    );
    assert_says(from_file("[crawl]\nfetchers = \n"), &["backlinkd.toml, line 2", "not TOML"]);
    assert_says(from_file("[crawl]\nfetchers = 1\nfetchers = 2\n"), &["backlinkd.toml, line 3"]);
}

/// The test finds the fields with paths in the source, so that none can be forgotten.
#[test]
fn a_files_relative_paths_are_relative_to_its_folder() {
    let mut checked = 0;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config");
    for entry in std::fs::read_dir(sources).unwrap() {
        let source = entry.unwrap().path();
        let section = source.file_stem().unwrap().to_str().unwrap();
        for line in std::fs::read_to_string(&source).unwrap().lines() {
            let field = line.trim().strip_prefix("pub ").and_then(|rest| rest.strip_suffix(": PathBuf,"));
            let Some(key) = field else { continue };
            checked += 1;
            let path_of = |config: Config| {
                let table = Table::try_from(config).unwrap();
                PathBuf::from(table[section][key].as_str().unwrap())
            };
            let read = |value: &str| {
                let (folder, path) = file(&format!("[{section}]\n{key} = \"{value}\"\n"));
                (folder.path().to_owned(), path_of(load(Some(&path), env(&[]), &[]).unwrap()))
            };
            let (folder, relative) = read("lists/a");
            assert_eq!(relative, folder.join("lists/a"), "{section}.{key}");
            assert_eq!(read("/etc/a").1, Path::new("/etc/a"));
            assert_eq!(read("").1, Path::new(""));
            let given = from_sets(&[&format!("{section}.{key}=lists/a")]).unwrap();
            assert_eq!(path_of(given), Path::new("lists/a"));
        }
    }
    assert_eq!(checked, 8);
}

#[test]
fn the_urls_section_gives_rules_and_suffixes() {
    let urls = from_sets(&["urls.drop_query_params=sid", "urls.max_length=100"]).unwrap().urls;
    assert_eq!(urls.rules().canonical("http://a.com/?sid=1").unwrap().as_str(), "http://a.com/");
    assert!(urls.rules().canonical(&format!("http://a.com/{}", "a".repeat(100))).is_err());
    assert_eq!(urls.suffixes().unwrap().domain_of("a.b.co.uk"), "b.co.uk");

    let (folder, path) = file("[urls]\npublic_suffix_list = \"list.dat\"\n");
    let urls = load(Some(&path), env(&[]), &[]).unwrap().urls;
    assert_says(urls.suffixes(), &["list.dat", "cannot be read"]);
    std::fs::write(folder.path().join("list.dat"), "// none\n").unwrap();
    assert_says(urls.suffixes(), &["list.dat", "holds no rules"]);
    std::fs::write(folder.path().join("list.dat"), "test\nb.test\n").unwrap();
    assert_eq!(urls.suffixes().unwrap().domain_of("x.a.b.test"), "a.b.test");
}
