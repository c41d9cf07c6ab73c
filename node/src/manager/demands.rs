//! Serves the demands that fall on the manager: one that is not served in time costs it the line.
//!
//! A job is the manager's to show from the start; an output, once somebody has shown its receipt. What is
//! asked on the manager's lines is written down, and looked at until its deadline is over.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alloy::{
    primitives::{B256, Bytes},
    sol_types::SolValue,
};
use inferix_prover::claim::{ClaimHeader, Line};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{desk::Desk, error::ManagerError};
use crate::{
    chain::{Call, ChainError, PostedClaim, Reader, Sender, bindings::demands as sol},
    config::ChainConfig,
    demands::{
        AnswerError, DemandFeed, OPEN_TO_MANAGER, OpenedDemand, Question, Served, answer, serve,
    },
    store::{Store, Tree},
};

/// `IDemands.DemandKind.Job`.
const JOB: u8 = 5;
/// `IDemands.DemandKind.Output`.
const OUTPUT: u8 = 6;

/// Serves demands on the lines of one manager.
#[derive(Debug)]
pub struct DemandServer {
    desk: Arc<Desk>,
    reader: Reader,
    sender: Arc<Sender>,
    feed: DemandFeed,
    asked: Tree,
    poll_interval: Duration,
    /// Demands that could not be served: each is told once.
    told: Mutex<BTreeSet<B256>>,
}

/// A demand on one of the manager's lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asked {
    /// The ABI's bytes.
    demand: Bytes,
    header: ClaimHeader,
    lines: Vec<Line>,
    claim_block: u64,
    block_number: u64,
    deadline_at: u64,
}

impl DemandServer {
    /// Makes the service.
    ///
    /// # Errors
    ///
    /// [`ManagerError::Chain`], [`ManagerError::Store`].
    pub fn new(
        desk: Arc<Desk>,
        (reader, sender): (Reader, Arc<Sender>),
        store: &Store,
        config: &ChainConfig,
    ) -> Result<Self, ManagerError> {
        Ok(Self {
            desk,
            reader,
            sender,
            feed: DemandFeed::open(store, config.confirmations_blocks)?,
            asked: store.tree("demands")?,
            poll_interval: config.poll_interval,
            told: Mutex::default(),
        })
    }

    /// Runs until canceled. Failures are tried again.
    pub async fn run(&self, cancel: CancellationToken) {
        loop {
            if let Err(err) = self.step().await {
                warn!(
                    err = format!("{:#}", eyre::Report::new(err)),
                    "demands not looked at, it is tried again"
                );
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(self.poll_interval) => {}
            }
        }
    }

    async fn step(&self) -> Result<(), ManagerError> {
        let (opened, read_to) = self.feed.look(&self.reader).await?;
        for opened in &opened {
            self.note(opened).await?;
        }
        self.feed.mark(read_to)?;

        for (key, asked) in self.asked.scan::<Asked>(b"")? {
            let demand_id = B256::from_slice(&key);
            // One that fails must not hold up the others.
            if let Err(err) = self.attend(demand_id, &asked).await {
                warn!(
                    %demand_id,
                    err = format!("{:#}", eyre::Report::new(err)),
                    "demand not attended to, it is tried again"
                );
            }
        }
        Ok(())
    }

    /// Writes a demand down that is the manager's to serve, or may become so.
    async fn note(&self, opened: &OpenedDemand) -> Result<(), ManagerError> {
        let demand = &opened.demand;
        let is_known = self.asked.get::<Asked>(opened.demand_id)?.is_some();
        if is_known || !matches!(demand.kind, JOB | OUTPUT) {
            return Ok(());
        }
        let claim = self
            .reader
            .posted_claim_before(demand.claimId, opened.block_number)
            .await?;
        let Some(claim) = claim else { return Ok(()) };
        let line = claim.lines.get(usize::from(demand.lineIndex));
        if line.is_none_or(|line| line.manager != self.desk.account()) {
            return Ok(());
        }
        warn!(claim_id = %demand.claimId, kind = demand.kind, deadline_at = opened.deadline_at, "demand on a line of this manager");
        let asked = Asked {
            demand: demand.abi_encode().into(),
            header: claim.header,
            lines: claim.lines,
            claim_block: claim.block_number,
            block_number: opened.block_number,
            deadline_at: opened.deadline_at,
        };
        Ok(self.asked.put(opened.demand_id, &asked)?)
    }

    /// Serves a demand if it is the manager's to serve, and forgets it once nothing can come of it. What was
    /// served may be reorganized away until then.
    async fn attend(&self, demand_id: B256, asked: &Asked) -> Result<(), ManagerError> {
        let (status, deadline_at) = self.reader.demand_state(demand_id).await?;
        let deadline_at = deadline_at.max(asked.deadline_at);
        let is_over = self.reader.head().await?.time > deadline_at;
        if is_over {
            if status == OPEN_TO_MANAGER {
                error!(%demand_id, deadline_at, "demand was not served in time: the line's money is lost");
            }
            return Ok(self.asked.remove(demand_id)?);
        }
        if status != OPEN_TO_MANAGER {
            return Ok(());
        }
        match self.compose(demand_id, asked).await? {
            Ok(call) => {
                if serve(&self.sender, demand_id, call).await? == Served::Taken {
                    metrics::counter!("inferix_demands_served_total").increment(1);
                }
            }
            Err(AnswerError::Chain(err)) => return Err(err.into()),
            Err(err) => self.tell_once(demand_id, deadline_at, &err),
        }
        Ok(())
    }

    /// Builds the call that answers.
    async fn compose(
        &self,
        demand_id: B256,
        asked: &Asked,
    ) -> Result<Result<Call, AnswerError>, ManagerError> {
        let demand = sol::Demand::abi_decode(&asked.demand)
            .map_err(|err| ChainError::Answer(Box::new(err.into())))?;
        let claim = PostedClaim {
            claim_id: demand.claimId,
            header: asked.header.clone(),
            lines: asked.lines.clone(),
            block_number: asked.claim_block,
        };
        let (line, shown, output) = if demand.kind == OUTPUT {
            let head = self.reader.head().await?.number;
            let shifts = self
                .reader
                .demand_shifts(demand_id, asked.block_number, head);
            let shifts = shifts.await?;
            match self.desk.receipted_output(&claim, &demand, &shifts).await? {
                Ok((line, shown, output)) => (line, Some(shown), Some(output)),
                Err(err) => return Ok(Err(err)),
            }
        } else {
            match self.desk.listed_line(&claim, &demand).await? {
                Ok(line) => (line, None, None),
                Err(err) => return Ok(Err(err)),
            }
        };
        Ok(answer(&Question {
            deployment: self.reader.deployment(),
            claim: &claim,
            demand: &demand,
            line: &line,
            shown: shown.as_ref(),
            output: output.as_deref(),
            payee: self.desk.account(),
        }))
    }

    fn tell_once(&self, demand_id: B256, deadline_at: u64, err: &AnswerError) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(demand_id) {
            error!(%demand_id, deadline_at, %err, "demand can't be served: the line's money will be lost");
        }
    }
}
