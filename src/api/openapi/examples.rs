//! Examples in the OpenAPI document.
//!
//! The example of an answer is what the demo's index answers to the examples of the parameters. `examples.json` holds these
//! answers by path; `tests/cli/golden.rs` writes and compares them.

use serde_json::{Map, Value, json};

use crate::api::request::parameter::{Parameter, ParameterKind};
use crate::api::{ApiError, Endpoint};
use crate::query::{Listing, ValueType};

/// Columns in the example of `fields`.
const EXAMPLE_COLUMNS: usize = 2;

/// Example answers by the names of their endpoints.
pub(super) struct Examples(Map<String, Value>);

impl Examples {
    /// # Errors
    /// [`ApiError::Internal`] if the file is damaged.
    pub(super) fn read() -> Result<Self, ApiError> {
        Ok(Self(serde_json::from_str(include_str!("examples.json"))?))
    }

    /// The answer of an endpoint, if there is an example of it.
    pub(super) fn answer(&self, endpoint: &Endpoint) -> Option<&Value> {
        self.0.get(endpoint.name)
    }

    /// The example of a parameter's value, if the endpoint takes any.
    pub(super) fn value(&self, parameter: &Parameter, endpoint: &Endpoint) -> Option<Value> {
        let listing = endpoint.handler.listing();
        let text = parameter.example;
        Some(match parameter.kind {
            ParameterKind::Number { .. }
            | ParameterKind::Limit
            | ParameterKind::Nodes
            | ParameterKind::TargetCount => {
                json!(text.parse::<u64>().ok()?)
            }
            ParameterKind::Urls | ParameterKind::Targets { .. } => {
                json!(text.split(',').collect::<Vec<_>>())
            }
            ParameterKind::Order => match listing {
                Some(Listing { default_order: order @ [_, ..], .. }) => json!(order),
                Some(listing) => json!([listing.order_fields().first()?]),
                None => json!([text]),
            },
            ParameterKind::Where => json!(condition(listing?)?),
            ParameterKind::Fields => {
                json!(endpoint.column_names().into_iter().take(EXAMPLE_COLUMNS).collect::<Vec<_>>())
            }
            ParameterKind::Token => self.answer(endpoint)?.get("next")?.clone(),
            ParameterKind::Facets => json!([first_column(listing?)?]),
            ParameterKind::Url
            | ParameterKind::Words(_)
            | ParameterKind::Day
            | ParameterKind::NamePrefix { .. }
            | ParameterKind::Text { .. }
            | ParameterKind::Endpoints => json!(text),
        })
    }
}

/// The first column by which rows can be filtered.
fn first_column(listing: &Listing) -> Option<&'static str> {
    listing.filter_fields().next().map(|(name, _)| name)
}

/// A condition on a field of the listing, on a number if there is one.
fn condition(listing: &Listing) -> Option<String> {
    let is_number = |kind: ValueType| {
        matches!(kind, ValueType::Number | ValueType::Hundredths | ValueType::TenThousandths)
    };
    let mut fields = listing.filter_fields();
    let first = fields.next()?;
    let (name, kind) =
        if is_number(first.1) { first } else { fields.find(|(_, kind)| is_number(*kind)).unwrap_or(first) };
    Some(match kind {
        ValueType::Number | ValueType::Hundredths | ValueType::TenThousandths => format!("{name} gt 1"),
        ValueType::Flag => format!("{name} eq false"),
        ValueType::Day | ValueType::DayNumber => format!("{name} ge 20240101"),
        ValueType::Text => format!("{name} like '%a%'"),
        ValueType::Address => format!("{name} ne '10.1.2.3'"),
    })
}
