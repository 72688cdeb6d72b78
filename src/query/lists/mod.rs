//! Special lists: distributions, and lists whose rows are computed for one query.

pub mod competitors;
pub mod distribution;
pub mod ephemeral;
pub mod intersection;
pub mod redirect_chain;
