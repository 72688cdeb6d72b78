//! What a place database holds, as a sample of its records shows.

use std::collections::BTreeMap;
use std::fmt;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::de::IgnoredAny;

use super::record::LocationRecord;

/// Records that are read to see what a database holds. Databases of countries have one for every address.
const SAMPLE: usize = 1_000;
/// Keys that a message names at most.
const MAX_KEYS: usize = 8;

/// The places that a database knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceSchema {
    Cities,
    Countries,
    /// No record of the sample has a country. Its keys, sorted.
    Unknown(Vec<String>),
}

impl PlaceSchema {
    /// Reads a sample.
    ///
    /// # Errors
    /// When the database is damaged.
    pub(super) fn detect(database: &Reader<Vec<u8>>) -> Result<Self, MaxMindDbError> {
        let mut keys = Vec::new();
        let mut has_countries = false;
        for network in database.networks(WithinOptions::default().skip_empty_values())?.take(SAMPLE) {
            let network = network?;
            // A record of other types is no place.
            if let Ok(Some(record)) = network.decode::<LocationRecord<'_>>() {
                let place = record.place("en");
                has_countries |= !place.ccode.is_empty() || !place.country.is_empty();
                if !place.city.is_empty() {
                    return Ok(Self::Cities);
                }
            }
            if keys.is_empty()
                && let Ok(Some(record)) = network.decode::<BTreeMap<String, IgnoredAny>>()
            {
                keys = record.into_keys().take(MAX_KEYS).collect();
            }
        }
        Ok(if has_countries { Self::Countries } else { Self::Unknown(keys) })
    }
}

impl fmt::Display for PlaceSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cities => f.write_str("countries and cities"),
            Self::Countries => f.write_str("countries"),
            Self::Unknown(keys) if keys.is_empty() => f.write_str("no records with keys"),
            Self::Unknown(keys) => write!(
                f,
                "records with {}, and none with a country as a code of two letters",
                keys.join(", ")
            ),
        }
    }
}
