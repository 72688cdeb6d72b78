//! Merges the layers of the configuration: `config/default.toml` < file < environment < `--set`.
//!
//! Every value is checked when it overrides the lower layers, so that an error names the key, the value and its origin.
//! [`Config::validate`] checks the whole afterwards. Unknown keys are refused in every layer.
//!
//! The environment is read as `BACKLINKD_SECTION__KEY`, in upper case. Other variables that begin with `BACKLINKD_` are
//! refused as typos. The exceptions are those of the command line ([`COMMAND_LINE_VARIABLES`]) and those that container
//! orchestrators set for a service of this name (`BACKLINKD_SERVICE_HOST`, `BACKLINKD_PORT_8080_TCP`).
//!
//! Relative paths in a file are relative to the file's folder. Those of the environment and the command line are
//! relative to the working directory.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::{Config, ConfigError, DEFAULT_TOML, LoadedConfig, Origin};

/// The prefix of the environment variables of the configuration.
const PREFIX: &str = "BACKLINKD_";

/// Variables that the command line reads itself, and this module ignores.
pub const COMMAND_LINE_VARIABLES: [&str; 4] =
    ["BACKLINKD_CONFIG", "BACKLINKD_DATA", "BACKLINKD_LOG", "BACKLINKD_TOKEN"];

/// Reads the configuration: the defaults, then the file, then the environment, then the `--set` arguments
/// (`section.key=value`). Of two arguments for one key the later wins.
///
/// Values of the environment and of `--set` are TOML; text needs no quotes, and a list no brackets (`a,b`).
///
/// # Errors
/// [`ConfigError`], which names the key, the value and its origin.
pub fn load(
    path: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    sets: &[String],
) -> Result<Config, ConfigError> {
    load_with_origins(path, environment, sets).map(|loaded| loaded.config)
}

/// As [`load`], with the origins of the values.
///
/// # Errors
/// As [`load`].
pub fn load_with_origins(
    path: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    sets: &[String],
) -> Result<LoadedConfig, ConfigError> {
    let mut layers = Layers::of_defaults()?;
    if let Some(path) = path {
        layers.add_file(path)?;
    }
    layers.add_environment(environment)?;
    for set in sets {
        layers.add_set(set)?;
    }
    layers.finish()
}

/// This process's environment variables that concern the configuration, for [`load`].
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| name.starts_with(PREFIX))?;
        Some((name, value.to_string_lossy().into_owned()))
    })
}

/// The known key that is most similar to this one, which is unknown.
pub fn nearest_key(key: &str) -> Option<String> {
    Layers::of_defaults().ok()?.nearest(key)
}

/// The merged layers.
struct Layers {
    table: Table,
    /// The origins of the keys that differ from the defaults.
    origins: BTreeMap<String, Origin>,
}

impl Layers {
    fn of_defaults() -> Result<Self, ConfigError> {
        let table = DEFAULT_TOML
            .parse()
            .map_err(|error| syntax(Path::new("config/default.toml"), DEFAULT_TOML, &error))?;
        Ok(Self { table, origins: BTreeMap::new() })
    }

    fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let places = DeTable::parse(&text).map_err(|error| syntax(path, &text, &error))?;
        let values: Table = text.parse().map_err(|error| syntax(path, &text, &error))?;
        for (section, keys) in places.get_ref() {
            let at = |offset| Origin::File { path: path.to_owned(), line: line_of(&text, offset) };
            let DeValue::Table(keys) = keys.get_ref() else {
                return Err(self.unknown(section.get_ref(), at(section.span().start)));
            };
            if !self.table.contains_key(section.get_ref().as_ref()) {
                return Err(self.unknown_section(section.get_ref(), at(section.span().start)));
            }
            for key in keys.keys() {
                let name = format!("{}.{}", section.get_ref(), key.get_ref());
                let origin = at(key.span().start);
                match find(&values, &name) {
                    Some(value) => self.set(&name, value.clone(), origin)?,
                    None => return Err(self.unknown(&name, origin)),
                }
            }
        }
        Ok(())
    }

    fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        for (name, text) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            if COMMAND_LINE_VARIABLES.contains(&name.as_str()) || is_of_orchestrator(rest) {
                continue;
            }
            let key = rest.to_ascii_lowercase().replacen("__", ".", 1);
            if find(&self.table, &key).is_none() || rest != rest.to_ascii_uppercase() {
                let nearest = self.nearest(&key.replacen('_', ".", 1)).or_else(|| self.nearest(&key));
                return Err(ConfigError::UnknownVariable {
                    name,
                    nearest: nearest.map(|key| variable(&key)),
                });
            }
            self.set_text(&key, &text, Origin::Variable(name))?;
        }
        Ok(())
    }

    fn add_set(&mut self, set: &str) -> Result<(), ConfigError> {
        let (key, text) = set.split_once('=').ok_or_else(|| ConfigError::Set(set.to_owned()))?;
        self.set_text(key.trim(), text, Origin::CommandLine)
    }

    /// Sets a key to a value that is written with or without the quotes and brackets of TOML.
    fn set_text(&mut self, key: &str, text: &str, origin: Origin) -> Result<(), ConfigError> {
        let Some(current) = find(&self.table, key) else { return Err(self.unknown(key, origin)) };
        let value = read_like(current, text.trim());
        self.set(key, value, origin)
    }

    fn set(&mut self, key: &str, value: Value, origin: Origin) -> Result<(), ConfigError> {
        let Some(current) = find(&self.table, key) else { return Err(self.unknown(key, origin)) };
        let (section, name) = key.split_once('.').unwrap_or((key, ""));
        let alone = Table::from_iter([(
            section.to_owned(),
            Value::Table(Table::from_iter([(name.to_owned(), value.clone())])),
        )]);
        if let Err(error) = alone.try_into::<Config>() {
            return Err(ConfigError::Value {
                key: key.to_owned(),
                value: value.to_string(),
                origin,
                reason: format!("({}); give {}", error.message(), expected_like(current)),
            });
        }
        if let Some(slot) = self.table.get_mut(section).and_then(|keys| keys.get_mut(name)) {
            *slot = value;
        }
        self.origins.insert(key.to_owned(), origin);
        Ok(())
    }

    fn finish(mut self) -> Result<LoadedConfig, ConfigError> {
        let mut config: Config = std::mem::take(&mut self.table)
            .try_into()
            .map_err(|error| ConfigError::Invalid { message: error.message().to_owned(), origin: None })?;
        for (key, path) in config.paths_mut() {
            if let Some(Origin::File { path: file, .. }) = self.origins.get(key)
                && let Some(folder) = file.parent()
                && !path.as_os_str().is_empty()
            {
                *path = folder.join(&*path);
            }
        }
        // Each of these messages begins with the key.
        let origin_of =
            |message: &str| message.split_whitespace().next().and_then(|key| self.origins.get(key)).cloned();
        match config.validate() {
            Ok(()) => Ok(LoadedConfig { config, origins: self.origins }),
            Err(message) => Err(ConfigError::Invalid { origin: origin_of(&message), message }),
        }
    }

    fn unknown(&self, key: &str, origin: Origin) -> ConfigError {
        ConfigError::UnknownKey { key: key.to_owned(), origin, nearest: self.nearest(key) }
    }

    fn unknown_section(&self, section: &str, origin: Origin) -> ConfigError {
        let nearest = best(self.table.keys().map(|known| (similar(known, section), known.clone())));
        ConfigError::UnknownKey { key: section.to_owned(), origin, nearest }
    }

    /// The known key that is most similar to this one; the key counts twice as much as its section.
    fn nearest(&self, key: &str) -> Option<String> {
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        let keys = self.table.iter().flat_map(|(known, keys)| {
            keys.as_table().into_iter().flat_map(move |keys| keys.keys().map(move |key| (known, key)))
        });
        best(keys.map(|(known, key)| {
            ((similar(known, section) + 2.0 * similar(key, name)) / 3.0, format!("{known}.{key}"))
        }))
    }
}

fn similar(a: &str, b: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(a, b)
}

/// The candidate with the best score, unless all scores are too low for a suggestion.
fn best(scored: impl Iterator<Item = (f64, String)>) -> Option<String> {
    scored.filter(|(score, _)| *score >= 0.55).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, key)| key)
}

fn find<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (section, name) = key.split_once('.')?;
    table.get(section)?.get(name)
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replacen('.', "__", 1).to_ascii_uppercase())
}

/// Whether Kubernetes or Docker sets such a variable in every container to announce its neighbour services.
fn is_of_orchestrator(rest: &str) -> bool {
    rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_")
}

/// Parses a value that replaces `current`.
fn read_like(current: &Value, text: &str) -> Value {
    let toml = || text.parse::<Value>().unwrap_or_else(|_| Value::String(text.to_owned()));
    match current {
        Value::String(_) if !text.starts_with(['"', '\'']) => Value::String(text.to_owned()),
        Value::Array(_) if !text.starts_with('[') => text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| Value::String(item.to_owned()))
            .collect::<Vec<_>>()
            .into(),
        _ => toml(),
    }
}

fn expected_like(current: &Value) -> String {
    match current {
        Value::Integer(_) => format!("a whole number, like {current}"),
        Value::Float(_) => format!("a number, like {current}"),
        Value::Boolean(_) => "true or false".to_owned(),
        Value::Array(_) => "a list, like [\"one\", \"two\"]".to_owned(),
        Value::String(text) if text.is_empty() => "text, in quotes".to_owned(),
        _ => format!("text, like {current}"),
    }
}

fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let line = line_of(text, error.span().map_or(0, |span| span.start));
    ConfigError::Syntax {
        origin: Origin::File { path: path.to_owned(), line },
        message: error.message().to_owned(),
    }
}

/// Lines are counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&b| b == b'\n').count()
}
