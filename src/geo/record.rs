//! One record of a place database, in any of the supported schemas.
//!
//! | schema | country | city |
//! |---|---|---|
//! | MaxMind City and Country, DB-IP | `country.iso_code`, `country.names` | `city.names` |
//! | IPinfo Lite | `country_code`, `country` as a name | none |
//! | IPinfo, older ones too | `country` as a code, `country_name` | `city` |
//! | ip-location-db | `country_code` | `city` |
//!
//! The names of the keys do not overlap with different meanings, except for `country`: a text of two letters is a code.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer};

use crate::model::Place;

/// The fields of all schemas.
#[derive(Deserialize)]
pub(super) struct LocationRecord<'a> {
    #[serde(borrow, default)]
    country: PlaceField<'a>,
    #[serde(borrow, default)]
    city: PlaceField<'a>,
    country_code: Option<&'a str>,
    country_name: Option<&'a str>,
}

/// A country or a city.
enum PlaceField<'a> {
    /// As in the schemas of MaxMind.
    Named(NamedPlace<'a>),
    /// As in flat schemas.
    Text(&'a str),
}

#[derive(Default, Deserialize)]
struct NamedPlace<'a> {
    iso_code: Option<&'a str>,
    #[serde(borrow, default)]
    names: HashMap<&'a str, &'a str>,
}

impl Default for PlaceField<'_> {
    fn default() -> Self {
        Self::Text("")
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for PlaceField<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlaceFieldVisitor)
    }
}

struct PlaceFieldVisitor;

impl<'de> Visitor<'de> for PlaceFieldVisitor {
    type Value = PlaceField<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a place: a text, or a map with its names")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(PlaceField::Text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        NamedPlace::deserialize(MapAccessDeserializer::new(map)).map(PlaceField::Named)
    }
}

impl<'a> PlaceField<'a> {
    /// The name in this language, or else in English. A text has one language.
    fn name(&self, language: &str) -> &'a str {
        match self {
            Self::Named(place) => {
                place.names.get(language).or_else(|| place.names.get("en")).copied().unwrap_or_default()
            }
            Self::Text(text) => text,
        }
    }
}

impl LocationRecord<'_> {
    /// The place, with names in this language.
    pub(super) fn place(&self, language: &str) -> Place {
        let (code, name) = match &self.country {
            PlaceField::Named(place) => (place.iso_code, self.country.name(language)),
            PlaceField::Text(text) if is_code(text) => (Some(*text), ""),
            PlaceField::Text(text) => (None, *text),
        };
        Place {
            ccode: [self.country_code, code]
                .into_iter()
                .flatten()
                .find(|code| is_code(code))
                .unwrap_or_default()
                .to_ascii_uppercase(),
            country: self.country_name.unwrap_or(name).to_owned(),
            city: self.city.name(language).to_owned(),
        }
    }
}

/// Whether a text is a country code (ISO 3166-1 alpha-2).
fn is_code(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic())
}
