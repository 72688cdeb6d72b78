//! The states of a host queue, and the moves between them.

/// The state of a host queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueueState {
    /// No URL is queued, or the host may not be asked.
    Idle,
    /// In the line of queues whose host has no address yet.
    Unresolved,
    /// A resolution of the host is in flight.
    Resolving,
    /// In the line of a limit group that has no free slot for its fetch or its resolution.
    Throttled,
    /// In the line of its address.
    Ready,
    /// A fetch is in flight.
    InFlight,
    /// Waits for a time; the crawl waits with it.
    BackingOff,
    /// Waits for a time; the crawl may end without it.
    Parked,
    /// Waits for a robots.txt that another host serves.
    AwaitingMovedRobots,
    /// New pages are queued, but its budget has none left.
    OverBudget,
}

impl QueueState {
    /// Whether a queue may go from this state to another.
    pub(super) fn may_become(self, next: Self) -> bool {
        match next {
            // An address that has expired sends a ready queue back.
            Self::Unresolved => self != Self::Unresolved,
            Self::Ready => !matches!(self, Self::Unresolved | Self::Ready),
            Self::Resolving => self == Self::Unresolved,
            Self::Throttled => matches!(self, Self::Unresolved | Self::Ready),
            Self::InFlight | Self::OverBudget => self == Self::Ready,
            Self::BackingOff | Self::Parked => matches!(self, Self::Resolving | Self::InFlight),
            Self::AwaitingMovedRobots => matches!(self, Self::Ready | Self::InFlight),
            Self::Idle => matches!(self, Self::Ready | Self::InFlight | Self::OverBudget),
        }
    }

    /// Whether the queue has an entry in the heap of wake-ups.
    pub(super) fn has_wakeup(self) -> bool {
        matches!(self, Self::BackingOff | Self::Parked)
    }
}
