//! Requests to an endpoint: query parameters, JSON bodies, and the state that endpoints compute their replies from.

pub(super) mod context;
pub(super) mod day_range;
pub(super) mod inspection;
pub(super) mod json_body;
pub(super) mod list_request;
pub(super) mod parameter;
pub(super) mod query_string;
