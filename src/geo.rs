//! Where servers stand: places by address, from a MaxMind DB file (<https://maxmind.github.io/MaxMind-DB/>).
//!
//! In goes an address, out comes a [`Place`], with empty parts where the database knows nothing. Databases of the
//! City and of the Country schema can be used; the latter name no cities. The file is read into memory once, when
//! it is opened; a newer one is taken up at the next start. A record that cannot be read counts as unknown: a
//! damaged database costs places, never a crawl.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Once;

use maxminddb::{MaxMindDbError, Reader};
use serde::Deserialize;

use crate::config::GeoConfig;
use crate::model::Place;

/// Looks places up.
pub struct Geo {
    database: Option<Reader<Vec<u8>>>,
    language: String,
    /// One warning for a damaged database, not one for each address.
    warned: Once,
}

/// A database that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the place database {file} cannot be used ({error}); correct geo.database, or empty it to do without", file = .file.display())]
pub struct GeoError {
    pub file: PathBuf,
    pub error: MaxMindDbError,
}

/// What both schemas have in common.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, default)]
    country: Named<'a>,
    #[serde(borrow, default)]
    city: Named<'a>,
}

#[derive(Default, Deserialize)]
struct Named<'a> {
    iso_code: Option<&'a str>,
    #[serde(borrow, default)]
    names: HashMap<&'a str, &'a str>,
}

impl Geo {
    /// Opens the configured database; without one, every place is unknown.
    ///
    /// # Errors
    /// [`GeoError`] when the file cannot be read or is no MaxMind DB.
    pub fn open(config: &GeoConfig) -> Result<Self, GeoError> {
        let database = if config.database.as_os_str().is_empty() {
            None
        } else {
            let file = &config.database;
            Some(Reader::open_readfile(file).map_err(|error| GeoError { file: file.clone(), error })?)
        };
        Ok(Self { database, language: config.language.clone(), warned: Once::new() })
    }

    /// Whether there is a database at all. Without one the operator deserves a warning, once.
    pub fn knows_places(&self) -> bool {
        self.database.is_some()
    }

    /// The place of an address.
    pub fn place(&self, address: IpAddr) -> Place {
        let Some(database) = &self.database else { return Place::default() };
        let found = database.lookup(address).and_then(|found| found.decode::<Record<'_>>());
        match found {
            Ok(record) => record.map(|record| self.place_of(&record)).unwrap_or_default(),
            Err(error) => {
                self.warned.call_once(|| {
                    tracing::warn!(%address, %error, "the place database is damaged; some places stay unknown");
                });
                Place::default()
            }
        }
    }

    fn place_of(&self, record: &Record<'_>) -> Place {
        let name = |named: &Named<'_>| {
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
