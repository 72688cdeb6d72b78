//! The error table: every way in which a request can fail, with its status and its message.

use std::time::Duration;

use http::StatusCode;

use crate::api::crawl_control::ControlError;
use crate::inspect::InspectError;
use crate::query::{ErrorCode, QueryError, shorten};
use crate::store::StoreError;
use crate::urls::ScopeError;

/// The place and the kind of a mistake in a parameter, for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDetail {
    /// The name of the parameter.
    pub parameter: String,
    /// Offsets of characters in the text of the parameter, from 0; the second one is after the last. `None` if the
    /// parameter is missing, or no single text of it is at fault.
    pub at: Option<(usize, usize)>,
    pub code: ErrorCode,
}

/// Why a request failed. The client gets the message; the cause of [`Self::Internal`] appears in the log only.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    /// As [`Self::BadRequest`], for a parameter.
    #[error("{message}")]
    BadParameter { message: String, detail: ErrorDetail },
    #[error("user name or password is wrong or missing; send them by HTTP Basic authentication")]
    Unauthorized,
    #[error("this token is unknown or has expired; `backlinkd token list` shows the tokens")]
    UnknownToken,
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    Conflict(String),
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
    #[error("this API does not serve the host name \"{}\"; use 127.0.0.1, or add the name to api.hosts", shorten(.0))]
    UnknownHost(String),
    #[error("these are more requests than api.rate_limit_per_second allows; wait {} s", seconds(.0))]
    TooManyRequests(Duration),
    #[error("these are more wrong passwords than api.login_limit_per_second allows; wait {} s", seconds(.0))]
    TooManyLogins(Duration),
    #[error("your unread responses fill api.answer_memory_per_client_bytes; read them first")]
    UnreadResponses,
    #[error("the server is overloaded; retry in a second")]
    Overloaded,
    #[error("the answer took too long; ask for a smaller scope, or again later")]
    Deadline,
    #[error("the answer has {0} bytes; ask for a range within them")]
    NoSuchRange(u64),
    #[error("the answer with this ETag is no longer kept; ask without If-Match")]
    ChangedFile,
    #[error("the index cannot be read; the server's log says why")]
    IndexUnreadable,
    #[error("the server failed to answer; its log says why")]
    Internal(String),
}

impl ApiError {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) | Self::BadParameter { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::UnknownToken => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::QueryTooLong(_) => StatusCode::URI_TOO_LONG,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UnknownHost(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::TooManyRequests(_) | Self::TooManyLogins(_) | Self::UnreadResponses => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::NoSuchRange(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::ChangedFile => StatusCode::PRECONDITION_FAILED,
            Self::Deadline | Self::IndexUnreadable | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the value of a `Retry-After` header.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests(wait) | Self::TooManyLogins(wait) => Some(seconds(wait)),
            Self::UnreadResponses | Self::Overloaded => Some(1),
            _ => None,
        }
    }

    /// Returns the place and the kind of the mistake, if it is in a parameter.
    pub fn detail(&self) -> Option<&ErrorDetail> {
        match self {
            Self::BadParameter { detail, .. } => Some(detail),
            _ => None,
        }
    }

    /// The error for a missing parameter.
    pub fn missing(name: &str, advice: &str) -> Self {
        Self::without_place(name, ErrorCode::Missing, format!("{name} is missing; {advice}"))
    }

    /// The error for an invalid value of a parameter.
    pub fn parameter(name: &str, value: &str, wanted: &str) -> Self {
        Self::parameter_with(name, value, ErrorCode::BadValue, wanted)
    }

    /// The error for a value of a parameter that is none of the known words.
    pub fn unknown_word(name: &str, value: &str, wanted: &str) -> Self {
        Self::parameter_with(name, value, ErrorCode::UnknownName, wanted)
    }

    /// The error for a value of a parameter that is no whole number, or is outside of the bounds.
    pub fn number(name: &str, value: &str, wanted: &str) -> Self {
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let is_zero = is_number && value.bytes().all(|byte| byte == b'0');
        let code = match (is_number, is_zero) {
            (false, _) => ErrorCode::NotANumber,
            (true, true) => ErrorCode::BadValue,
            (true, false) => ErrorCode::TooLarge,
        };
        Self::parameter_with(name, value, code, wanted)
    }

    /// The error for a parameter that is given twice.
    pub fn repeated(parameter: &str, name: &str) -> Self {
        let message = format!("{name} is given more than once; give it once");
        Self::without_place(parameter, ErrorCode::Repeated, message)
    }

    /// The error for a parameter that is at fault as a whole, such as a list with too many entries.
    pub fn without_place(parameter: &str, code: ErrorCode, message: String) -> Self {
        let detail = ErrorDetail { parameter: parameter.to_owned(), at: None, code };
        Self::BadParameter { message, detail }
    }

    /// This error, with the whole value of its parameter as the place of the mistake.
    #[must_use]
    pub fn about_value(mut self, value: &str) -> Self {
        if let Self::BadParameter { detail, .. } = &mut self {
            detail.at = Some((0, value.chars().count()));
        }
        self
    }

    fn parameter_with(name: &str, value: &str, code: ErrorCode, wanted: &str) -> Self {
        let message = format!("{name} is \"{}\"; it must be {wanted}", shorten(value));
        Self::of_value(name, value, code, message)
    }

    /// The error for the whole value of a parameter, with a message of its own.
    pub fn of_value(name: &str, value: &str, code: ErrorCode, message: String) -> Self {
        let detail = ErrorDetail { parameter: name.to_owned(), at: Some((0, value.chars().count())), code };
        Self::BadParameter { message, detail }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Where { ref at, code, .. } => {
                let at = Some((at.start, at.end));
                let detail = ErrorDetail { parameter: "where".to_owned(), at, code };
                Self::BadParameter { message: error.to_string(), detail }
            }
            QueryError::Cursor => Self::without_place("next", ErrorCode::BadValue, error.to_string()),
            QueryError::TooManyRows => Self::without_place("url", ErrorCode::TooLarge, error.to_string()),
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

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Invalid(message) => Self::BadRequest(message),
            ControlError::Failed(cause) => Self::Internal(cause),
        }
    }
}

impl From<InspectError> for ApiError {
    fn from(error: InspectError) -> Self {
        match error {
            InspectError::Interrupted => Self::Deadline,
            _ => Self::Internal(error.to_string()),
        }
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
        let message = error.to_string();
        match error.into_kind() {
            csv::ErrorKind::Io(error) => Self::from(error),
            _ => Self::Internal(message),
        }
    }
}

impl From<ScopeError> for ApiError {
    fn from(error: ScopeError) -> Self {
        let (parameter, code, message) = match error {
            ScopeError::Kind(_) => ("scope", ErrorCode::UnknownName, error.to_string()),
            _ => ("url", ErrorCode::BadValue, format!("url cannot be used: {error}")),
        };
        let detail = ErrorDetail { parameter: parameter.to_owned(), at: None, code };
        Self::BadParameter { message, detail }
    }
}
