//! Who asks for a task: a worker's device, what it may have, and what it holds.

use std::sync::Arc;

use alloy::primitives::{Address, U256, aliases::U96};
use inferix_prover::id::DeviceId;

use super::{
    desk::{Desk, SeenDevice},
    error::ManagerError,
};
use crate::{
    chain::NodeView,
    queue::{JobView, LeaseEntry},
    roles,
};

/// Why a job has nothing for a device, in words.
pub(super) type Reason = String;

/// A worker's device as it asks.
#[derive(Clone, Debug)]
pub(super) struct Applicant {
    pub(super) worker: Address,
    pub(super) device_index: u32,
    pub(super) ib_micro: u64,
    pub(super) node: NodeView,
}

impl Applicant {
    pub(super) fn device_id(&self) -> DeviceId {
        DeviceId::from_parts(self.worker, U96::from(self.device_index))
    }
}

impl Desk {
    /// Reads who asks, and notes that it was seen.
    pub(super) async fn applicant(
        &self,
        worker: Address,
        device_index: u32,
    ) -> Result<Applicant, ManagerError> {
        let node = self.require_role(worker, roles::WORKER, "worker").await?;
        let ib_micro = self.views.device_ib_micro(worker, device_index).await?;
        if ib_micro == 0 {
            return Err(ManagerError::DeviceUnknown {
                worker,
                device_index,
            });
        }
        let device = SeenDevice {
            ib_micro,
            price_wei: node.price_wei,
            seen_at: self.now(),
        };
        self.note_seen(worker, device_index, device);
        Ok(Applicant {
            worker,
            device_index,
            ib_micro,
            node,
        })
    }
}

/// Whether a device may have a job's tasks at all.
pub(super) fn suits(job: &JobView, applicant: &Applicant) -> Result<(), Reason> {
    let signed = &job.entry.signed.job;
    let price_cap_wei: U256 = signed.priceCapWei.to();
    if applicant.node.price_wei > price_cap_wei {
        return Err(format!(
            "the lowest price asked is above the job's cap of {price_cap_wei} wei per IBM"
        ));
    }
    if applicant.ib_micro < signed.minIbMicro {
        return Err(format!(
            "no device has the {} micro-IB that the job asks for",
            signed.minIbMicro
        ));
    }
    Ok(())
}

/// The device's live leases that are neither delivered nor handed back.
pub(super) fn own_leases(
    jobs: &[Arc<JobView>],
    applicant: &Applicant,
    now: u64,
) -> Vec<LeaseEntry> {
    let is_own = |lease: &&LeaseEntry| {
        lease.worker == applicant.worker
            && lease.device_index == applicant.device_index
            && lease.is_live(now)
            && !lease.is_released
    };
    let open = |job: &Arc<JobView>| {
        let is_open =
            |lease: &&LeaseEntry| is_own(lease) && !job.delivered.contains(&lease.units());
        job.leases
            .iter()
            .filter(is_open)
            .cloned()
            .collect::<Vec<_>>()
    };
    jobs.iter().flat_map(open).collect()
}
