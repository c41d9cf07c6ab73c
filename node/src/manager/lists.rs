//! What of a list its worker does not have yet: only that is sent.

use super::{
    desk::Desk,
    orders::{Pair, to_index},
};
use crate::api::types::{KnownList, Lease};

impl Desk {
    /// Leaves out what the worker has of the list, if what it has is the list's beginning.
    pub(super) fn trimmed(&self, mut lease: Lease, known: &[KnownList]) -> Lease {
        let pair = Pair {
            device_id: lease.order.device_id(),
            builder: lease.order.builder,
        };
        let orders = self.orders();
        let list = orders.lists.get(&pair);
        let is_beginning = |known: &&KnownList| {
            let last = known.task_count.checked_sub(1).map(to_index);
            let root = last.and_then(|last| list?.roots.get(last));
            known.builder == pair.builder && root == Some(&known.tasks_root)
        };
        if let Some(known) = known.iter().find(is_beginning) {
            let held = lease.tasks.len().min(to_index(known.task_count));
            lease.tasks.drain(..held);
            lease.tasks_from = u32::try_from(held).unwrap_or(u32::MAX);
        }
        lease
    }
}
