//! The set of values that `in` names. A lookup by hash makes the cost per row independent of their number.

use std::net::IpAddr;

use hashbrown::HashSet;

use super::literal::Literal;
use crate::query::engine::column::Value;

/// A set of values of one type. Hashes are keyed, since clients choose the values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ValueSet {
    texts: HashSet<String>,
    others: HashSet<NonTextValue>,
}

/// A value other than a text, such that `Eq` agrees with the comparison of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum NonTextValue {
    /// The bits of a number; never those of negative zero.
    Number(u64),
    Flag(bool),
    Day(u32),
    Address(Option<IpAddr>),
}

impl ValueSet {
    pub(crate) fn of(literals: Vec<Literal>) -> Self {
        let mut values = Self::default();
        for literal in literals {
            let other = match literal {
                Literal::Text(text) => {
                    values.texts.insert(text);
                    continue;
                }
                Literal::Number(number) => NonTextValue::number(number),
                Literal::Flag(flag) => NonTextValue::Flag(flag),
                Literal::Day(day) => NonTextValue::Day(day),
                Literal::Address(address) => NonTextValue::Address(address),
            };
            values.others.insert(other);
        }
        values
    }

    /// Whether the set contains a value. A value of another type is never contained.
    pub(crate) fn contains(&self, value: Value<'_>) -> bool {
        let other = match value {
            Value::Text(text) => return self.texts.contains(text),
            Value::Number(number) => NonTextValue::number(f64::from(number)),
            Value::Hundredths(parts) => NonTextValue::number(f64::from(parts) / 100.0),
            Value::TenThousandths(parts) => NonTextValue::number(f64::from(parts) / 10_000.0),
            Value::Flag(flag) => NonTextValue::Flag(flag),
            Value::Day(day) | Value::DayNumber(day) => NonTextValue::Day(day),
            Value::Address(address) => NonTextValue::Address(address),
        };
        self.others.contains(&other)
    }
}

impl NonTextValue {
    /// Equal numbers have equal bits, except for the two zeros. Adding 0.0 turns negative zero into positive
    /// zero.
    fn number(number: f64) -> Self {
        Self::Number((number + 0.0).to_bits())
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    /// Values of every type, few enough of each that some are equal.
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

    /// The literal of a value, and for numbers some that are close to it.
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
        fn contained_values_equal_a_literal(
            named in proptest::collection::vec(value(), 0..6),
            asked in proptest::collection::vec(value(), 1..6),
        ) {
            let literals: Vec<Literal> = named.iter().flat_map(|value| literals(*value)).collect();
            let values = ValueSet::of(literals.clone());
            for value in named.iter().chain(&asked) {
                let equals = |literal: &Literal| literal.order_of(*value) == Some(Ordering::Equal);
                prop_assert_eq!(values.contains(*value), literals.iter().any(equals), "{:?}", value);
            }
        }
    }
}
