//! The work orders that a manager signed: one append-only list for each worker's device and builder.
//!
//! An order is kept before it leaves. It repeats its list and adds one task; its caps are what the chain
//! says was claimed, and what the tasks behind the cursor can still cost. An older order of the same list
//! stays valid on chain, so nothing here may shrink a promise: a task counts for its cap until it is claimed,
//! or delivered, or until no order that lists it can be claimed.
//!
//! # Layout
//!
//! The tree `orders`: `device ‖ builder ‖ 0` the last order, `device ‖ builder ‖ 1 ‖ index` a listed task.
//! An order and its last task are one write. Orders that a newer one replaced stand in `past_orders.rs`.

use std::collections::BTreeMap;

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    sol_types::Eip712Domain,
};
use inferix_prover::{
    U96,
    id::{DeviceId, TaskId},
    sum_tree::SumTreeError,
    task::Task,
    typed_data::WorkOrder,
};

use super::{
    cover::{lock_wei, price_of},
    lists::{Head, List, ListedTask, Record, to_index},
    past_orders,
};
use crate::{
    chain::CursorView,
    store::{Store, StoreError, Tree},
    wallet::{Wallet, WalletError},
};

/// A worker's device and the builder that it works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The device.
    pub device_id: DeviceId,
    /// The builder.
    pub builder: Address,
}

/// Why an order was not signed.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// A number does not fit the signed struct.
    #[error("the order for worker {worker} would promise more than 96 bits hold")]
    TooLarge {
        /// The worker.
        worker: Address,
    },
    /// The list takes no more tasks.
    #[error("the list of worker {worker} can't take another task")]
    ListFull {
        /// The worker.
        worker: Address,
        /// Why.
        #[source]
        source: SumTreeError,
    },
    /// The key failed.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An order with what its worker needs to use it.
#[derive(Clone, Debug)]
pub struct SignedOrder {
    /// What is signed.
    pub order: WorkOrder,
    /// The manager's signature of it.
    pub signature: Bytes,
    /// The whole list.
    pub tasks: Vec<Task>,
}

/// All orders of one manager.
#[derive(Debug)]
pub struct OrderBook {
    pub(super) tree: Tree,
    manager: Address,
    domain: Eip712Domain,
    pub(super) lists: BTreeMap<Pair, List>,
    places: BTreeMap<TaskId, (Pair, u32)>,
}

impl OrderBook {
    /// Opens the book as the last write left it.
    ///
    /// # Errors
    ///
    /// [`OrderError::Store`], [`OrderError::ListFull`].
    pub fn open(store: &Store, manager: Address, domain: Eip712Domain) -> Result<Self, OrderError> {
        let tree = store.tree("orders")?;
        let mut book = Self {
            tree,
            manager,
            domain,
            lists: BTreeMap::new(),
            places: BTreeMap::new(),
        };
        for (key, record) in book.tree.scan::<Record>(b"")? {
            if past_orders::is_key(&key) {
                continue;
            }
            let pair = Pair::from_key(&key);
            match record {
                Record::Order(head) => book.lists.entry(pair).or_default().head = Some(head),
                Record::Task(listed) => book.list(pair, listed)?,
            }
        }
        Ok(book)
    }

    /// Adds a task to a list, signs the order that covers it, and keeps both.
    ///
    /// # Errors
    ///
    /// Every variant of [`OrderError`]; then the list is as before.
    pub fn append(
        &mut self,
        pair: Pair,
        task: Task,
        terms: AppendTerms,
        wallet: &Wallet,
    ) -> Result<SignedOrder, OrderError> {
        let listed = ListedTask {
            task,
            cap_ibm_micro: terms.cap_ibm_micro,
            delivered_cost: None,
        };
        let order = self.order_with(pair, &listed, &terms)?;
        let signature = Bytes::copy_from_slice(&wallet.sign_message(&order, &self.domain)?);
        let head = Head {
            order: order.clone(),
            signature: signature.clone(),
        };

        let index = order.taskCount.saturating_sub(1);
        self.tree.put_all([
            (pair.task_key(index), &Record::Task(listed)),
            (pair.head_key(), &Record::Order(head.clone())),
            (
                past_orders::key(order.order_hash()),
                &Record::Order(head.clone()),
            ),
        ])?;
        self.list(pair, listed)?;
        let list = self.lists.entry(pair).or_default();
        list.head = Some(head);
        Ok(SignedOrder {
            order,
            signature,
            tasks: list.tasks.iter().map(|listed| listed.task).collect(),
        })
    }

    /// Returns the last order of a list.
    pub fn signed(&self, pair: Pair) -> Option<SignedOrder> {
        let list = self.lists.get(&pair)?;
        let head = list.head.clone()?;
        let tasks = list.tasks.iter().map(|listed| listed.task).collect();
        Some(SignedOrder {
            order: head.order,
            signature: head.signature,
            tasks,
        })
    }

    /// Returns a task's list and its place there.
    pub fn place(&self, task_id: TaskId) -> Option<(Pair, u32)> {
        self.places.get(&task_id).copied()
    }

    /// Notes how far the chain says that a list was claimed. Only forward: views may arrive out of order.
    pub fn set_cursor(&mut self, pair: Pair, cursor: CursorView) {
        let list = self.lists.entry(pair).or_default();
        if cursor.cursor >= list.cursor.cursor {
            list.cursor = cursor;
        }
    }

    /// Notes that a worker delivered all units of a task, and what they cost together.
    pub fn set_delivered(&mut self, task_id: TaskId, cost: u64) {
        let Some((pair, index)) = self.place(task_id) else {
            return;
        };
        let listed = self
            .lists
            .get_mut(&pair)
            .and_then(|list| list.tasks.get_mut(to_index(index)));
        if let Some(listed) = listed {
            listed.delivered_cost = Some(cost);
        }
    }

    /// Returns the price at which the next order of a list is signed: while tasks are not claimed, the price
    /// that they were leased at, since an order has one price.
    pub fn price_wei(&self, pair: Pair, asked_wei: U256) -> U256 {
        let list = self.lists.get(&pair);
        let open = list
            .filter(|list| !list.open_tasks().is_empty())
            .and_then(|list| list.head.as_ref());
        open.map_or(asked_wei, |head| {
            head.order.priceWei.to::<U256>().min(asked_wei)
        })
    }

    /// Returns the highest price of the last orders of a worker's devices for a builder.
    pub fn last_price_wei(&self, worker: Address, builder: Address) -> U256 {
        let is_asked = |pair: &Pair| pair.worker() == worker && pair.builder == builder;
        let lists = self.lists.iter().filter(|(pair, _)| is_asked(pair));
        let heads = lists.filter_map(|(_, list)| list.head.as_ref());
        heads
            .map(|head| head.order.priceWei.to())
            .max()
            .unwrap_or_default()
    }

    /// Returns what a list can still cost its builder when another task joins it at `price_wei`.
    pub fn revived_exposure_wei(&self, pair: Pair, price_wei: U256) -> U256 {
        self.lists.get(&pair).map_or(U256::ZERO, |list| {
            price_of(list.open_ibm_micro(), price_wei)
        })
    }

    /// Returns what the orders that are not claimed can still cost a builder, on all devices but one.
    pub fn builder_exposure_wei(
        &self,
        builder: Address,
        except: Option<DeviceId>,
        claimable_from: u64,
    ) -> U256 {
        let is_counted = |pair: &Pair| pair.builder == builder && Some(pair.device_id) != except;
        let lists = self.lists.iter().filter(|(pair, _)| is_counted(pair));
        lists
            .map(|(_, list)| list.exposure_wei(claimable_from))
            .fold(U256::ZERO, U256::saturating_add)
    }

    /// Returns what claims of a worker's other orders than `pair`'s would lock.
    pub fn other_locks_wei(&self, pair: Pair, terms: &LockTerms) -> U256 {
        self.lists
            .iter()
            .filter(|(other, _)| other.worker() == pair.worker() && **other != pair)
            .map(|(_, list)| list.exposure_wei(terms.claimable_from))
            .map(|wei| lock_wei(wei, terms.penalty_multiplier, terms.min_lock_wei))
            .fold(U256::ZERO, U256::saturating_add)
    }

    /// Returns the lists that hold tasks which can still be claimed.
    pub fn open_pairs(&self, claimable_from: u64) -> Vec<Pair> {
        let open = self
            .lists
            .iter()
            .filter(|(_, list)| list.is_claimable(claimable_from));
        open.map(|(pair, _)| *pair).collect()
    }

    /// Composes the order that a list would have with one more task.
    fn order_with(
        &self,
        pair: Pair,
        added: &ListedTask,
        terms: &AppendTerms,
    ) -> Result<WorkOrder, OrderError> {
        let too_large = || OrderError::TooLarge {
            worker: pair.worker(),
        };
        let empty = List::default();
        let list = self.lists.get(&pair).unwrap_or(&empty);
        let mut peaks = list.peaks.clone();
        let full = |source| OrderError::ListFull {
            worker: pair.worker(),
            source,
        };
        peaks.append(added.task.leaf()).map_err(full)?;

        let open_ibm_micro = list.open_ibm_micro().saturating_add(added.cap_ibm_micro);
        let ibm_micro = list
            .cursor
            .claimed_ibm_micro
            .saturating_add(U256::from(open_ibm_micro));
        let wei = list
            .cursor
            .claimed_wei
            .saturating_add(price_of(open_ibm_micro, terms.price_wei));
        let ends = list
            .open_tasks()
            .iter()
            .map(|listed| listed.task.lease_ends_at);
        Ok(WorkOrder {
            manager: self.manager,
            deviceId: pair.device_id.bytes(),
            builder: pair.builder,
            tasksRoot: peaks.root().map_err(full)?,
            taskCount: u32::try_from(peaks.leaf_count()).map_err(|_| too_large())?,
            capIbmMicro: to_u96(ibm_micro).ok_or_else(too_large)?,
            capWei: to_u96(wei).ok_or_else(too_large)?,
            priceWei: to_u96(terms.price_wei).ok_or_else(too_large)?,
            leaseEndsAt: ends.fold(added.task.lease_ends_at, u64::max),
        })
    }

    fn list(&mut self, pair: Pair, listed: ListedTask) -> Result<(), OrderError> {
        let list = self.lists.entry(pair).or_default();
        let full = |source| OrderError::ListFull {
            worker: pair.worker(),
            source,
        };
        let index = u32::try_from(list.tasks.len()).map_err(|_| OrderError::TooLarge {
            worker: pair.worker(),
        })?;
        list.peaks.append(listed.task.leaf()).map_err(full)?;
        list.roots.push(list.peaks.root().map_err(full)?);
        list.tasks.push(listed);
        self.places.insert(listed.task.task_id(), (pair, index));
        Ok(())
    }
}

/// What a task joins a list at.
#[derive(Clone, Copy, Debug)]
pub struct AppendTerms {
    /// The most that the task can be paid for, in micro-IBM.
    pub cap_ibm_micro: u128,
    /// The price per IBM of the order.
    pub price_wei: U256,
}

/// What claims lock, and which orders can still be claimed.
#[derive(Clone, Copy, Debug)]
pub struct LockTerms {
    /// Orders whose lease ended before this can't be claimed any more, Unix time in seconds.
    pub claimable_from: u64,
    /// How many times a line's money its claim locks.
    pub penalty_multiplier: u64,
    /// What a line locks at least.
    pub min_lock_wei: U256,
}

fn to_u96(value: U256) -> Option<U96> {
    (value.bit_len() <= 96).then(|| value.to())
}

impl Pair {
    /// Who is paid for what the device does.
    pub fn worker(self) -> Address {
        self.device_id.owner()
    }

    fn head_key(self) -> Vec<u8> {
        let device = self.device_id.bytes();
        [device.as_slice(), self.builder.as_slice(), &[0]].concat()
    }

    fn task_key(self, index: u32) -> Vec<u8> {
        let device = self.device_id.bytes();
        [
            device.as_slice(),
            self.builder.as_slice(),
            &[1],
            &index.to_be_bytes(),
        ]
        .concat()
    }

    fn from_key(key: &[u8]) -> Self {
        Self {
            device_id: DeviceId::new(key.get(0..32).map(B256::from_slice).unwrap_or_default()),
            builder: key.get(32..52).map(Address::from_slice).unwrap_or_default(),
        }
    }
}
