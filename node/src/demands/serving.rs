//! Sending what answers a demand, once.

use alloy::primitives::B256;
use tracing::{debug, error, info};

use crate::chain::{Call, ChainError, Sender};

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// It was taken.
    Taken,
    /// It was refused: most often somebody else was faster.
    Refused,
}

/// Sends what answers a demand, under one intent for each demand: a restart does not send it twice.
///
/// # Errors
///
/// What another try may cure.
pub(crate) async fn serve(
    sender: &Sender,
    demand_id: B256,
    call: Call,
) -> Result<Served, ChainError> {
    match sender.send(&intent(demand_id), call).await {
        Ok(receipt) => {
            info!(%demand_id, gas_used = receipt.gas_used, "demand served");
            Ok(Served::Taken)
        }
        Err(err) if err.is_retryable() => Err(err),
        Err(err @ (ChainError::Refused(_) | ChainError::Reverted { .. })) => {
            debug!(%demand_id, %err, "demand not served: somebody else may have");
            Ok(Served::Refused)
        }
        Err(err) => {
            error!(%demand_id, %err, "demand not served");
            Ok(Served::Refused)
        }
    }
}

fn intent(demand_id: B256) -> String {
    format!("serve/{demand_id}")
}
