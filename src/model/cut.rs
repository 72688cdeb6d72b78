//! Why the end of a body is missing.

/// The first reason for which a body, or the document in it, is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Cut {
    /// It is longer than a limit on bytes allows.
    Length = 1,
    /// It does not arrive in time.
    Time = 2,
    /// The connection ends before it does, or breaks the framing that announces its end.
    Disconnect = 3,
    /// Its content encoding breaks off or is damaged.
    Encoding = 4,
    /// The document goes beyond a limit of the parser.
    Document = 5,
}

impl Cut {
    pub const ALL: [Self; 5] = [Self::Length, Self::Time, Self::Disconnect, Self::Encoding, Self::Document];

    /// The word that people and programs see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Time => "time",
            Self::Disconnect => "disconnect",
            Self::Encoding => "encoding",
            Self::Document => "document",
        }
    }

    /// The reason of a stored number; `None` for 0 and for unknown numbers.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}
