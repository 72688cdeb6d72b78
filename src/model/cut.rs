//! Why the end of a body is missing.

/// The first reason why a body, or the document in it, is incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Cut {
    /// It exceeds a limit in bytes.
    Length = 1,
    /// It did not arrive in time.
    Time = 2,
    /// The connection ended early, or broke the framing of the body.
    Disconnect = 3,
    /// Its content encoding breaks off or is damaged.
    Encoding = 4,
    /// The document exceeds a limit of the parser.
    Document = 5,
}

stored_code!(pub Cut);

impl Cut {
    pub const ALL: [Self; 5] = [Self::Length, Self::Time, Self::Disconnect, Self::Encoding, Self::Document];

    /// The name in the API, exports and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Time => "time",
            Self::Disconnect => "disconnect",
            Self::Encoding => "encoding",
            Self::Document => "document",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_keep_their_stored_codes() {
        let table =
            [(Cut::Length, 1), (Cut::Time, 2), (Cut::Disconnect, 3), (Cut::Encoding, 4), (Cut::Document, 5)];
        assert_eq!(table.map(|(value, _)| value), Cut::ALL);
        for (value, code) in table {
            assert_eq!((value.code(), Cut::from_code(code)), (code, Some(value)));
        }
        assert_eq!((Cut::from_code(0), Cut::from_code(6)), (None, None));
    }
}
