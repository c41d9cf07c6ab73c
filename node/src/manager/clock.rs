//! The times by which things end, as Unix time in seconds.
//!
//! Leases, orders and deadlines are judged by the chain, so their time is the chain's: [`ChainClock`]. Requests
//! expire by the machine's clock, since their callers have no other.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::chain::{ChainError, Reader};

/// How far the chain's clock goes ahead of the last block. Where no block comes, time stands: a lease that the
/// chain still counts as live must not be given away.
const AHEAD_MAX: Duration = Duration::from_secs(60);

/// Tells Unix time in seconds. Tests tell it what time it is.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// Returns the machine's clock.
    pub fn system() -> Self {
        Self::of(|| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs()
        })
    }

    /// Returns a clock that tells what a function says.
    pub fn of(now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Returns the time.
    pub fn now(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// The chain's time: the latest block's, and the machine's monotonic clock since it was seen. It never goes back.
#[derive(Clone, Debug)]
pub struct ChainClock(Arc<Mutex<Anchor>>);

#[derive(Clone, Copy, Debug)]
struct Anchor {
    /// The latest block's time.
    block: Duration,
    /// The clock's time at `seen_at`.
    time: Duration,
    seen_at: Instant,
}

impl ChainClock {
    /// Starts the clock at the latest block.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`], [`ChainError::NoBlock`].
    pub async fn start(reader: &Reader) -> Result<Self, ChainError> {
        let block = Duration::from_secs(reader.head().await?.time);
        Ok(Self(Arc::new(Mutex::new(Anchor {
            block,
            time: block,
            seen_at: Instant::now(),
        }))))
    }

    /// Returns what tells its time.
    pub fn clock(&self) -> Clock {
        let chain = self.clone();
        Clock::of(move || chain.anchor().now(Instant::now()).as_secs())
    }

    /// Looks at the latest block again and again, until canceled.
    pub async fn follow(&self, reader: &Reader, every: Duration, cancel: CancellationToken) {
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            match reader.head().await {
                Ok(head) => {
                    let mut anchor = self.anchor();
                    *anchor = anchor.again(Duration::from_secs(head.time), Instant::now());
                }
                Err(err) => warn!(
                    err = format!("{:#}", eyre::Report::new(err)),
                    "the chain's time is not known, its last one goes on"
                ),
            }
        }
    }

    fn anchor(&self) -> MutexGuard<'_, Anchor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Anchor {
    fn now(&self, now: Instant) -> Duration {
        let passed = self
            .time
            .saturating_add(now.saturating_duration_since(self.seen_at));
        let latest = self.block.saturating_add(AHEAD_MAX);
        passed.min(latest).max(self.time)
    }

    fn again(&self, block: Duration, now: Instant) -> Self {
        // After a reorganization the latest block may be an earlier one.
        let block = block.max(self.block);
        Self {
            block,
            time: block.max(self.now(now)),
            seen_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn time_goes_on_between_blocks_and_never_back() {
        let start = Instant::now();
        let anchor = Anchor {
            block: s(1000),
            time: s(1000),
            seen_at: start,
        };
        assert_eq!(anchor.now(start + s(7)), s(1007));

        let behind = anchor.again(s(1004), start + s(7));
        assert_eq!(behind.now(start + s(8)), s(1008));
        let ahead = behind.again(s(5000), start + s(8));
        assert_eq!(ahead.now(start + s(9)), s(5001));
        let reorganized = ahead.again(s(4990), start + s(9));
        assert_eq!(reorganized.now(start + s(9)), s(5001));
    }

    #[test]
    fn time_stands_where_no_block_comes() {
        let start = Instant::now();
        let mut anchor = Anchor {
            block: s(1000),
            time: s(1000),
            seen_at: start,
        };
        for minute in 1..10 {
            let now = start + s(60 * minute);
            assert_eq!(anchor.now(now), s(1060));
            anchor = anchor.again(s(1000), now);
        }
        let resumed = anchor.again(s(1700), start + s(700));
        assert_eq!(resumed.now(start + s(701)), s(1701));
    }
}
