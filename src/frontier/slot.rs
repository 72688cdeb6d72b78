//! Slots of fetches and resolutions, and the groups that share limits.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

/// Fetches or resolutions with a common limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum LimitGroup {
    Domain(Arc<str>),
    Network(IpAddr),
    /// Resolutions of a registrable domain's hosts.
    Resolutions(Arc<str>),
    /// All fetches in slow slots.
    Slow,
    /// All fetches of hosts that are not proven fast.
    Unproven,
}

impl LimitGroup {
    pub(super) fn network(ip: IpAddr) -> Self {
        Self::Network(match ip {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                [a, b, c, 0].into()
            }
            IpAddr::V6(ip) => {
                let [a, b, c, ..] = ip.segments();
                Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
            }
        })
    }
}

/// The kind of slot that a fetch holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotKind {
    Fast,
    Unproven,
    /// Slow from its start.
    Slow,
    /// Slow since it took too long.
    Overdue,
}

/// The slot of a fetch or a resolution in flight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// When it started, plus the time that it waited for this machine.
    pub started: Instant,
    pub kind: SlotKind,
    /// Distinguishes it from earlier slots of its queue.
    pub number: u64,
}
