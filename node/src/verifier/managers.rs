//! What managers signed against builders: proven as soon as two claims show it.

use inferix_prover::{
    blob::{BlobLine, ClaimBlob},
    claim::Line,
    fraud::ManagerFraud,
    task::task_tree,
    typed_data::{domain, recover_signer},
};
use tracing::{debug, error, info, warn};

use super::{Stage, Verifier, VerifierError, Watched, evidence, tally::Deed};
use crate::chain::{
    ChainError, ClaimStatus, Refusal, bindings::manager_frauds::IManagerFraudsErrors,
};

impl Verifier {
    /// Proves a manager's frauds, each once. The worker stays paid, so the claim goes on.
    pub(super) async fn refute_managers(
        &self,
        watched: &Watched,
        frauds: &[ManagerFraud],
    ) -> Result<(), VerifierError> {
        for fraud in frauds {
            let intent = intent(watched, fraud);
            if self.accusations.get::<bool>(&intent)?.is_some() {
                continue;
            }
            let claim_id = watched.claim_id;
            warn!(%claim_id, intent, "manager signed against a builder");
            let call = evidence::prove_manager(self.reader.deployment(), &watched.posted(), fraud)?;
            let is_proven = match self.sender.send(&intent, call).await {
                Ok(receipt) => {
                    info!(%claim_id, intent, gas_used = receipt.gas_used, "manager's fraud proven");
                    self.tally.note(Deed::ManagerRefuted, &intent, 1)?;
                    true
                }
                Err(err) if err.is_retryable() => return Err(err.into()),
                Err(err) if was_penalized(&err) => {
                    debug!(%claim_id, intent, "manager's fraud was proven before");
                    false
                }
                Err(err) => {
                    error!(%claim_id, intent, %err, "proof of a manager's fraud refused");
                    false
                }
            };
            self.accusations.put(&intent, &is_proven)?;
        }
        Ok(())
    }

    /// Keeps the orders that a claim shows, and holds them to the claims that were judged before.
    pub(super) async fn observe(
        &self,
        watched: &Watched,
        blob: &ClaimBlob,
    ) -> Result<(), VerifierError> {
        let mut has_new = false;
        for (line, shown) in watched.lines.iter().zip(&blob.lines) {
            if is_shown(line, shown)
                && !self.orders.holds(&shown.order, &shown.tasks)?
                && self.is_signed(line, shown, watched.header.postedAt).await?
            {
                let signature = shown.order_signature;
                has_new |= self.orders.add(&shown.order, signature, &shown.tasks)?;
            }
        }
        if !has_new {
            return Ok(());
        }
        for other in self.list.all()? {
            let is_judged = matches!(other.stage, Stage::Sound { .. } | Stage::WrongOutput { .. });
            let shares_manager = other.lines.iter().any(|line| {
                let managers = watched.lines.iter().map(|line| line.manager);
                managers.into_iter().any(|manager| manager == line.manager)
            });
            if is_judged && shares_manager && other.claim_id != watched.claim_id {
                self.judge_managers(&other).await?;
            }
        }
        Ok(())
    }

    /// Looks at a claim again that was judged before an order was known.
    async fn judge_managers(&self, watched: &Watched) -> Result<(), VerifierError> {
        let state = self.reader.claim_state(&watched.header).await?;
        if state.status != ClaimStatus::Posted || !self.blobs.has(watched.header.blobHash).await? {
            return Ok(());
        }
        let Some(Some(blob)) = self.claim_blob(watched).await? else {
            return Ok(());
        };
        let findings = self.find(watched, Some(&blob)).await?;
        self.refute_managers(watched, &findings.manager_frauds)
            .await
    }

    /// Whether an order is signed by who was the manager's operator when the claim was posted, or is still. That
    /// the chain took the order does not tell it: a blob may hold another signature.
    async fn is_signed(
        &self,
        line: &Line,
        shown: &BlobLine,
        posted_at: u64,
    ) -> Result<bool, VerifierError> {
        let deployment = self.reader.deployment();
        let domain = domain(deployment.chain_id, deployment.work_claims);
        let Ok(signer) = recover_signer(&shown.order, &domain, &shown.order_signature) else {
            return Ok(false);
        };
        let until_at = self.reader.operator_until(line.manager, signer).await?;
        Ok(until_at >= posted_at)
    }
}

/// Whether what a blob says of a line is what the line commits to.
fn is_shown(line: &Line, shown: &BlobLine) -> bool {
    let root = task_tree(&shown.tasks).and_then(|tree| tree.root());
    shown.order.order_hash() == line.orderHash && root == Ok(shown.order.tasksRoot)
}

/// One for each thing that the contract takes money for once.
fn intent(watched: &Watched, fraud: &ManagerFraud) -> String {
    let claim_id = watched.claim_id;
    match fraud {
        ManagerFraud::TaskContradictsJob { line_index, .. } => {
            format!("manager/{claim_id}/{line_index}")
        }
        ManagerFraud::DoubleLease { leaf, .. } => {
            format!("manager/{claim_id}/{}/{}", leaf.line_index, leaf.index)
        }
    }
}

fn was_penalized(err: &ChainError) -> bool {
    matches!(
        err.refusal(),
        Some(Refusal::ManagerFrauds(
            IManagerFraudsErrors::AlreadyPenalized(_)
        ))
    )
}
