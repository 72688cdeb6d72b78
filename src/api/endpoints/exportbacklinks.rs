//! `/exportbacklinks`: every external link into a scope, active or not, in key order.

use crate::api::{Answer, Endpoint, Exported, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("exportbacklinks", &[Verb::Get], Answer::Export(Exported::Backlinks));
