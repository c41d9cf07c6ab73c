//! Which jobs a manager takes: pure checks of what a builder signed.

use alloy::{
    primitives::{Address, B256},
    sol_types::Eip712Domain,
};

use super::{
    programs::{self, ProgramError},
    signing::{SignatureRefusal, signer_of},
};
use crate::api::types::SignedJob;

/// A unit's cost at most: a cap of more than this many work units is a typing error.
const MAX_COST_BOUND: u64 = 1 << 52;

/// Units of a job at most: more need a queue that does not hold them in memory.
const UNIT_COUNT_BOUND: u64 = 1 << 32;

/// What a manager holds every job to.
#[derive(Clone, Copy, Debug)]
pub struct JobTerms<'a> {
    /// The manager's account.
    pub manager: Address,
    /// The domain that jobs are signed in.
    pub domain: &'a Eip712Domain,
    /// The rate that the manager signs at.
    pub reference_rate: u64,
    /// Leases are this long at least, in seconds: a job must live longer.
    pub min_lease_s: u64,
}

/// Why a job is not taken.
#[derive(Debug, thiserror::Error)]
pub enum JobRefusal {
    /// It names another manager.
    #[error("the job names manager {got}, this is {needed}")]
    WrongManager {
        /// The manager that it names.
        got: Address,
        /// This one.
        needed: Address,
    },
    /// The builder did not sign it, or for another chain or contract.
    #[error(
        "the job is signed by {signer}, not by its builder {builder}: the builder signs it for this chain"
    )]
    WrongSigner {
        /// Who signed.
        signer: Address,
        /// Who should have.
        builder: Address,
    },
    /// The signature is none.
    #[error("the job's signature is refused")]
    Signature(#[from] SignatureRefusal),
    /// The program does not take the job.
    #[error("the job's program refuses it")]
    Program(#[from] ProgramError),
    /// A root is not that of the region.
    #[error("the {region} region has the root {computed}, the job says {signed}")]
    WrongRoot {
        /// Which region.
        region: &'static str,
        /// The root of the bytes.
        computed: B256,
        /// What the builder signed.
        signed: B256,
    },
    /// The units are not those of the parameters.
    #[error("the job says {signed} units, its parameters make {computed}")]
    WrongUnitCount {
        /// What the builder signed.
        signed: u64,
        /// What the parameters make.
        computed: u64,
    },
    /// The rate is not the manager's.
    #[error(
        "the job's rate is {got} micro-IBM per 10^12 work units, this manager signs at {needed}"
    )]
    WrongRate {
        /// The job's.
        got: u64,
        /// The manager's.
        needed: u64,
    },
    /// A number makes no sense.
    #[error("{field} is {value}, it must be between {min} and {max}")]
    OutOfRange {
        /// Which.
        field: &'static str,
        /// The job's.
        value: u64,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// No lease would fit before the deadline.
    #[error(
        "the deadline {deadline_at} is too near: it must be {min_lease_s} s after {now} at least"
    )]
    DeadlineTooNear {
        /// The job's.
        deadline_at: u64,
        /// The time.
        now: u64,
        /// What a lease takes at least.
        min_lease_s: u64,
    },
}

/// Checks all of a job but its input region.
///
/// # Errors
///
/// Every variant of [`JobRefusal`].
pub fn check(signed: &SignedJob, terms: &JobTerms<'_>, now: u64) -> Result<(), JobRefusal> {
    let job = &signed.job;
    if job.manager != terms.manager {
        return Err(JobRefusal::WrongManager {
            got: job.manager,
            needed: terms.manager,
        });
    }
    let signer = signer_of(job, terms.domain, &signed.signature)?;
    if signer != job.builder {
        return Err(JobRefusal::WrongSigner {
            signer,
            builder: job.builder,
        });
    }
    if job.referenceRate != terms.reference_rate {
        return Err(JobRefusal::WrongRate {
            got: job.referenceRate,
            needed: terms.reference_rate,
        });
    }
    in_range("maxCost", job.maxCost, 1, MAX_COST_BOUND)?;
    in_range("unitCount", job.unitCount, 1, UNIT_COUNT_BOUND)?;
    if job.deadlineAt < now.saturating_add(terms.min_lease_s) {
        let (deadline_at, min_lease_s) = (job.deadlineAt, terms.min_lease_s);
        return Err(JobRefusal::DeadlineTooNear {
            deadline_at,
            now,
            min_lease_s,
        });
    }

    let shape = programs::shape(job.programId, &signed.params)?;
    if shape.unit_count != job.unitCount {
        return Err(JobRefusal::WrongUnitCount {
            signed: job.unitCount,
            computed: shape.unit_count,
        });
    }
    check_root(
        "parameter",
        programs::params_root(&signed.params)?,
        job.paramsRoot,
    )
}

/// Checks that a region is the one that the builder signed.
///
/// # Errors
///
/// [`JobRefusal::WrongRoot`].
pub fn check_root(region: &'static str, computed: B256, signed: B256) -> Result<(), JobRefusal> {
    if computed != signed {
        return Err(JobRefusal::WrongRoot {
            region,
            computed,
            signed,
        });
    }
    Ok(())
}

fn in_range(field: &'static str, value: u64, min: u64, max: u64) -> Result<(), JobRefusal> {
    if !(min..=max).contains(&value) {
        return Err(JobRefusal::OutOfRange {
            field,
            value,
            min,
            max,
        });
    }
    Ok(())
}
