//! The lists of the index as they are: its seeds, or its blocked hosts.

use serde::Serialize;

use crate::api::openapi::schema::{ReplySchema, Schema};
use crate::api::request::parameter::{LIMIT, OFFSET, Parameter};
use crate::api::{ApiError, JsonReply, Provenance, RequestContext};
use crate::policy::strip_bom;
use crate::query::Window;

/// The parameters of a list.
pub(super) const PARAMETERS: &[Parameter] = &[LIMIT, OFFSET];

/// The reply with a list.
pub(super) const LISTED: ReplySchema =
    ReplySchema::Object(&[("response", Schema::List(&Schema::Text)), ("count", Schema::Count)]);

#[derive(Serialize)]
struct ListedReply {
    response: Vec<String>,
    count: usize,
    status: u16,
}

/// Renders the entries of a list of the data directory, in the order of the file. Lines without a usable entry are named
/// in the warnings, up to ten.
///
/// # Errors
/// [`ApiError::BadRequest`] for an unusable `limit` or `offset`; [`ApiError::Internal`] when the file cannot be read.
pub(super) fn render_list(
    context: &RequestContext<'_>,
    file: &str,
    parse: impl Fn(&[u8]) -> Result<Option<String>, String>,
) -> Result<JsonReply, ApiError> {
    let Window { offset, limit } = context.params.window(&context.state.config)?;
    let text = match std::fs::read(context.state.store.directory().join(file)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        text => text?,
    };
    let (mut entries, mut warnings, mut count) = (Vec::new(), Vec::new(), 0);
    for (at, line) in strip_bom(&text).split(|&b| b == b'\n').enumerate() {
        context.deadline.check_at(at)?;
        match parse(line) {
            Ok(None) => {}
            Ok(Some(entry)) => {
                count += 1;
                if count > offset && entries.len() < limit {
                    entries.push(entry);
                }
            }
            Err(reason) if warnings.len() < MAX_WARNINGS => {
                warnings.push(format!("line {} of {file} was passed over: {reason}", at + 1));
            }
            Err(_) => {}
        }
    }
    let reply = ListedReply { response: entries, count, status: 200 };
    context.render_json(&reply, &warnings, &Provenance::volatile())
}

const MAX_WARNINGS: usize = 10;
