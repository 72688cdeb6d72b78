//! `backlinkd config`: shows and checks the configuration. It holds no secrets, so all of it is shown.

use super::named_files::{check_files, invalid};
use crate::cli::Outcome;
use crate::cli::args::Args;
use crate::cli::setup_args::ConfigCommand;
use crate::cli::terminal::console::Console;
use crate::config::{self, ConfigError, LoadedConfig, LoadedValue, Origin};

pub(crate) fn config(args: &Args, console: &Console, command: &ConfigCommand) -> anyhow::Result<Outcome> {
    match command {
        ConfigCommand::Show { origin, keys } => {
            let values = load(args)?.values()?;
            console.print(show(&select(values, keys)?, *origin))?;
        }
        ConfigCommand::Check { file } => {
            let loaded = match file {
                Some(file) => config::load_with_origins(Some(file), std::iter::empty(), &[])?,
                None => load(args)?,
            };
            check_files(&loaded.config)?;
            let name = file.as_ref().or(args.config.as_ref());
            let name = name.map_or("The configuration".to_owned(), |file| file.display().to_string());
            let keys = loaded.set_keys();
            console.info(format_args!(
                "{name} is valid; keys that differ from the defaults or repeat them: {keys}."
            ));
        }
        ConfigCommand::Default => console.print(config::commented_defaults().trim_end())?,
    }
    Ok(Outcome::Success)
}

/// The configuration as all commands read it.
pub(crate) fn load(args: &Args) -> Result<LoadedConfig, ConfigError> {
    config::load_with_origins(args.config.as_deref(), config::environment(), &args.set)
}

/// The values of these keys and sections, or all.
fn select(values: Vec<LoadedValue>, keys: &[String]) -> Result<Vec<LoadedValue>, ConfigError> {
    let is_in = |value: &LoadedValue, key: &str| {
        value.key.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if let Some(unknown) = keys.iter().find(|key| !values.iter().any(|value| is_in(value, key))) {
        let hint = match config::nearest_key(unknown) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => "`backlinkd config default` lists all".to_owned(),
        };
        return Err(invalid(format_args!("\"{unknown}\" is neither a key nor a section; {hint}")));
    }
    let is_selected = |value: &LoadedValue| keys.is_empty() || keys.iter().any(|key| is_in(value, key));
    Ok(values.into_iter().filter(is_selected).collect())
}

/// One line of TOML for each value, and an empty line between sections.
fn show(values: &[LoadedValue], with_origin: bool) -> String {
    let section = |value: &LoadedValue| value.key.split('.').next().unwrap_or_default().to_owned();
    let mut text = String::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            text += if section(&values[at - 1]) == section(value) { "\n" } else { "\n\n" };
        }
        text += &format!("{} = {}", value.key, value.value);
        if with_origin {
            text += &format!("  # {}", origin(value.origin.as_ref()));
        }
    }
    text
}

fn origin(origin: Option<&Origin>) -> String {
    match origin {
        None => "default".to_owned(),
        Some(Origin::File { path, line }) => format!("{}:{line}", path.display()),
        Some(Origin::Variable(name)) => name.clone(),
        Some(Origin::CommandLine) => "--set".to_owned(),
    }
}
