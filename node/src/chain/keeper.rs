//! Records checkpoints. Anyone may; a manager's node does, because its workers cite them.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{ChainError, Reader, Sender, calls};

/// Records a checkpoint whenever one is due.
#[derive(Clone, Debug)]
pub struct Keeper {
    reader: Reader,
    sender: Arc<Sender>,
    poll_interval: Duration,
}

impl Keeper {
    /// Makes the service.
    pub fn new(reader: Reader, sender: Arc<Sender>, poll_interval: Duration) -> Self {
        Self {
            reader,
            sender,
            poll_interval,
        }
    }

    /// Runs until canceled. What the chain refuses is tried again.
    pub async fn run(self, cancel: CancellationToken) {
        loop {
            match self.record_if_due().await {
                Ok(()) => {}
                // Somebody else was faster, or the chain is still too short.
                Err(err) if err.refusal().is_some() => debug!(%err, "no checkpoint recorded"),
                Err(err) => warn!(
                    err = format!("{:#}", eyre::Report::new(err)),
                    "no checkpoint recorded"
                ),
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(self.poll_interval) => {}
            }
        }
    }

    async fn record_if_due(&self) -> Result<(), ChainError> {
        let latest = self.reader.latest_checkpoint().await?;
        let (_, parameters) = self.reader.parameters().await?;
        let due_at = latest
            .recorded_at
            .saturating_add(u64::from(parameters.checkpointPeriod));
        if latest.index != 0 && self.reader.head().await?.time < due_at {
            return Ok(());
        }
        let intent = format!("checkpoint/{:010}", latest.index.saturating_add(1));
        self.sender
            .send(&intent, calls::checkpoint(self.reader.deployment()))
            .await?;
        // A record for each period would fill the store over the months.
        self.sender.forget(&intent)
    }
}
