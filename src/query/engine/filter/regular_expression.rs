//! Regular expressions of `matches`, found anywhere in a text and in either case.
//!
//! The crate `regex` matches in time linear in the text: it has neither backtracking nor back references.

use regex::{Regex, RegexBuilder};

use crate::query::ErrorCode;

/// Bytes of a compiled program at most. The time per character grows with it. `\w` alone takes some 50,000, because it
/// matches all letters of Unicode.
const MAX_PROGRAM_BYTES: usize = 512 << 10;
/// Bytes of the cache that one thread fills while it matches.
const MAX_CACHE_BYTES: usize = 1 << 20;
/// Groups inside each other at most, because the parser of the crate recurses.
const MAX_NESTING: u32 = 50;

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub(crate) struct RegularExpression {
    source: String,
    program: Regex,
}

impl PartialEq for RegularExpression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl RegularExpression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn compile(source: &str) -> Result<Self, (ErrorCode, String)> {
        let built = RegexBuilder::new(source)
            .case_insensitive(true)
            .size_limit(MAX_PROGRAM_BYTES)
            .dfa_size_limit(MAX_CACHE_BYTES)
            .nest_limit(MAX_NESTING)
            .build();
        match built {
            Ok(program) => Ok(Self { source: source.to_owned(), program }),
            Err(regex::Error::CompiledTooBig(_)) => Err((
                ErrorCode::TooLarge,
                "the regular expression is too large; use fewer or smaller repetitions".to_owned(),
            )),
            Err(error) => {
                let message = error.to_string();
                // The last line has the reason; those before show the place.
                let reason = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
                Err((ErrorCode::BadValue, format!("it is no regular expression: {reason}")))
            }
        }
    }

    /// Whether a part of the text matches.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.program.is_match(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_match_parts_of_texts_in_either_case() {
        for (source, text, fits) in [
            ("", "", true),
            ("b+", "aBBa", true),
            ("^b", "ab", false),
            ("^ä$", "Ä", true),
            ("(news|blog)[0-9]{2}", "My-Blog07", true),
            (r"\bcat\b", "concatenate", false),
        ] {
            assert_eq!(RegularExpression::compile(source).unwrap().is_match(text), fits, "{source}: {text}");
        }
    }

    #[test]
    fn unusable_expressions_get_a_reason() {
        for (source, code, part) in [
            ("(", ErrorCode::BadValue, "unclosed group"),
            (r"(a)\1", ErrorCode::BadValue, "backreferences are not supported"),
            (r"\w{500}", ErrorCode::TooLarge, "fewer or smaller repetitions"),
            ("((a{100}){100}){100}", ErrorCode::TooLarge, "fewer or smaller repetitions"),
            (&"(".repeat(100), ErrorCode::BadValue, ""),
        ] {
            let (found, message) = RegularExpression::compile(source).unwrap_err();
            assert_eq!(found, code, "{source}: {message}");
            assert!(message.contains(part) && !message.contains('\n'), "{source}: {message}");
        }
    }
}
