//! Whether a command prints what its page shows. Figures differ from day to day, so their digits are not compared.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

static FIGURE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[0-9]+(?:[.,:][0-9]+)*").unwrap());
static BLANKS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[ \t]+").unwrap());

/// # Errors
/// The first difference.
pub fn compare(language: &str, shown: &str, printed: &str, varies: bool) -> Result<(), String> {
    if language == "text" {
        return compare_lines(shown, printed);
    }
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| format!("{error} in {text}"));
    compare_values(&read(shown)?, &read(printed)?, "the reply", varies)
}

/// A line without its digits and its alignment.
fn simplify(line: &str) -> String {
    let line = FIGURE.replace_all(line, "0");
    BLANKS.replace_all(line.trim(), " ").into_owned()
}

/// Whether the line matches the pattern, in which `…` stands for anything.
fn matches(pattern: &str, line: &str) -> bool {
    let parts: Vec<&str> = pattern.split('…').collect();
    let [first, .., last] = &parts[..] else { return pattern == line };
    let Some(mut rest) = line.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    for part in &parts[1..parts.len() - 1] {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// Compares line by line; a line `…` stands for any number of lines.
fn compare_lines(shown: &str, printed: &str) -> Result<(), String> {
    let mut printed = printed.lines().map(simplify).filter(|line| !line.is_empty());
    let mut any = false;
    for pattern in shown.lines().map(simplify).filter(|line| !line.is_empty()) {
        if pattern == "…" {
            any = true;
            continue;
        }
        let found = match any {
            true => printed.any(|line| matches(&pattern, &line)),
            false => printed.next().is_some_and(|line| matches(&pattern, &line)),
        };
        if !found {
            return Err(format!("this line is not printed: {pattern}"));
        }
        any = false;
    }
    match printed.next() {
        Some(line) if !any => Err(format!("this line is printed but not shown: {line}")),
        _ => Ok(()),
    }
}

/// The same keys and types. What is shown as not empty and not zero is neither.
fn compare_values(shown: &Value, printed: &Value, place: &str, varies: bool) -> Result<(), String> {
    let holds = match (shown, printed) {
        (Value::Null, _) => true,
        (Value::Bool(shown), Value::Bool(printed)) => shown == printed,
        (Value::Number(shown), Value::Number(printed)) => {
            varies || shown.as_f64() == Some(0.0) || printed.as_f64() != Some(0.0)
        }
        (Value::String(shown), Value::String(printed)) => shown.is_empty() || !printed.is_empty(),
        (Value::Array(shown), Value::Array(printed)) => {
            if let (Some(shown), Some(printed)) = (shown.first(), printed.first()) {
                compare_values(shown, printed, &format!("{place}[0]"), varies)?;
            }
            shown.is_empty() || !printed.is_empty()
        }
        (Value::Object(shown), Value::Object(printed)) => {
            let keys = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
            for (key, value) in shown.iter().filter(|(key, _)| printed.contains_key(*key)) {
                compare_values(value, &printed[key], &format!("{place}.{key}"), varies)?;
            }
            let (mut shown, mut printed) = (keys(shown), keys(printed));
            shown.sort();
            printed.sort();
            shown.is_empty() || shown == printed
        }
        _ => false,
    };
    holds.then_some(()).ok_or_else(|| format!("{place} is {printed}, but the page shows {shown}"))
}

#[test]
fn what_differs_is_found() {
    let lines = "a 12 (3.4 %)\nfrom http://x/\nlast\n";
    for right in ["a 7 (1 %)\n…\n", "…\nfrom http://…/\nlast\n", "a  99 (0.1 %)\nfrom …\nlast\n"] {
        assert_eq!(compare("text", right, lines, false), Ok(()), "{right}");
    }
    for wrong in ["a 7 (1 %)\n", "b 7\n…\n", "…\nother\n", "a 7 (1 %)\nlast\n", "…\nfrom https://…/\n…\n"]
    {
        assert!(compare("text", wrong, lines, false).is_err(), "{wrong}");
    }
    let reply = r#"{"count":3,"rows":[{"a":"x","b":0}],"whole":true}"#;
    for right in
        [r#"{"count":9,"rows":[{"a":"y","b":0}],"whole":true}"#, r#"{"count":1,"rows":[],"whole":true}"#]
    {
        assert_eq!(compare("json", right, reply, false), Ok(()), "{right}");
    }
    for wrong in [
        r#"{"count":3,"rows":[{"a":"x","b":1}],"whole":true}"#,
        r#"{"count":3,"rows":[{"a":"x"}],"whole":true}"#,
        r#"{"count":3,"rows":[{"a":"x","b":0,"c":1}],"whole":true}"#,
        r#"{"count":"3","rows":[],"whole":true}"#,
        r#"{"count":3,"rows":[],"whole":false}"#,
    ] {
        assert!(compare("json", wrong, reply, false).is_err(), "{wrong}");
    }
    assert!(compare("json", r#"{"rows":[1]}"#, r#"{"rows":[]}"#, false).is_err());
}
