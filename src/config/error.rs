//! Errors of a configuration: each message says how to correct it.

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    File { path: PathBuf, line: usize },
    Variable(String),
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::CommandLine => f.write_str("--set"),
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the file {} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{origin} is not TOML: {message}")]
    Syntax { origin: Origin, message: String },
    #[error("{origin} sets \"{key}\", which is no key; {}", suggestion(nearest.as_deref()))]
    UnknownKey { key: String, origin: Origin, nearest: Option<String> },
    #[error("the environment variable {name} sets no key; {}", suggestion(nearest.as_deref()))]
    UnknownVariable { name: String, nearest: Option<String> },
    #[error("\"--set {0}\" lacks an equals sign; write --set section.key=value")]
    Set(String),
    #[error("{origin} sets {key} to {value}, which cannot be used {reason}")]
    Value { key: String, value: String, origin: Origin, reason: String },
    /// A value that is well-formed but out of range, or that contradicts other values.
    #[error("{message}{}", set_by(origin.as_ref()))]
    Invalid { message: String, origin: Option<Origin> },
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => "`backlinkd config default` lists every key".to_owned(),
    }
}

fn set_by(origin: Option<&Origin>) -> String {
    origin.map(|origin| format!(" (set by {origin})")).unwrap_or_default()
}
