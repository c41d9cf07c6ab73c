//! The main loop: watch, fetch, check, refute.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy::primitives::{Address, B256, U256};
use inferix_gpu::{cpu::CpuExecutor, executor::Executor};
use inferix_prover::{
    blob::ClaimBlob,
    fraud::{ClaimView, Facts, Findings, find},
    typed_data::domain,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{
    Stage, VerifierError, WatchList, Watched, demands, evidence,
    orders::ObservedOrders,
    recheck::{self, Sample, Verdict},
    tally::{Deed, Tally},
};
use crate::{
    blobs::Blobs,
    chain::{ChainError, ClaimStatus, ManagerEndpoints, Reader, Sender, calls},
    config::Config,
    demands::{OPEN_TO_MANAGER, OPEN_TO_WORKER},
    manager::clock::Clock,
    roles,
    store::{Store, Tree},
    wallet::Wallet,
};

/// Places of a claim that are demanded together: each costs a fee until it turns out to be hidden.
const DEMANDS_AT_ONCE: usize = 4;
/// Statuses of a demand, as `IDemands.DemandStatus`.
const DEMAND_NONE: u8 = 0;
const DEMAND_SERVED: u8 = 3;

/// Checks claims and refutes false ones.
#[derive(Debug)]
pub struct Verifier {
    pub(super) config: Config,
    pub(super) account: Address,
    pub(super) wallet: Wallet,
    pub(super) reader: Reader,
    pub(super) sender: Sender,
    pub(super) list: WatchList,
    pub(super) orders: ObservedOrders,
    /// Frauds of managers that were proven, or refused.
    pub(super) accusations: Tree,
    /// Demands of this verifier's that are not at an end.
    open_demands: Tree,
    pub(super) tally: Tally,
    pub(super) endpoints: ManagerEndpoints,
    pub(super) blobs: Blobs,
    executor: Arc<CpuExecutor>,
    secret: B256,
}

impl Verifier {
    /// Opens the data folder and checks the registration.
    ///
    /// # Errors
    ///
    /// Every variant of [`VerifierError`].
    pub async fn open(config: Config, wallet: Wallet) -> Result<Self, VerifierError> {
        let account = config.wallet.owner.unwrap_or_else(|| wallet.address());
        let reader = Reader::connect(&config.chain).await?;
        let node = reader.node(account).await?;
        let key = wallet.address();
        if !node.has_role(roles::VERIFIER) || node.operator != key {
            return Err(VerifierError::NotRegistered { account, key });
        }
        let store = Store::open(&config.data_dir.join("store"))?;
        let chain_id = reader.deployment().chain_id;
        Ok(Self {
            account,
            sender: Sender::open(&config.chain, chain_id, wallet.clone(), &store)?,
            list: WatchList::open(&store)?,
            orders: ObservedOrders::open(&store)?,
            accusations: store.tree("accused managers")?,
            open_demands: store.tree("open demands")?,
            tally: Tally::open(&store)?,
            endpoints: ManagerEndpoints::open(&store, config.chain.confirmations_blocks)?,
            blobs: Blobs::open(&config.data_dir.join("blobs"))?,
            executor: Arc::new(CpuExecutor::new(config.verifier.threads)?),
            secret: secret(&store)?,
            reader,
            wallet,
            config,
        })
    }

    /// Runs until canceled.
    ///
    /// # Errors
    ///
    /// [`VerifierError`] if the verifier's own data fails, or no endpoint answers.
    pub async fn run(&self, cancel: CancellationToken) -> Result<(), VerifierError> {
        info!(account = %self.account, "verifier started");
        self.sender.recover().await?;
        loop {
            self.watch().await?;
            self.follow_demands().await?;
            for watched in self.list.all()? {
                if cancel.is_cancelled() {
                    return Ok(());
                }
                if matches!(watched.stage, Stage::Open | Stage::Accused { .. }) {
                    self.judge(watched).await?;
                }
            }
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(self.config.chain.poll_interval) => {}
            }
        }
    }

    /// Reads claims that were posted since the last look. Blocks that may still be reorganized are read
    /// again.
    async fn watch(&self) -> Result<(), VerifierError> {
        let head = self.reader.head().await?.number;
        metrics::gauge!("inferix_verifier_chain_contact_timestamp_seconds")
            .set(Clock::system().now() as f64);
        let safe = head.saturating_sub(self.config.chain.confirmations_blocks);
        let first = self.reader.deployment().first_block;
        let from = self
            .list
            .read_to()?
            .map_or(first, |block| block.saturating_add(1));
        if from > head {
            return Ok(());
        }
        let posted = self.reader.posted_claims(from, head).await?;
        for claim in &posted {
            info!(claim_id = %claim.claim_id, worker = %claim.header.worker(), "claim seen");
            self.tally.note(Deed::ClaimSeen, claim.claim_id, 1)?;
        }
        Ok(self.list.add(posted, safe.max(from.saturating_sub(1)))?)
    }

    async fn judge(&self, mut watched: Watched) -> Result<(), VerifierError> {
        let state = self.reader.claim_state(&watched.header).await?;
        if state.status != ClaimStatus::Posted {
            watched.stage = match (&watched.stage, state.status) {
                (Stage::Accused { fraud }, ClaimStatus::Rejected) => {
                    self.tally.note(Deed::ClaimRefuted, watched.claim_id, 1)?;
                    Stage::Refuted {
                        fraud: fraud.clone(),
                    }
                }
                (_, status) => Stage::Missed {
                    reason: format!("it was {status:?} already"),
                },
            };
            return Ok(self.list.put(&watched)?);
        }
        let blob = match self.claim_blob(&watched).await? {
            Some(blob) => blob,
            None if self.may_still_come(&watched).await? => {
                debug!(claim_id = %watched.claim_id, "claim blob not found yet");
                return Ok(());
            }
            // Nobody has it: what it should show is demanded.
            None => None,
        };
        let findings = self.find(&watched, blob.as_ref()).await?;
        if !findings.frauds.is_empty() {
            return self.refute(watched, &findings).await;
        }
        self.void(&watched, &findings).await?;
        self.refute_managers(&watched, &findings.manager_frauds)
            .await?;
        if let Some(blob) = &blob {
            self.observe(&watched, blob).await?;
        }
        if !findings.demands.is_empty() {
            return self.demand(watched, &findings).await;
        }
        watched.stage = match &blob {
            Some(blob) => self.recheck(&watched, blob).await?,
            None => Stage::Missed {
                reason: "its blob can't be read".to_owned(),
            },
        };
        if let Stage::Sound { rechecked_units } = watched.stage {
            let (claim_id, units) = (watched.claim_id, u128::from(rechecked_units));
            self.tally.note(Deed::ClaimSound, claim_id, 1)?;
            self.tally.note(Deed::UnitsRechecked, claim_id, units)?;
        }
        if watched.stage != Stage::Open {
            info!(claim_id = %watched.claim_id, stage = ?watched.stage, "claim judged");
        }
        Ok(self.list.put(&watched)?)
    }

    pub(super) async fn find(
        &self,
        watched: &Watched,
        blob: Option<&ClaimBlob>,
    ) -> Result<Findings, VerifierError> {
        let deployment = self.reader.deployment();
        let parameters = self
            .reader
            .parameters_at(watched.header.paramsVersion)
            .await?;
        let mut checkpoints = BTreeMap::new();
        let mut programs = BTreeSet::new();
        for line in blob.iter().flat_map(|blob| &blob.lines) {
            for held in &line.intervals {
                let index = held.interval.checkpoint_index;
                if let std::collections::btree_map::Entry::Vacant(entry) = checkpoints.entry(index)
                {
                    entry.insert(self.reader.checkpoint_time(index).await?);
                }
            }
            for signed in &line.jobs {
                let program_id = signed.job.programId;
                if !programs.contains(&program_id)
                    && self.reader.is_program_live(program_id).await?
                {
                    programs.insert(program_id);
                }
            }
        }
        let other_orders = self.orders.of_managers(&watched.lines)?;
        checkpoints.retain(|_, recorded_at| *recorded_at != 0);
        let facts = Facts {
            domain: &domain(deployment.chain_id, deployment.work_claims),
            drift_seconds: u64::from(parameters.drift),
            checkpoints: &checkpoints,
            live_programs: Some(&programs),
            other_orders: &other_orders,
        };
        let known = demands::answers(&self.reader, &watched.posted()).await?;
        let view = ClaimView {
            header: &watched.header,
            lines: &watched.lines,
            blob,
            known: &known,
        };
        Ok(find(view, facts))
    }

    /// Whether a blob that was not found may still be published: until half of the window is over.
    async fn may_still_come(&self, watched: &Watched) -> Result<bool, VerifierError> {
        let parameters = self
            .reader
            .parameters_at(watched.header.paramsVersion)
            .await?;
        let patience_s = u64::from(parameters.window) / 2;
        Ok(self.reader.head().await?.time < watched.header.postedAt.saturating_add(patience_s))
    }

    /// Demands what a claim hides, a few places at a time, and ends demands that were not served. The
    /// answers are looked at the next time.
    async fn demand(&self, mut watched: Watched, findings: &Findings) -> Result<(), VerifierError> {
        let claim = watched.posted();
        let deployment = self.reader.deployment();
        for found in findings.demands.iter().take(DEMANDS_AT_ONCE) {
            let demand = demands::to_contract(watched.claim_id, found);
            let demand_id = demands::demand_id(&demand);
            let (status, deadline_at) = self.reader.demand_state(demand_id).await?;
            let (step, call) = match status {
                DEMAND_NONE => {
                    self.allow_fee(&watched).await?;
                    ("demand", demands::open(deployment, &claim, &demand)?)
                }
                OPEN_TO_WORKER | OPEN_TO_MANAGER
                    if self.reader.head().await?.time > deadline_at =>
                {
                    ("expire", demands::expire(deployment, &claim, &demand)?)
                }
                _ => continue,
            };
            match self.sender.send(&format!("{step}/{demand_id}"), call).await {
                Ok(_) => {
                    warn!(claim_id = %watched.claim_id, ?found, step, "hidden part of a claim");
                    if status == DEMAND_NONE {
                        self.open_demands.put(demand_id, &true)?;
                        self.tally.note(Deed::DemandOpened, demand_id, 1)?;
                    }
                }
                Err(err) if err.is_retryable() => return Err(err.into()),
                Err(err) => {
                    error!(claim_id = %watched.claim_id, ?found, step, %err, "claim can't be opened");
                    watched.stage = Stage::Missed {
                        reason: err.to_string(),
                    };
                    return Ok(self.list.put(&watched)?);
                }
            }
        }
        Ok(())
    }

    /// Looks at what became of this verifier's demands.
    async fn follow_demands(&self) -> Result<(), VerifierError> {
        for (key, _) in self.open_demands.scan::<bool>(b"")? {
            let demand_id = B256::from_slice(&key);
            let (status, _) = self.reader.demand_state(demand_id).await?;
            if status == DEMAND_SERVED {
                self.tally.note(Deed::DemandServed, demand_id, 1)?;
            }
            if !matches!(status, DEMAND_NONE | OPEN_TO_WORKER | OPEN_TO_MANAGER) {
                self.open_demands.remove(demand_id)?;
            }
        }
        Ok(())
    }

    /// Lets the contract take the fees of the demands that may be needed.
    async fn allow_fee(&self, watched: &Watched) -> Result<(), VerifierError> {
        let key = self.wallet.address();
        let parameters = self
            .reader
            .parameters_at(watched.header.paramsVersion)
            .await?;
        let fee_wei = U256::from(parameters.demandFeeWei);
        let allowed_wei = self.reader.demand_allowance_wei(key).await?;
        if allowed_wei >= fee_wei {
            return Ok(());
        }
        let allowance_wei = fee_wei.saturating_mul(U256::from(100));
        let call = demands::allow(self.reader.deployment(), allowance_wei);
        let intent = format!("allow/{}/{allowed_wei}", watched.claim_id);
        self.sender.send(&intent, call).await?;
        Ok(())
    }

    /// Commits to the first fraud that was found, then proves it.
    async fn refute(&self, mut watched: Watched, findings: &Findings) -> Result<(), VerifierError> {
        let Some(fraud) = findings.frauds.first() else {
            return Ok(());
        };
        let name = format!("{:?}", fraud.predicate());
        let claim_id = watched.claim_id;
        warn!(%claim_id, fraud = name, fraud_count = findings.frauds.len(), "claim is false");
        watched.stage = Stage::Accused {
            fraud: name.clone(),
        };
        self.list.put(&watched)?;

        let deployment = self.reader.deployment();
        let salt = salt(self.secret, claim_id);
        let commitment = evidence::commitment(claim_id, self.account, salt);
        let call = calls::commit_fraud(deployment, commitment);
        let committed = self.sender.send(&format!("commit/{claim_id}"), call).await;
        if let Err(err) = committed {
            return self.lost(watched, err);
        }
        let call = evidence::prove(deployment, &watched.posted(), fraud, self.account, salt)?;
        match self.sender.send(&format!("prove/{claim_id}"), call).await {
            Ok(receipt) => {
                info!(%claim_id, fraud = name, gas_used = receipt.gas_used, "claim refuted");
                let parameters = self.reader.parameters_at(watched.header.paramsVersion);
                let bounty_wei = parameters.await?.bountyWei.to::<u128>();
                self.tally.note(Deed::ClaimRefuted, claim_id, 1)?;
                self.tally.note(Deed::BountyEarned, claim_id, bounty_wei)?;
                watched.stage = Stage::Refuted { fraud: name };
                Ok(self.list.put(&watched)?)
            }
            Err(err) => self.lost(watched, err),
        }
    }

    /// A refusal ends the matter if the claim has come to an end; anything else is tried again.
    fn lost(&self, watched: Watched, err: ChainError) -> Result<(), VerifierError> {
        if err.is_retryable() {
            return Err(err.into());
        }
        error!(claim_id = %watched.claim_id, %err, "fraud proof refused");
        Ok(())
    }

    async fn void(&self, watched: &Watched, findings: &Findings) -> Result<(), VerifierError> {
        for found in &findings.voids {
            let leaf = evidence::voided_leaf(found);
            let intent = format!(
                "void/{}/{}/{}",
                watched.claim_id, leaf.line_index, leaf.index
            );
            let call = evidence::void(self.reader.deployment(), &watched.posted(), found)?;
            match self.sender.send(&intent, call).await {
                Ok(_) if self.tally.note(Deed::LeafVoided, &intent, 1)? => {
                    info!(claim_id = %watched.claim_id, leaf_index = leaf.index, "leaf voided");
                }
                Ok(_) => {}
                Err(err) if err.is_retryable() => return Err(err.into()),
                Err(err) => debug!(%err, "leaf not voided"),
            }
        }
        Ok(())
    }

    /// Executes drawn units again.
    async fn recheck(&self, watched: &Watched, blob: &ClaimBlob) -> Result<Stage, VerifierError> {
        let samples = recheck::draw(
            blob,
            watched.claim_id,
            self.secret,
            self.config.verifier.sample_one_in,
        );
        let mut rechecked_units = 0;
        for sample in samples {
            match self.recheck_one(watched, &sample).await? {
                Verdict::Same => rechecked_units += 1,
                Verdict::Different { computed } => {
                    error!(
                        claim_id = %watched.claim_id, unit_index = sample.claimed.unit_index,
                        claimed = ?sample.claimed, ?computed, "unit's output is wrong"
                    );
                    return Ok(Stage::WrongOutput {
                        unit_index: sample.claimed.unit_index,
                    });
                }
                Verdict::Unknown(reason) => {
                    warn!(claim_id = %watched.claim_id, reason, "unit could not be executed again");
                }
            }
        }
        // A manager that can't be reached now may be later: only the window's half ends the trying.
        if rechecked_units == 0 && self.may_still_come(watched).await? {
            return Ok(Stage::Open);
        }
        Ok(Stage::Sound { rechecked_units })
    }

    async fn recheck_one(
        &self,
        watched: &Watched,
        sample: &Sample,
    ) -> Result<Verdict, VerifierError> {
        let job_id = sample.job.job.job_id();
        let mut signed = None;
        for base in self.manager_urls(watched).await? {
            let found = async { self.client(base).await?.signed_job(job_id).await };
            signed = found.await.ok();
            if signed.is_some() {
                break;
            }
        }
        let Some(signed) = signed else {
            return Ok(Verdict::Unknown(
                "no manager gives the job's input".to_owned(),
            ));
        };
        let Some(input) = self.fetch(signed.input_blob, watched).await? else {
            return Ok(Verdict::Unknown("the job's input was not found".to_owned()));
        };
        let (executor, sample) = (Arc::clone(&self.executor), sample.clone());
        let ran = tokio::task::spawn_blocking(move || {
            let executor: &dyn Executor = executor.as_ref();
            recheck::execute(executor, &sample, &input, &signed.params)
        });
        Ok(ran
            .await
            .unwrap_or_else(|err| Verdict::Unknown(err.to_string())))
    }
}

/// A secret that decides which units are drawn, made once.
fn secret(store: &Store) -> Result<B256, VerifierError> {
    let tree = store.tree("secret")?;
    if let Some(secret) = tree.get("draw")? {
        return Ok(secret);
    }
    let secret = B256::from(rand::random::<[u8; 32]>());
    tree.put("draw", &secret)?;
    Ok(secret)
}

/// The salt of a claim's commitment: the same after a restart, and nobody else's.
fn salt(secret: B256, claim_id: B256) -> B256 {
    let mut bytes = secret.to_vec();
    bytes.extend(claim_id);
    alloy::primitives::keccak256(bytes)
}
