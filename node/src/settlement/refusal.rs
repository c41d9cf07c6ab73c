//! What a refused claim waits for, and how long: pure decisions.

use crate::chain::{
    ChainError, Refusal,
    bindings::{
        builder_accounts::IBuilderAccountsErrors, node_registry::INodeRegistryErrors, work_claims,
    },
};

/// The wait after the first refusal, in seconds.
const FIRST_WAIT_S: u64 = 2;
/// The longest wait, in seconds.
const LONGEST_WAIT_S: u64 = 600;
/// One wait takes this part of the time that is left at most, so that some tries remain.
const LEFT_PARTS: u64 = 8;

/// How long a claim waits after its `refusal_count`-th refusal in a row, in seconds: each time twice as long, up
/// to ten minutes, and up to an eighth of the `left_s` seconds in which it can land.
pub(super) fn wait_s(refusal_count: u32, left_s: u64) -> u64 {
    let doublings = refusal_count.saturating_sub(1).min(u64::BITS - 1);
    let grown = FIRST_WAIT_S.saturating_mul(1 << doublings);
    let longest = (left_s / LEFT_PARTS).clamp(FIRST_WAIT_S, LONGEST_WAIT_S);
    grown.min(longest)
}

/// Whether an error says that the contract did not take the call. An endpoint that fails says nothing.
pub(super) fn is_refusal(err: &ChainError) -> bool {
    match err {
        ChainError::Refused(_)
        | ChainError::RefusedUnknown { .. }
        | ChainError::RefusedPlain { .. }
        | ChainError::Reverted { .. } => true,
        ChainError::Rpc(_)
        | ChainError::Answer(_)
        | ChainError::Client(_)
        | ChainError::NotMined { .. }
        | ChainError::BalanceTooLow { .. }
        | ChainError::WrongChain { .. }
        | ChainError::NoContract { .. }
        | ChainError::NoBlock { .. }
        | ChainError::Deployment(_)
        | ChainError::Wallet(_)
        | ChainError::Store(_) => false,
    }
}

/// Whether a refused claim can be posted as it is when time has passed or money has come.
pub(super) fn may_pass_later(refusal: &Refusal) -> bool {
    use work_claims::IWorkClaimsErrors as Error;
    match refusal {
        Refusal::WorkClaims(error) => matches!(
            error,
            Error::ClaimTooEarly(_) | Error::RingFull(_) | Error::EndTooLate(_)
        ),
        Refusal::NodeRegistry(error) => matches!(error, INodeRegistryErrors::FreeStakeTooLow(_)),
        Refusal::BuilderAccounts(error) => matches!(
            error,
            IBuilderAccountsErrors::AllocationTooLow(_)
                | IBuilderAccountsErrors::ManagerStakeTooLow(_)
        ),
        Refusal::Ifx(_)
        | Refusal::Checkpoints(_)
        | Refusal::ProgramRegistry(_)
        | Refusal::DisputeGame(_)
        | Refusal::ExecutionProof(_)
        | Refusal::FraudProofs(_)
        | Refusal::Voids(_)
        | Refusal::ManagerFrauds(_)
        | Refusal::Demands(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use alloy::{primitives::Selector, transports::TransportErrorKind};

    use super::*;

    const LONG_S: u64 = 1_000_000;

    #[test]
    fn waits_grow_and_end_before_the_claim_can_not_land_any_more() {
        let waits: Vec<u64> = (1..=11).map(|count| wait_s(count, LONG_S)).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        assert_eq!(wait_s(u32::MAX, u64::MAX), LONGEST_WAIT_S);
        assert_eq!(wait_s(9, 800), 100);
        assert_eq!(wait_s(9, 0), FIRST_WAIT_S, "it is not tried at every poll");

        // The last try falls into the last eighths of the time.
        let (mut now, mut count) = (0, 0);
        while now < LONG_S {
            count += 1;
            now += wait_s(count, LONG_S - now);
        }
        assert!(count > 1_000 && now - LONG_S <= FIRST_WAIT_S);
    }

    #[test]
    fn an_endpoint_that_fails_refuses_nothing() {
        let selector = Selector::ZERO;
        assert!(is_refusal(&ChainError::RefusedUnknown { selector }));
        let silent = TransportErrorKind::custom_str("connection refused");
        assert!(!is_refusal(&ChainError::Rpc(silent)));
        assert!(!is_refusal(&ChainError::NoBlock { number: 1 }));
    }
}
