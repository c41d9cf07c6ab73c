//! Each predicate is found on a claim that violates it, with evidence that the contracts accept, and none on
//! honest claims.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]

mod common;

use common::{
    chain::{Chain, SHAPE, attacked, predicates},
    sample::{Rng, Shape, honest},
};
use inferix_prover::{attack::Attack, blob::ClaimBlob, fraud::Predicate};
use proptest::prelude::*;

fn expected(attack: Attack) -> Predicate {
    match attack {
        Attack::InflateTopSum | Attack::InflateNodeSum | Attack::HideNodeSum => Predicate::NodeSum,
        Attack::InflateLeafSum => Predicate::LeafSum,
        Attack::InflateCost | Attack::InflateUnitNodeSum | Attack::InflateUnitSum => {
            Predicate::UnitCost
        }
        Attack::InflateWork | Attack::ExceedMaxCost | Attack::StretchTime => {
            Predicate::LeafArithmetic
        }
        Attack::LeaveCursor | Attack::ForgeTask => Predicate::TaskNotInOrder,
        Attack::TakeForeignUnits | Attack::RepeatUnit => Predicate::UnitsNotTask,
        Attack::RepeatInterval => Predicate::UnitsRepeated,
        Attack::BorrowDevice => Predicate::ForeignDevice,
    }
}

#[test]
fn each_attack_is_found_as_its_predicate() {
    for attack in Attack::ALL {
        if attack == Attack::HideNodeSum {
            continue;
        }
        let findings = Chain::new().find(&attacked(attack, SHAPE, 3));
        assert!(
            predicates(&findings).contains(&expected(attack)),
            "{attack:?}: {findings:#?}"
        );
        assert_eq!(findings.demands, [], "{attack:?}");
    }
}

#[test]
fn an_attack_by_one_lie_is_no_other_fraud() {
    // Some lies can't be told alone: a cost that no units add up to exceeds their bound too.
    for attack in [
        Attack::InflateTopSum,
        Attack::InflateNodeSum,
        Attack::InflateLeafSum,
        Attack::InflateWork,
        Attack::LeaveCursor,
        Attack::ForgeTask,
        Attack::RepeatInterval,
        Attack::BorrowDevice,
    ] {
        let findings = Chain::new().find(&attacked(attack, SHAPE, 3));
        assert_eq!(
            predicates(&findings),
            [expected(attack)].into(),
            "{attack:?}"
        );
        assert_eq!(findings.frauds.len(), 1, "{attack:?}");
    }
}

#[test]
fn every_attack_is_found_with_one_leaf_and_one_unit() {
    let shape = Shape {
        lines: 1,
        tasks: 1,
        intervals_per_task: 1,
        units_per_interval: 1,
    };
    for attack in Attack::ALL {
        let findings = Chain::new().find(&attacked(attack, shape, 5));
        assert!(!findings.frauds.is_empty(), "{attack:?}: {findings:?}");
    }
}

#[test]
fn evidence_for_another_claim_does_not_hold() {
    let claim = attacked(Attack::RepeatInterval, SHAPE, 3);
    let fraud = Chain::new().find(&claim).frauds.remove(0);
    let other = attacked(Attack::RepeatInterval, SHAPE, 4);
    assert!(!fraud.holds(&other.header, &other.lines));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_is_found_on_honest_claims(
        seed in any::<u64>(),
        lines in 1..4_u64,
        tasks in 1..5_u64,
        intervals_per_task in 1..5_u64,
        units_per_interval in 1..7_u64,
    ) {
        let claim = honest(seed, Shape { lines, tasks, intervals_per_task, units_per_interval });
        let findings = Chain::new().find(&claim);
        prop_assert!(findings.is_empty(), "{:?}", findings);
        let read = ClaimBlob::from_bytes(&claim.blob.to_bytes()).unwrap();
        prop_assert_eq!(read, claim.blob);
    }

    #[test]
    fn each_attack_is_found_on_claims_of_any_shape(
        seed in any::<u64>(),
        tasks in 1..4_u64,
        intervals_per_task in 1..6_u64,
        units_per_interval in 1..6_u64,
        pick in 0..Attack::ALL.len(),
    ) {
        let shape = Shape { lines: 2, tasks, intervals_per_task, units_per_interval };
        let attack = Attack::ALL[pick];
        let findings = Chain::new().find(&attacked(attack, shape, seed));
        let is_found = !findings.frauds.is_empty()
            || (attack == Attack::HideNodeSum && !findings.demands.is_empty());
        prop_assert!(is_found, "{:?}: {:?}", attack, findings);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), at in 0..600_usize) {
        let _ = ClaimBlob::from_bytes(&bytes);
        let mut real = honest(1, SHAPE).blob.to_bytes();
        let mut rng = Rng(at as u64);
        for _ in 0..8 {
            let at = (rng.next() as usize) % real.len();
            real[at] ^= 1 << (rng.next() % 8);
        }
        if let Ok(blob) = ClaimBlob::from_bytes(&real) {
            prop_assert_eq!(blob.to_bytes(), real);
        }
    }
}
