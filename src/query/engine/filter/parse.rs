//! The parser of `where`: its conditions have values of the types of their fields.

use super::formula::{Condition, Formula};
use super::literal::{Literal, expected_value, read_literal};
use super::operator::{Operator, TextTest, operator_names, plain_operator_names};
use super::pattern::Pattern;
use super::predicate::Predicate;
use super::regular_expression::RegularExpression;
use super::token::{Token, Word, split};
use super::value_set::ValueSet;
use crate::query::engine::column::ValueType;
use crate::query::{ErrorCode, QueryError};

/// How large a `where` may be. The values are those of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhereLimits {
    /// Conditions at most.
    pub conditions: usize,
    /// Parentheses and NOTs around a condition at most.
    pub depth: usize,
}

impl Default for WhereLimits {
    fn default() -> Self {
        Self { conditions: 5_000, depth: 8 }
    }
}

/// Regular expressions in one `where` at most. Each may fill half a megabyte, and a cache per thread.
const MAX_REGULAR_EXPRESSIONS: usize = 16;

/// Parses a `where` text to formulas that all must hold. `fields` are the allowed fields with their types. A blank text
/// has no formulas.
///
/// # Errors
/// [`QueryError::Where`], which names the wrong token and its position.
pub(crate) fn parse(
    text: &str,
    fields: &[(&'static str, ValueType)],
    limits: WhereLimits,
) -> Result<Vec<Formula>, QueryError> {
    let tokens = split(text)?;
    let end = text.chars().count();
    let mut parser =
        Parser { rest: tokens.into_iter(), end, fields, limits, depth: 0, conditions: 0, expressions: 0 };
    if parser.rest.as_slice().is_empty() {
        return Ok(Vec::new());
    }
    let formula = parser.disjunction()?;
    match parser.rest.next() {
        None => Ok(formula.into_parts()),
        Some(token) if token.word == Word::Close => {
            Err(unexpected(&token, ErrorCode::Syntax, "no ( is open here; remove it"))
        }
        Some(token) => {
            Err(unexpected(&token, ErrorCode::Syntax, "write AND or OR before a further condition"))
        }
    }
}

struct Parser<'a> {
    rest: std::vec::IntoIter<Token>,
    /// The offset after the last character.
    end: usize,
    fields: &'a [(&'static str, ValueType)],
    limits: WhereLimits,
    /// Parentheses and NOTs that are open.
    depth: usize,
    conditions: usize,
    /// How many conditions are regular expressions.
    expressions: usize,
}

impl Parser<'_> {
    fn disjunction(&mut self) -> Result<Formula, QueryError> {
        let mut parts = vec![self.conjunction()?];
        while self.skip_word("or") {
            parts.push(self.conjunction()?);
        }
        Ok(joined(parts, Formula::Any))
    }

    fn conjunction(&mut self) -> Result<Formula, QueryError> {
        let mut parts = self.term()?.into_parts();
        while self.skip_word("and") {
            parts.extend(self.term()?.into_parts());
        }
        Ok(joined(parts, Formula::All))
    }

    fn term(&mut self) -> Result<Formula, QueryError> {
        let first = self.rest.as_slice().first().cloned();
        let Some(first) = first else { return Ok(Formula::Condition(self.condition()?)) };
        if self.skip_word("not") {
            let inner = self.nested(&first, Self::term)?;
            return Ok(Formula::Not(Box::new(inner)));
        }
        if first.word != Word::Open {
            return Ok(Formula::Condition(self.condition()?));
        }
        self.rest.next();
        let inner = self.nested(&first, Self::disjunction)?;
        let close = self.next("end the parenthesis with )")?;
        if close.word == Word::Close {
            Ok(inner)
        } else {
            let advice = "write AND or OR before a further condition, or ) to end the parenthesis";
            Err(unexpected(&close, ErrorCode::Syntax, advice))
        }
    }

    /// Parses what a parenthesis or a NOT applies to.
    fn nested(
        &mut self,
        opening: &Token,
        parse: impl FnOnce(&mut Self) -> Result<Formula, QueryError>,
    ) -> Result<Formula, QueryError> {
        if self.depth == self.limits.depth {
            let advice =
                format!("it is nested more than {} deep (api.max_where_depth); nest less", self.limits.depth);
            return Err(unexpected(opening, ErrorCode::TooLarge, &advice));
        }
        self.depth += 1;
        let inner = parse(self);
        self.depth -= 1;
        inner
    }

    /// Passes over this word, in upper or lower case, if it comes next.
    fn skip_word(&mut self, wanted: &str) -> bool {
        let found = match self.rest.as_slice().first() {
            Some(Token { word: Word::Plain(word), .. }) => word.eq_ignore_ascii_case(wanted),
            _ => false,
        };
        if found {
            self.rest.next();
        }
        found
    }

    fn condition(&mut self) -> Result<Condition, QueryError> {
        let (field, value_type) = self.field()?;
        let token = self.next(&format!("write an operator after {field}: {}", operator_names()))?;
        let operator = match &token.word {
            Word::Plain(text) => Operator::read(text),
            _ => None,
        };
        let Some(operator) = operator else {
            let advice = format!("it is no operator; use {}", operator_names());
            return Err(unexpected(&token, ErrorCode::BadOperator, &advice));
        };
        let predicate = match operator {
            Operator::Compare(comparison) => Predicate::Compare(comparison, self.value(field, value_type)?),
            Operator::In => Predicate::In(ValueSet::of(self.list(field, value_type)?)),
            Operator::Text(test) => self.text_test(test, field, value_type, &token)?,
        };
        Ok(Condition { column: field, predicate })
    }

    fn field(&mut self) -> Result<(&'static str, ValueType), QueryError> {
        let allowed = || self.fields.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let advice = format!("use one of the fields {}", allowed());
        let token = self.next(&advice)?;
        let known = match &token.word {
            Word::Plain(text) => self.fields.iter().find(|(name, _)| name == text),
            _ => None,
        };
        let Some(known) = known else {
            let advice = format!("it is no field to filter by; {advice}");
            return Err(unexpected(&token, ErrorCode::UnknownField, &advice));
        };
        self.conditions += 1;
        if self.conditions > self.limits.conditions {
            let most = self.limits.conditions;
            let advice =
                format!("these are more than {most} conditions (api.max_where_conditions); use fewer");
            return Err(unexpected(&token, ErrorCode::TooLarge, &advice));
        }
        Ok(*known)
    }

    fn list(&mut self, field: &str, value_type: ValueType) -> Result<Vec<Literal>, QueryError> {
        let open = self.next("write ( after in")?;
        if open.word != Word::Open {
            let advice = "write ( after in, for example in (1, 2)";
            return Err(unexpected(&open, ErrorCode::Syntax, advice));
        }
        let mut literals = Vec::new();
        loop {
            literals.push(self.value(field, value_type)?);
            let token = self.next("end the list with )")?;
            match token.word {
                Word::Close => return Ok(literals),
                Word::Comma => {}
                _ => {
                    let advice = "write a comma between two values, or ) to end the list";
                    return Err(unexpected(&token, ErrorCode::Syntax, advice));
                }
            }
        }
    }

    fn value(&mut self, field: &str, value_type: ValueType) -> Result<Literal, QueryError> {
        let advice = format!("write {}", expected_value(value_type));
        let token = self.next(&advice)?;
        let code = match value_type {
            ValueType::Number | ValueType::Hundredths | ValueType::TenThousandths => ErrorCode::NotANumber,
            _ => ErrorCode::BadValue,
        };
        read_literal(&token.word, value_type)
            .ok_or_else(|| unexpected(&token, code, &format!("it is no value for {field}; {advice}")))
    }

    fn text_test(
        &mut self,
        test: TextTest,
        field: &str,
        value_type: ValueType,
        operator: &Token,
    ) -> Result<Predicate, QueryError> {
        if !value_type.is_text_like() {
            let advice = format!("{field} is no text; use {}", plain_operator_names());
            return Err(unexpected(operator, ErrorCode::BadOperator, &advice));
        }
        let advice = format!("write {} in single quotes, for example {}", test.operand(), test.example());
        let token = self.next(&advice)?;
        let Word::Quoted(text) = &token.word else {
            let advice = format!("it is no {} for {field}; {advice}", test.operand_noun());
            return Err(unexpected(&token, ErrorCode::BadValue, &advice));
        };
        let pattern = match test {
            TextTest::Like { negated } => {
                return Ok(Predicate::Like { pattern: Pattern::new(text), negated });
            }
            TextTest::Matches => return self.regular_expression(text, &token),
            TextTest::Contains => Pattern::contains(text),
            TextTest::StartsWith => Pattern::starts_with(text),
            TextTest::EndsWith => Pattern::ends_with(text),
        };
        Ok(Predicate::Like { pattern, negated: false })
    }

    fn regular_expression(&mut self, text: &str, token: &Token) -> Result<Predicate, QueryError> {
        self.expressions += 1;
        if self.expressions > MAX_REGULAR_EXPRESSIONS {
            let advice =
                format!("these are more than {MAX_REGULAR_EXPRESSIONS} regular expressions; use fewer");
            return Err(unexpected(token, ErrorCode::TooLarge, &advice));
        }
        let compiled = RegularExpression::compile(text);
        compiled.map(Predicate::Matches).map_err(|(code, problem)| unexpected(token, code, &problem))
    }

    fn next(&mut self, advice: &str) -> Result<Token, QueryError> {
        self.rest.next().ok_or_else(|| QueryError::Where {
            at: self.end..self.end,
            code: ErrorCode::Syntax,
            problem: format!("the text ends too early; {advice}"),
        })
    }
}

/// One formula of the parts, by `join` if they are several.
fn joined(mut parts: Vec<Formula>, join: fn(Vec<Formula>) -> Formula) -> Formula {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

fn unexpected(token: &Token, code: ErrorCode, advice: &str) -> QueryError {
    QueryError::Where {
        at: token.at.clone(),
        code,
        problem: format!("{} stands here; {advice}", token.word.shown()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::predicate::Comparison;
    use super::*;

    fn parse(text: &str, fields: &[(&'static str, ValueType)]) -> Result<Vec<Formula>, QueryError> {
        super::parse(text, fields, WhereLimits { conditions: 20, depth: 3 })
    }

    /// The formula in a notation of its own: every AND and OR in parentheses.
    fn notation(formula: &Formula) -> String {
        let joined = |parts: &[Formula], word| {
            format!("({})", parts.iter().map(notation).collect::<Vec<_>>().join(word))
        };
        match formula {
            Formula::Condition(condition) => match &condition.predicate {
                Predicate::Compare(_, Literal::Number(number)) => number.to_string(),
                other => format!("{other:?}"),
            },
            Formula::Not(inner) => format!("!{}", notation(inner)),
            Formula::All(parts) => joined(parts, "&"),
            Formula::Any(parts) => joined(parts, "|"),
        }
    }

    /// NOT binds tighter than AND, and AND tighter than OR.
    #[test]
    fn words_bind_in_their_order() {
        let numbers = |text: &str| {
            let word = |word: &str| match word.parse::<u8>() {
                Ok(number) => format!("sr eq {number}"),
                Err(_) => word.to_owned(),
            };
            text.split(' ').map(word).collect::<Vec<_>>().join(" ")
        };
        for (text, wanted) in [
            ("1", "1"),
            ("1 OR 2 AND 3", "(1|(2&3))"),
            ("1 and 2 or 3", "((1&2)|3)"),
            ("NOT 1 AND 2", "!1 2"),
            ("NOT ( 1 AND 2 )", "!(1&2)"),
            ("not not 1 Or not 2", "(!!1|!2)"),
            ("( 1 OR 2 ) AND 3", "(1|2) 3"),
            ("( 1 AND 2 ) AND ( 3 )", "1 2 3"),
            ("( ( 1 OR 2 ) OR 3 )", "((1|2)|3)"),
            ("1 OR 2 OR NOT 3 AND 4", "(1|2|(!3&4))"),
        ] {
            let parts = parse(&numbers(text), FIELDS).unwrap();
            assert_eq!(parts.iter().map(notation).collect::<Vec<_>>().join(" "), wanted, "{text}");
        }
    }

    #[test]
    fn the_limits_are_exact() {
        let conditions = |count| vec!["sr eq 1"; count].join(" OR ");
        assert!(parse(&conditions(20), FIELDS).is_ok());
        let deep = |depth| format!("{}sr eq 1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&deep(3), FIELDS).is_ok());
        assert!(parse(&[deep(3), deep(3)].join(" AND NOT "), FIELDS).is_err());
        let expressions = |count| vec!["tag matches 'a'"; count].join(" OR ");
        assert!(parse(&expressions(16), FIELDS).is_ok());
        for (text, place, part) in [
            (conditions(21), 221, "more than 20 conditions"),
            (deep(4), 4, "more than 3 deep"),
            (format!("NOT {}", "NOT ".repeat(3)), 13, "more than 3 deep"),
            (expressions(17), 317, "more than 16 regular expressions"),
        ] {
            let Err(QueryError::Where { at, code, problem }) = parse(&text, FIELDS) else { panic!("{text}") };
            assert_eq!((at.start + 1, code), (place, ErrorCode::TooLarge), "{text}: {problem}");
            assert!(problem.contains(part), "{problem}");
        }
    }

    const FIELDS: &[(&str, ValueType)] = &[
        ("frequency", ValueType::Number),
        ("sr", ValueType::Hundredths),
        ("nofollow", ValueType::Flag),
        ("cdate", ValueType::Day),
        ("tag", ValueType::Text),
        ("ip", ValueType::Address),
    ];

    #[test]
    fn conditions_are_parsed_by_the_types_of_their_fields() {
        let conditions = parse(
            "frequency GT -10 and sr le 4.86 AND nofollow eq TRUE And cdate ge '20240229' AND cdate lt 20240301 \
             AND tag in ('a' , ‘301’) AND ip ne '::ffff:192.0.2.1' AND ip eq '' AND tag NotLike 'i%' \
             AND tag Contains '%' AND ip startswith '10.' AND cdate endsWith '01' AND tag MATCHES '^a'",
            FIELDS,
        )
        .unwrap();
        let compare = |comparison, literal| Predicate::Compare(comparison, literal);
        let text = |text: &str| Literal::Text(text.to_owned());
        let predicate = |formula| match formula {
            Formula::Condition(condition) => condition.predicate,
            other => panic!("{other:?}"),
        };
        let tests: Vec<Predicate> = conditions.into_iter().map(predicate).collect();
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
                Predicate::Like { pattern: Pattern::contains("%"), negated: false },
                Predicate::Like { pattern: Pattern::starts_with("10."), negated: false },
                Predicate::Like { pattern: Pattern::ends_with("01"), negated: false },
                Predicate::Matches(RegularExpression::compile("^a").unwrap()),
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
            ("frequency gt 10 OR", 19, "ends too early"),
            ("frequency gt 10 OR AND", 20, "\"AND\" stands here; it is no field"),
            ("(frequency gt 10", 17, "end the parenthesis with )"),
            ("(frequency gt 10 sr gt 1)", 18, "\"sr\" stands here; write AND or OR"),
            ("frequency gt 10)", 16, "no ( is open here"),
            ("()", 2, "\")\" stands here; it is no field"),
            ("NOT", 4, "ends too early; use one of the fields"),
            ("frequency NOT gt 10", 11, "it is no operator"),
            ("frequency contains '1'", 11, "frequency is no text; use lt, le, gt, ge, eq, ne or in"),
            ("tag contains a", 14, "it is no text for tag; write a text in single quotes"),
            ("tag matches a", 13, "it is no regular expression for tag"),
            ("tag matches '('", 13, "it is no regular expression: unclosed group"),
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
                Err(QueryError::Where { at, problem, .. }) => {
                    assert_eq!(at.start + 1, place, "{text}: {problem}");
                    assert!(problem.contains(part), "{text}: {problem}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn errors_have_a_code_and_the_place_of_the_token() {
        for (text, at, code) in [
            ("foo eq 1", 0..3, ErrorCode::UnknownField),
            ("sr is 1", 3..5, ErrorCode::BadOperator),
            ("sr like '1'", 3..7, ErrorCode::BadOperator),
            ("sr gt high", 6..10, ErrorCode::NotANumber),
            ("tag eq 'a' AND ip eq 'it''s'", 21..28, ErrorCode::BadValue),
            ("tag eq", 6..6, ErrorCode::Syntax),
            ("tag eq 'ä", 7..9, ErrorCode::Syntax),
            ("tag matches '['", 12..15, ErrorCode::BadValue),
            (r"tag matches '\w{500}'", 12..21, ErrorCode::TooLarge),
        ] {
            match parse(text, FIELDS) {
                Err(QueryError::Where { at: found, code: named, .. }) => {
                    assert_eq!((found, named), (at, code), "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
