//! The result of one check, and the report of all.

use serde::Serialize;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    /// Something works worse than it could.
    Warn,
    /// Something does not work, or will not.
    Fail,
    /// There is nothing to check.
    Skipped,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Examination {
    pub name: &'static str,
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it; empty if nothing.
    pub mend: String,
}

impl Examination {
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), mend: String::new() }
    }

    pub(super) fn skipped(name: &'static str, found: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skipped, ..Self::ok(name, found) }
    }

    pub(super) fn warn(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warn, mend: mend.into(), ..Self::ok(name, found) }
    }

    pub(super) fn fail(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { verdict: Verdict::Fail, ..Self::warn(name, found, mend) }
    }
}

fn count(checks: &[Examination], verdict: Verdict) -> usize {
    checks.iter().filter(|check| check.verdict == verdict).count()
}

/// One line for each check; below it, the line that mends it.
pub(super) fn text_report(checks: &[Examination]) -> String {
    let mut text = String::new();
    for Examination { name, verdict, found, mend } in checks {
        let word = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
            Verdict::Skipped => "-",
        };
        text += &format!("{word:<5} {name:<16} {found}\n");
        if !mend.is_empty() {
            text += &format!("{:<22} -> {mend}\n", "");
        }
    }
    let [ok, warnings, failures] =
        [Verdict::Ok, Verdict::Warn, Verdict::Fail].map(|verdict| count(checks, verdict));
    text + &format!("{ok} ok, {warnings} to look at, {failures} failed")
}

/// The same as one JSON object.
pub(super) fn json_report(checks: &[Examination]) -> serde_json::Result<String> {
    serde_json::to_string(&serde_json::json!({
        "checks": checks,
        "ok": count(checks, Verdict::Ok),
        "warnings": count(checks, Verdict::Warn),
        "failures": count(checks, Verdict::Fail),
    }))
}
