//! `[urls]`: the rules of canonical URLs and registrable domains.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, at_least};
use crate::urls::{
    DEFAULT_SESSION_MIN_LENGTH, DEFAULT_SESSION_PARAMS, SessionParamError, SessionParams, Suffixes, UrlRules,
};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UrlsConfig {
    /// Bytes of the longest URL that is followed or stored.
    pub max_length: usize,
    /// Query parameters dropped from every URL; a `*` at the end matches any rest.
    pub drop_query_params: Vec<String>,
    /// Parameters and path segments dropped from every URL because they carry a session id.
    pub session_params: Vec<String>,
    /// Letters and digits from which on a value looks like a session id.
    pub session_min_length: usize,
    /// A `public_suffix_list.dat` that replaces the built-in one. Empty: the built-in one.
    pub public_suffix_list: PathBuf,
}

impl Default for UrlsConfig {
    fn default() -> Self {
        Self {
            max_length: 8_000,
            drop_query_params: Vec::new(),
            session_params: DEFAULT_SESSION_PARAMS.iter().map(|&entry| entry.to_owned()).collect(),
            session_min_length: DEFAULT_SESSION_MIN_LENGTH,
            public_suffix_list: PathBuf::new(),
        }
    }
}

impl UrlsConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        for param in &self.drop_query_params {
            let name = param.strip_suffix('*').unwrap_or(param);
            if name.is_empty() || name.contains(['*', '&', '=', '#']) {
                return Err(format!(
                    "urls.drop_query_params holds \"{param}\"; it must be a parameter's name, or the start of one and then \"*\""
                ));
            }
        }
        self.session_params().map_err(|error| format!("urls.session_params: {error}"))?;
        at_least("urls.session_min_length", self.session_min_length as u64, 8)?;
        at_least("urls.max_length", self.max_length as u64, 100)
    }

    /// The rules of canonical URLs. A list of session parameters that [`super::Config::validate`] refuses counts as
    /// empty.
    pub fn rules(&self) -> UrlRules {
        UrlRules {
            max_length: self.max_length,
            drop_query_params: self.drop_query_params.clone(),
            session_params: self.session_params().unwrap_or_else(|_| SessionParams::none()),
        }
    }

    fn session_params(&self) -> Result<SessionParams, SessionParamError> {
        SessionParams::new(&self.session_params, self.session_min_length)
    }

    /// The public suffix list: the configured file, or the built-in list.
    ///
    /// # Errors
    /// [`ConfigError`] when the file cannot be read or is not such a list.
    pub fn suffixes(&self) -> Result<Suffixes, ConfigError> {
        let path = &self.public_suffix_list;
        let list = if path.as_os_str().is_empty() {
            Suffixes::built_in()
        } else {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.clone(), source })?;
            Suffixes::parse(&text)
        };
        list.map_err(|error| ConfigError::Invalid {
            message: format!("urls.public_suffix_list \"{}\": {error}", path.display()),
            origin: None,
        })
    }
}
