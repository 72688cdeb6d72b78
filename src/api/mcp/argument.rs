//! The arguments of the tools: their JSON Schema, and the parameters of the request that they become.
//!
//! An argument accepts a little more than its schema says, as models write it: one text in the place of a list, `true` for
//! the word, a day with or without dashes. Null counts as absent.

use serde_json::{Value, json};

use crate::api::request::parameter::{Parameter, ParameterKind};
use crate::api::{ApiError, ErrorDetail};
use crate::config::{ApiConfig, McpConfig};
use crate::query::shorten;
use crate::query::{ErrorCode, MAX_TARGETS, WhereLimits};

/// The bounds of arguments and answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToolLimits {
    pub default_rows: usize,
    pub max_rows: usize,
    pub max_text_chars: usize,
    /// The number of targets of a request.
    pub max_targets: usize,
    pub condition: WhereLimits,
}

impl ToolLimits {
    pub(super) fn new(mcp: &McpConfig, api: &ApiConfig) -> Self {
        let McpConfig { default_rows, max_rows, max_text_chars } = *mcp;
        let condition = WhereLimits { conditions: api.max_where_conditions, depth: api.max_where_depth };
        let max_targets = api.max_targets.min(MAX_TARGETS);
        Self { default_rows, max_rows, max_text_chars, max_targets, condition }
    }
}

/// An argument of a tool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Argument {
    pub name: &'static str,
    pub parameter: Parameter,
    /// The value without the argument, if it differs from that of the endpoint.
    pub default: Option<&'static str>,
}

impl Argument {
    /// The argument of the same name as its parameter.
    pub(super) const fn of(parameter: Parameter) -> Self {
        Self { name: parameter.name, parameter, default: None }
    }

    pub(super) const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(super) const fn described(self, description: &'static str) -> Self {
        Self { parameter: Parameter { description, ..self.parameter }, ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self { parameter: Parameter { required: true, ..self.parameter }, ..self }
    }

    pub(super) const fn with_default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// The name of the parameter in messages.
    pub(super) fn parameter_name(&self) -> &'static str {
        self.parameter.name.trim_end_matches("[]")
    }

    /// Writes the JSON Schema. `columns` are those that the tool can show.
    pub(super) fn schema(&self, limits: &ToolLimits, columns: &[&str]) -> Value {
        let list = |min: usize, max: usize| json!({ "type": "array", "items": { "type": "string" }, "minItems": min, "maxItems": max });
        let mut schema = match self.parameter.kind {
            ParameterKind::Urls => list(1, limits.max_targets),
            ParameterKind::Targets { min } => list(min, limits.max_targets),
            ParameterKind::Words(words) => json!({ "type": "string", "enum": words }),
            ParameterKind::Number { min, default, .. } => {
                json!({ "type": "integer", "minimum": min, "default": default })
            }
            ParameterKind::TargetCount => {
                json!({ "type": "integer", "minimum": 1, "maximum": limits.max_targets })
            }
            ParameterKind::Limit => {
                let (max, default) = (limits.max_rows, limits.default_rows);
                json!({ "type": "integer", "minimum": 0, "maximum": max, "default": default })
            }
            ParameterKind::Day => json!({ "type": "string", "format": "date" }),
            ParameterKind::Order => json!({ "type": "array", "items": { "type": "string" } }),
            ParameterKind::Fields => {
                json!({ "type": "array", "items": { "type": "string", "enum": columns }, "minItems": 1 })
            }
            _ => json!({ "type": "string" }),
        };
        schema["description"] = json!(self.parameter.description);
        if let Some(default) = self.default {
            schema["default"] = match self.parameter.kind {
                ParameterKind::Order => json!([default]),
                ParameterKind::TargetCount => json!(default.parse::<usize>().unwrap_or(1)),
                _ => json!(default),
            };
        }
        schema
    }

    /// Returns the values of the parameter; none if the argument is absent.
    ///
    /// # Errors
    /// [`ApiError::BadParameter`] that names the argument.
    pub(super) fn values(&self, given: Option<&Value>, limits: &ToolLimits) -> Result<Vec<String>, ApiError> {
        let Some(given) = given.filter(|given| !given.is_null()) else { return self.absent(limits) };
        match self.parameter.kind {
            ParameterKind::Urls => self.bounded_list(given, 1, limits.max_targets),
            ParameterKind::Targets { min } => self.bounded_list(given, min, limits.max_targets),
            ParameterKind::Order => self.list(given),
            ParameterKind::Fields => Ok(vec![self.list(given)?.join(",")]),
            ParameterKind::Limit => self.number(given, 0, limits.max_rows, " (mcp.max_rows)"),
            ParameterKind::Number { min, max, .. } => self.number(given, min, max, ""),
            ParameterKind::TargetCount => self.number(given, 1, limits.max_targets, ""),
            ParameterKind::Words(words) => {
                let word = self.text(given)?;
                if words.contains(&word.as_str()) {
                    return Ok(vec![word]);
                }
                Err(ApiError::unknown_word(self.name, &word, &words.join(" or ")))
            }
            ParameterKind::Day => Ok(vec![self.text(given)?.replace('-', "")]),
            _ => Ok(vec![self.text(given)?]),
        }
    }

    fn absent(&self, limits: &ToolLimits) -> Result<Vec<String>, ApiError> {
        match (self.default, self.parameter.kind) {
            (Some(default), _) => Ok(vec![default.to_owned()]),
            (None, ParameterKind::Limit) => Ok(vec![limits.default_rows.to_string()]),
            (None, _) if self.parameter.required => {
                Err(ApiError::missing(self.name, &format!("give {}", self.example())))
            }
            (None, _) => Ok(Vec::new()),
        }
    }

    /// An example of the argument, in words that follow "give".
    fn example(&self) -> String {
        let example = self.parameter.example;
        match self.parameter.kind {
            ParameterKind::Urls | ParameterKind::Targets { .. } => {
                json!(example.split(',').collect::<Vec<_>>()).to_string()
            }
            _ => format!("a value such as {example}"),
        }
    }

    fn text(&self, given: &Value) -> Result<String, ApiError> {
        match given {
            Value::String(text) => Ok(text.clone()),
            Value::Bool(_) | Value::Number(_) => Ok(given.to_string()),
            _ => Err(self.wrong(given, "it must be a text")),
        }
    }

    fn list(&self, given: &Value) -> Result<Vec<String>, ApiError> {
        match given {
            Value::Array(entries) => entries
                .iter()
                .map(|entry| match entry {
                    Value::String(text) => Ok(text.clone()),
                    _ => Err(self.wrong(entry, "each entry must be a text")),
                })
                .collect(),
            Value::String(text) => Ok(vec![text.clone()]),
            _ => Err(self.wrong(given, "it must be a list of texts")),
        }
    }

    fn bounded_list(&self, given: &Value, min: usize, max: usize) -> Result<Vec<String>, ApiError> {
        let entries = self.list(given)?;
        if (min..=max).contains(&entries.len()) {
            return Ok(entries);
        }
        let message = format!("{} has {} entries; name from {min} to {max}", self.name, entries.len());
        let code = if entries.len() > max { ErrorCode::TooLarge } else { ErrorCode::BadValue };
        Err(self.error(code, message))
    }

    fn number(&self, given: &Value, min: usize, max: usize, key: &str) -> Result<Vec<String>, ApiError> {
        let text = self.text(given)?;
        let number = text.parse::<usize>().ok().or_else(|| whole(given));
        match number.filter(|number| (min..=max).contains(number)) {
            Some(number) => Ok(vec![number.to_string()]),
            None => {
                let wanted = format!("a whole number from {min} to {max}{key}");
                Err(ApiError::number(self.name, &text, &wanted))
            }
        }
    }

    fn wrong(&self, given: &Value, advice: &str) -> ApiError {
        let given = shorten(&given.to_string());
        self.error(ErrorCode::BadValue, format!("{} is {given}; {advice}", self.name))
    }

    fn error(&self, code: ErrorCode, message: String) -> ApiError {
        let detail = ErrorDetail { parameter: self.name.to_owned(), at: None, code };
        ApiError::BadParameter { message, detail }
    }
}

/// A number such as 10.0, as some clients write 10.
fn whole(given: &Value) -> Option<usize> {
    let number = given.as_f64().filter(|number| number.fract() == 0.0)?;
    format!("{number:.0}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::request::parameter::{ACTIVE, FIELDS, FROM, LIMIT, OFFSET, ORDER, TARGETS, URL};

    fn limits() -> ToolLimits {
        ToolLimits::new(&McpConfig::default(), &ApiConfig::default())
    }

    #[test]
    fn arguments_become_parameters() {
        let order = Argument::of(ORDER).named("order");
        for (argument, given, values) in [
            (Argument::of(URL), json!("example.com"), vec!["example.com"]),
            (Argument::of(LIMIT), Value::Null, vec!["20"]),
            (Argument::of(LIMIT), json!(5), vec!["5"]),
            (Argument::of(LIMIT), json!(5.0), vec!["5"]),
            (Argument::of(LIMIT), json!("5"), vec!["5"]),
            (Argument::of(OFFSET), Value::Null, vec![]),
            (Argument::of(ACTIVE), json!(true), vec!["true"]),
            (Argument::of(FROM), json!("2026-11-01"), vec!["20261101"]),
            (Argument::of(FIELDS), json!(["sr", "domain"]), vec!["sr,domain"]),
            (order, json!("-sr"), vec!["-sr"]),
            (order, json!(["-sr", "domain"]), vec!["-sr", "domain"]),
            (order.with_default("-sr"), Value::Null, vec!["-sr"]),
        ] {
            assert_eq!(
                argument.values(Some(&given), &limits()).unwrap(),
                values,
                "{} {given}",
                argument.name
            );
        }
    }

    #[test]
    fn a_wrong_argument_is_named() {
        let targets = Argument::of(TARGETS).named("competitors");
        for (argument, given, message) in [
            (Argument::of(URL), Value::Null, "url is missing; give a value such as museum.example"),
            (Argument::of(URL), json!(["a"]), "url is [\"a\"]; it must be a text"),
            (targets, Value::Null, "competitors is missing; give [\"museum.example\",\"observer.example\"]"),
            (targets, json!(["a"]), "competitors has 1 entries; name from 2 to 20"),
            (targets, json!([1, 2]), "competitors is 1; each entry must be a text"),
            (
                Argument::of(LIMIT),
                json!(101),
                "limit is \"101\"; it must be a whole number from 0 to 100 (mcp.max_rows)",
            ),
            (
                Argument::of(LIMIT),
                json!(-1),
                "limit is \"-1\"; it must be a whole number from 0 to 100 (mcp.max_rows)",
            ),
            (
                Argument::of(LIMIT),
                json!(1.5),
                "limit is \"1.5\"; it must be a whole number from 0 to 100 (mcp.max_rows)",
            ),
            (Argument::of(ACTIVE), json!("some"), "active is \"some\"; it must be true or false or all"),
        ] {
            let error = argument.values(Some(&given), &limits()).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(error.detail().unwrap().parameter, argument.name);
        }
    }
}
