//! The tables of vendors' calls: each row has a command that answers the same question, and the fields that correspond.
//!
//! A row holds if its command, sent to the demo, gives rows without a warning, if the reply has every field that the row
//! names after `→` or `≈`, and if filters, order, limits and days do what their parameters say.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::page::Page;
use super::run::Session;
use crate::cli::process::PATIENCE;

/// A field of backlinkd in the third cell.
static FIELD: LazyLock<Regex> = LazyLock::new(|| Regex::new("[→≈] `([A-Za-z0-9]+)`").unwrap());

/// Runs every row of the tables of this page.
pub fn run(page: &Page, session: &Session) {
    assert!(page.calls.len() >= 15 || !page.name.starts_with("move/"), "{}: {}", page.name, page.calls.len());
    for row in &page.calls {
        if let Err(wrong) = check(row, |command| ask(session, command)) {
            panic!("src/docs/{}: {}: {wrong}", page.name, row.join(" | "));
        }
    }
}

/// The complete reply to a command.
fn ask(session: &Session, command: &str) -> String {
    let line = format!(
        "API=http://{}; {}",
        session.address,
        command.replacen("curl ", "curl -sS --fail-with-body ", 1)
    );
    let start = std::time::Instant::now();
    loop {
        let run = session.command("sh").args(["-c", &line]).output().unwrap();
        let reply = String::from_utf8(run.stdout).unwrap();
        assert!(run.status.success(), "{command}: {reply}{}", String::from_utf8_lossy(&run.stderr));
        if !reply.contains("\"exportFinished\":false") || start.elapsed() > PATIENCE {
            return reply;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

fn check(row: &[String], ask: impl Fn(&str) -> String) -> Result<(), String> {
    let [call, command, fields] = row else { return Err("it has not three cells".to_owned()) };
    let command = command.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).ok_or("no command")?;
    if !call.contains('`') || !command.starts_with("curl \"$API/") {
        return Err("it names no call, or its command is not to the API".to_owned());
    }
    let fields: Vec<&str> = FIELD.captures_iter(fields).map(|found| found.get(1).unwrap().as_str()).collect();
    if fields.is_empty() {
        return Err("it names no field".to_owned());
    }
    let reply = read(command, &ask(command))?;
    for field in fields {
        let found = values(&reply, field);
        if !found.iter().any(|value| !value.is_null()) {
            return Err(format!("the reply has no {field}: {reply}"));
        }
    }
    check_parameters(command, &reply, ask)
}

/// The rows of a reply, or the reply itself if it has none. A list without rows or with warnings is an error.
fn read(command: &str, reply: &str) -> Result<Value, String> {
    if command.contains("format=csv") {
        let mut reader = csv::Reader::from_reader(reply.as_bytes());
        let rows: Result<Vec<serde_json::Map<String, Value>>, _> = reader.deserialize().collect();
        let rows = rows.map_err(|error| error.to_string())?;
        return if rows.is_empty() { Err("no rows".to_owned()) } else { Ok(rows.into()) };
    }
    let reply: Value = serde_json::from_str(reply).map_err(|error| error.to_string())?;
    if let Some(warnings) = reply.get("warnings") {
        return Err(format!("warnings: {warnings}"));
    }
    let is_empty = |key: &str| reply[key].as_array().is_some_and(Vec::is_empty);
    if is_empty("response") || is_empty("history") || reply["count"] == 0 {
        return Err(format!("no rows: {reply}"));
    }
    Ok(reply)
}

/// All values of this key, wherever they stand.
fn values<'v>(value: &'v Value, key: &str) -> Vec<&'v Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| values(item, key)).collect(),
        Value::Object(object) => {
            let below = object.values().flat_map(|value| values(value, key));
            object.get(key).into_iter().chain(below).collect()
        }
        // The three rows of outgoinglinkcount, and so on, have their names as values.
        _ => Vec::new(),
    }
}

/// Whether the parameters of the command did what they say.
fn check_parameters(command: &str, reply: &Value, ask: impl Fn(&str) -> String) -> Result<(), String> {
    let address = command.split('"').nth(1).unwrap_or_default();
    let parameters =
        address.split_once('?').map_or("", |(_, query)| query).split('&').filter(|one| !one.is_empty());
    let rows = reply.as_array().or_else(|| reply["response"].as_array()).cloned().unwrap_or_default();
    let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<Value>>();
    let count_without = |parameter: &str| {
        let command = command.replace(&format!("&{parameter}"), "");
        read(&command, &ask(&command)).map(|reply| reply["count"].clone())
    };
    for parameter in parameters {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let holds = match (name, value) {
            ("limit", limit) => rows.len() <= limit.parse().unwrap() && !rows.is_empty(),
            ("order[]", order) => is_descending(&column(order.strip_prefix('-').unwrap())),
            ("fields", names) => {
                let found: BTreeSet<&str> = rows[0].as_object().unwrap().keys().map(String::as_str).collect();
                found == names.split(',').collect()
            }
            ("where", "nofollow%20eq%20false") => column("nofollow").iter().all(|flag| flag == false),
            ("where", _) => reply["count"].as_u64() < count_without(parameter)?.as_u64(),
            ("active", "all") => reply["count"].as_u64() > count_without(parameter)?.as_u64(),
            ("active", "false") => column("active").iter().all(|flag| flag == false),
            ("group", _) => {
                column("domain").iter().map(Value::to_string).collect::<BTreeSet<_>>().len() == rows.len()
            }
            ("offset", offset) => column("nr")[0] == offset.parse::<u64>().unwrap() + 1,
            ("from", from) => ["insDate", "lostDate", "date"].iter().all(|name| {
                let is_later = |day: &Value| day.to_string().trim_matches('"') >= from;
                address.contains("lostbacklinks") && *name == "insDate"
                    || values(reply, name).into_iter().all(is_later)
            }),
            ("atLeast" | "details" | "exclude[]" | "format" | "since" | "step" | "targets[]" | "url", _) => {
                true
            }
            _ => return Err(format!("{name} is not checked")),
        };
        if !holds {
            return Err(format!("{parameter} does not hold in {reply}"));
        }
    }
    Ok(())
}

fn is_descending(values: &[Value]) -> bool {
    values.windows(2).all(|pair| match (pair[0].as_f64(), pair[1].as_f64()) {
        (Some(one), Some(next)) => one >= next,
        _ => pair[0].as_str() >= pair[1].as_str(),
    })
}

#[test]
fn rows_that_do_not_hold_are_found() {
    let row = |command: &str, fields: &str| ["`call`".to_owned(), format!("`{command}`"), fields.to_owned()];
    let list = r#"{"response":[{"a":2,"nofollow":false},{"a":1,"nofollow":false}],"count":9}"#;
    let good = row("curl \"$API/x?url=u&limit=2&order[]=-a&where=nofollow%20eq%20false\"", "`b` → `a`");
    assert_eq!(check(&good, |_| list.to_owned()), Ok(()));
    for (wrong, reply) in [
        (row("curl \"$API/x?url=u&limit=1\"", "`b` → `a`"), list),
        (row("curl \"$API/x?url=u\"", "`b` → `c`"), list),
        (row("curl \"$API/x?url=u\"", "no field"), list),
        (row("echo \"$API/x?url=u\"", "`b` → `a`"), list),
        (row("curl \"$API/x?url=u&new=1\"", "`b` → `a`"), list),
        (row("curl \"$API/x?url=u&order[]=-a\"", "`b` → `a`"), r#"{"response":[{"a":1},{"a":2}]}"#),
        (row("curl \"$API/x?url=u\"", "`b` → `a`"), r#"{"response":[],"a":1}"#),
        (row("curl \"$API/x?url=u\"", "`b` → `a`"), r#"{"response":[{"a":1}],"warnings":["w"]}"#),
        (row("curl \"$API/x?url=u&active=false\"", "`b` → `a`"), r#"{"response":[{"a":1,"active":true}]}"#),
        (
            row("curl \"$API/x?url=u&from=20260101\"", "`b` → `a`"),
            r#"{"response":[{"a":1,"insDate":"20251231"}]}"#,
        ),
        (row("curl \"$API/x?url=u&format=csv\"", "`b` → `a`"), "a,b\n"),
    ] {
        assert!(check(&wrong, |_| reply.to_owned()).is_err(), "{wrong:?} {reply}");
    }
}
