//! The commands and the settings of the container.

use std::process::Command;

use backlinkd::config::load;

use super::{PROGRAM, read};

/// The words of an instruction such as `CMD ["run", "--listen", "0.0.0.0:8080"]`.
fn words(dockerfile: &str, instruction: &str) -> Vec<String> {
    let line = dockerfile.lines().rfind(|line| line.starts_with(instruction)).unwrap();
    let (_, list) = line.split_once('[').unwrap();
    serde_json::from_str(&format!("[{list}")).unwrap()
}

#[test]
fn the_program_understands_the_commands_of_the_container() {
    let dockerfile = read("Dockerfile");
    assert_eq!(words(&dockerfile, "ENTRYPOINT"), ["backlinkd"]);
    let health_check = words(&dockerfile, "HEALTHCHECK");
    assert_eq!(health_check[0], "backlinkd");
    for arguments in [words(&dockerfile, "CMD"), health_check[1..].to_vec()] {
        let shown = Command::new(PROGRAM).args(&arguments).arg("--help").output().unwrap();
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    }
    assert!(dockerfile.contains("\nUSER 65532:65532\n") && dockerfile.contains("\nVOLUME /data\n"));
}

#[test]
fn the_toolchain_of_the_container_is_that_of_the_manifest() {
    let manifest = read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    assert!(read("Dockerfile").contains(&format!("FROM rust:{}-", version.trim_matches('"'))), "{version}");
}

#[test]
fn the_program_understands_the_settings_of_the_compose_file() {
    let text = read("config/container/compose.yaml");
    let variables = text.lines().filter_map(|line| line.trim().strip_prefix("BACKLINKD_"));
    let variables = variables.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        // The text between ${ and } is the name and the message of compose.
        let value = if value.starts_with("${") { "https://example.com/crawler" } else { value };
        (format!("BACKLINKD_{name}"), value.to_owned())
    });
    let config = load(None, variables, &[]).unwrap();
    assert_eq!(config.api.trusted_proxies.len(), 1);
    assert!(text.contains(&format!("subnet: {}", config.api.trusted_proxies[0])), "{text}");
    assert_eq!(config.api.user_file.to_str(), Some("/run/secrets/users"));
}
