//! The part of a response that a client asks for (RFC 9110, section 14). Several ranges at once get the whole response,
//! which the RFC allows.

use std::ops::Range;

use http::header::RANGE;
use http::{HeaderMap, HeaderValue};
use http_range_header::{RangeUnsatisfiableError, parse_range_header};

/// The bytes of a response that a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RequestedPart {
    Whole,
    Part(Range<u64>),
    /// The range begins after the end of the response.
    Unsatisfiable,
}

/// Returns the part of a response of this many bytes. A malformed range counts as absent.
pub(crate) fn requested_part(headers: &HeaderMap, bytes: u64) -> RequestedPart {
    let mut values = headers.get_all(RANGE).into_iter();
    let (Some(value), None) = (values.next().map(HeaderValue::to_str), values.next()) else {
        return RequestedPart::Whole;
    };
    let Some(ranges) = value.ok().and_then(|value| parse_range_header(value).ok()) else {
        return RequestedPart::Whole;
    };
    match ranges.validate(bytes).as_deref() {
        Ok([range]) => RequestedPart::Part(*range.start()..range.end().saturating_add(1)),
        Err(RangeUnsatisfiableError::Unsatisfiable) => RequestedPart::Unsatisfiable,
        _ => RequestedPart::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_range_is_a_part() {
        use RequestedPart::{Part, Unsatisfiable, Whole};
        for (value, part) in [
            ("bytes=0-9", Part(0..10)),
            ("Bytes=0-0", Part(0..1)),
            ("bytes=90-", Part(90..100)),
            ("bytes=90-1000", Part(90..100)),
            ("bytes=-8", Part(92..100)),
            ("bytes=-1000", Part(0..100)),
            ("bytes=99-99", Part(99..100)),
            ("bytes=100-", Unsatisfiable),
            ("bytes=100-200", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=18446744073709551615-", Unsatisfiable),
            ("bytes=9-0", Whole),
            ("bytes=0-9,20-29", Whole),
            ("bytes=", Whole),
            ("bytes=a-b", Whole),
            ("rows=0-9", Whole),
            ("", Whole),
        ] {
            let headers = HeaderMap::from_iter([(RANGE, value.parse().unwrap())]);
            assert_eq!(requested_part(&headers, 100), part, "{value}");
        }
        assert_eq!(requested_part(&HeaderMap::new(), 100), Whole);
    }
}
