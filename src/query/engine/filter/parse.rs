//! The parser of `where`: its conditions have values of the types of their fields.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::literal::Literal;
use super::pattern::Pattern;
use super::predicate::{Comparison, Predicate};
use super::token::{Token, Word, split};
use super::value_set::ValueSet;
use crate::model::Day;
use crate::query::QueryError;
use crate::query::engine::column::Kind;

/// A condition on a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub field: &'static str,
    pub predicate: Predicate,
}

impl Condition {
    /// Two conditions that together select a day within the range.
    pub(crate) fn within(field: &'static str, days: &RangeInclusive<Day>) -> [Self; 2] {
        let condition = |comparison, day: &Day| {
            let predicate = Predicate::Compare(comparison, Literal::Day(day.as_number()));
            Self { field, predicate }
        };
        [condition(Comparison::Ge, days.start()), condition(Comparison::Le, days.end())]
    }
}

const OPERATORS: &str = "lt, le, gt, ge, eq, ne, like, notlike or in";

/// Parses a `where` text. `fields` are the allowed fields with their types. A blank text has no conditions.
///
/// # Errors
/// [`QueryError::Where`], which names the wrong token and its position.
pub(crate) fn parse(text: &str, fields: &[(&'static str, Kind)]) -> Result<Vec<Condition>, QueryError> {
    let tokens = split(text)?;
    let mut parser = Parser { rest: tokens.into_iter(), end: text.chars().count() + 1, fields };
    let mut conditions = Vec::new();
    if parser.rest.as_slice().is_empty() {
        return Ok(conditions);
    }
    loop {
        conditions.push(parser.condition()?);
        match parser.rest.next() {
            None => return Ok(conditions),
            Some(Token { word: Word::Plain(and), .. }) if and.eq_ignore_ascii_case("and") => {}
            Some(other) => return Err(unexpected(&other, "write AND before a further condition")),
        }
    }
}

enum Operator {
    Compare(Comparison),
    In,
    Like { negated: bool },
}

impl Operator {
    fn read(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "lt" => Self::Compare(Comparison::Lt),
            "le" => Self::Compare(Comparison::Le),
            "gt" => Self::Compare(Comparison::Gt),
            "ge" => Self::Compare(Comparison::Ge),
            "eq" => Self::Compare(Comparison::Eq),
            "ne" => Self::Compare(Comparison::Ne),
            "in" => Self::In,
            "like" => Self::Like { negated: false },
            "notlike" => Self::Like { negated: true },
            _ => return None,
        })
    }
}

struct Parser<'a> {
    rest: std::vec::IntoIter<Token>,
    /// The position after the last character.
    end: usize,
    fields: &'a [(&'static str, Kind)],
}

impl Parser<'_> {
    fn condition(&mut self) -> Result<Condition, QueryError> {
        let (field, kind) = self.field()?;
        let token = self.next(&format!("write an operator after {field}: {OPERATORS}"))?;
        let operator = match &token.word {
            Word::Plain(text) => Operator::read(text),
            _ => None,
        };
        let Some(operator) = operator else {
            return Err(unexpected(&token, &format!("it is no operator; use {OPERATORS}")));
        };
        let predicate = match operator {
            Operator::Compare(comparison) => Predicate::Compare(comparison, self.value(field, kind)?),
            Operator::In => Predicate::In(ValueSet::of(self.list(field, kind)?)),
            Operator::Like { negated } => {
                Predicate::Like { pattern: self.pattern(field, kind, &token)?, negated }
            }
        };
        Ok(Condition { field, predicate })
    }

    fn field(&mut self) -> Result<(&'static str, Kind), QueryError> {
        let allowed = || self.fields.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let advice = format!("use one of the fields {}", allowed());
        let token = self.next(&advice)?;
        let known = match &token.word {
            Word::Plain(text) => self.fields.iter().find(|(name, _)| name == text),
            _ => None,
        };
        known.copied().ok_or_else(|| unexpected(&token, &format!("it is no field to filter by; {advice}")))
    }

    fn list(&mut self, field: &str, kind: Kind) -> Result<Vec<Literal>, QueryError> {
        let open = self.next("write ( after in")?;
        if open.word != Word::Open {
            return Err(unexpected(&open, "write ( after in, for example in (1, 2)"));
        }
        let mut literals = Vec::new();
        loop {
            literals.push(self.value(field, kind)?);
            let token = self.next("end the list with )")?;
            match token.word {
                Word::Close => return Ok(literals),
                Word::Comma => {}
                _ => {
                    return Err(unexpected(&token, "write a comma between two values, or ) to end the list"));
                }
            }
        }
    }

    fn value(&mut self, field: &str, kind: Kind) -> Result<Literal, QueryError> {
        let advice = format!("write {}", expected_value(kind));
        let token = self.next(&advice)?;
        literal(&token.word, kind)
            .ok_or_else(|| unexpected(&token, &format!("it is no value for {field}; {advice}")))
    }

    fn pattern(&mut self, field: &str, kind: Kind, operator: &Token) -> Result<Pattern, QueryError> {
        if !matches!(kind, Kind::Text | Kind::Address | Kind::Day | Kind::DayNumber) {
            return Err(unexpected(
                operator,
                &format!("{field} is no text; use lt, le, gt, ge, eq, ne or in"),
            ));
        }
        let advice = "write a pattern in single quotes, for example '%news%'";
        let token = self.next(advice)?;
        match &token.word {
            Word::Quoted(text) => Ok(Pattern::new(text)),
            _ => Err(unexpected(&token, &format!("it is no pattern for {field}; {advice}"))),
        }
    }

    fn next(&mut self, advice: &str) -> Result<Token, QueryError> {
        self.rest.next().ok_or_else(|| QueryError::Where {
            position: self.end,
            problem: format!("the text ends too early; {advice}"),
        })
    }
}

fn unexpected(token: &Token, advice: &str) -> QueryError {
    QueryError::Where {
        position: token.position,
        problem: format!("{} stands here; {advice}", token.word.shown()),
    }
}

fn expected_value(kind: Kind) -> &'static str {
    match kind {
        Kind::Number | Kind::Hundredths | Kind::TenThousandths => "a number without quotes, for example 10",
        Kind::Flag => "true or false",
        Kind::Day | Kind::DayNumber => "a day as yyyyMMdd, for example 20240229",
        Kind::Text => "a text in single quotes, for example 'news'",
        Kind::Address => "an IP address in single quotes, for example '192.0.2.1'",
    }
}

/// The word as a value of this type.
fn literal(word: &Word, kind: Kind) -> Option<Literal> {
    match (kind, word) {
        (Kind::Number | Kind::Hundredths | Kind::TenThousandths, Word::Plain(text)) => {
            number(text).map(Literal::Number)
        }
        (Kind::Flag, Word::Plain(text)) if text.eq_ignore_ascii_case("true") => Some(Literal::Flag(true)),
        (Kind::Flag, Word::Plain(text)) if text.eq_ignore_ascii_case("false") => Some(Literal::Flag(false)),
        (Kind::Day | Kind::DayNumber, Word::Plain(text) | Word::Quoted(text)) => {
            Day::parse(text).ok().map(|day| Literal::Day(day.as_number()))
        }
        (Kind::Text, Word::Quoted(text)) => Some(Literal::Text(text.clone())),
        (Kind::Address, Word::Quoted(text)) if text.is_empty() => Some(Literal::Address(None)),
        (Kind::Address, Word::Quoted(text)) => {
            text.parse::<IpAddr>().ok().map(|address| Literal::Address(Some(address.to_canonical())))
        }
        _ => None,
    }
}

/// Parses numbers like `-12.5`: an optional sign, digits, and optionally a point and digits. Nothing else
/// that Rust accepts as a number is valid.
fn number(text: &str) -> Option<f64> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let fits = match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    };
    if fits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[(&str, Kind)] = &[
        ("frequency", Kind::Number),
        ("sr", Kind::Hundredths),
        ("nofollow", Kind::Flag),
        ("cdate", Kind::Day),
        ("tag", Kind::Text),
        ("ip", Kind::Address),
    ];

    #[test]
    fn conditions_are_parsed_by_the_types_of_their_fields() {
        let conditions = parse(
            "frequency GT -10 and sr le 4.86 AND nofollow eq TRUE And cdate ge '20240229' AND cdate lt 20240301 \
             AND tag in ('a' , ‘301’) AND ip ne '::ffff:192.0.2.1' AND ip eq '' AND tag NotLike 'i%'",
            FIELDS,
        )
        .unwrap();
        let compare = |comparison, literal| Predicate::Compare(comparison, literal);
        let text = |text: &str| Literal::Text(text.to_owned());
        let tests: Vec<Predicate> = conditions.into_iter().map(|condition| condition.predicate).collect();
        assert_eq!(
            tests,
            [
                compare(Comparison::Gt, Literal::Number(-10.0)),
                compare(Comparison::Le, Literal::Number(4.86)),
                compare(Comparison::Eq, Literal::Flag(true)),
                compare(Comparison::Ge, Literal::Day(20_240_229)),
                compare(Comparison::Lt, Literal::Day(20_240_301)),
                Predicate::In(ValueSet::of(vec![text("a"), text("301")])),
                compare(Comparison::Ne, Literal::Address("192.0.2.1".parse().ok())),
                compare(Comparison::Eq, Literal::Address(None)),
                Predicate::Like { pattern: Pattern::new("i%"), negated: true },
            ]
        );
    }

    #[test]
    fn a_blank_text_has_no_conditions() {
        assert_eq!(parse("", FIELDS).unwrap(), []);
        assert_eq!(parse("  ", FIELDS).unwrap(), []);
    }

    #[test]
    fn errors_name_the_token_and_its_position() {
        for (text, place, part) in [
            ("foo eq 1", 1, "\"foo\" stands here; it is no field"),
            ("Frequency eq 1", 1, "it is no field"),
            ("'tag' eq 'a'", 1, "the text 'tag' stands here"),
            ("frequency", 10, "ends too early; write an operator after frequency"),
            ("frequency = 1", 11, "\"=\" stands here; it is no operator"),
            ("frequency gt", 13, "ends too early; write a number"),
            ("frequency gt10", 11, "\"gt10\" stands here; it is no operator"),
            ("frequency gt '10'", 14, "the text '10' stands here; it is no value for frequency"),
            ("frequency gt 1e3", 14, "\"1e3\" stands here"),
            ("frequency gt inf", 14, "\"inf\" stands here"),
            ("frequency gt 1.", 14, "\"1.\" stands here"),
            ("frequency gt 10 frequency lt 20", 17, "\"frequency\" stands here; write AND"),
            ("frequency gt 10 OR frequency lt 20", 17, "\"OR\" stands here; write AND"),
            ("frequency gt 10 AND", 20, "ends too early"),
            ("AND frequency gt 10", 1, "\"AND\" stands here"),
            ("frequency like '1%'", 11, "frequency is no text"),
            ("nofollow eq 1", 13, "true or false"),
            ("nofollow eq 'true'", 13, "true or false"),
            ("cdate gt '2024-01-01'", 10, "yyyyMMdd"),
            ("cdate gt 20240230", 10, "yyyyMMdd"),
            ("tag eq a", 8, "\"a\" stands here; it is no value for tag"),
            ("tag eq 301", 8, "single quotes"),
            ("tag eq 'a", 8, "closing quote"),
            ("tag like a%", 10, "no pattern for tag"),
            ("tag in 'a'", 8, "write ( after in"),
            ("tag in ()", 9, "\")\" stands here"),
            ("tag in ('a'", 12, "end the list with )"),
            ("tag in ('a' 'b')", 13, "a comma between two values"),
            ("tag in ('a',)", 13, "\")\" stands here"),
            ("ip eq '1.2.3'", 7, "an IP address"),
            ("ip eq 1.2.3.4", 7, "\"1.2.3.4\" stands here"),
            ("tag eq 'ä' AND é eq 1", 16, "\"é\" stands here"),
        ] {
            match parse(text, FIELDS) {
                Err(QueryError::Where { position, problem }) => {
                    assert_eq!(position, place, "{text}: {problem}");
                    assert!(problem.contains(part), "{text}: {problem}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
