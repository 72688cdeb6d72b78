//! Distributions, and computed lists, whose rows are computed for one query.

pub(super) mod competitors;
pub(super) mod computed_list;
pub(super) mod distribution;
pub(super) mod domain_changes;
pub(super) mod intersection;
pub(super) mod neighbourhood;
pub(super) mod redirect_chain;
