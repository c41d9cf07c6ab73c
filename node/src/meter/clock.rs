//! Instants of intervals: the time of a checkpoint and the node's monotonic clock.

use std::time::{Duration, Instant};

/// Counts Unix milliseconds from a checkpoint of the chain.
///
/// Claims are judged by the chain's time, so the node's own calendar never enters: a wrong system clock
/// voids nothing. The clock never runs backwards, also not when it is anchored anew.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    checkpoint_index: u32,
    anchor_ms: u64,
    anchored_at: Instant,
}

impl Clock {
    /// Anchors the clock: at `now`, the chain's latest block has the time `block_time`, and the latest
    /// checkpoint is `checkpoint_index`.
    pub fn anchor(checkpoint_index: u32, block_time: Duration, now: Instant) -> Self {
        Self {
            checkpoint_index,
            anchor_ms: millis(block_time),
            anchored_at: now,
        }
    }

    /// Anchors the clock to a later checkpoint. It goes on from where it stands if the chain's time
    /// lies behind it, and jumps if that lies ahead.
    pub fn anchor_again(self, checkpoint_index: u32, block_time: Duration, now: Instant) -> Self {
        let anchor_ms = millis(block_time).max(self.now_ms(now));
        Self {
            checkpoint_index,
            anchor_ms,
            anchored_at: now,
        }
    }

    /// The latest checkpoint that the clock knows.
    pub fn checkpoint_index(&self) -> u32 {
        self.checkpoint_index
    }

    /// The instant, in Unix milliseconds.
    pub fn now_ms(&self, now: Instant) -> u64 {
        self.anchor_ms
            .saturating_add(millis(now.saturating_duration_since(self.anchored_at)))
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchoring_anew_never_turns_the_clock_back() {
        let start = Instant::now();
        let clock = Clock::anchor(1, Duration::from_secs(100), start);
        let later = start + Duration::from_secs(5);
        assert_eq!(clock.now_ms(later), 105_000);

        let behind = clock.anchor_again(2, Duration::from_secs(104), later);
        assert_eq!(
            (behind.checkpoint_index(), behind.now_ms(later)),
            (2, 105_000)
        );
        let ahead = clock.anchor_again(3, Duration::from_secs(109), later);
        assert_eq!(ahead.now_ms(later + Duration::from_millis(1)), 109_001);
    }
}
