//! Roles: what a user or a token may do through the API.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a user or a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads the index.
    Read,
    /// Controls the crawl.
    Operate,
}

/// A set of roles. In text, their names are joined by commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Roles {
    read: bool,
    operate: bool,
}

impl Role {
    pub const ALL: [Self; 2] = [Self::Read, Self::Operate];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }
}

impl Roles {
    pub const ALL: Self = Self { read: true, operate: true };

    /// The set of these roles.
    pub fn of(roles: &[Role]) -> Self {
        Self { read: roles.contains(&Role::Read), operate: roles.contains(&Role::Operate) }
    }

    pub fn contains(self, role: Role) -> bool {
        match role {
            Role::Read => self.read,
            Role::Operate => self.operate,
        }
    }

    /// The names of the roles.
    pub fn names(self) -> Vec<&'static str> {
        Role::ALL.into_iter().filter(|role| self.contains(*role)).map(Role::name).collect()
    }

    /// Parses names that are joined by commas; `None` for an empty text or an unknown name.
    pub fn parse(text: &str) -> Option<Self> {
        let named = |name: &str| Role::ALL.into_iter().find(|role| role.name() == name);
        text.split(',').map(named).collect::<Option<Vec<Role>>>().map(|roles| Self::of(&roles))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

impl From<Roles> for String {
    fn from(roles: Roles) -> Self {
        roles.to_string()
    }
}

impl TryFrom<String> for Roles {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("roles are read and operate, with commas between")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_keep_their_text() {
        for (roles, text) in [
            (Roles::ALL, "read,operate"),
            (Roles::of(&[Role::Operate]), "operate"),
            (Roles::of(&[Role::Read]), "read"),
        ] {
            assert_eq!((roles.to_string().as_str(), Roles::parse(text)), (text, Some(roles)));
        }
        for wrong in ["", "write", "read,", "READ"] {
            assert_eq!(Roles::parse(wrong), None, "{wrong}");
        }
    }
}
