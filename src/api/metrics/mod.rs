//! Metrics of the process in the Prometheus text format, and the health probe.

pub mod activity;
pub mod exposition;
pub mod health_probe;
pub mod process;
pub mod registry;
pub mod request_metrics;
