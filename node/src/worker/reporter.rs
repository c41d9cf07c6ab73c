//! Sends what the worker computed to the managers, until they have taken it.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Context, Link, WorkerError};
use crate::api::types::ResultReport;

const POLL: Duration = Duration::from_millis(300);
const WAIT_AFTER_FAILURE: Duration = Duration::from_secs(3);

/// Sends queued reports in the order of their units.
#[derive(Debug)]
pub struct Reporter {
    ctx: Arc<Context>,
}

impl Reporter {
    /// Makes the service.
    pub fn new(ctx: Arc<Context>) -> Self {
        Self { ctx }
    }

    /// Runs until canceled.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Store`] if the queue can't be read.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), WorkerError> {
        loop {
            let wait = if self.send_all(&cancel).await? {
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
        if let Some(receipt) = client.deliver(report).await? {
            debug!(task_id = %receipt.receipt.taskId, "receipt");
            self.ctx.book.keep_receipt(&receipt)?;
        }
        Ok(())
    }
}
