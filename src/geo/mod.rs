//! GeoIP: places of addresses, from a MaxMind DB file (<https://maxmind.github.io/MaxMind-DB/>).
//!
//! The input is an address, the output a [`Place`], whose unknown parts are empty. `record` lists the supported schemas;
//! the records themselves show which one a file has. The file is loaded into memory at the start, so a newer one needs a
//! restart. An unreadable record counts as unknown: a damaged database costs places, never a crawl.

mod record;
mod schema;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Once;
use std::time::SystemTime;

use maxminddb::{MaxMindDbError, Reader};

use crate::config::GeoConfig;
use crate::model::Place;

use record::LocationRecord;
pub use schema::PlaceSchema;

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

/// What is known of the configured database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSummary {
    /// The name of the database's type in its metadata.
    pub kind: String,
    pub schema: PlaceSchema,
    /// `None` if the file does not say.
    pub built: Option<SystemTime>,
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
        // Some databases have no second entry for IPv4 addresses in IPv6 form.
        let address = address.to_canonical();
        let found = database.lookup(address).and_then(|found| found.decode::<LocationRecord<'_>>());
        match found {
            Ok(record) => record.map(|record| record.place(&self.language)).unwrap_or_default(),
            Err(error) => {
                self.warned.call_once(|| {
                    tracing::warn!(%address, %error, "the place database is damaged; some places stay unknown");
                });
                Place::default()
            }
        }
    }

    /// What the database holds; `None` without one.
    ///
    /// # Errors
    /// When the database is damaged.
    pub fn summary(&self) -> Result<Option<DatabaseSummary>, MaxMindDbError> {
        let Some(database) = &self.database else { return Ok(None) };
        let about = database.metadata();
        Ok(Some(DatabaseSummary {
            kind: about.database_type.clone(),
            schema: PlaceSchema::detect(database)?,
            built: about.build_time().ok().filter(|_| about.build_epoch > 0),
        }))
    }
}

impl std::fmt::Debug for Geo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Geo").field("knows_places", &self.knows_places()).finish_non_exhaustive()
    }
}
