//! The error table: every way in which a request can fail, with its status and its message.

use std::time::Duration;

use http::StatusCode;

use crate::api::request::params::shorten;
use crate::query::QueryError;
use crate::store::StoreError;
use crate::urls::ScopeError;

/// Why a request failed. The client gets the message; the cause of [`Self::Internal`] appears in the log only.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    #[error("user name or password is wrong or missing; send them by HTTP Basic authentication")]
    Unauthorized,
    #[error("{0}")]
    Forbidden(String),
    #[error("there is no endpoint {0}; GET / lists all endpoints")]
    NotFound(String),
    #[error("{path} does not take {method}; use {allow}")]
    MethodNotAllowed { path: String, method: String, allow: String },
    #[error("the body is larger than {0} bytes; send less at once")]
    BodyTooLarge(usize),
    #[error("the query string is longer than {0} bytes; ask for less at once")]
    QueryTooLong(usize),
    #[error("the body was not sent within api.body_timeout; send it at once")]
    BodyTimeout,
    #[error("this API is not asked under the name \"{}\"; use 127.0.0.1, or add the name to api.hosts", shorten(.0))]
    UnknownHost(String),
    #[error("these are more requests than api.rate_limit_per_second allows; wait {} s", seconds(.0))]
    TooMany(Duration),
    #[error("these are more wrong passwords than api.login_limit_per_second allows; wait {} s", seconds(.0))]
    TooManyLogins(Duration),
    #[error("your answers under way fill api.answer_memory_per_client_bytes; read them first")]
    Unread,
    #[error("the server has more to do than it can; ask again in a second")]
    Overloaded,
    #[error("the answer took too long; ask for a smaller scope, or again later")]
    Deadline,
    #[error("the index cannot be read; the server's log says why")]
    Unreadable,
    #[error("the server failed to answer; its log says why")]
    Internal(String),
}

impl ApiError {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::QueryTooLong(_) => StatusCode::URI_TOO_LONG,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UnknownHost(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::TooMany(_) | Self::TooManyLogins(_) | Self::Unread => StatusCode::TOO_MANY_REQUESTS,
            Self::Deadline | Self::Unreadable | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the value of a `Retry-After` header.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany(wait) | Self::TooManyLogins(wait) => Some(seconds(wait)),
            Self::Unread | Self::Overloaded => Some(1),
            _ => None,
        }
    }

    /// The error for a missing parameter.
    pub fn missing(name: &str, advice: &str) -> Self {
        Self::BadRequest(format!("{name} is missing; {advice}"))
    }

    /// The error for an invalid value of a parameter.
    pub fn parameter(name: &str, value: &str, wanted: &str) -> Self {
        Self::BadRequest(format!("{name} is \"{}\"; it must be {wanted}", shorten(value)))
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Where { .. } | QueryError::Cursor | QueryError::TooManyRows => {
                Self::BadRequest(error.to_string())
            }
            QueryError::Deadline => Self::Deadline,
            QueryError::Store(_) | QueryError::Declaration(_) | QueryError::Build(_) => {
                Self::Internal(error.to_string())
            }
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Self::from(std::io::Error::from(error))
    }
}

/// Rounds up to whole seconds, at least one.
fn seconds(wait: &Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// A client that has stopped reading its response counts as one that exceeded the deadline.
impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Deadline,
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<csv::Error> for ApiError {
    fn from(error: csv::Error) -> Self {
        Self::from(std::io::Error::from(error))
    }
}

impl From<ScopeError> for ApiError {
    fn from(error: ScopeError) -> Self {
        Self::BadRequest(match error {
            ScopeError::Kind(_) => error.to_string(),
            _ => format!("url cannot be used: {error}"),
        })
    }
}
