//! The file of host overrides, which replace DNS for some hosts.
//!
//! A line has three columns separated by tabs: the host, or `*.suffix` for all hosts below a suffix; the `ip:port`
//! for http; the `ip:port` for https. Empty lines and lines that start with `#` are skipped. An exact host goes
//! before a suffix, a longer suffix before a shorter one. The request still names the host, as with curl's
//! `--connect-to`. A URL with an explicit port uses that port of the address.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::urls::is_ip_literal;

/// Addresses by host.
#[derive(Clone, Debug, Default)]
pub(super) struct Overrides {
    exact: HashMap<String, OverrideAddresses>,
    /// Keyed by the part after the `*.`.
    below: HashMap<String, OverrideAddresses>,
}

#[derive(Clone, Copy, Debug)]
struct OverrideAddresses {
    http: SocketAddr,
    https: SocketAddr,
}

/// The reason why an overrides file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OverridesError {
    #[error("the host overrides {file} cannot be read ({error}); correct fetch.host_overrides", file = .file.display())]
    Unreadable { file: PathBuf, error: std::io::Error },
    #[error("line {line} of the host overrides {file} cannot be used: {reason}", file = .file.display())]
    Line { file: PathBuf, line: usize, reason: String },
}

impl Overrides {
    /// Reads a file.
    ///
    /// # Errors
    /// [`OverridesError`] with the file and the line, when it cannot be read or a line is malformed.
    pub(super) fn open(file: &Path) -> Result<Self, OverridesError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| OverridesError::Unreadable { file: file.to_owned(), error })?;
        let mut overrides = Self::default();
        for (index, line) in text.lines().enumerate() {
            overrides.add_line(line).map_err(|reason| OverridesError::Line {
                file: file.to_owned(),
                line: index + 1,
                reason,
            })?;
        }
        Ok(overrides)
    }

    fn add_line(&mut self, line: &str) -> Result<(), String> {
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let columns: Vec<&str> = line.split('\t').map(str::trim).collect();
        let &[host, http, https] = columns.as_slice() else {
            return Err(format!(
                "it has {} columns; write host, http address and https address, separated by tabs",
                columns.len()
            ));
        };
        let addresses = OverrideAddresses { http: address(http)?, https: address(https)? };
        let host = host.to_ascii_lowercase();
        let (map, name) = match host.strip_prefix("*.") {
            Some(suffix) => (&mut self.below, suffix),
            None => (&mut self.exact, host.as_str()),
        };
        check_host(name)?;
        match map.insert(name.to_owned(), addresses) {
            Some(_) => Err(format!("{host} is in the file twice")),
            None => Ok(()),
        }
    }

    /// The address for this host, if the file has one.
    pub(super) fn address_of(&self, host: &str, https: bool) -> Option<SocketAddr> {
        let addresses = self
            .exact
            .get(host)
            .or_else(|| host.match_indices('.').find_map(|(dot, _)| self.below.get(&host[dot + 1..])))?;
        Some(if https { addresses.https } else { addresses.http })
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() != 0 => Ok(address),
        _ => Err(format!("\"{text}\" is not an address; write ip:port, for example 127.0.0.1:8080")),
    }
}

fn check_host(name: &str) -> Result<(), String> {
    let is_name = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
    if !is_name || is_ip_literal(name) {
        return Err(format!("\"{name}\" is not a host name; write one in ASCII, or *. and a suffix"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Overrides;

    fn read(text: &str) -> Result<Overrides, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Overrides::open(file.path())
            .map_err(|error| error.to_string().replace(&*file.path().to_string_lossy(), "FILE"))
    }

    #[test]
    fn an_exact_host_goes_before_a_suffix_and_a_long_suffix_before_a_short_one() {
        let overrides = read(
            "# host\thttp\thttps\n\nexample.org\t127.0.0.1:80\t127.0.0.1:443\r\n\
             *.example.org\t127.0.0.2:80\t127.0.0.2:443\n*.b.Example.org\t[::1]:80\t127.0.0.3:443\n",
        )
        .unwrap();
        for (host, https, expected) in [
            ("example.org", false, Some("127.0.0.1:80")),
            ("example.org", true, Some("127.0.0.1:443")),
            ("www.example.org", false, Some("127.0.0.2:80")),
            ("b.example.org", true, Some("127.0.0.2:443")),
            ("a.b.example.org", false, Some("[::1]:80")),
            ("x.a.b.example.org", true, Some("127.0.0.3:443")),
            ("anexample.org", false, None),
            ("org", false, None),
        ] {
            let found = overrides.address_of(host, https).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn an_error_names_the_bad_line() {
        let good = "a.org\t127.0.0.1:80\t127.0.0.1:443\n";
        for (line, reason) in [
            ("b.org 127.0.0.1:80 127.0.0.1:443", "1 columns"),
            ("b.org\t127.0.0.1\t127.0.0.1:443", "\"127.0.0.1\" is not an address"),
            ("b.org\t127.0.0.1:0\t127.0.0.1:443", "\"127.0.0.1:0\" is not an address"),
            ("b.org\tlocalhost:80\t127.0.0.1:443", "\"localhost:80\" is not an address"),
            ("127.0.0.9\t127.0.0.1:80\t127.0.0.1:443", "\"127.0.0.9\" is not a host name"),
            ("*\t127.0.0.1:80\t127.0.0.1:443", "\"*\" is not a host name"),
            ("*.\t127.0.0.1:80\t127.0.0.1:443", "\"\" is not a host name"),
            ("a.org\t127.0.0.1:80\t127.0.0.1:443", "twice"),
        ] {
            let message = read(&format!("{good}{line}\n")).unwrap_err();
            assert!(message.starts_with("line 2 of the host overrides FILE"), "{message}");
            assert!(message.contains(reason), "{message}");
        }
    }
}
