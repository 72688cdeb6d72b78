//! The demo's files: the index, the host overrides and the place database.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use ipnet::{IpNet, Ipv4Net};
use tempfile::TempDir;

use super::DemoError;
use crate::config::{ApiConfig, Config, CrawlConfig, FetchConfig, GeoConfig, ParseConfig, Span};

/// A MaxMind DB with the City schema, built for this demo: it places the networks 127.1.0.0/16 to 127.11.0.0/16 in
/// eleven towns.
const PLACES: &[u8] = include_bytes!("places.mmdb");

/// Creates a temporary directory for a demo. It is removed when it is dropped.
///
/// # Errors
/// When the system's directory for temporary files cannot be written to.
pub fn temporary_folder() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("backlinkd-demo-").tempdir()
}

/// The directory of all files of a demo.
pub(super) struct DemoFolder {
    path: PathBuf,
    /// Removes the directory when dropped.
    _temporary: Option<TempDir>,
}

impl DemoFolder {
    /// The given directory, or a temporary one.
    ///
    /// # Errors
    /// [`DemoError::Directory`] when it cannot be created, or is not empty.
    pub(super) fn new(given: Option<&Path>) -> Result<Self, DemoError> {
        let wrong = |directory: &Path| {
            let directory = directory.to_owned();
            |cause| DemoError::Directory { directory, cause }
        };
        let Some(path) = given else {
            let temporary = temporary_folder().map_err(wrong(&std::env::temp_dir()))?;
            return Ok(Self { path: temporary.path().to_owned(), _temporary: Some(temporary) });
        };
        std::fs::create_dir_all(path).map_err(wrong(path))?;
        if std::fs::read_dir(path).map_err(wrong(path))?.next().is_some() {
            return Err(wrong(path)(io::Error::new(io::ErrorKind::DirectoryNotEmpty, "it is not empty")));
        }
        Ok(Self { path: path.to_owned(), _temporary: None })
    }

    /// The directory of the index.
    pub(super) fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    /// Writes the files that the configuration names, and returns that configuration.
    ///
    /// # Errors
    /// [`DemoError::Directory`] when they cannot be written.
    pub(super) fn prepare(&self, overrides: &str) -> Result<Config, DemoError> {
        let (hosts, places) = (self.path.join("hosts.tsv"), self.path.join("places.mmdb"));
        for (file, content) in [(&hosts, overrides.as_bytes()), (&places, PLACES)] {
            std::fs::write(file, content)
                .map_err(|cause| DemoError::Directory { directory: self.path.clone(), cause })?;
        }
        let loopback = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
        Ok(Config {
            // Servers of the demo need no pause.
            crawl: CrawlConfig { delay: Span::default(), seen_cache_urls: 10_000, ..CrawlConfig::default() },
            fetch: FetchConfig {
                user_agent: "backlinkd-demo".to_owned(),
                host_overrides: hosts,
                allow_private_addresses: vec![IpNet::V4(loopback)],
                ..FetchConfig::default()
            },
            geo: GeoConfig { database: places, ..GeoConfig::default() },
            // Limits the wait for open connections at the end.
            api: ApiConfig { deadline: Span::seconds(5), ..ApiConfig::default() },
            parse: ParseConfig { check_share: 1.0, ..ParseConfig::default() },
            ..Config::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_directory_is_removed_and_a_given_one_stays() {
        let folder = DemoFolder::new(None).unwrap();
        let path = folder.path.clone();
        let config = folder.prepare("a.example\t127.0.0.1:1\t127.0.0.1:1\n").unwrap();
        assert!(config.validate().is_ok());
        assert!(path.join("hosts.tsv").exists());
        drop(folder);
        assert!(!path.exists());
        let given = tempfile::tempdir().unwrap();
        drop(DemoFolder::new(Some(given.path())).unwrap());
        assert!(given.path().exists());
    }
}
