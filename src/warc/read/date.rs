//! Dates of records, as Unix seconds.

use time::{Date, Month, Time, UtcDateTime};

/// Parses a WARC-Date (WARC 1.1, 5.4; W3C-DTF): a year, and optionally month, day, time and a fraction of a second. A
/// missing part is the earliest possible. A leap second is the second before it.
///
/// `None` for other texts, for days that do not exist, and for dates before 1970.
pub(in crate::warc) fn parse_date(text: &str) -> Option<u64> {
    let text = text.trim().as_bytes();
    let (date, time) = match text.iter().position(|byte| matches!(byte, b'T' | b't' | b' ')) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[][..]),
    };
    let mut parts = date.splitn(3, |byte| *byte == b'-');
    let year = parts.next().filter(|year| year.len() == 4).and_then(number)?;
    let month = parts.next().map_or(Some(1), two_digits)?;
    let day = parts.next().map_or(Some(1), two_digits)?;
    let [hour, minute, second] = time_of_day(time)?;
    unix_seconds([year, month, day, hour, minute, second])
}

/// Parses the date of an ARC record: `YYYYMMDDhhmmss`, or its first 12 or 8 digits.
pub(super) fn parse_arc_date(digits: &[u8]) -> Option<u64> {
    if !matches!(digits.len(), 8 | 12 | 14) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), number);
    unix_seconds([part(0, 4)?, part(4, 6)?, part(6, 8)?, part(8, 10)?, part(10, 12)?, part(12, 14)?])
}

fn time_of_day(text: &[u8]) -> Option<[u32; 3]> {
    if text.is_empty() {
        return Some([0; 3]);
    }
    let text = text.strip_suffix(b"Z").or(text.strip_suffix(b"z")).or(text.strip_suffix(b"+00:00"));
    let mut parts = text?.splitn(3, |byte| *byte == b':');
    let (hour, minute) = (two_digits(parts.next()?)?, two_digits(parts.next()?)?);
    let mut second = parts.next().unwrap_or(b"00").splitn(2, |byte| *byte == b'.');
    let whole = two_digits(second.next()?)?;
    let is_fraction = second.next().is_none_or(|digits| number(&digits[..digits.len().min(9)]).is_some());
    is_fraction.then_some([hour, minute, whole])
}

fn two_digits(text: &[u8]) -> Option<u32> {
    (text.len() == 2).then(|| number(text))?
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

fn unix_seconds([year, month, day, hour, minute, second]: [u32; 6]) -> Option<u64> {
    let small = |number: u32| u8::try_from(number).ok();
    let month = Month::try_from(small(month)?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, small(day)?).ok()?;
    let second = if second == 60 { 59 } else { second };
    let time = Time::from_hms(small(hour)?, small(minute)?, small(second)?).ok()?;
    u64::try_from(UtcDateTime::new(date, time).unix_timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_precisions_of_the_standard_are_parsed() {
        // The expected values come from GNU date.
        for (text, seconds) in [
            ("2024-02-29T12:30:15Z", 1_709_209_815),
            ("2024-02-29T12:30:15.123456789Z", 1_709_209_815),
            ("2024-02-29T12:30Z", 1_709_209_800),
            ("2024-02-29", 1_709_164_800),
            ("2024-02", 1_706_745_600),
            ("2024", 1_704_067_200),
            ("2016-12-31T23:59:60Z", 1_483_228_799),
            (" 1970-01-01T00:00:00+00:00 ", 0),
        ] {
            assert_eq!(parse_date(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "24",
            "20240229",
            "2024-2-29",
            "2024-02-30",
            "2024-02-29T",
            "2024-02-29T12:30:15",
            "1969-12-31",
            "2024-02-29T24:00:00Z",
            "2024-02-29T12:30:15.xZ",
            "5088968-11-06T12:31:23Z",
            "2024-02-29T12Z",
            "٢٠٢٤",
        ] {
            let is_empty_time = text.ends_with('T');
            assert_eq!(parse_date(text).is_some(), is_empty_time, "{text}");
        }
    }

    #[test]
    fn dates_of_arc_records_are_parsed() {
        assert_eq!(parse_arc_date(b"20240229123015"), Some(1_709_209_815));
        assert_eq!(parse_arc_date(b"202402291230"), Some(1_709_209_800));
        assert_eq!(parse_arc_date(b"20240229"), Some(1_709_164_800));
        for digits in ["", "2024022912301", "20240230123015", "2024022912301x", "00000000000000"] {
            assert_eq!(parse_arc_date(digits.as_bytes()), None, "{digits}");
        }
    }
}
