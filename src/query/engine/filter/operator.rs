//! The operators of `where`, and the types of fields that they apply to.

use super::predicate::Comparison;
use crate::query::engine::column::ValueType;

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Compare(Comparison),
    In,
    Text(TextTest),
}

/// An operator that tests the text of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    Like { negated: bool },
    Contains,
    StartsWith,
    EndsWith,
    Matches,
}

/// All operators, in the order of messages.
const OPERATORS: [(&str, Operator); 13] = [
    ("lt", Operator::Compare(Comparison::Lt)),
    ("le", Operator::Compare(Comparison::Le)),
    ("gt", Operator::Compare(Comparison::Gt)),
    ("ge", Operator::Compare(Comparison::Ge)),
    ("eq", Operator::Compare(Comparison::Eq)),
    ("ne", Operator::Compare(Comparison::Ne)),
    ("like", Operator::Text(TextTest::Like { negated: false })),
    ("notlike", Operator::Text(TextTest::Like { negated: true })),
    ("contains", Operator::Text(TextTest::Contains)),
    ("startswith", Operator::Text(TextTest::StartsWith)),
    ("endswith", Operator::Text(TextTest::EndsWith)),
    ("matches", Operator::Text(TextTest::Matches)),
    ("in", Operator::In),
];

impl Operator {
    /// The operator of this name, in upper or lower case.
    pub(super) fn read(text: &str) -> Option<Self> {
        let found = OPERATORS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|(_, operator)| *operator)
    }

    fn applies_to(self, value_type: ValueType) -> bool {
        !matches!(self, Self::Text(_)) || value_type.is_text_like()
    }
}

/// The names of the operators that apply to fields of this type.
pub fn operators_of(value_type: ValueType) -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().filter(move |(_, operator)| operator.applies_to(value_type)).map(|(name, _)| *name)
}

/// The names of all operators, for messages.
pub(super) fn operator_names() -> String {
    listed(operators_of(ValueType::Text))
}

/// The names of the operators that apply to fields of every type, for messages.
pub(super) fn plain_operator_names() -> String {
    listed(operators_of(ValueType::Number))
}

/// `a, b or c`.
fn listed(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

impl TextTest {
    /// What follows the operator.
    pub(super) fn operand(self) -> &'static str {
        match self {
            Self::Like { .. } => "a pattern",
            Self::Matches => "a regular expression",
            Self::Contains | Self::StartsWith | Self::EndsWith => "a text",
        }
    }

    /// As [`Self::operand`], without the article.
    pub(super) fn operand_noun(self) -> &'static str {
        self.operand().trim_start_matches("a ")
    }

    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Like { .. } => "'%news%'",
            Self::Matches => "'news[0-9]+'",
            Self::Contains | Self::StartsWith | Self::EndsWith => "'news'",
        }
    }
}
