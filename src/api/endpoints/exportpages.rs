//! `/exportpages`: every page of a scope that ever answered, with its links, in key order.

use crate::api::{Answer, Endpoint, Exported, Verb};

pub static ENDPOINT: Endpoint = Endpoint::new("exportpages", &[Verb::Get], Answer::Export(Exported::Pages));
