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
    let served = send(sender, ("serve", demand_id), call).await?;
    if let Some(gas_used) = served {
        info!(%demand_id, gas_used, "demand served");
        return Ok(Served::Taken);
    }
    Ok(Served::Refused)
}

/// Sends what moves a demand to the manager, once, as [`serve`] does.
///
/// # Errors
///
/// As [`serve`].
pub(crate) async fn move_duty(
    sender: &Sender,
    demand_id: B256,
    call: Call,
) -> Result<Served, ChainError> {
    let moved = send(sender, ("shift", demand_id), call).await?;
    if let Some(gas_used) = moved {
        info!(%demand_id, gas_used, "demand moved to the manager");
        return Ok(Served::Taken);
    }
    Ok(Served::Refused)
}

/// Returns the gas that it took, or `None` where it was refused.
async fn send(
    sender: &Sender,
    (step, demand_id): (&str, B256),
    call: Call,
) -> Result<Option<u64>, ChainError> {
    match sender.send(&format!("{step}/{demand_id}"), call).await {
        Ok(receipt) => Ok(Some(receipt.gas_used)),
        Err(err) if err.is_retryable() => Err(err),
        Err(err @ (ChainError::Refused(_) | ChainError::Reverted { .. })) => {
            debug!(%demand_id, step, %err, "answer refused: somebody else may have been faster");
            Ok(None)
        }
        Err(err) => {
            error!(%demand_id, step, %err, "demand not answered");
            Ok(None)
        }
    }
}
