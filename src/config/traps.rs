//! `[traps]`: which URLs count as parts of endless or repeating spaces, and are not fetched.

use serde::{Deserialize, Serialize};

use super::at_least;

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrapsConfig {
    /// Segments of a path at most.
    pub max_path_segments: usize,
    /// Occurrences of one segment in a path, and repetitions of one run of segments, at most.
    pub max_segment_repeats: usize,
    /// Labels of a host at most.
    pub max_host_labels: usize,
    /// Parameters of a query at most.
    pub max_query_params: usize,
    /// Bytes of a query at most.
    pub max_query_bytes: usize,
    /// Parameters that hold a visitor's session.
    pub session_params: Vec<String>,
    /// Letters and digits from which on the value of such a parameter counts as a session.
    pub session_min_length: usize,
    /// Parameters that filter or sort a list.
    pub facet_params: Vec<String>,
    /// Parameters of that list that one URL may have.
    pub max_facets: usize,
    /// Years before and after the current one of which calendar pages are fetched.
    pub calendar_past_years: u32,
    pub calendar_future_years: u32,
    /// Pages of one host with the same content whose links are followed.
    pub max_duplicates: u32,
    /// Contents whose number of copies is remembered.
    pub duplicates_remembered: usize,
}

impl Default for TrapsConfig {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            max_path_segments: 20,
            max_segment_repeats: 3,
            max_host_labels: 10,
            max_query_params: 16,
            max_query_bytes: 2_000,
            session_params: list(&[
                "jsessionid",
                "phpsessid",
                "aspsessionid*",
                "sid",
                "sessid",
                "sessionid",
                "session_id",
                "cftoken",
                "oscsid",
                "zenid",
            ]),
            session_min_length: 12,
            facet_params: list(&[
                "sort",
                "sortby",
                "sort_by",
                "order",
                "orderby",
                "order_by",
                "dir",
                "direction",
                "filter*",
                "facet*",
                "color",
                "colour",
                "size",
                "brand",
                "price*",
                "view",
                "page",
            ]),
            max_facets: 3,
            calendar_past_years: 50,
            calendar_future_years: 2,
            max_duplicates: 100,
            duplicates_remembered: 200_000,
        }
    }
}

impl TrapsConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("traps.max_path_segments", self.max_path_segments as u64, 1)?;
        at_least("traps.max_segment_repeats", self.max_segment_repeats as u64, 1)?;
        at_least("traps.max_host_labels", self.max_host_labels as u64, 1)?;
        at_least("traps.session_min_length", self.session_min_length as u64, 1)
    }
}
