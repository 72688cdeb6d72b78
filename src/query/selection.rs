//! Selections: the scope of a query, and which links into it count.

use crate::urls::{Scope, Suffixes};

/// A scope, and which links into it count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    pub scope: Scope,
    pub internal: SameDomainLinks,
}

/// Whether links from the scope's own registrable domain count as backlinks: the parameter `internal`. Outgoing links
/// are not affected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SameDomainLinks {
    #[default]
    Include,
    Exclude,
}

/// The states of the backlinks that a list contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkStates {
    /// Links that exist now.
    #[default]
    Active,
    /// Links that were lost.
    Lost,
    Both,
}

impl Selection {
    /// Whether links from this host count as backlinks.
    pub fn counts_source(&self, host: &str, suffixes: &Suffixes) -> bool {
        self.internal == SameDomainLinks::Include || suffixes.domain_of(host) != self.scope.domain(suffixes)
    }
}

impl LinkStates {
    pub(in crate::query) fn holds(self, active: bool) -> bool {
        match self {
            Self::Active => active,
            Self::Lost => !active,
            Self::Both => true,
        }
    }
}
