//! Dates in HTTP headers (RFC 9110, 5.6.7). Only the form that servers still send is read.

use time::{Date, Month, PrimitiveDateTime, Time};

/// The Unix seconds of a date like `Sun, 06 Nov 1994 08:49:37 GMT`; `None` for any other text and for dates before
/// 1970. The day of the week is not checked.
pub fn parse(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let &[_, day, month, year, clock, "GMT"] = words.as_slice() else { return None };
    let date = Date::from_calendar_date(year.parse().ok()?, month_of(month)?, day.parse().ok()?).ok()?;
    let mut parts = clock.split(':').map(str::parse::<u8>);
    let mut part = || parts.next()?.ok();
    let time = Time::from_hms(part()?, part()?, part()?).ok()?;
    u64::try_from(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp()).ok()
}

fn month_of(name: &str) -> Option<Month> {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number = NAMES.iter().position(|known| *known == name)? + 1;
    Month::try_from(u8::try_from(number).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn dates_are_parsed_like_gnu_date() {
        // The expected values come from GNU date.
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(parse("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        for text in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 30 Feb 2024 00:00:00 GMT",
            "Thu, 01 Jan 1970 00:00 GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
