//! Where a worker's tasks come from: leases taken up, asked for, checked and handed back.

use std::time::Duration;

use alloy::primitives::{B256, U256};
use inferix_prover::task::Task;
use tracing::{debug, info, warn};
use url::Url;

use super::{
    LeaseRecord, LeaseState, Link, Mode, Terms, Worker, WorkerError, check_lease,
    service::IDLE_POLL,
};
use crate::api::types::{Lease, LeaseRequest, ReleaseRequest};

impl Worker {
    /// A lease that is not done, or a new one; otherwise how long to wait.
    pub(super) async fn next_lease(
        &self,
        mode: Mode,
    ) -> Result<Result<LeaseRecord, Duration>, WorkerError> {
        let mut active: Vec<_> = self.ctx.book.leases()?;
        active.retain(|record| record.state == LeaseState::Active);
        active.sort_by_key(|record| record.task.lease_ends_at);
        if let Some(record) = active.into_iter().next() {
            return Ok(Ok(record));
        }
        if mode == Mode::Drain {
            return Ok(Err(IDLE_POLL));
        }
        self.ctx.anchor_clock().await?;
        if self.ctx.checkpoint_index() == 0 {
            debug!("the chain has no checkpoint yet");
            return Ok(Err(IDLE_POLL));
        }
        let mut wait = Duration::from_secs(30);
        for manager in &self.ctx.managers {
            match self.ask(manager).await? {
                Ok(record) => return Ok(Ok(record)),
                Err(retry_after) => wait = wait.min(retry_after),
            }
        }
        Ok(Err(wait.max(Duration::from_millis(200))))
    }

    /// Asks one manager for a task and checks what it gives.
    async fn ask(&self, manager: &Link) -> Result<Result<LeaseRecord, Duration>, WorkerError> {
        let leases = self.ctx.book.leases()?;
        let request = LeaseRequest {
            device_index: self.ctx.config.worker.device_index,
            held: leases
                .iter()
                .map(|record| record.task.task_id().bytes())
                .collect(),
            known: Vec::new(),
        };
        let reply = match manager.lease(&request, &self.ctx.book).await {
            Ok(reply) => reply,
            Err(err) => {
                warn!(manager = %manager.url(), %err, "manager gave no answer");
                return Ok(Err(Duration::from_secs(5)));
            }
        };
        let Some(lease) = reply.lease else {
            debug!(manager = %manager.url(), reason = reply.reason, "no task");
            return Ok(Err(Duration::from_millis(reply.retry_after_ms)));
        };
        match self.accept(manager.url(), *lease).await? {
            Ok(record) => Ok(Ok(record)),
            Err((task_id, reason)) => {
                warn!(manager = %manager.url(), reason, "lease refused");
                self.hand_back(manager, task_id, reason).await;
                Ok(Err(Duration::from_secs(10)))
            }
        }
    }

    async fn accept(
        &self,
        manager_url: &Url,
        lease: Lease,
    ) -> Result<Result<LeaseRecord, (B256, String)>, WorkerError> {
        let ctx = &self.ctx;
        let (manager, builder) = (lease.order.manager, lease.order.builder);
        let node = ctx.reader.node(manager).await?;
        let allocation = ctx.reader.allocation(builder, manager).await?;
        let known = ctx.book.order(manager, builder)?;
        let unclaimed_ibm_micro = ctx
            .ledger
            .closed()
            .iter()
            .filter(|closed| closed.manager == manager && closed.builder == builder)
            .fold(U256::ZERO, |sum, closed| {
                sum + U256::from(closed.interval.ibm_micro)
            });
        let deployment = ctx.reader.deployment();
        let terms = Terms {
            device_id: ctx.device_id,
            chain_id: deployment.chain_id,
            work_claims: deployment.work_claims,
            manager,
            manager_operator: node.operator,
            price_wei: ctx.node.price_wei,
            now: ctx.now_ms() / 1000,
            cursor: ctx.reader.cursor(ctx.device_id, manager, builder).await?,
            unclaimed_ibm_micro,
            ib_micro: ctx.ib_micro,
            cover_wei: allocation.free_wei.saturating_add(node.free_wei()),
            known_tasks: known.as_ref().map_or(&[], |lease| &lease.tasks),
        };
        match check_lease(&lease, &terms) {
            Ok(task) => {
                info!(
                    task_id = %task.task_id(), job_id = %task.job_id,
                    first_unit = task.first_unit, unit_count = task.unit_count, "task leased"
                );
                Ok(Ok(ctx.book.accept(manager_url, task, lease)?))
            }
            Err(refusal) => {
                let index = usize::try_from(lease.task_index).unwrap_or(usize::MAX);
                let task_id = lease
                    .tasks
                    .get(index)
                    .map(Task::task_id)
                    .unwrap_or_default();
                Ok(Err((task_id.bytes(), refusal.to_string())))
            }
        }
    }

    pub(super) async fn hand_back(&self, manager: &Link, task_id: B256, reason: String) {
        let request = ReleaseRequest { task_id, reason };
        let released = match manager.client().await {
            Ok(client) => client.release(&request).await,
            Err(err) => Err(err),
        };
        if let Err(err) = released {
            debug!(%err, "manager did not take the task back: its lease runs out");
        }
    }
}
