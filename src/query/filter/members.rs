//! The values that `in` names, found by their hash: how many there are does not change what a row costs.

use std::collections::HashSet;
use std::net::IpAddr;

use ahash::RandomState;

use super::super::column::Value;
use super::test::Literal;

/// Values of one kind. Hashes are keyed, since clients choose the values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members {
    texts: HashSet<String, RandomState>,
    others: HashSet<Other, RandomState>,
}

/// A value that is no text, so that equal values are those that compare as equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Other {
    /// The bits of a number that is not the zero below zero.
    Number(u64),
    Flag(bool),
    Day(u32),
    Address(Option<IpAddr>),
}

impl Members {
    pub fn of(literals: Vec<Literal>) -> Self {
        let mut members = Self::default();
        for literal in literals {
            let other = match literal {
                Literal::Text(text) => {
                    members.texts.insert(text);
                    continue;
                }
                Literal::Number(number) => Other::number(number),
                Literal::Flag(flag) => Other::Flag(flag),
                Literal::Day(day) => Other::Day(day),
                Literal::Address(address) => Other::Address(address),
            };
            members.others.insert(other);
        }
        members
    }

    /// Whether a value is one of them. Of another kind than theirs, none is.
    pub fn contain(&self, value: Value<'_>) -> bool {
        let other = match value {
            Value::Text(text) => return self.texts.contains(text),
            Value::Number(number) => Other::number(f64::from(number)),
            Value::Hundredths(parts) => Other::number(f64::from(parts) / 100.0),
            Value::TenThousandths(parts) => Other::number(f64::from(parts) / 10_000.0),
            Value::Flag(flag) => Other::Flag(flag),
            Value::Day(day) | Value::DayNumber(day) => Other::Day(day),
            Value::Address(address) => Other::Address(address),
        };
        self.others.contains(&other)
    }
}

impl Other {
    /// Numbers that are equal have the same bits, but for the two zeros, of which the sum is the one above.
    fn number(number: f64) -> Self {
        Self::Number((number + 0.0).to_bits())
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::super::test::compare;
    use super::*;

    /// Values and literals of every kind, few enough of each to meet.
    fn value() -> impl Strategy<Value = Value<'static>> {
        let texts = proptest::sample::select(&["", "a", "A", "ab", "\u{e4}"][..]);
        let address = proptest::sample::select(&["192.0.2.1", "192.0.2.2", "2001:db8::1", "none"][..]);
        prop_oneof![
            (0u32..4).prop_map(Value::Number),
            (0u32..400).prop_map(Value::Hundredths),
            (0u32..40_000).prop_map(Value::TenThousandths),
            any::<u32>().prop_map(Value::Hundredths),
            any::<bool>().prop_map(Value::Flag),
            (20_240_228u32..20_240_231).prop_map(Value::Day),
            (20_240_228u32..20_240_231).prop_map(Value::DayNumber),
            texts.prop_map(Value::Text),
            address.prop_map(|text| Value::Address(text.parse().ok())),
        ]
    }

    /// The literal that a value is written as, and some that stand beside it.
    fn literals(value: Value<'_>) -> Vec<Literal> {
        match value {
            Value::Text(text) => vec![Literal::Text(text.to_owned())],
            Value::Address(address) => vec![Literal::Address(address)],
            Value::Flag(flag) => vec![Literal::Flag(flag)],
            Value::Day(day) | Value::DayNumber(day) => vec![Literal::Day(day)],
            Value::Number(_) | Value::Hundredths(_) | Value::TenThousandths(_) => {
                let number: f64 = value.to_string().parse().unwrap();
                vec![Literal::Number(number), Literal::Number(-number), Literal::Number(number + 0.005)]
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_among_them_is_what_equals_one(
            named in proptest::collection::vec(value(), 0..6),
            asked in proptest::collection::vec(value(), 1..6),
        ) {
            let literals: Vec<Literal> = named.iter().flat_map(|value| literals(*value)).collect();
            let members = Members::of(literals.clone());
            for value in named.iter().chain(&asked) {
                let equals = |literal| compare(*value, literal) == Some(Ordering::Equal);
                prop_assert_eq!(members.contain(*value), literals.iter().any(equals), "{:?}", value);
            }
        }
    }
}
