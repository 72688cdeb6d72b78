//! Reads a password from the terminal or from standard input, never from an argument, which every process could see.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, bail};

use crate::api::check_password;

/// Reads a valid password twice from the terminal; without one, reads the first line of standard input.
///
/// # Errors
/// When it cannot be read or is not valid, or the two differ.
pub(crate) fn read_password() -> anyhow::Result<String> {
    const UNREADABLE: &str = "the password cannot be read";
    if !io::stdin().is_terminal() {
        let password = first_line(io::stdin().lock()).context(UNREADABLE)?;
        check_password(&password)?;
        return Ok(password);
    }
    let password = rpassword::prompt_password("Password: ").context(UNREADABLE)?;
    let again = rpassword::prompt_password("The same again: ").context(UNREADABLE)?;
    if password != again {
        bail!("the two passwords differ; type the same one twice");
    }
    check_password(&password)?;
    Ok(password)
}

/// The first line, without its line end.
fn first_line(mut input: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
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
            let password = first_line(input.as_bytes()).unwrap();
            assert!(check_password(&password).is_err(), "{input:?}");
        }
        assert!(first_line(&b"\xff\n"[..]).is_err());
    }
}
