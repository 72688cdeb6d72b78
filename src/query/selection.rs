//! Selections: the scope of a query, and which links into it count.

use crate::urls::{Scope, Suffixes};

/// A scope, and which links into it count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    pub scope: Scope,
    pub internal: Internal,
}

/// Whether links from the scope's own registrable domain count as backlinks. Outgoing links are not affected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Internal {
    #[default]
    Include,
    Exclude,
}

/// Which backlinks a list contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Activity {
    /// Links that exist now.
    #[default]
    Active,
    /// Links that were lost.
    Inactive,
    Both,
}

impl Selection {
    /// Whether links from this host count as backlinks.
    pub fn counts_source(&self, host: &str, suffixes: &Suffixes) -> bool {
        self.internal == Internal::Include || suffixes.domain_of(host) != self.scope.domain(suffixes)
    }
}

impl Activity {
    pub(in crate::query) fn holds(self, active: bool) -> bool {
        match self {
            Self::Active => active,
            Self::Inactive => !active,
            Self::Both => true,
        }
    }
}
