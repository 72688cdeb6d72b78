//! The documentation of the keys: `config/default.toml`, and the table of its keys.
//!
//! The file is also the lowest layer of the configuration. Its form is simple on purpose: `[section]` lines, and for
//! each key one line `key = default` below the comment that explains it.

/// `config/default.toml`: every key with default, unit and reason.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// One key of the configuration, as `config/default.toml` explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDoc {
    /// `section.key`.
    pub key: String,
    /// The default, as TOML.
    pub default: String,
    /// Meaning, unit and reason, in one line.
    pub doc: String,
}

/// Every key, in the order of `config/default.toml`.
pub fn key_table() -> Vec<KeyDoc> {
    let (mut keys, mut section, mut doc) = (Vec::new(), "", String::new());
    for line in DEFAULT_TOML.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some(comment) = line.strip_prefix('#') {
            if !doc.is_empty() {
                doc.push(' ');
            }
            doc.push_str(comment.trim());
        } else if let Some((key, default)) = line.split_once(" = ") {
            keys.push(KeyDoc {
                key: format!("{section}.{key}"),
                default: default.to_owned(),
                doc: std::mem::take(&mut doc),
            });
        } else {
            doc.clear();
        }
    }
    keys
}

/// [`DEFAULT_TOML`] with every key commented out: a file to begin with. A key that stays commented out keeps the default
/// of the installed version.
pub fn commented_defaults() -> String {
    let is_key = |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase());
    let lines = DEFAULT_TOML.lines().map(|line| format!("{}{line}\n", if is_key(line) { "#" } else { "" }));
    lines.collect()
}
