//! The WARC-Truncated field.

use crate::model::Cut;

/// Why a record holds only a part of a body (WARC 1.1, 5.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncation {
    Length,
    Time,
    Disconnect,
    Unspecified,
}

impl Truncation {
    /// The value of the WARC-Truncated field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Time => "time",
            Self::Disconnect => "disconnect",
            Self::Unspecified => "unspecified",
        }
    }

    /// The meaning of a value. Values beyond the standard say only that something is missing.
    pub fn parse(value: &str) -> Self {
        let known = [Self::Length, Self::Time, Self::Disconnect];
        known
            .into_iter()
            .find(|known| value.trim().eq_ignore_ascii_case(known.as_str()))
            .unwrap_or(Self::Unspecified)
    }

    /// What the crawl calls it; `None` without a known reason.
    pub fn cut(self) -> Option<Cut> {
        match self {
            Self::Length => Some(Cut::Length),
            Self::Time => Some(Cut::Time),
            Self::Disconnect => Some(Cut::Disconnect),
            Self::Unspecified => None,
        }
    }
}
