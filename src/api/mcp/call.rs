//! A call of a tool: from its arguments to a request, and from the reply to the answer.

use rmcp::model::JsonObject;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::argument::ToolLimits;
use super::catalog::TOOLS;
use super::tool::{AgentTool, RowsOf, Source, WHAT};
use crate::api::ApiError;
use crate::query::shorten;
use crate::urls::{Scope, Suffixes, UrlRules};

/// The rules by which domains of URLs are determined.
#[derive(Clone, Copy)]
pub(super) struct DomainRules<'a> {
    pub rules: &'a UrlRules,
    pub suffixes: &'a Suffixes,
}

/// A call whose arguments are valid.
pub(super) struct ToolCall {
    pub tool: &'static AgentTool,
    pub source: &'static Source,
    /// Path and query of the request.
    pub request: String,
    /// The columns of the rows, in order; empty: those of the reply.
    pub columns: Vec<String>,
    pub offset: usize,
    pub limit: usize,
    /// Whether the condition of the request is that of the caller in parentheses.
    pub wraps_condition: bool,
}

impl ToolCall {
    /// The call of the tool with this name; `None` if there is no such tool.
    ///
    /// # Errors
    /// [`ApiError::BadParameter`] that names the argument.
    pub(super) fn read(
        name: &str,
        arguments: &JsonObject,
        limits: &ToolLimits,
        domains: DomainRules<'_>,
    ) -> Option<Result<Self, ApiError>> {
        let tool = TOOLS.iter().find(|tool| tool.name == name)?;
        Some(Self::of_tool(tool, arguments, limits, domains))
    }

    fn of_tool(
        tool: &'static AgentTool,
        arguments: &JsonObject,
        limits: &ToolLimits,
        domains: DomainRules<'_>,
    ) -> Result<Self, ApiError> {
        refuse_unknown(tool, arguments)?;
        let source = source(tool, arguments.get(WHAT))?;
        let columns = source.columns.iter().map(|&column| column.to_owned()).collect();
        let mut call = Self {
            tool,
            source,
            request: String::new(),
            columns,
            offset: 0,
            limit: 0,
            wraps_condition: false,
        };
        let mut query = Serializer::new(String::new());
        let (mut condition, mut omitted) = (None, Vec::new());
        for argument in tool.arguments {
            let values = argument.values(arguments.get(argument.name), limits)?;
            let Some(value) = values.first() else { continue };
            match argument.name {
                "limit" => call.limit = value.parse().unwrap_or_default(),
                "offset" => call.offset = value.parse().unwrap_or_default(),
                "fields" => call.columns = value.split(',').map(str::to_owned).collect(),
                "where" => condition = Some(value.clone()),
                _ => {
                    query.extend_pairs(values.iter().map(|value| (argument.parameter.name, value)));
                }
            }
            if tool.omits_named_domains {
                omitted.extend(omitting_condition(argument.name, &values, domains));
            }
        }
        call.write_condition(condition, omitted, limits, &mut query)?;
        call.write_window(&mut query);
        call.request = format!("/{}?{}", source.endpoint.name, query.finish());
        Ok(call)
    }

    /// Joins the condition of the caller with those of the tool. Alone, the endpoint reads it.
    fn write_condition(
        &mut self,
        condition: Option<String>,
        omitted: Vec<String>,
        limits: &ToolLimits,
        query: &mut Serializer<'_, String>,
    ) -> Result<(), ApiError> {
        let mut conditions = omitted;
        if let Some(condition) = condition {
            if conditions.is_empty() {
                conditions.push(condition);
            } else if self.has_condition(&condition, limits)? {
                self.wraps_condition = true;
                conditions.insert(0, format!("({condition})"));
            }
        }
        if !conditions.is_empty() {
            query.append_pair("where", &conditions.join(" AND "));
        }
        Ok(())
    }

    /// Whether a condition is more than blank. It must be whole by itself, so that parentheses can hold it.
    fn has_condition(&self, condition: &str, limits: &ToolLimits) -> Result<bool, ApiError> {
        match self.source.endpoint.handler.listing() {
            Some(listing) => Ok(listing.check_filter(condition, limits.condition)?),
            None => Ok(false),
        }
    }

    fn write_window(&self, query: &mut Serializer<'_, String>) {
        if self.tool.rows != RowsOf::Endpoint {
            return;
        }
        query.append_pair("limit", &self.limit.to_string());
        query.append_pair("offset", &self.offset.to_string());
        if !self.columns.is_empty() {
            query.append_pair("fields", &self.columns.join(","));
        }
    }
}

/// The condition that leaves out the registrable domains of these sites. The endpoint refuses entries that are none.
fn omitting_condition(argument: &str, values: &[String], domains: DomainRules<'_>) -> Option<String> {
    if !matches!(argument, "own" | "competitors") {
        return None;
    }
    let quoted: Vec<String> = values
        .iter()
        .filter_map(|value| Scope::parse(value, None, domains.rules, domains.suffixes).ok())
        .map(|scope| format!("'{}'", scope.domain(domains.suffixes).replace('\'', "''")))
        .collect();
    (!quoted.is_empty()).then(|| format!("NOT domain in ({})", quoted.join(",")))
}

fn refuse_unknown(tool: &AgentTool, arguments: &JsonObject) -> Result<(), ApiError> {
    let known = tool.argument_names();
    let Some(unknown) = arguments.keys().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let unknown = shorten(unknown);
    let message = format!("{unknown} is no argument of {}; its arguments are {known}", tool.name);
    let detail =
        crate::api::ErrorDetail { parameter: unknown, at: None, code: crate::query::ErrorCode::UnknownName };
    Err(ApiError::BadParameter { message, detail })
}

/// The endpoint that `what` names, or the first one.
fn source(tool: &'static AgentTool, what: Option<&Value>) -> Result<&'static Source, ApiError> {
    let first = tool.sources.first();
    let source = match what.filter(|what| !what.is_null()) {
        None => first,
        Some(what) => tool.sources.iter().find(|source| what.as_str() == Some(source.word)),
    };
    source.ok_or_else(|| {
        let words: Vec<&str> = tool.sources.iter().map(|source| source.word).collect();
        let given = what.map(|what| what.as_str().map_or_else(|| what.to_string(), str::to_owned));
        ApiError::unknown_word(WHAT, &given.unwrap_or_default(), &words.join(" or "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ApiConfig, McpConfig};
    use serde_json::json;

    fn read(name: &str, arguments: Value) -> Result<ToolCall, ApiError> {
        let limits = ToolLimits::new(&McpConfig::default(), &ApiConfig::default());
        let (rules, suffixes) = (UrlRules::default(), Suffixes::built_in().unwrap());
        let domains = DomainRules { rules: &rules, suffixes: &suffixes };
        let Value::Object(arguments) = arguments else { panic!() };
        ToolCall::read(name, &arguments, &limits, domains).unwrap()
    }

    fn request(name: &str, arguments: Value) -> String {
        let request = read(name, arguments).unwrap().request;
        percent_encoding::percent_decode_str(&request.replace('+', " ")).decode_utf8().unwrap().into_owned()
    }

    #[test]
    fn a_call_is_one_request() {
        for (name, arguments, wanted) in [
            ("summary", json!({ "url": "a.test" }), "/summary?url=a.test"),
            ("crawl_status", json!({}), "/crawl?"),
            ("history", json!({ "url": "a.test" }), "/history?url=a.test&step=month"),
            (
                "redirects",
                json!({ "url": "a.test/x y", "limit": 3 }),
                "/redirectchain?url=a.test/x y&limit=3&offset=0&fields=hop,url,code,tag,end",
            ),
            (
                "new_and_lost",
                json!({ "url": "a.test", "from": "2026-01-02", "what": "lost_domains" }),
                "/lostdomains?url=a.test&from=20260102&limit=20&offset=0&fields=domain,date,links,sr,ccode",
            ),
            (
                "gap",
                json!({ "targets": ["a.test", "b.test"], "order": "-sr", "where": "links gt 1 OR sr ge 2" }),
                "/linkintersect?targets[]=a.test&targets[]=b.test&order[]=-sr&where=links gt 1 OR sr ge 2&limit=20&offset=0",
            ),
        ] {
            assert_eq!(request(name, arguments), wanted);
        }
    }

    #[test]
    fn outreach_omits_the_domains_it_is_about() {
        let sites = json!({ "own": ["www.a.test/x"], "competitors": ["b.test", "c.test"] });
        let mut with_condition = sites.clone();
        with_condition["where"] = json!("sr ge 2 OR links gt 9");
        let begin =
            "/linkintersect?exclude[]=www.a.test/x&targets[]=b.test&targets[]=c.test&atLeast=1&order[]=-sr";
        let omitted = "NOT domain in ('a.test') AND NOT domain in ('b.test','c.test')&limit=20&offset=0";
        assert_eq!(request("outreach_targets", sites.clone()), format!("{begin}&where={omitted}"));
        let wanted = format!("{begin}&where=(sr ge 2 OR links gt 9) AND {omitted}");
        assert_eq!(request("outreach_targets", with_condition.clone()), wanted);
        assert!(read("outreach_targets", with_condition).unwrap().wraps_condition);
        for blank in ["", " "] {
            let mut with_blank = sites.clone();
            with_blank["where"] = json!(blank);
            assert_eq!(request("outreach_targets", with_blank), format!("{begin}&where={omitted}"));
        }
    }

    #[test]
    fn no_condition_brings_omitted_domains_back() {
        let sites = json!({ "own": ["a.test"], "competitors": ["b.test", "c.test"] });
        for (condition, wanted) in [
            (
                "NOT domain in ('x.test') OR sr ge 0",
                Some("(NOT domain in ('x.test') OR sr ge 0) AND NOT domain in ('a.test')"),
            ),
            ("domain eq ')' OR sr ge 0", Some("(domain eq ')' OR sr ge 0) AND NOT domain in ('a.test')")),
            ("sr ge 0) OR (sr ge 0", None),
            ("(sr ge 0", None),
        ] {
            let mut arguments = sites.clone();
            arguments["where"] = json!(condition);
            match wanted {
                Some(wanted) => {
                    assert!(request("outreach_targets", arguments).contains(wanted), "{condition}");
                }
                None => assert_eq!(
                    read("outreach_targets", arguments).err().unwrap().detail().unwrap().parameter,
                    "where"
                ),
            }
        }
    }

    #[test]
    fn unknown_arguments_and_words_are_named() {
        for (name, arguments, message) in [
            ("index_size", json!({ "url": "a" }), "url is no argument of index_size; its arguments are none"),
            (
                "redirects",
                json!({ "url": "a.test", "scope": "url" }),
                "scope is no argument of redirects; its arguments are url, limit, offset",
            ),
            (
                "new_and_lost",
                json!({ "url": "a.test", "what": "links" }),
                "what is \"links\"; it must be new_domains or lost_domains or new_links or lost_links",
            ),
        ] {
            assert_eq!(read(name, arguments).err().unwrap().to_string(), message);
        }
    }
}
