//! Reads request bodies within limits of size and time.

use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use warp::Buf;

use crate::api::ApiError;

/// Memory is reserved for a body in steps of at least this many bytes.
const RESERVATION_STEP_BYTES: usize = 16 << 10;

/// Reads a body to its end, also one that the endpoint ignores, so that the connection can be reused. `reserve` takes
/// memory for a number of bytes.
///
/// # Errors
/// [`ApiError::BodyTooLarge`] beyond `max_bytes`, [`ApiError::BodyTimeout`] after `time`, [`ApiError::BadRequest`] for a
/// body that breaks off, and the errors of `reserve`.
pub(crate) async fn read_body<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>>,
    max_bytes: usize,
    time: Duration,
    reserve: impl FnMut(usize) -> Result<(), ApiError>,
) -> Result<Vec<u8>, ApiError> {
    let reading = tokio::time::timeout(time, read_parts(body, max_bytes, reserve));
    reading.await.map_err(|_| ApiError::BodyTimeout)?
}

async fn read_parts<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>>,
    max_bytes: usize,
    mut reserve: impl FnMut(usize) -> Result<(), ApiError>,
) -> Result<Vec<u8>, ApiError> {
    let mut body = pin!(body);
    let (mut bytes, mut reserved) = (Vec::new(), 0);
    while let Some(part) = body.next().await {
        let mut part =
            part.map_err(|_| ApiError::BadRequest("the body broke off; send it whole".to_owned()))?;
        if part.remaining() > max_bytes - bytes.len() {
            return Err(ApiError::BodyTooLarge(max_bytes));
        }
        if bytes.len() + part.remaining() > reserved {
            let step = part.remaining().max(RESERVATION_STEP_BYTES);
            reserve(step)?;
            reserved += step;
        }
        while part.has_remaining() {
            let chunk = part.chunk();
            bytes.extend_from_slice(chunk);
            part.advance(chunk.len());
        }
    }
    Ok(bytes)
}
