//! Address resolution: the address of each host, and whether connecting to it is allowed.

mod guard;
mod overrides;
mod pinning;
mod resolver;

pub use overrides::OverridesError;
pub use pinning::{AddressError, PinnedAddresses};
