//! The answer of a tool: the reply of the endpoint as structured content and as text, with what is counted, the state of
//! the index, and the next page.
//!
//! Figures are those of the reply. Texts of crawled pages are cut. In the text of the answer, control characters are
//! spaces, so that a cell stays in its line.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value, json};

use super::argument::ToolLimits;
use super::call::ToolCall;
use super::client::ApiAnswer;
use super::tool::RowsOf;
use crate::api::ApiError;
use crate::api::reply::error_response;

/// Keys of a reply that the answer has in another place.
const ENVELOPE: [&str; 3] = ["asOf", "exportFinished", "status"];

/// The answer for the reply to a call.
pub(super) fn answer(call: &ToolCall, reply: &ApiAnswer, limits: &ToolLimits) -> CallToolResult {
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&reply.body) else {
        return failure_of(json!({
            "status": reply.status,
            "error": "the server gave no JSON; check that its address is that of a backlinkd API",
        }));
    };
    if reply.status != 200 {
        return failure(call, body, reply.retry_after.as_deref());
    }
    let mut warnings = match body.remove("warnings") {
        Some(Value::Array(warnings)) => warnings,
        _ => Vec::new(),
    };
    let mut cut = 0;
    body.values_mut().for_each(|value| shorten_texts(value, limits.max_text_chars, &mut cut));
    if cut > 0 {
        let max = limits.max_text_chars;
        warnings.push(json!(format!("{cut} texts are cut at {max} characters (mcp.max_text_chars).")));
    }
    let mut structured = Map::new();
    structured.insert("counted".to_owned(), json!(call.tool.counted(call.source)));
    structured.insert("asOf".to_owned(), body.get("asOf").cloned().unwrap_or_else(|| as_of(reply)));
    let is_complete = body.get("exportFinished").and_then(Value::as_bool).unwrap_or(true);
    structured.insert("complete".to_owned(), json!(is_complete));
    insert_result(&mut structured, call, body);
    if !warnings.is_empty() {
        structured.insert("warnings".to_owned(), Value::Array(warnings));
    }
    let text = text_of(call, &structured);
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(Value::Object(structured));
    result
}

/// Adds the object of the reply, or its rows.
fn insert_result(structured: &mut Map<String, Value>, call: &ToolCall, mut body: Map<String, Value>) {
    let mut take_rows = |key: &str| match body.remove(key) {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    };
    match call.tool.rows {
        RowsOf::Nothing => {
            body.retain(|key, _| !ENVELOPE.contains(&key.as_str()));
            structured.insert("result".to_owned(), Value::Object(body));
        }
        RowsOf::Endpoint => {
            let rows = take_rows("response");
            let count = body.get("count").and_then(Value::as_u64).unwrap_or_default();
            insert_rows(structured, call, rows, count);
        }
        RowsOf::Key(key) => {
            let rows = take_rows(key);
            let count = rows.len() as u64;
            let page = rows.into_iter().skip(call.offset).take(call.limit).collect();
            insert_rows(structured, call, page, count);
        }
    }
}

/// The state of the index in a header: `2026-11-30T03:22:10Z; change=48113`.
fn as_of(reply: &ApiAnswer) -> Value {
    let parts = reply.as_of.as_deref().and_then(|text| text.split_once("; change="));
    let parsed = parts.and_then(|(time, change)| Some((time, change.parse::<u64>().ok()?)));
    parsed.map_or(Value::Null, |(time, change)| json!({ "time": time, "change": change }))
}

fn insert_rows(structured: &mut Map<String, Value>, call: &ToolCall, rows: Vec<Value>, count: u64) {
    let shown = rows.len();
    let end = (call.offset + shown) as u64;
    let next = if shown > 0 && end < count { json!(end) } else { Value::Null };
    structured.insert("count".to_owned(), json!(count));
    structured.insert("offset".to_owned(), json!(call.offset));
    structured.insert("nextOffset".to_owned(), next);
    structured.insert("rows".to_owned(), Value::Array(rows));
}

/// Cuts texts of more than `max` characters, and counts the cut ones.
fn shorten_texts(value: &mut Value, max: usize, cut: &mut usize) {
    match value {
        Value::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(max) {
                text.truncate(end);
                text.push('…');
                *cut += 1;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| shorten_texts(value, max, cut)),
        Value::Object(object) => object.values_mut().for_each(|value| shorten_texts(value, max, cut)),
        _ => {}
    }
}

/// The text of an answer: a sentence about the page, and the rows as CSV.
fn text_of(call: &ToolCall, structured: &Map<String, Value>) -> String {
    let mut lines = Vec::new();
    if let Some(rows) = structured.get("rows").and_then(Value::as_array) {
        let (count, offset) = (&structured["count"], call.offset);
        lines.push(match rows.len() {
            0 => format!("{count} rows in all, none from row {} on.", offset + 1),
            shown => format!("{count} rows in all; rows {} to {} follow.", offset + 1, offset + shown),
        });
        if let Some(next) = structured["nextOffset"].as_u64() {
            lines.push(format!("The next page has offset={next}."));
        }
        lines.push(state_of(structured));
        lines.extend(warnings_of(structured));
        lines.push(csv_of(&call.columns, rows));
    } else {
        lines.push(state_of(structured));
        lines.extend(warnings_of(structured));
        lines.push(structured.get("result").map(Value::to_string).unwrap_or_default());
    }
    lines.join("\n")
}

fn state_of(structured: &Map<String, Value>) -> String {
    let as_of = &structured["asOf"];
    let mut text = match (as_of["time"].as_str(), as_of["change"].as_u64()) {
        (Some(time), Some(change)) => format!("As of {time}, change {change}."),
        _ => "Of several states of the index.".to_owned(),
    };
    if structured["complete"] == false {
        text += " The index of this site is still being built: ask again for all links.";
    }
    text
}

fn warnings_of(structured: &Map<String, Value>) -> impl Iterator<Item = String> {
    let warnings = structured.get("warnings").and_then(Value::as_array).into_iter().flatten();
    warnings.filter_map(|warning| warning.as_str().map(str::to_owned))
}

/// The rows as CSV with a header line. Without columns, those of the first row.
fn csv_of(columns: &[String], rows: &[Value]) -> String {
    let Some(Value::Object(first)) = rows.first() else { return String::new() };
    let own: Vec<String> = first.keys().cloned().collect();
    let columns = if columns.is_empty() { &own } else { columns };
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(columns);
    for row in rows {
        let _ = writer.write_record(columns.iter().map(|column| cell(&row[column.as_str()])));
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace(char::is_control, " "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The answer for a refused call.
pub(super) fn refusal(error: &ApiError) -> CallToolResult {
    failure_of(serde_json::from_slice(error_response::of(error).body()).unwrap_or_default())
}

/// The answer for a request that got no reply.
pub(super) fn no_reply(problem: &str) -> CallToolResult {
    failure_of(json!({ "error": problem }))
}

/// The answer for an error of the endpoint, in the names of the arguments.
fn failure(call: &ToolCall, mut error: Map<String, Value>, retry_after: Option<&str>) -> CallToolResult {
    let mut message = error.get("error").and_then(Value::as_str).unwrap_or_default().to_owned();
    for argument in call.tool.arguments {
        let (name, parameter) = (argument.name, argument.parameter_name());
        let places = [format!("of {parameter}, "), format!("{parameter} ")];
        // An entry of a list is named as the client wrote it, with brackets.
        let given = error.get("parameter").and_then(Value::as_str).and_then(|name| name.split('[').next());
        let is_named = given == Some(parameter);
        let is_meant = message.contains(&places[0]) || message.starts_with(&places[1]);
        if is_named || error.get("parameter").is_none() && is_meant {
            message = message.replacen(&places[0], &format!("of {name}, "), 1);
            if let Some(rest) = message.strip_prefix(&places[1]) {
                message = format!("{name} {rest}");
            }
            error.insert("parameter".to_owned(), json!(name));
            break;
        }
    }
    if call.wraps_condition && error.get("parameter").and_then(Value::as_str) == Some("where") {
        message = move_position(&message);
        let at = error.get("at").and_then(Value::as_array).cloned().unwrap_or_default();
        let moved = at.iter().filter_map(Value::as_u64).map(|place| place.saturating_sub(1));
        error.insert("at".to_owned(), moved.collect::<Vec<_>>().into());
    }
    if let Some(seconds) = retry_after {
        message += &format!(" (retry after {seconds} s)");
    }
    error.insert("error".to_owned(), json!(message));
    failure_of(Value::Object(error))
}

/// Corrects the position in a message about a condition that is in parentheses in the request.
fn move_position(message: &str) -> String {
    let Some((begin, rest)) = message.split_once("at position ") else { return message.to_owned() };
    let Some((number, end)) = rest.split_once(':') else { return message.to_owned() };
    let number: usize = number.parse().unwrap_or_default();
    format!("{begin}at position {}:{end}", number.saturating_sub(1))
}

fn failure_of(error: Value) -> CallToolResult {
    let message = error["error"].as_str().unwrap_or("the server failed to answer; its log says why");
    let mut result = CallToolResult::error(vec![ContentBlock::text(message)]);
    result.structured_content = Some(error);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_that_in_the_text_of_the_caller() {
        let message = "where cannot be read at position 5: there is no field \"x\"";
        assert_eq!(move_position(message), "where cannot be read at position 4: there is no field \"x\"");
        assert_eq!(move_position("where is long"), "where is long");
    }

    #[test]
    fn texts_are_cut_wherever_they_are() {
        let mut value = json!({ "a": ["ééééé", "éééé", 12_345], "b": { "c": "abcdef" } });
        let mut cut = 0;
        shorten_texts(&mut value, 4, &mut cut);
        assert_eq!((value, cut), (json!({ "a": ["éééé…", "éééé", 12_345], "b": { "c": "abcd…" } }), 2));
    }

    #[test]
    fn a_cell_stays_in_its_line() {
        let rows = [json!({ "a": "x\n\u{1b}[2J,\"y\"", "b": null, "c": true })];
        assert_eq!(csv_of(&[], &rows), "a,b,c\n\"x  [2J,\"\"y\"\"\",,true\n");
        assert_eq!(csv_of(&["c".to_owned(), "d".to_owned()], &rows), "c,d\ntrue,\n");
    }

    #[test]
    fn the_state_comes_from_the_header() {
        let reply = |text: Option<&str>| ApiAnswer { as_of: text.map(str::to_owned), ..ApiAnswer::default() };
        let state = json!({ "time": "2026-11-30T03:22:10Z", "change": 48_113 });
        assert_eq!(as_of(&reply(Some("2026-11-30T03:22:10Z; change=48113"))), state);
        assert_eq!(as_of(&reply(None)), Value::Null);
    }
}
