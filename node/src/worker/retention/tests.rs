use alloy::primitives::{Address, U256, aliases::U96};
use inferix_prover::{
    id::{DeviceId, JobId},
    task::Task,
    typed_data::{Job, WorkOrder},
};

use super::*;
use crate::{
    api::types::{Lease, SignedJob},
    chain::calls::{ClaimDraft, LineDraft},
    settlement::Stage,
};

const NOW: u64 = 10_000;
const ENDED_AT: u64 = 9_000;
const LANDS_UNTIL: u64 = 9_500;

fn order() -> WorkOrder {
    WorkOrder {
        manager: Address::repeat_byte(1),
        builder: Address::repeat_byte(2),
        ..WorkOrder::default()
    }
}

fn lease(task_index: u32) -> LeaseRecord {
    let task = Task {
        job_id: JobId::new(B256::with_last_byte(7)),
        first_unit: u64::from(task_index),
        unit_count: 1,
        lease_ends_at: ENDED_AT,
        ..Task::default()
    };
    LeaseRecord {
        manager_url: "http://127.0.0.1:9".parse().unwrap(),
        task,
        task_index,
        lease: Lease {
            task_index,
            tasks: Vec::new(),
            tasks_from: 0,
            order: order(),
            order_signature: Default::default(),
            job: SignedJob {
                job: Job::default(),
                signature: Default::default(),
                input_blob: B256::ZERO,
                params: Default::default(),
            },
        },
        state: LeaseState::Ended,
    }
}

fn claim(consumed: std::ops::Range<u32>, stage: Stage, askable_until: u64) -> ClaimRecord {
    let line = LineDraft {
        order: order(),
        signature: Default::default(),
        cursor_to: consumed.end,
        top_hash: B256::ZERO,
        leaf_count: 1,
        sum_ibm_micro: U96::ZERO,
    };
    ClaimRecord {
        draft: ClaimDraft {
            device_id: DeviceId::default(),
            seq: 1,
            start_ms: 0,
            end_ms: 0,
            blob_hash: B256::ZERO,
            lines: vec![line],
        },
        through_seq: 1,
        value_wei: U256::ZERO,
        cursors_from: vec![consumed.start],
        askable_until,
        refusal_count: 0,
        retry_at: 0,
        stage,
        gas_used: 0,
    }
}

/// The places in the list of the tasks that go.
fn gone(leases: &[LeaseRecord], claims: &[ClaimRecord], lands_until: u64) -> Vec<u32> {
    let none = BTreeSet::new();
    let shelf = Shelf {
        leases,
        claims,
        journaled: &BTreeSet::new(),
        unsent: &none,
        lands_until: &BTreeMap::from([(order_key(&order()), lands_until)]),
        now: NOW,
    };
    let gone = forgettable(&shelf);
    let places = leases
        .iter()
        .filter(|record| gone.contains(&record.task.task_id()));
    places.map(|record| record.task_index).collect()
}

fn paid() -> Stage {
    Stage::Final {
        paid_wei: U256::ZERO,
    }
}

#[test]
fn a_task_goes_when_its_claim_can_not_be_asked_about_any_more() {
    let leases = [0, 1, 2, 3].map(lease);
    let later = NOW + 1_000;
    let first = |stage, askable_until| {
        [
            claim(0..2, stage, askable_until),
            claim(2..3, paid(), later),
        ]
    };
    // The third task's claim may be asked about, and the fourth can still be claimed.
    assert_eq!(gone(&leases, &first(paid(), NOW), later), [0, 1]);
    assert_eq!(gone(&leases, &first(Stage::Rejected, NOW), later), [0, 1]);
    assert!(gone(&leases, &first(paid(), NOW + 1), later).is_empty());
    assert!(gone(&leases, &first(Stage::Drafted, 0), later).is_empty());
    let posted = Stage::Posted {
        header: Default::default(),
        lines: Vec::new(),
        block_number: 1,
    };
    // A demand can hold a claim open past the time in which it could be asked about.
    assert!(gone(&leases, &first(posted, NOW), later).is_empty());
}

#[test]
fn a_task_that_no_claim_consumed_goes_when_its_order_can_not_land() {
    let leases = [lease(0)];
    assert!(gone(&leases, &[], NOW + 1).is_empty());
    assert_eq!(gone(&leases, &[], LANDS_UNTIL), [0]);
    let dropped = Stage::Dropped {
        reason: String::new(),
    };
    let claims = [claim(0..1, dropped, 0)];
    assert!(gone(&leases, &claims, NOW + 1).is_empty());
}

#[test]
fn a_task_stays_while_it_is_leased_or_its_work_is_here() {
    let claims = [claim(0..9, paid(), NOW)];
    let active = LeaseRecord {
        state: LeaseState::Active,
        ..lease(0)
    };
    assert!(gone(&[active], &claims, LANDS_UNTIL).is_empty());
    let mut live = lease(0);
    live.task.lease_ends_at = NOW;
    assert!(gone(&[live], &claims, LANDS_UNTIL).is_empty());

    let leases = [0, 1, 2].map(lease);
    let task_id = |index: usize| leases[index].task.task_id();
    let gone = forgettable(&Shelf {
        leases: &leases,
        claims: &claims,
        journaled: &BTreeSet::from([task_id(0)]),
        unsent: &BTreeSet::from([task_id(1).bytes()]),
        lands_until: &BTreeMap::new(),
        now: NOW,
    });
    assert_eq!(gone, [task_id(2)]);
}

#[test]
fn outputs_stay_until_receipts_cover_each_of_their_units() {
    let task = B256::with_last_byte;
    let outputs = |task_id, first_unit, unit_count, blob| {
        let stored = StoredOutputs {
            first_unit,
            unit_count,
            blob: B256::with_last_byte(blob),
        };
        (task(task_id), stored)
    };
    // The third was cut by the end of an interval, as a crash can do.
    let outputs = [
        outputs(1, 0, 4, 11),
        outputs(1, 4, 4, 12),
        outputs(1, 6, 4, 13),
        outputs(2, 0, 4, 14),
    ];
    let left = |covered: &[(B256, Range<u64>)]| -> Vec<u8> {
        let left = uncovered(&outputs, covered).into_iter();
        left.map(|blob| blob[31]).collect()
    };
    assert_eq!(left(&[]), [11, 12, 13, 14]);
    assert_eq!(left(&[(task(1), 0..8)]), [13, 14]);
    assert_eq!(left(&[(task(1), 0..8), (task(1), 8..10)]), [14]);
    assert_eq!(left(&[(task(2), 1..4)]), [11, 12, 13, 14]);
}
