//! The configuration file and the systemd unit of the Debian package, and its list of files.

use std::process::Command;
use std::time::Duration;

use backlinkd::config::{Config, DEFAULT_TOML, key_table, load};

use super::{PROGRAM, has_tool, read, root};

/// The configuration file of the package.
fn conffile() -> String {
    let made = Command::new(PROGRAM).args(["config", "default"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap()
}

/// The values of a setting in the unit, in order.
fn settings<'u>(unit: &'u str, name: &str) -> Vec<&'u str> {
    unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).collect()
}

#[test]
fn the_configuration_file_has_every_key_commented_out() {
    let text = conffile();
    for key in key_table() {
        let (section, name) = key.key.split_once('.').unwrap();
        let (_, rest) = text.split_once(&format!("\n[{section}]\n")).unwrap();
        let rest = rest.split("\n[").next().unwrap();
        assert!(rest.contains(&format!("\n#{name} = {}\n", key.default)), "{}", key.key);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, &text).unwrap();
    assert_eq!(load(Some(&path), std::iter::empty(), &[]).unwrap(), Config::default());
    // A key without its # has effect.
    std::fs::write(&path, text.replace("\n#fetchers = 64\n", "\nfetchers = 65\n")).unwrap();
    assert_eq!(load(Some(&path), std::iter::empty(), &[]).unwrap().crawl.fetchers, 65);
    // Without the #, the file is that of the defaults.
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => rest,
        _ => line,
    });
    assert_eq!(lines.collect::<Vec<_>>(), DEFAULT_TOML.lines().collect::<Vec<_>>());
}

#[test]
fn the_command_line_and_the_variables_of_the_unit_are_right() {
    let unit = read("config/package/backlinkd.service");
    let [line] = settings(&unit, "ExecStart")[..] else { panic!("{unit}") };
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!((words[0], words.last()), ("/usr/bin/backlinkd", Some(&"run")));
    let help = Command::new(PROGRAM).args(&words[1..]).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("Usage: backlinkd run"), "{help}");
    let users = words[words.iter().position(|word| *word == "--set").unwrap() + 1];
    let users = users.replace("${CREDENTIALS_DIRECTORY}", "/run/credentials/backlinkd.service");
    let config = load(None, std::iter::empty(), &[users]).unwrap();
    assert_eq!(config.api.user_file.to_str(), Some("/run/credentials/backlinkd.service/users"));
    // Ubuntu 22.04 has systemd 249, whose units know no %d.
    assert!(!unit.lines().any(|line| !line.starts_with('#') && line.contains("%d")), "{unit}");
    let state = words[words.iter().position(|word| *word == "--data").unwrap() + 1];
    assert_eq!(state, format!("/var/lib/{}", settings(&unit, "StateDirectory")[0]));
}

#[test]
fn the_limits_of_the_unit_suffice_for_the_defaults() {
    let unit = read("config/package/backlinkd.service");
    let config = Config::default();
    // The last readers get half a minute after crawl.drain.
    let stop = humantime::parse_duration(settings(&unit, "TimeoutStopSec")[0]).unwrap();
    assert!(stop >= config.crawl.drain.0 + Duration::from_secs(60), "{stop:?}");
    let files: usize = settings(&unit, "LimitNOFILE")[0].parse().unwrap();
    let wanted = config.crawl.fetchers + config.crawl.slow_fetchers + config.api.max_connections;
    assert!(files > 2 * wanted, "{files}");
    assert_eq!(settings(&unit, "Type"), ["notify"]);
}

#[test]
fn systemd_accepts_the_unit() {
    if !has_tool("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backlinkd.service");
    let unit = read("config/package/backlinkd.service").replace("/usr/bin/backlinkd", PROGRAM);
    std::fs::write(&path, unit).unwrap();
    let checked = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output().unwrap();
    let complaints = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(!complaints.contains("backlinkd.service"), "{complaints}");
    let rated = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=15"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(rated.status.success(), "{}", String::from_utf8_lossy(&rated.stdout));
}

#[test]
fn the_debian_package_has_files_that_exist_or_are_made() {
    let manifest = read("Cargo.toml");
    let (_, rest) = manifest.split_once("[package.metadata.deb]\n").unwrap();
    let assets: Vec<&str> = rest.lines().filter(|line| line.starts_with("    [\"")).collect();
    let script = read("config/package/dist.sh");
    let mut destinations = String::new();
    for asset in assets {
        let parts: Vec<&str> = asset.split('"').collect();
        let (source, destination) = (parts[1], parts[3]);
        match source.strip_prefix("target/release/stage/") {
            Some(staged) => assert!(script.contains(&format!("\"$stage/{staged}\"")), "{staged}"),
            None => assert!(root().join(source.trim_end_matches('*')).exists(), "{source}"),
        }
        destinations += destination;
    }
    for place in ["usr/bin/", "etc/backlinkd/", "man1/", "bash-completion", "vendor-completions", "fish"] {
        assert!(destinations.contains(place), "{place}");
    }
    for name in ["maintainer-scripts", "systemd-units", "changelog"] {
        assert!(rest.contains(&format!("\n{name} = ")), "{name}");
    }
    for script in ["postinst", "postrm"] {
        let path = root().join("config/package/deb").join(script);
        assert!(read(&format!("config/package/deb/{script}")).contains("\n#DEBHELPER#\n"));
        assert!(Command::new("sh").arg("-n").arg(path).status().unwrap().success());
    }
}
