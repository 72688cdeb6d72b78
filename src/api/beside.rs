//! What JSON tells beside the rows, as headers of answers in other formats.

use http::{HeaderName, HeaderValue};

/// A header, where there is something to tell.
pub type Header = (HeaderName, HeaderValue);

/// `X-Total-Count`: what JSON calls `count`.
pub fn count(count: usize) -> Option<Header> {
    Some((HeaderName::from_static("x-total-count"), count.into()))
}

/// `X-Export-Finished`: `exportFinished`.
pub fn finished(finished: Option<bool>) -> Option<Header> {
    let word = if finished? { "true" } else { "false" };
    Some((HeaderName::from_static("x-export-finished"), HeaderValue::from_static(word)))
}

/// `X-Next`: the token by which an export that a limit cut off reads on.
pub fn next(token: Option<&str>) -> Option<Header> {
    Some((HeaderName::from_static("x-next"), HeaderValue::from_str(token?).ok()?))
}

/// `X-Warnings`: what was passed over, as a JSON array in ASCII.
pub fn warnings(warnings: &[String]) -> Option<Header> {
    if warnings.is_empty() {
        return None;
    }
    let json = serde_json::to_string(warnings).ok()?;
    let mut ascii = String::with_capacity(json.len());
    for unit in json.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ b' '..=b'~') => ascii.push(char::from(byte)),
            _ => ascii.push_str(&format!("\\u{unit:04x}")),
        }
    }
    Some((HeaderName::from_static("x-warnings"), HeaderValue::from_str(&ascii).ok()?))
}
