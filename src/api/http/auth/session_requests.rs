//! The requests to `/session`: sign in, sign out, and who is signed in.

use std::sync::Arc;

use futures_util::Stream;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{Method, StatusCode};
use serde::Serialize;
use warp::reply::Response;
use warp::{Buf, Reply};

use super::credentials::Credentials;
use super::{Authenticator, Identity};
use crate::api::endpoints::session::ENDPOINT;
use crate::api::http::connection::RequestHead;
use crate::api::http::negotiation::Format;
use crate::api::http::request_body::read_body;
use crate::api::reply::headers::NO_STORE;
use crate::api::{ApiError, JsonBody};
use crate::config::ApiConfig;

/// Bytes of a name and a password at most. Each is shorter than 1,024 bytes, and JSON escapes a byte with six.
const MAX_BODY_BYTES: usize = 16 << 10;

#[derive(Serialize)]
struct SessionReply<'a> {
    name: Option<&'a str>,
    roles: Vec<&'static str>,
    /// Whether the sender must sign in first.
    #[serde(rename = "signIn")]
    sign_in: bool,
    status: u16,
}

/// Answers POST and DELETE, which sign in and out.
///
/// # Errors
/// [`ApiError::Unauthorized`] for a wrong name or password, those of the login limits, and those of the body.
pub(crate) async fn change_session<B: Buf>(
    authenticator: &Arc<Authenticator>,
    config: &ApiConfig,
    head: &RequestHead,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    ENDPOINT.check_method(head.path(), &head.method)?;
    let max_bytes = config.max_body_bytes.min(MAX_BODY_BYTES);
    let body = read_body(body, max_bytes, config.body_timeout.0, |_| Ok(())).await?;
    head.exchange.mark_request_read();
    let cookie = if head.method == Method::POST {
        let credentials: Credentials = JsonBody::new(&head.headers, body).parse(ENDPOINT.body())?;
        authenticator.sign_in(credentials, head).await?
    } else {
        authenticator.sign_out(head)
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.extend([NO_STORE]);
    headers.extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    Ok(response)
}

/// Answers GET: the name and the roles of the sender. The name is null while there are no users, and for a sender who
/// must sign in.
///
/// # Errors
/// [`ApiError::Internal`] when the reply cannot be serialized.
pub(crate) fn describe_session(identity: Option<&Identity>) -> Result<Response, ApiError> {
    let reply = SessionReply {
        name: identity.and_then(Identity::name),
        roles: identity.map_or_else(Vec::new, |identity| identity.roles().names()),
        sign_in: identity.is_none(),
        status: 200,
    };
    let mut response = serde_json::to_vec(&reply)?.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, Format::Json.content_type());
    headers.extend([NO_STORE]);
    Ok(response)
}
