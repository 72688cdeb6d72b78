//! The answers that backlinkd reads otherwise than curl does, each with the reason.

/// By name of the answer.
pub const DIFFERENCES: [(&str, &str); 0] = [];
