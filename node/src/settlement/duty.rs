//! Who answers a demand on a claim: the worker itself, or its manager. Pure.
//!
//! Answering costs a transaction either way. Who shows what was asked gets half of the fee, ends the demand at
//! once and depends on nobody; moving it to the manager earns nothing and holds the claim open for one more
//! window of demands. So the worker shows what it still has, and moves what it has not: its stake is safe in both
//! cases. What it has is what its book names and its disk holds; outputs under receipts go early
//! ([`crate::worker::uncovered`]), because a fast device fills a disk long before its claims end.

use crate::demands::{OPEN_TO_MANAGER, OPEN_TO_WORKER};

/// How a demand is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    /// Show what was asked.
    Serve,
    /// Show the manager's receipt, so that the manager must show what was asked.
    Shift,
    /// Nothing is to be done: it was met, or falls on the manager, who has it.
    Rest,
    /// Nothing can be done: the claim will be lost.
    Lost,
}

/// What decides about a demand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Where it stands, as `IDemands.DemandStatus`.
    pub(super) status: u8,
    /// Whether the worker has what answers it.
    pub(super) has_answer: bool,
    /// Whether it asks for an output of an interval that the worker has a receipt for.
    pub(super) has_receipt: bool,
    /// Whether the contract has refused the worker's answer while nobody else gave one.
    pub(super) was_refused: bool,
}

/// Decides how a demand is met.
pub(super) fn duty(standing: Standing) -> Duty {
    let Standing {
        status,
        has_answer,
        has_receipt,
        was_refused,
    } = standing;
    match status {
        OPEN_TO_WORKER if has_answer && !(was_refused && has_receipt) => Duty::Serve,
        OPEN_TO_WORKER if has_receipt => Duty::Shift,
        OPEN_TO_WORKER => Duty::Lost,
        // It is the manager's, but whoever serves it gets the fee.
        OPEN_TO_MANAGER if has_answer && !was_refused => Duty::Serve,
        _ => Duty::Rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Standing = Standing {
        status: OPEN_TO_WORKER,
        has_answer: true,
        has_receipt: true,
        was_refused: false,
    };

    #[test]
    fn a_worker_shows_what_it_has_and_moves_what_it_has_not() {
        assert_eq!(duty(OPEN), Duty::Serve, "half of the fee is its own");
        let gone = Standing {
            has_answer: false,
            ..OPEN
        };
        assert_eq!(duty(gone), Duty::Shift);
        let bare = Standing {
            has_receipt: false,
            ..gone
        };
        assert_eq!(duty(bare), Duty::Lost);
    }

    #[test]
    fn an_answer_that_the_contract_refused_is_not_the_last_word() {
        let refused = Standing {
            was_refused: true,
            ..OPEN
        };
        assert_eq!(duty(refused), Duty::Shift);
        let bare = Standing {
            has_receipt: false,
            ..refused
        };
        assert_eq!(duty(bare), Duty::Serve, "there is nothing else to try");
    }

    #[test]
    fn what_is_the_managers_is_served_for_the_fee_or_left_to_it() {
        let moved = Standing {
            status: OPEN_TO_MANAGER,
            ..OPEN
        };
        assert_eq!(duty(moved), Duty::Serve);
        let gone = Standing {
            has_answer: false,
            ..moved
        };
        assert_eq!(duty(gone), Duty::Rest);
        for status in [0, 3, 4, 5] {
            assert_eq!(duty(Standing { status, ..OPEN }), Duty::Rest);
        }
    }
}
