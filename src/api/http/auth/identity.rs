//! The identity of an accepted request: who sent it, and what the sender may do.

use std::net::IpAddr;
use std::sync::Arc;

use crate::api::ApiError;
use crate::api::http::admission::Client;
use crate::store::{Role, Roles, StoredToken};

/// The identity of an accepted request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    User {
        name: Arc<str>,
        roles: Roles,
    },
    Token(Arc<StoredToken>),
    /// Any client at this address.
    Address(IpAddr),
}

impl Identity {
    /// The client whose limits apply to the request. A token has limits of its own: the prefix `token:` cannot occur in a
    /// user name.
    pub(crate) fn client(&self) -> Client {
        match self {
            Self::User { name, .. } => Client::User(name.as_ref().into()),
            Self::Token(token) => Client::User(format!("token:{}", token.name).into()),
            Self::Address(address) => Client::at(*address),
        }
    }

    /// The name of the user or token.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::User { name, .. } => Some(name),
            Self::Token(token) => Some(&token.name),
            Self::Address(_) => None,
        }
    }

    pub(crate) fn roles(&self) -> Roles {
        match self {
            Self::User { roles, .. } => *roles,
            Self::Token(token) => token.roles,
            Self::Address(_) => Roles::ALL,
        }
    }

    /// # Errors
    /// [`ApiError::Forbidden`] without this role.
    pub(crate) fn check_role(&self, role: Role) -> Result<(), ApiError> {
        if self.roles().contains(role) {
            return Ok(());
        }
        let (name, role) = (self.name().unwrap_or_default(), role.name());
        Err(ApiError::Forbidden(format!(
            "{name} does not have the role {role}; give it with `backlinkd user add` or `backlinkd token add`, and --role"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_may_what_its_roles_say() {
        let user = |roles: &[Role]| Identity::User { name: "a".into(), roles: Roles::of(roles) };
        assert!(user(&[Role::Read]).check_role(Role::Read).is_ok());
        let refused = user(&[Role::Read]).check_role(Role::Operate).unwrap_err();
        assert!(refused.to_string().contains("a does not have the role operate;"), "{refused}");
        assert!(user(&[Role::Operate]).check_role(Role::Read).is_err());
        assert!(Identity::Address([127, 0, 0, 1].into()).check_role(Role::Operate).is_ok());
    }

    #[test]
    fn a_token_shares_no_limits_with_a_user_of_its_name() {
        let token =
            StoredToken { name: "a".to_owned(), digest: String::new(), roles: Roles::ALL, expires_at: None };
        let user = Identity::User { name: "a".into(), roles: Roles::ALL };
        assert_ne!(Identity::Token(Arc::new(token)).client(), user.client());
    }
}
