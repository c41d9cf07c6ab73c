//! What a lease can cost, and whether the allocation and the stake behind it cover that: pure money.
//!
//! A task is capped by its units' `maxCost` and by what its device can compute until the lease ends; the
//! contract pays the lesser of the two as well (`PROTOCOL.md`, *Payable work*). Caps round up, because the
//! contract truncates every interval and line: a cap never costs a worker what it proved.

use alloy::primitives::U256;

const WORK_UNITS_PER_RATE: u128 = 1_000_000_000_000;
const MICRO: u64 = 1_000_000;

/// What bounds the work of a task.
#[derive(Clone, Copy, Debug)]
pub struct TaskBound {
    /// The job's bound on a unit's cost, in work units.
    pub max_cost: u64,
    /// The job's rate, in micro-IBM per 10^12 work units.
    pub reference_rate: u64,
    /// The device's speed in micro-IB.
    pub ib_micro: u64,
    /// How long the lease lasts, in seconds.
    pub lease_s: u64,
}

/// What stands behind the orders of a worker and a builder.
#[derive(Clone, Copy, Debug)]
pub struct Cover {
    /// The builder's allocation to the manager that no claim has reserved.
    pub allocation_wei: U256,
    /// What the builder's orders that are not claimed can still cost, at all workers.
    pub builder_exposure_wei: U256,
    /// The worker's stake that no claim has locked.
    pub stake_wei: U256,
    /// What claims of the worker's other orders would lock.
    pub other_locks_wei: U256,
    /// What the worker's order for this builder can cost already.
    pub order_exposure_wei: U256,
    /// How many times a line's money its claim locks.
    pub penalty_multiplier: u64,
    /// What a line locks at least.
    pub min_lock_wei: U256,
}

/// Whose money does not cover a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncovered {
    /// The builder's allocation.
    Allocation,
    /// The worker's stake.
    Stake,
}

impl TaskBound {
    /// Returns the most work that a task of so many units can be paid for, in micro-IBM.
    pub fn cap_ibm_micro(&self, unit_count: u32) -> u128 {
        let by_cost = cost_to_ibm_micro(
            u128::from(unit_count) * u128::from(self.max_cost),
            self.reference_rate,
        );
        let by_time = (u128::from(self.ib_micro) * u128::from(self.lease_s)).div_ceil(60);
        by_cost.min(by_time)
    }
}

impl Cover {
    /// Checks that a task of `task_wei` is covered.
    ///
    /// # Errors
    ///
    /// Whose money is short.
    pub fn check(&self, task_wei: U256) -> Result<(), Uncovered> {
        if self.builder_exposure_wei.saturating_add(task_wei) > self.allocation_wei {
            return Err(Uncovered::Allocation);
        }
        let order_wei = self.order_exposure_wei.saturating_add(task_wei);
        let lock_wei = lock_wei(order_wei, self.penalty_multiplier, self.min_lock_wei);
        if self.other_locks_wei.saturating_add(lock_wei) > self.stake_wei {
            return Err(Uncovered::Stake);
        }
        Ok(())
    }
}

/// Returns the largest unit count up to `aim` whose money is covered, found by halving.
///
/// # Errors
///
/// Whose money does not cover even one unit.
pub fn covered_unit_count(
    aim: u32,
    cover: &Cover,
    task_wei: impl Fn(u32) -> U256,
) -> Result<u32, Uncovered> {
    let mut unit_count = aim.max(1);
    loop {
        match cover.check(task_wei(unit_count)) {
            Ok(()) => return Ok(unit_count),
            Err(uncovered) if unit_count == 1 => return Err(uncovered),
            Err(_) => unit_count /= 2,
        }
    }
}

/// Returns what `cost` work units are worth, in micro-IBM, rounded up.
pub fn cost_to_ibm_micro(cost: u128, reference_rate: u64) -> u128 {
    cost.saturating_mul(u128::from(reference_rate))
        .div_ceil(WORK_UNITS_PER_RATE)
}

/// Returns what work costs at a price per IBM, rounded up.
pub fn price_of(ibm_micro: u128, price_wei: U256) -> U256 {
    U256::from(ibm_micro)
        .saturating_mul(price_wei)
        .div_ceil(U256::from(MICRO))
}

/// Returns what a claim's line locks of its worker's stake. A line of nothing is not claimed.
pub fn lock_wei(line_wei: U256, penalty_multiplier: u64, min_lock_wei: U256) -> U256 {
    if line_wei.is_zero() {
        return U256::ZERO;
    }
    line_wei
        .saturating_mul(U256::from(penalty_multiplier))
        .max(min_lock_wei)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: TaskBound = TaskBound {
        max_cost: 2_000_000_000,
        reference_rate: 1_000_000,
        ib_micro: 500_000,
        lease_s: 120,
    };

    fn cover() -> Cover {
        Cover {
            allocation_wei: U256::from(1000),
            builder_exposure_wei: U256::from(600),
            stake_wei: U256::from(900),
            other_locks_wei: U256::from(100),
            order_exposure_wei: U256::from(50),
            penalty_multiplier: 2,
            min_lock_wei: U256::from(300),
        }
    }

    #[test]
    fn a_task_is_capped_by_its_cost_and_by_its_time() {
        assert_eq!(BOUND.cap_ibm_micro(3), 6000);
        assert_eq!(BOUND.cap_ibm_micro(u32::MAX), 1_000_000);
        let odd = TaskBound {
            max_cost: 1,
            ..BOUND
        };
        assert_eq!(odd.cap_ibm_micro(1), 1, "a cap rounds up");
    }

    #[test]
    fn a_task_needs_the_allocation_and_the_stake() {
        assert_eq!(cover().check(U256::from(350)), Ok(()));
        assert_eq!(cover().check(U256::from(351)), Err(Uncovered::Stake));
        assert_eq!(cover().check(U256::from(401)), Err(Uncovered::Allocation));

        let poor = Cover {
            stake_wei: U256::from(399),
            ..cover()
        };
        assert_eq!(
            poor.check(U256::from(1)),
            Err(Uncovered::Stake),
            "a line locks a least sum"
        );
    }

    #[test]
    fn a_task_shrinks_until_it_is_covered() {
        let wei = |unit_count: u32| U256::from(unit_count) * U256::from(100);
        assert_eq!(covered_unit_count(8, &cover(), wei), Ok(2));
        assert_eq!(
            covered_unit_count(1, &cover(), |_| U256::from(401)),
            Err(Uncovered::Allocation)
        );
    }

    #[test]
    fn prices_round_up() {
        assert_eq!(price_of(1, U256::from(3)), U256::from(1));
        assert_eq!(price_of(2_000_000, U256::from(3)), U256::from(6));
    }
}
