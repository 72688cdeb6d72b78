//! Walls in front of pages: redirects that require a cookie, and challenges for visitors.

pub(super) mod challenge;
pub(super) mod redirect_chain;
