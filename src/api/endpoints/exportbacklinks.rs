//! `/exportbacklinks`: every external link into a scope, active or not, in key order.

use crate::api::{Endpoint, ExportKind, Handler, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("exportbacklinks", &[Verb::Get], Handler::Export(ExportKind::Backlinks));
