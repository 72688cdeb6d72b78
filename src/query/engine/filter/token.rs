//! The tokens of a `where` text.

use crate::query::QueryError;

/// A token and its position in characters, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub position: usize,
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
            Self::Plain(text) => format!("\"{text}\""),
            Self::Quoted(text) => format!("the text '{text}'"),
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
    let mut chars = text.chars().enumerate().peekable();
    let mut tokens = Vec::new();
    while let Some((at, first)) = chars.next() {
        let position = at + 1;
        let word = match first {
            c if c.is_whitespace() => continue,
            '(' => Word::Open,
            ')' => Word::Close,
            ',' => Word::Comma,
            '\'' => quoted(&mut chars, '\'', position)?,
            '‘' | '’' => quoted(&mut chars, '’', position)?,
            _ => {
                let mut plain = String::from(first);
                while let Some((_, c)) = chars.next_if(|&(_, c)| !ends_word(c)) {
                    plain.push(c);
                }
                Word::Plain(plain)
            }
        };
        tokens.push(Token { position, word });
    }
    Ok(tokens)
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | ',' | '\'' | '‘' | '’')
}

/// Reads up to the closing quote. Two quotes in a row are one quote of the text.
fn quoted(
    chars: &mut std::iter::Peekable<impl Iterator<Item = (usize, char)>>,
    close: char,
    position: usize,
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
        position,
        problem: format!("the text that begins with {close} has no closing quote; end it with {close}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(usize, Word)> {
        split(text).unwrap().into_iter().map(|token| (token.position, token.word)).collect()
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
    fn a_missing_quote_is_reported_with_its_position() {
        for (text, place) in [("a eq 'x", 6), ("a eq 'x''", 6), ("'", 1), ("a eq ‘x'", 6)] {
            assert!(matches!(split(text), Err(QueryError::Where { position, .. }) if position == place));
        }
    }
}
