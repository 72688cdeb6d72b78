//! Requests to an endpoint: query parameters, JSON bodies, and the state that endpoints compute their replies from.

pub mod context;
pub mod day_range;
pub mod json_body;
pub mod list_request;
pub mod parameter;
pub mod params;
