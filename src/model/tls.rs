//! Flaws of server certificates.

/// The reason why a certificate cannot be verified (RFC 5280, RFC 9525).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TlsFlaw {
    /// Its validity period is over.
    Expired = 1,
    /// Its validity period has not begun.
    NotYetValid = 2,
    /// No trusted authority has signed it, directly or indirectly.
    UnknownIssuer = 3,
    /// It is signed by its own key.
    SelfSigned = 4,
    /// It is valid for other host names.
    WrongName = 5,
    /// Its authority has revoked it.
    Revoked = 6,
    /// Anything else.
    Invalid = 7,
}

stored_code!(pub TlsFlaw);

impl TlsFlaw {
    pub const ALL: [Self; 7] = [
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownIssuer,
        Self::SelfSigned,
        Self::WrongName,
        Self::Revoked,
        Self::Invalid,
    ];

    /// The name in exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::UnknownIssuer => "unknown-issuer",
            Self::SelfSigned => "self-signed",
            Self::WrongName => "wrong-name",
            Self::Revoked => "revoked",
            Self::Invalid => "invalid",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_keep_their_stored_codes() {
        let table = [
            (TlsFlaw::Expired, 1),
            (TlsFlaw::NotYetValid, 2),
            (TlsFlaw::UnknownIssuer, 3),
            (TlsFlaw::SelfSigned, 4),
            (TlsFlaw::WrongName, 5),
            (TlsFlaw::Revoked, 6),
            (TlsFlaw::Invalid, 7),
        ];
        assert_eq!(table.map(|(value, _)| value), TlsFlaw::ALL);
        for (value, code) in table {
            assert_eq!((value.code(), TlsFlaw::from_code(code)), (code, Some(value)));
        }
        assert_eq!((TlsFlaw::from_code(0), TlsFlaw::from_code(8)), (None, None));
    }
}
