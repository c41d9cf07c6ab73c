//! Sends what the worker computed to the managers until they have taken it, and gets their receipts.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Context, Link, WorkerError, collector::Collector};
use crate::api::types::ResultReport;

const POLL: Duration = Duration::from_millis(300);
const WAIT_AFTER_FAILURE: Duration = Duration::from_secs(3);

/// Sends queued reports in the order of their units, and asks for the receipts of closed intervals.
#[derive(Debug)]
pub struct Reporter {
    ctx: Arc<Context>,
    collector: Collector,
}

impl Reporter {
    /// Makes the service.
    pub fn new(ctx: Arc<Context>) -> Self {
        Self {
            collector: Collector::new(Arc::clone(&ctx)),
            ctx,
        }
    }

    /// Runs until canceled.
    ///
    /// # Errors
    ///
    /// [`WorkerError`] if the worker's own data or the chain fails.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), WorkerError> {
        loop {
            let wait = if self.send_all(&cancel).await? && self.collector.collect().await? {
                POLL
            } else {
                WAIT_AFTER_FAILURE
            };
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends all that is queued. Returns whether every manager could be reached.
    async fn send_all(&self, cancel: &CancellationToken) -> Result<bool, WorkerError> {
        for (url, report) in self.ctx.book.reports()? {
            if cancel.is_cancelled() {
                return Ok(true);
            }
            let Some(manager) = self.ctx.manager(&url) else {
                warn!(manager = %url, task_id = %report.task_id, "report is of a manager that is not configured any more");
                self.ctx.book.drop_report(&report)?;
                continue;
            };
            match self.send(manager, &report).await {
                Ok(()) => self.ctx.book.drop_report(&report)?,
                Err(WorkerError::Client(err)) if err.is_retryable() => {
                    debug!(manager = %url, %err, "report not taken yet");
                    return Ok(false);
                }
                Err(WorkerError::Client(err)) => {
                    // The work is journaled and is claimed all the same: the order covers it.
                    warn!(manager = %url, task_id = %report.task_id, %err, "report refused");
                    self.ctx.book.drop_report(&report)?;
                }
                Err(err) => return Err(err),
            }
        }
        Ok(true)
    }

    async fn send(&self, manager: &Link, report: &ResultReport) -> Result<(), WorkerError> {
        let outputs = self.ctx.blobs.get(report.output_blob).await?;
        let client = manager.client().await?;
        client.send_blob(outputs).await?;
        Ok(client.deliver(report).await?)
    }
}
