//! Whether a lease may be worked on: a worker that works without a sound order works for nothing.

use alloy::primitives::{Address, B256, U256};
use inferix_prover::{
    id::DeviceId,
    task::{Task, task_tree},
    typed_data::{CompactSignature, Job, WorkOrder, domain, recover_signer},
};

use crate::{api::types::Lease, chain::CursorView};

/// What the worker knows when it looks at a lease.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The device that asked.
    pub device_id: DeviceId,
    /// The chain that messages must be signed for.
    pub chain_id: u64,
    /// The contract that messages must be signed for.
    pub work_claims: Address,
    /// The manager that was asked.
    pub manager: Address,
    /// Its operator, as registered on chain.
    pub manager_operator: Address,
    /// The worker's price per IBM, in wei.
    pub price_wei: U256,
    /// The chain's time, in seconds.
    pub now: u64,
    /// How far this manager's orders for this builder have been claimed.
    pub cursor: CursorView,
    /// Work done under these orders that is not claimed, in micro-IBM.
    pub unclaimed_ibm_micro: U256,
    /// The device's speed, in micro-IB.
    pub ib_micro: u64,
    /// What pays for claims: the builder's free allocation and the manager's free stake, in wei.
    pub cover_wei: U256,
    /// The list of the order before this one.
    pub known_tasks: &'a [Task],
}

/// Why a lease is not worked on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaseRefusal {
    /// The lease is for another worker, manager, builder or job than its parts say.
    #[error("the lease's {part} does not match")]
    Mismatch {
        /// What differs.
        part: &'static str,
    },
    /// A signature is not by who must have signed.
    #[error("the {message} is signed by {signer}, not by {needed}")]
    WrongSigner {
        /// The message.
        message: &'static str,
        /// Who signed.
        signer: Address,
        /// Who must have.
        needed: Address,
    },
    /// Bytes are no signature.
    #[error("the {message} has no valid signature")]
    NoSignature {
        /// The message.
        message: &'static str,
    },
    /// The list does not repeat the list before it.
    #[error("the order's list dropped or changed task {task_index}")]
    NotAppended {
        /// The first task that differs.
        task_index: usize,
    },
    /// The list has another root than the order.
    #[error("the order's list has root {got}, the order names {needed}")]
    WrongRoot {
        /// The list's.
        got: B256,
        /// The order's.
        needed: B256,
    },
    /// The price is below what the worker asked for, or above what the builder signed.
    #[error("the order's price {price_wei} wei is not between {min_wei} and {max_wei}")]
    WrongPrice {
        /// The order's.
        price_wei: U256,
        /// The worker's.
        min_wei: U256,
        /// The job's cap.
        max_wei: U256,
    },
    /// The lease is over, or all but.
    #[error("the lease ends at {ends_at}, and it is {now}")]
    TooShort {
        /// When it ends.
        ends_at: u64,
        /// The chain's time.
        now: u64,
    },
    /// The order's caps are below what its tasks may cost.
    #[error("the order's cap of {cap} {unit} is below the {needed} that its tasks may come to")]
    CapTooLow {
        /// Of what.
        unit: &'static str,
        /// The cap.
        cap: U256,
        /// What is needed.
        needed: U256,
    },
    /// Nobody could pay.
    #[error("allocation and manager's stake of {cover_wei} wei don't cover {needed_wei}")]
    NotCovered {
        /// What is there.
        cover_wei: U256,
        /// What is needed.
        needed_wei: U256,
    },
}

/// Checks a lease.
///
/// # Errors
///
/// Every variant of [`LeaseRefusal`].
pub fn check_lease(lease: &Lease, terms: &Terms<'_>) -> Result<Task, LeaseRefusal> {
    let (order, job) = (&lease.order, &lease.job.job);
    let mismatch = |part| Err(LeaseRefusal::Mismatch { part });
    if order.device_id() != terms.device_id {
        return mismatch("device");
    }
    if order.manager != terms.manager || job.manager != terms.manager {
        return mismatch("manager");
    }
    if order.builder != job.builder {
        return mismatch("builder");
    }
    let index = usize::try_from(lease.task_index).unwrap_or(usize::MAX);
    if lease.tasks_from != 0 {
        return mismatch("list: it goes on from tasks that the worker does not have");
    }
    let Some(task) = lease.tasks.get(index) else {
        return mismatch("task index");
    };
    if lease.task_index < terms.cursor.cursor {
        return mismatch("task index: it is claimed already");
    }
    check_task(task, job, order)?;
    check_list(lease, terms.known_tasks)?;
    check_signatures(lease, terms)?;

    let (price_wei, max_wei) = (U256::from(order.priceWei), U256::from(job.priceCapWei));
    if price_wei < terms.price_wei || price_wei > max_wei {
        return Err(LeaseRefusal::WrongPrice {
            price_wei,
            min_wei: terms.price_wei,
            max_wei,
        });
    }
    if task.lease_ends_at <= terms.now {
        return Err(LeaseRefusal::TooShort {
            ends_at: task.lease_ends_at,
            now: terms.now,
        });
    }
    check_money(lease, task, terms)?;
    Ok(*task)
}

/// Puts what the worker has of a list before what was sent of it, if the two meet. If they don't, the list that
/// is left has another root than the order.
pub(super) fn complete_list(lease: &mut Lease, known: &[Task]) {
    let from = usize::try_from(lease.tasks_from).unwrap_or(usize::MAX);
    if let Some(before) = known.get(..from) {
        lease.tasks.splice(..0, before.iter().copied());
        lease.tasks_from = 0;
    }
}

fn check_task(task: &Task, job: &Job, order: &WorkOrder) -> Result<(), LeaseRefusal> {
    let mismatch = |part| Err(LeaseRefusal::Mismatch { part });
    if task.job_id != job.job_id() {
        return mismatch("job");
    }
    let end = u128::from(task.first_unit) + u128::from(task.unit_count);
    if task.unit_count == 0 || end > u128::from(job.unitCount) {
        return mismatch("range of units");
    }
    if task.max_cost != job.maxCost || task.reference_rate != job.referenceRate {
        return mismatch("rate or maximum cost");
    }
    if task.lease_ends_at > order.leaseEndsAt {
        return mismatch("lease end");
    }
    Ok(())
}

fn check_list(lease: &Lease, known: &[Task]) -> Result<(), LeaseRefusal> {
    let differs = known
        .iter()
        .enumerate()
        .find(|(i, task)| lease.tasks.get(*i) != Some(task));
    if let Some((task_index, _)) = differs {
        return Err(LeaseRefusal::NotAppended { task_index });
    }
    let needed = lease.order.tasksRoot;
    let got = task_tree(&lease.tasks)
        .and_then(|tree| tree.root())
        .unwrap_or_default();
    let is_count_right = usize::try_from(lease.order.taskCount) == Ok(lease.tasks.len());
    if got != needed || !is_count_right {
        return Err(LeaseRefusal::WrongRoot { got, needed });
    }
    Ok(())
}

fn check_signatures(lease: &Lease, terms: &Terms<'_>) -> Result<(), LeaseRefusal> {
    let domain = domain(terms.chain_id, terms.work_claims);
    let check = |message, signer: Result<Address, LeaseRefusal>, needed| match signer? {
        signer if signer == needed => Ok(()),
        signer => Err(LeaseRefusal::WrongSigner {
            message,
            signer,
            needed,
        }),
    };
    let order = compact("order", &lease.order_signature).and_then(|sig| {
        recover_signer(&lease.order, &domain, &sig).map_err(|_| no_signature("order"))
    });
    check("order", order, terms.manager_operator)?;
    let job = compact("job", &lease.job.signature).and_then(|sig| {
        recover_signer(&lease.job.job, &domain, &sig).map_err(|_| no_signature("job"))
    });
    check("job", job, lease.job.job.builder)
}

fn no_signature(message: &'static str) -> LeaseRefusal {
    LeaseRefusal::NoSignature { message }
}

fn compact(message: &'static str, bytes: &[u8]) -> Result<CompactSignature, LeaseRefusal> {
    bytes.try_into().map_err(|_| no_signature(message))
}

/// The caps must reach what was claimed, what was done since, and what the task may come to.
fn check_money(lease: &Lease, task: &Task, terms: &Terms<'_>) -> Result<(), LeaseRefusal> {
    let order = &lease.order;
    let open_micro = terms
        .unclaimed_ibm_micro
        .saturating_add(max_ibm_micro(task, terms));
    let needed_micro = terms.cursor.claimed_ibm_micro.saturating_add(open_micro);
    let cap_micro = U256::from(order.capIbmMicro);
    if cap_micro < needed_micro {
        let unit = "micro-IBM";
        return Err(LeaseRefusal::CapTooLow {
            unit,
            cap: cap_micro,
            needed: needed_micro,
        });
    }
    let open_wei = open_micro.saturating_mul(U256::from(order.priceWei)) / U256::from(1_000_000);
    let needed_wei = terms.cursor.claimed_wei.saturating_add(open_wei);
    let cap_wei = U256::from(order.capWei);
    if cap_wei < needed_wei {
        return Err(LeaseRefusal::CapTooLow {
            unit: "wei",
            cap: cap_wei,
            needed: needed_wei,
        });
    }
    if terms.cover_wei < open_wei {
        return Err(LeaseRefusal::NotCovered {
            cover_wei: terms.cover_wei,
            needed_wei: open_wei,
        });
    }
    Ok(())
}

/// What a task can be paid for at most, in micro-IBM: by its cost, and by what the device computes until
/// the lease ends.
fn max_ibm_micro(task: &Task, terms: &Terms<'_>) -> U256 {
    let by_cost =
        U256::from(task.unit_count) * U256::from(task.max_cost) * U256::from(task.reference_rate)
            / U256::from(1_000_000_000_000_u64);
    let left_s = task.lease_ends_at.saturating_sub(terms.now);
    by_cost.min(U256::from(terms.ib_micro) * U256::from(left_s) / U256::from(60))
}
