//! The tokens of a `where` text.

use std::ops::Range;

use crate::query::{ErrorCode, QueryError, shorten};

/// A token and its place: offsets of characters, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub at: Range<usize>,
    pub word: Word,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A run of characters other than blanks, `(`, `)`, `,` and quotes: a name, an operator or a number.
    Plain(String),
    /// A text in quotes, without the quotes.
    Quoted(String),
    Open,
    Close,
    Comma,
}

impl Word {
    /// The token as error messages show it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Plain(text) => format!("\"{}\"", shorten(text)),
            Self::Quoted(text) => format!("the text '{}'", shorten(text)),
            Self::Open => "\"(\"".to_owned(),
            Self::Close => "\")\"".to_owned(),
            Self::Comma => "\",\"".to_owned(),
        }
    }
}

/// Splits a `where` text into tokens.
///
/// # Errors
/// [`QueryError::Where`] for a text without a closing quote.
pub(super) fn split(text: &str) -> Result<Vec<Token>, QueryError> {
    let end = text.chars().count();
    let mut chars = text.chars().enumerate().peekable();
    let mut tokens = Vec::new();
    while let Some((start, first)) = chars.next() {
        let word = match first {
            c if c.is_whitespace() => continue,
            '(' => Word::Open,
            ')' => Word::Close,
            ',' => Word::Comma,
            '\'' => quoted(&mut chars, '\'', start..end)?,
            '‘' | '’' => quoted(&mut chars, '’', start..end)?,
            _ => {
                let mut plain = String::from(first);
                while let Some((_, c)) = chars.next_if(|&(_, c)| !ends_word(c)) {
                    plain.push(c);
                }
                Word::Plain(plain)
            }
        };
        let next = chars.peek().map_or(end, |&(next, _)| next);
        tokens.push(Token { at: start..next, word });
    }
    Ok(tokens)
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | ',' | '\'' | '‘' | '’')
}

/// Reads up to the closing quote. Two quotes in a row are one quote of the text. `rest` is the place of all that follows
/// the opening quote, and of the quote itself.
fn quoted(
    chars: &mut std::iter::Peekable<impl Iterator<Item = (usize, char)>>,
    close: char,
    rest: Range<usize>,
) -> Result<Word, QueryError> {
    let mut text = String::new();
    while let Some((_, c)) = chars.next() {
        if c != close {
            text.push(c);
        } else if chars.next_if(|&(_, next)| next == close).is_some() {
            text.push(close);
        } else {
            return Ok(Word::Quoted(text));
        }
    }
    Err(QueryError::Where {
        at: rest,
        code: ErrorCode::Syntax,
        problem: format!("the text that begins with {close} has no closing quote; end it with {close}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(usize, Word)> {
        split(text).unwrap().into_iter().map(|token| (token.at.start + 1, token.word)).collect()
    }

    #[test]
    fn text_is_split_into_tokens_with_positions() {
        let plain = |text: &str| Word::Plain(text.to_owned());
        let quoted = |text: &str| Word::Quoted(text.to_owned());
        assert_eq!(
            words(" tag  in('a',‘301’)"),
            [
                (2, plain("tag")),
                (7, plain("in")),
                (9, Word::Open),
                (10, quoted("a")),
                (13, Word::Comma),
                (14, quoted("301")),
                (19, Word::Close),
            ]
        );
        assert_eq!(words("é eq 'it''s’ “x”'"), [(1, plain("é")), (3, plain("eq")), (6, quoted("it's’ “x”"))]);
        assert_eq!(words("‘it's ’’ ‘x’''"), [(1, quoted("it's ’ ‘x")), (13, quoted(""))]);
    }

    #[test]
    fn a_token_ends_where_its_last_character_ends() {
        let places: Vec<_> = split("é  in('it''s', 7)").unwrap().into_iter().map(|token| token.at).collect();
        assert_eq!(places, [0..1, 3..5, 5..6, 6..13, 13..14, 15..16, 16..17]);
    }

    #[test]
    fn a_missing_quote_is_reported_with_its_position() {
        for (text, place) in [("a eq 'x", 6), ("a eq 'x''", 6), ("'", 1), ("a eq ‘x'", 6)] {
            let Err(QueryError::Where { at, .. }) = split(text) else { panic!("{text}") };
            assert_eq!((at.start + 1, at.end), (place, text.chars().count()), "{text}");
        }
    }
}
