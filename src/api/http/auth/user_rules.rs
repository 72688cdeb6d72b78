//! What a user name, a password and a password hash may be (RFC 7617).

/// Maximum size of a user name, a password or a hash, in bytes: far above common use, far below the size of a header.
const MAX_BYTES: usize = 1_024;

/// The prefix of a password hash.
const HASH_PREFIX: &str = "$argon2";

/// The reason why a user cannot be added, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    #[error("the user name is {0}; give 1 to 1024 bytes without \":\" and control characters (RFC 7617)")]
    Name(&'static str),
    #[error("the password is {0}; give 1 to 1024 bytes without control characters")]
    Password(&'static str),
    #[error("there is no user \"{0}\"")]
    Unknown(String),
    #[error("there is no token \"{0}\"")]
    UnknownToken(String),
    #[error(
        "{0} is the last token, and there are no users: without it, an API on loopback needs no credentials, and any \
         other one serves no client and does not start again; add a user or another token first, or give --force"
    )]
    LastToken(String),
    #[error("there is a token \"{0}\" already; remove it first, or give another name")]
    TokenExists(String),
    #[error("the password cannot be hashed: it does not begin with {HASH_PREFIX}, or is too long")]
    Hash,
}

/// Checks that a name can be a user's. It ends at the first colon (RFC 7617).
///
/// # Errors
/// [`UserError::Name`] when it cannot.
pub fn check_user_name(name: &str) -> Result<(), UserError> {
    if name.contains(':') {
        return Err(UserError::Name("not free of \":\""));
    }
    check_text(name).map_err(UserError::Name)
}

/// Checks that a text can be a password.
///
/// # Errors
/// [`UserError::Password`] when it cannot.
pub fn check_password(password: &str) -> Result<(), UserError> {
    check_text(password).map_err(UserError::Password)
}

/// Checks that a text looks like a hash of [`super::hash_password`].
///
/// # Errors
/// [`UserError::Hash`] when it does not.
pub fn check_password_hash(hash: &str) -> Result<(), UserError> {
    if hash.starts_with(HASH_PREFIX) && hash.len() <= MAX_BYTES { Ok(()) } else { Err(UserError::Hash) }
}

fn check_text(text: &str) -> Result<(), &'static str> {
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
    fn a_name_fits_into_basic_authentication() {
        for name in ["a", "someone@example.com", "jörg w", &"a".repeat(1_024)] {
            assert!(check_user_name(name).is_ok(), "{name}");
        }
        for name in ["", "a:b", "a\n", "a\u{7f}", &"a".repeat(1_025)] {
            assert!(check_user_name(name).is_err(), "{name:?}");
        }
        let message = check_user_name("a:b").unwrap_err().to_string();
        assert!(message.contains("not free of \":\"; give"), "{message}");
    }
}
