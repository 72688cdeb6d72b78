//! The metrics of the process in the Prometheus text format: what the API answers at [`PATH`].
//!
//! Input: the store, the search indexes, the background work ([`ProcessActivity`]) and the figures that the API reports
//! about itself ([`ApiMetrics`]). Output: one text ([`render`]). [`METRICS`] declares every metric.

mod activity;
mod api;
mod exposition;
mod process;
mod registry;
mod request_metrics;

pub use activity::ProcessActivity;
pub use api::{ApiMetrics, QueryMetrics};
pub use exposition::{CONTENT_TYPE, Metric, MetricKind};
pub use registry::{METRICS, PATH, render};
pub use request_metrics::RequestMetrics;
