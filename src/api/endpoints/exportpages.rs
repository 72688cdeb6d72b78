//! `/exportpages`: every page of a scope that ever answered, with its links, in key order.

use crate::api::{Endpoint, ExportKind, Handler, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("exportpages", &[Verb::Get], Handler::Export(ExportKind::Pages));
