//! How often a caller may ask.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use alloy::primitives::Address;

use super::auth::AuthError;

/// Requests that a caller may make at once: fetching the outputs of a job comes in bursts.
const BURST: u32 = 1000;

/// Requests a second in the long run.
const PER_SECOND: u32 = 50;

/// Callers that are remembered at most; whoever has rested is forgotten first.
const CALLERS_MAX: usize = 10_000;

/// Counts requests of each caller: a bucket that fills steadily.
#[derive(Debug, Default)]
pub struct RateLimit {
    buckets: Mutex<BTreeMap<Address, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u32,
    filled_at: u64,
}

impl RateLimit {
    /// Counts a request.
    ///
    /// # Errors
    ///
    /// [`AuthError::TooMany`].
    pub fn count(&self, caller: Address, now: u64) -> Result<(), AuthError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CALLERS_MAX {
            buckets.retain(|_, bucket| bucket.filled(now).left < BURST);
        }
        let bucket = buckets.entry(caller).or_insert(Bucket {
            left: BURST,
            filled_at: now,
        });
        *bucket = bucket.filled(now);
        bucket.left = bucket.left.checked_sub(1).ok_or(AuthError::TooMany {
            per_second: PER_SECOND,
        })?;
        Ok(())
    }
}

impl Bucket {
    fn filled(self, now: u64) -> Self {
        let passed_s = u32::try_from(now.saturating_sub(self.filled_at)).unwrap_or(u32::MAX);
        let left = self
            .left
            .saturating_add(passed_s.saturating_mul(PER_SECOND))
            .min(BURST);
        Self {
            left,
            filled_at: now.max(self.filled_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_a_steady_rate() {
        let (limit, caller) = (RateLimit::default(), Address::repeat_byte(1));
        let allowed = |now| {
            (0..5000)
                .take_while(|_| limit.count(caller, now).is_ok())
                .count()
        };
        assert_eq!(allowed(100), 1000);
        assert_eq!(allowed(101), 50);
        assert_eq!(allowed(90), 0, "a clock that goes back gives nothing");
        assert!(
            limit.count(Address::repeat_byte(2), 101).is_ok(),
            "callers are counted apart"
        );
    }
}
