//! Jobs that a claim must show and that the worker never had: it refused their leases, or never got them, and their
//! tasks stand in its list all the same.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::Address;
use inferix_prover::{
    id::JobId,
    typed_data::{domain, recover_signer},
};
use tracing::{debug, warn};

use crate::{
    api::{client::ClientError, types::SignedJob},
    worker::Context,
};

/// Asks managers for jobs. One that can't be had is left out: verifiers demand it, and its manager must show it.
pub(super) async fn fetch(
    ctx: &Context,
    missing: &BTreeSet<(Address, JobId)>,
) -> BTreeMap<JobId, SignedJob> {
    let mut found = BTreeMap::new();
    let mut away = BTreeSet::new();
    for (manager, job_id) in missing {
        // One that is away is not waited for again.
        if away.contains(manager) {
            continue;
        }
        match ask(ctx, *manager, *job_id).await {
            Ok(Some(signed)) if is_sound(ctx, &signed, *job_id) => {
                found.insert(*job_id, signed);
            }
            Ok(_) => {
                warn!(%manager, %job_id, "claim does not show a job: its manager has no sound one")
            }
            Err(err) => {
                debug!(%manager, %job_id, %err, "claim does not show a job");
                if err.is_retryable() {
                    away.insert(*manager);
                }
            }
        }
    }
    found
}

async fn ask(
    ctx: &Context,
    manager: Address,
    job_id: JobId,
) -> Result<Option<SignedJob>, ClientError> {
    for link in &ctx.managers {
        let client = match link.client().await {
            Ok(client) if client.manager() == manager => client,
            // Another's being away says nothing about this one.
            Ok(_) | Err(_) => continue,
        };
        return client.signed_job(job_id).await.map(Some);
    }
    Ok(None)
}

/// Whether it is the listed job, with its builder's signature.
fn is_sound(ctx: &Context, signed: &SignedJob, job_id: JobId) -> bool {
    let deployment = ctx.reader.deployment();
    let domain = domain(deployment.chain_id, deployment.work_claims);
    let signature = signed.signature.as_ref().try_into().ok();
    let signer = signature.and_then(|sig| recover_signer(&signed.job, &domain, &sig).ok());
    signed.job.job_id() == job_id && signer == Some(signed.job.builder)
}
