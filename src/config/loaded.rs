//! The merged configuration, with the origin of each value.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Config, ConfigError, Origin, key_table};

/// A configuration that was read from its layers.
#[derive(Clone, Debug)]
pub struct LoadedConfig {
    pub config: Config,
    /// The origins of the keys that a layer above the defaults sets.
    pub(super) origins: BTreeMap<String, Origin>,
}

/// One key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedValue {
    /// `section.key`.
    pub key: String,
    pub value: Value,
    /// `None` for a default.
    pub origin: Option<Origin>,
}

impl LoadedConfig {
    /// How many keys the layers above the defaults set.
    pub fn set_keys(&self) -> usize {
        self.origins.len()
    }

    /// Every key, in the order of `config/default.toml`. Relative paths of a file are resolved.
    ///
    /// # Errors
    /// When a path is not UTF-8.
    pub fn values(&self) -> Result<Vec<LoadedValue>, ConfigError> {
        let table = Table::try_from(&self.config)
            .map_err(|error| ConfigError::Invalid { message: error.to_string(), origin: None })?;
        let find = |key: &str| {
            let (section, name) = key.split_once('.')?;
            table.get(section)?.get(name).cloned()
        };
        let keys = key_table().into_iter();
        Ok(keys
            .filter_map(|row| {
                let (value, origin) = (find(&row.key)?, self.origins.get(&row.key).cloned());
                Some(LoadedValue { key: row.key, value, origin })
            })
            .collect())
    }
}
