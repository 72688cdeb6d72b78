//! Ports, one or a range, written as `80` or `"8000-8099"`.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One port, or a range of consecutive ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports(RangeInclusive<u16>);

impl Ports {
    pub const ALL: Self = Self(1..=u16::MAX);

    pub const fn one(port: u16) -> Self {
        Self(port..=port)
    }

    pub fn contains(&self, port: u16) -> bool {
        self.0.contains(&port)
    }

    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first > 0 && first <= last).then_some(Self(first..=last))
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.start(), self.0.end())
    }
}

impl Serialize for Ports {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.start() == self.0.end() {
            true => serializer.serialize_u16(*self.0.start()),
            false => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(i64),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(port) => port.to_string(),
            Written::Text(text) => text,
        };
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "\"{text}\" is no port from 1 to 65535; write it like 80 or \"8000-8099\""
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Ports;

    #[test]
    fn ports_are_read_and_written_alike() {
        for text in ["80", "\"8000-8099\"", "\"1-65535\""] {
            let ports: Ports = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&ports).unwrap(), text);
        }
        assert_eq!(serde_json::from_str::<Ports>("\"1-65535\"").unwrap(), Ports::ALL);
        let some: Ports = serde_json::from_str("\"8000 - 8099\"").unwrap();
        assert!(
            some.contains(8_000) && some.contains(8_099) && !some.contains(7_999) && !some.contains(8_100)
        );
        for text in ["0", "-1", "65536", "\"\"", "\"http\"", "\"90-80\"", "\"0-80\"", "\"1-2-3\""] {
            let error = serde_json::from_str::<Ports>(text).unwrap_err().to_string();
            assert!(error.contains("is no port"), "{text}: {error}");
        }
    }
}
