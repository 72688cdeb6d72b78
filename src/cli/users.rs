//! The users of the API: adds, removes and lists them.
//!
//! Passwords are read from the terminal or from standard input, never from an argument, which every process could
//! see. They are hashed before they are stored, and never logged. The API defines the hash, so the caller passes the
//! function.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal};

use crate::store::{Store, StoreError};

/// Maximum size of a user name or password, in bytes: far above common use, far below the size of a header.
const MAX_BYTES: usize = 1_024;

/// The prefix of a password hash.
const HASH: &str = "$argon2";

/// The reason why a user cannot be added or removed.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    #[error("the user name is {0}; give 1 to 1024 bytes without \":\" and control characters (RFC 7617)")]
    Name(&'static str),
    #[error("the password is {0}; give 1 to 1024 bytes without control characters")]
    Password(&'static str),
    #[error("the two passwords differ; type the same one twice")]
    Mismatch,
    #[error("there is no user \"{0}\"")]
    Unknown(String),
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
    #[error("the password cannot be read: {0}")]
    Input(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The hash of a valid password.
///
/// # Errors
/// [`UsersError`] when the password is not valid, or cannot be hashed.
pub fn hash_password<E: Display>(
    password: &str,
    hash: impl FnOnce(&str) -> Result<String, E>,
) -> Result<String, UsersError> {
    check_password(password)?;
    hash(password).map_err(|error| UsersError::Hash(error.to_string()))
}

/// Adds a user with the hash of a password, or replaces the password of an existing user. Returns whether the user is
/// new.
///
/// # Errors
/// [`UsersError`] when the name does not fit HTTP Basic authentication, the hash has another form, or the store
/// cannot be written.
pub fn put(store: &Store, name: &str, hash: &str) -> Result<bool, UsersError> {
    check_name(name)?;
    if !hash.starts_with(HASH) || hash.len() > MAX_BYTES {
        return Err(UsersError::Hash(format!("it does not begin with {HASH}, or is too long")));
    }
    let is_new = store.users()?.iter().all(|(known, _)| known != name);
    store.put_user(name, hash)?;
    Ok(is_new)
}

/// Removes a user.
///
/// # Errors
/// [`UsersError::Unknown`] when there is no such user.
pub fn remove(store: &Store, name: &str) -> Result<(), UsersError> {
    if store.remove_user(name)? { Ok(()) } else { Err(UsersError::Unknown(name.to_owned())) }
}

/// The names of all users, sorted.
///
/// # Errors
/// When the store cannot be read.
pub fn list(store: &Store) -> Result<Vec<String>, UsersError> {
    let mut names: Vec<String> = store.users()?.into_iter().map(|(name, _)| name).collect();
    names.sort();
    Ok(names)
}

/// Reads a password twice from the terminal; without one, reads the first line of standard input.
///
/// # Errors
/// [`UsersError`] when it cannot be read, or the two differ.
pub fn read_password() -> Result<String, UsersError> {
    if !io::stdin().is_terminal() {
        return first_line(io::stdin().lock());
    }
    let password = rpassword::prompt_password("Password: ")?;
    let again = rpassword::prompt_password("The same again: ")?;
    if password == again { checked(password) } else { Err(UsersError::Mismatch) }
}

/// The first line, without its line end.
fn first_line(mut input: impl BufRead) -> Result<String, UsersError> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    checked(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn checked(password: String) -> Result<String, UsersError> {
    check_password(&password).map(|()| password)
}

/// Checks that a name can be a user's. RFC 7617: it ends at the first colon.
///
/// # Errors
/// [`UsersError::Name`] when it cannot.
pub fn check_name(name: &str) -> Result<(), UsersError> {
    if name.contains(':') {
        return Err(UsersError::Name("not free of \":\""));
    }
    check(name).map_err(UsersError::Name)
}

fn check_password(password: &str) -> Result<(), UsersError> {
    check(password).map_err(UsersError::Password)
}

fn check(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("empty"),
        _ if text.len() > MAX_BYTES => Err("too long"),
        _ if text.chars().any(char::is_control) => Err("not free of control characters"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line() {
        for (input, expected) in
            [("secret", "secret"), ("secret\n", "secret"), ("two words \r\nmore\n", "two words ")]
        {
            assert_eq!(first_line(input.as_bytes()).unwrap(), expected);
        }
        for input in ["", "\n", "\r\nsecret\n", "a\tb\n", &"a".repeat(1_025)] {
            assert!(matches!(first_line(input.as_bytes()), Err(UsersError::Password(_))), "{input:?}");
        }
        assert!(matches!(first_line(&b"\xff\n"[..]), Err(UsersError::Input(_))));
    }

    #[test]
    fn a_name_fits_into_basic_authentication() {
        for name in ["a", "someone@example.com", "jörg w", &"a".repeat(1_024)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "a:b", "a\n", "a\u{7f}", &"a".repeat(1_025)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        let message = check_name("a:b").unwrap_err().to_string();
        assert!(message.contains("not free of \":\"; give"), "{message}");
    }
}
