//! The file of users (`api.user_file`): a line `name:password`, or `name:hash`, for each of them.
//!
//! A container or a service gets its first user from it, without a terminal. The file is read at the start, and by the
//! daemon on SIGHUP. Its users are added with all roles, and an existing user gets its password. A user whose line is
//! removed stays until `backlinkd user remove`. A file with a bad line changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::api::{check_password, check_user_name, hash_password, is_password_hash, is_right_password};
use crate::store::Store;

/// The start of a hash. A password with this start must be given as a hash.
const HASH_PREFIX: &str = "$argon2";

/// A file of users that cannot be used. The message never has a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UserFileError {
    #[error("the file of users {} (api.user_file) cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}, line {line}, is no user (api.user_file): {problem}", path.display())]
    Line { path: PathBuf, line: usize, problem: String },
}

/// What a line gives a user.
#[derive(Debug, PartialEq, Eq)]
enum Secret {
    Password(String),
    Hash(String),
}

/// Adds the users of the file to the index, if there is a file. Users with the same password stay as they are.
///
/// # Errors
/// [`UserFileError`]; when a password cannot be hashed, or the index cannot be read or written.
pub(crate) fn apply_user_file(path: &Path, store: &Store) -> anyhow::Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let users = read(path)?;
    let stored: BTreeMap<String, String> = store.users()?.into_iter().collect();
    for (name, secret) in users {
        let hash = match (secret, stored.get(&name)) {
            (Secret::Password(password), Some(hash)) if is_right_password(&password, hash) => continue,
            (Secret::Hash(new), Some(hash)) if new == *hash => continue,
            (Secret::Password(password), _) => hash_password(&password)?,
            (Secret::Hash(new), _) => new,
        };
        let is_new = store.put_user(&name, &hash)?;
        tracing::info!(name, is_new, "an API user has the password of api.user_file");
    }
    Ok(())
}

/// Checks the file of users, if there is one, and changes nothing.
///
/// # Errors
/// [`UserFileError`].
pub(crate) fn check_user_file(path: &Path) -> Result<(), UserFileError> {
    if path.as_os_str().is_empty() { Ok(()) } else { read(path).map(drop) }
}

fn read(path: &Path) -> Result<BTreeMap<String, Secret>, UserFileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| UserFileError::Read { path: path.to_owned(), source })?;
    parse(&text).map_err(|(line, problem)| UserFileError::Line { path: path.to_owned(), line, problem })
}

/// The users of a text. An error has the number of the line, from 1, and what to change there.
fn parse(text: &str) -> Result<BTreeMap<String, Secret>, (usize, String)> {
    let mut users = BTreeMap::new();
    for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, secret) = parse_line(line).map_err(|problem| (number, problem))?;
        if users.contains_key(&name) {
            return Err((number, format!("{name} is on an earlier line, too; remove one of them")));
        }
        users.insert(name, secret);
    }
    Ok(users)
}

fn parse_line(line: &str) -> Result<(String, Secret), String> {
    let (name, secret) = line
        .split_once(':')
        .ok_or("it has no \":\"; write name:password, or name:hash with an Argon2 hash ($argon2id$…)")?;
    check_user_name(name).map_err(|error| error.to_string())?;
    if secret.starts_with(HASH_PREFIX) {
        if !is_password_hash(secret) {
            return Err(format!(
                "the Argon2 hash of {name} is damaged; copy it again, or write the password"
            ));
        }
        return Ok((name.to_owned(), Secret::Hash(secret.to_owned())));
    }
    check_password(secret).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), Secret::Password(secret.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of "correct horse", by the program argon2.
    const HASH: &str = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$3j0+S6gGV20Zdm+eoztdkLUvOKbucBG7gA8asDqV4P8";

    #[test]
    fn a_line_is_a_user_with_a_password_or_a_hash() {
        let text = format!("\u{feff}# users\n\nalice:a : b \r\nbob:{HASH}\n");
        let users = parse(&text).unwrap();
        assert_eq!(users["alice"], Secret::Password("a : b ".to_owned()));
        assert_eq!(users["bob"], Secret::Hash(HASH.to_owned()));
        assert_eq!(users.len(), 2);
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn a_bad_line_is_named_and_its_password_is_not() {
        for (text, number, problem) in [
            ("# users\nsecret", 2, "write name:password"),
            (":secret", 1, "the user name is empty"),
            ("a\tb:secret", 1, "control characters"),
            ("alice:", 1, "the password is empty"),
            ("alice:sec\u{1}ret", 1, "control characters"),
            ("alice:secret\nbob:x\nalice:secret", 3, "remove one of them"),
            ("alice:$argon2id$v=19$m=64$secret", 1, "copy it again"),
            ("alice:$argon2secret", 1, "copy it again"),
        ] {
            let (line, message) = parse(text).unwrap_err();
            assert_eq!(line, number, "{text}");
            assert!(message.contains(problem) && !message.contains("secret"), "{message}");
        }
    }
}
