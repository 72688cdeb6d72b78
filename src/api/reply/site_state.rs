//! The state of the index that a reply names in `asOf`.

use serde::Serialize;

use crate::api::openapi::schema::{Property, Schema};
use crate::clock::format_unix_time;
use crate::query::{Coverage, IndexState, SiteState};

/// The state that sites were read from.
#[derive(Serialize)]
pub(in crate::api) struct SiteStateReply {
    #[serde(rename = "asOf")]
    as_of: StateTime,
    /// The time of that state if it is that of the last ranking.
    ranked: Option<String>,
}

#[derive(Serialize)]
pub(in crate::api) struct StateTime {
    pub time: String,
    pub change: u64,
}

/// The keys of [`SiteStateReply`].
pub(in crate::api) static SITE_STATE: [Property; 2] = [("asOf", AS_OF), ("ranked", Schema::OptionalText)];

/// The schema of a state: its time in RFC 3339, and the number of commits before it.
pub(in crate::api) const AS_OF: Schema = Schema::Object(&[("time", Schema::Text), ("change", Schema::Count)]);

/// The schema of what the index knows of a scope.
pub(in crate::api) const KNOWN: Schema = Schema::Words(&Coverage::NAMES);

impl From<IndexState> for StateTime {
    fn from(state: IndexState) -> Self {
        Self { time: format_unix_time(state.read_at), change: state.change }
    }
}

impl From<SiteState> for SiteStateReply {
    fn from(state: SiteState) -> Self {
        let as_of = StateTime::from(state.state());
        Self { ranked: state.ranked.then(|| as_of.time.clone()), as_of }
    }
}
