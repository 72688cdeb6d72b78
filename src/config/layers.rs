//! (to be written) Reads the layers and puts them together.
pub const DEFAULT_TOML: &str = "";
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);
pub fn load() -> Result<super::Config, ConfigError> {
    Ok(super::Config::default())
}
