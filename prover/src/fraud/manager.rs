//! What a manager signed against a builder.

use std::collections::BTreeMap;

use super::{
    ClaimView, Demand, Facts, Findings, Known, ManagerFraud, TaskEvidence,
    check::{is_contradiction, is_double_lease},
    leaf::{Leaf, OpenLine},
};
use crate::{
    blob::SignedJob,
    id::JobId,
    task::{Task, task_tree},
    typed_data::{CompactSignature, WorkOrder, recover_signer},
};

/// An order that was seen elsewhere: in another worker's claim, or from its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedOrder {
    /// The order.
    pub order: WorkOrder,
    /// Its signature, by who was the manager's operator.
    pub signature: CompactSignature,
    /// Its whole list.
    pub tasks: Vec<Task>,
}

/// Checks the tasks that a line consumes, and the leases of its leaves.
pub(super) fn check(line: &OpenLine<'_>, claim: ClaimView<'_>, facts: Facts<'_>) -> Findings {
    let mut findings = Findings::default();
    check_jobs(line, claim.known, facts, &mut findings);
    check_leases(line, claim, facts, &mut findings);
    findings
}

fn check_jobs(line: &OpenLine<'_>, known: &Known, facts: Facts<'_>, findings: &mut Findings) {
    let line_index = line.index;
    // A signature is checked once for each job, and not for each task.
    let mut signed_jobs: BTreeMap<JobId, bool> = BTreeMap::new();
    for position in line.line.cursorFrom..line.line.cursorTo {
        let Some(task) = line.listed_task(position, known) else {
            // A list may count 2^32 tasks and hide them all: one is asked for at a time.
            findings.demands.push(Demand::Task {
                line_index,
                position,
            });
            return;
        };
        let is_signed = *signed_jobs.entry(task.job_id).or_insert_with(|| {
            let shown = line.jobs.get(&task.job_id).copied();
            let mut shown = shown.into_iter().chain(known.jobs.get(&task.job_id));
            shown.any(|signed| is_signed_by_builder(signed, facts))
        });
        if !is_signed {
            findings.demands.push(Demand::Job {
                line_index,
                position,
            });
        }
        let (Some(job), Some(order)) = (line.job(&task, known), line.order) else {
            continue;
        };
        // The line's whole money is repaid for the first contradiction: a second one adds nothing.
        if !findings.manager_frauds.is_empty() || !is_contradiction(&task, order, job) {
            continue;
        }
        let fraud = line
            .listed(position, known)
            .map(|listed| ManagerFraud::TaskContradictsJob {
                line_index,
                order: order.clone(),
                listed,
                job: job.clone(),
            });
        findings.manager_frauds.extend(fraud);
    }
}

fn is_signed_by_builder(signed: &SignedJob, facts: Facts<'_>) -> bool {
    recover_signer(&signed.job, facts.domain, &signed.signature)
        .is_ok_and(|signer| signer == signed.job.builder)
}

/// A task of some order: when its units begin and end, and where it is listed.
#[derive(Clone, Copy, Debug)]
struct Lease<'a> {
    order: &'a WorkOrder,
    signature: CompactSignature,
    tasks: &'a [Task],
    index: u32,
    task: &'a Task,
    /// Where the furthest of the tasks of this job up to this one ends, in the order of their first units.
    furthest_end: u128,
}

fn check_leases(
    line: &OpenLine<'_>,
    claim: ClaimView<'_>,
    facts: Facts<'_>,
    findings: &mut Findings,
) {
    let by_job = leases_by_job(line, facts);
    for leaf in &line.leaves {
        let Some(leases) = by_job.get(&leaf.interval.job_id) else {
            continue;
        };
        let Some(task) = line.listed_task(leaf.interval.task_index, claim.known) else {
            continue;
        };
        if task.task_id() != leaf.interval.task_id {
            continue;
        }
        let first = u128::from(leaf.interval.first_unit);
        let begin_before =
            leases.partition_point(|lease| u128::from(lease.task.first_unit) < leaf.units_end());
        let fraud = leases[..begin_before]
            .iter()
            .rev()
            .take_while(|lease| lease.furthest_end > first)
            .find(|lease| {
                let leased = (&leaf.interval, &task);
                let other = (lease.order, lease.index, lease.task);
                is_double_lease((claim.header, line.line), leased, other)
            })
            .and_then(|lease| prove_double_lease(line, leaf, claim.known, lease));
        findings.manager_frauds.extend(fraud);
    }
}

/// The manager's leases of each job, in the order of their first units.
fn leases_by_job<'a>(line: &OpenLine<'a>, facts: Facts<'a>) -> BTreeMap<JobId, Vec<Lease<'a>>> {
    let own = line.order.zip(line.blob);
    let own = own.map(|(order, blob)| (order, blob.order_signature, blob.tasks.as_slice()));
    let others = facts
        .other_orders
        .iter()
        .filter(|other| other.order.manager == line.line.manager);
    let others = others.map(|other| (&other.order, other.signature, other.tasks.as_slice()));
    let mut by_job: BTreeMap<JobId, Vec<Lease<'a>>> = BTreeMap::new();
    for (order, signature, tasks) in others.chain(own) {
        for (index, task) in (0..).zip(tasks) {
            let lease = Lease {
                order,
                signature,
                tasks,
                index,
                task,
                furthest_end: 0,
            };
            by_job.entry(task.job_id).or_default().push(lease);
        }
    }
    for leases in by_job.values_mut() {
        leases.sort_by_key(|lease| lease.task.first_unit);
        let mut furthest_end = 0;
        for lease in leases {
            let end = u128::from(lease.task.first_unit) + u128::from(lease.task.unit_count);
            furthest_end = end.max(furthest_end);
            lease.furthest_end = furthest_end;
        }
    }
    by_job
}

fn prove_double_lease(
    line: &OpenLine<'_>,
    leaf: &Leaf<'_>,
    known: &Known,
    lease: &Lease<'_>,
) -> Option<ManagerFraud> {
    let list = task_tree(lease.tasks)
        .ok()
        .filter(|list| list.root() == Ok(lease.order.tasksRoot))?;
    let other = TaskEvidence {
        task: *lease.task,
        index: lease.index,
        top: list.root_preimage().ok()?,
        siblings: list.prove(u64::from(lease.index)).ok()?.siblings,
    };
    Some(ManagerFraud::DoubleLease {
        leaf: line.prove(leaf)?,
        leaf_task: line.listed(leaf.interval.task_index, known)?,
        other_order: lease.order.clone(),
        signature: lease.signature,
        other,
    })
}
