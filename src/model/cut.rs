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

    /// The reason with a stored number; `None` for 0 and for unknown numbers.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}
