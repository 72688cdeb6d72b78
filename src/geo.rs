//! GeoIP: places of addresses, from a MaxMind DB file (<https://maxmind.github.io/MaxMind-DB/>).
//!
//! The input is an address, the output a [`Place`], whose unknown parts are empty. Databases of the City and of the
//! Country schema are supported; the latter have no cities. The file is loaded into memory at the start, so a newer
//! one needs a restart. An unreadable record counts as unknown: a damaged database costs places, never a crawl.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Once;

use maxminddb::{MaxMindDbError, Reader};
use serde::Deserialize;

use crate::config::GeoConfig;
use crate::model::Place;

/// The place database.
pub struct Geo {
    database: Option<Reader<Vec<u8>>>,
    language: String,
    /// So that a damaged database causes one warning, not one per address.
    warned: Once,
}

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the place database {file} cannot be used ({error}); correct geo.database, or empty it to do without", file = .file.display())]
pub struct GeoError {
    pub file: PathBuf,
    pub error: MaxMindDbError,
}

/// The fields common to both schemas.
#[derive(Deserialize)]
struct LocationRecord<'a> {
    #[serde(borrow, default)]
    country: NamedPlace<'a>,
    #[serde(borrow, default)]
    city: NamedPlace<'a>,
}

#[derive(Default, Deserialize)]
struct NamedPlace<'a> {
    iso_code: Option<&'a str>,
    #[serde(borrow, default)]
    names: HashMap<&'a str, &'a str>,
}

impl Geo {
    /// Opens the configured database; without one, every place is unknown.
    ///
    /// # Errors
    /// [`GeoError`] when the file cannot be read or is not a MaxMind DB.
    pub fn open(config: &GeoConfig) -> Result<Self, GeoError> {
        let database = if config.database.as_os_str().is_empty() {
            None
        } else {
            let file = &config.database;
            Some(Reader::open_readfile(file).map_err(|error| GeoError { file: file.clone(), error })?)
        };
        Ok(Self { database, language: config.language.clone(), warned: Once::new() })
    }

    /// Whether a database is configured. Without one the operator should get a warning.
    pub fn knows_places(&self) -> bool {
        self.database.is_some()
    }

    /// The place of an address.
    pub fn place(&self, address: IpAddr) -> Place {
        let Some(database) = &self.database else { return Place::default() };
        let found = database.lookup(address).and_then(|found| found.decode::<LocationRecord<'_>>());
        match found {
            Ok(record) => record.map(|record| self.to_place(&record)).unwrap_or_default(),
            Err(error) => {
                self.warned.call_once(|| {
                    tracing::warn!(%address, %error, "the place database is damaged; some places stay unknown");
                });
                Place::default()
            }
        }
    }

    fn to_place(&self, record: &LocationRecord<'_>) -> Place {
        let name = |named: &NamedPlace<'_>| {
            let name = named.names.get(self.language.as_str()).or_else(|| named.names.get("en"));
            name.copied().unwrap_or_default().to_owned()
        };
        Place {
            ccode: record.country.iso_code.unwrap_or_default().to_ascii_uppercase(),
            country: name(&record.country),
            city: name(&record.city),
        }
    }
}

impl std::fmt::Debug for Geo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Geo").field("knows_places", &self.knows_places()).finish_non_exhaustive()
    }
}
