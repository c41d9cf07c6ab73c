//! The claim blob: everything that a verifier needs to re-check a claim.
//!
//! The worker publishes it before it posts the claim, and the claim's header holds its hash. What the
//! chain adds to a header (speed, times, parameters) is not in it.
//!
//! # Layout, version 1
//!
//! Integers are big-endian; `n × X` is a count in 4 bytes and the items.
//!
//! ```text
//! blob      "IFXB" ‖ version u16 ‖ deviceId 32 ‖ seq u32 ‖ startMs u64 ‖ endMs u64 ‖ n × line
//! line      order ‖ order signature 64 ‖ n × task ‖ n × job ‖ n × interval ‖ n × node ‖ n × root
//! order     the fields of WorkOrder in their order, packed, 152
//! task      68, as its leaf; the whole list of the order
//! job       the fields of Job in their order, packed, 196 ‖ builder's signature 64; by ascending job id
//! interval  232, as its leaf ‖ n × unit, 49 each, as their leaves
//! node      hL ‖ sumL ‖ hR ‖ sumR, 96
//! root      leafCount u64 ‖ topHash ‖ topSum u128, 56
//! ```
//!
//! An honest blob has no nodes and roots: its leaves give them. They are the place for what a worker
//! committed *instead*, so that a verifier who holds them need not demand them. A node or root stands for
//! nothing but its own hash, so a lie in there proves nothing against anyone.
//!
//! There is one encoding of a blob: reading bytes and writing them again gives the same bytes.

use alloy_primitives::{B256, U256, keccak256};

use crate::{
    DecodeError, U96,
    bytes::{Reader, Writer, narrow_u96, widen},
    claim::Line,
    id::{DeviceId, JobId},
    interval::{Interval, amount_wei},
    sum_tree::{NodePreimage, RootPreimage, SumTree, SumTreeError},
    task::{Task, task_tree},
    typed_data::{CompactSignature, Job, SIGNATURE_BYTES, WorkOrder},
    unit::{UnitLeaf, unit_tree},
};

/// What blobs begin with.
const MAGIC: u32 = u32::from_be_bytes(*b"IFXB");

/// The version that this build writes and reads.
const VERSION: u16 = 1;

/// Lines in a claim: each settles one order, and the contract refuses more.
pub const MAX_LINES: usize = 8;

/// The longest blob that is read. A day of units of 10 ms each takes 424 MB.
pub const MAX_BLOB_BYTES: usize = 512 << 20;

const ORDER_BYTES: usize = 152;
const JOB_BYTES: usize = 196;
const NODE_BYTES: usize = 48;

/// Everything that a verifier needs to re-check a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimBlob {
    /// The device that worked.
    pub device_id: DeviceId,
    /// The claim's number. A device's claims count from 1.
    pub seq: u32,
    /// Where the claim's span begins, in Unix milliseconds.
    pub start_ms: u64,
    /// Where it ends, in Unix milliseconds.
    pub end_ms: u64,
    /// One to eight lines, as the claim's.
    pub lines: Vec<BlobLine>,
}

/// What stands behind one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobLine {
    /// The order that the line consumes.
    pub order: WorkOrder,
    /// The manager's operator's signature of it.
    pub order_signature: CompactSignature,
    /// The whole list of the order.
    pub tasks: Vec<Task>,
    /// The jobs of the tasks, by ascending job id.
    pub jobs: Vec<SignedJob>,
    /// The line's leaves in order.
    pub intervals: Vec<BlobInterval>,
    /// Nodes that the leaves do not give. None in an honest blob.
    pub nodes: Vec<NodePreimage>,
    /// Roots of units that the leaves do not give. None in an honest blob.
    pub roots: Vec<RootPreimage>,
}

impl Default for BlobLine {
    fn default() -> Self {
        Self {
            order: WorkOrder::default(),
            order_signature: [0; SIGNATURE_BYTES],
            tasks: Vec::new(),
            jobs: Vec::new(),
            intervals: Vec::new(),
            nodes: Vec::new(),
            roots: Vec::new(),
        }
    }
}

/// A job and its builder's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedJob {
    /// The job.
    pub job: Job,
    /// Its builder's signature.
    pub signature: CompactSignature,
}

/// An interval and its units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobInterval {
    /// The interval.
    pub interval: Interval,
    /// Its units in order.
    pub units: Vec<UnitLeaf>,
}

/// Why there is no line for what a blob holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The intervals are no tree.
    #[error("the intervals are no tree")]
    Tree(#[from] SumTreeError),
    /// The work has more than 96 bits.
    #[error("{sum_micro} micro-IBM have more than 96 bits")]
    SumTooLarge {
        /// The work.
        sum_micro: u128,
    },
    /// The money has more than 96 bits.
    #[error("the price of {sum} micro-IBM has more than 96 bits")]
    AmountTooLarge {
        /// The work.
        sum: U96,
    },
}

impl ClaimBlob {
    /// Hashes the bytes: the header's `blobHash`.
    pub fn hash(&self) -> B256 {
        keccak256(self.to_bytes())
    }

    /// Writes the canonical bytes. The jobs of a line are put in order, each once.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u32(MAGIC);
        out.u16(VERSION);
        out.put(self.device_id.bytes());
        out.u32(self.seq);
        out.u64(self.start_ms);
        out.u64(self.end_ms);
        out.each(&self.lines, |out, line| line.write(out));
        out.bytes
    }

    /// Reads bytes from a stranger.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for any bytes that [`to_bytes`](Self::to_bytes) does not write. Nothing is
    /// allocated by a count before it is compared with the bytes that are left.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BLOB_BYTES {
            let (got, bound) = (widen(bytes.len()), widen(MAX_BLOB_BYTES));
            return Err(DecodeError::CountTooLarge {
                field: "blob bytes",
                got,
                bound,
            });
        }
        let mut r = Reader::new(bytes);
        let got = r.u32("magic")?;
        if got != MAGIC {
            return Err(DecodeError::WrongMagic { got, needed: MAGIC });
        }
        let got = r.u16("version")?;
        if got != VERSION {
            return Err(DecodeError::UnknownVersion {
                got,
                needed: VERSION,
            });
        }
        let blob = Self {
            device_id: DeviceId::new(r.b256("deviceId")?),
            seq: r.u32("seq")?,
            start_ms: r.u64("startMs")?,
            end_ms: r.u64("endMs")?,
            lines: r.each("lines", BlobLine::MIN_BYTES, MAX_LINES, BlobLine::read)?,
        };
        r.end()?;
        Ok(blob)
    }
}

impl BlobLine {
    /// The order, its signature and five counts.
    const MIN_BYTES: usize = ORDER_BYTES + SIGNATURE_BYTES + 5 * 4;

    /// Builds the tree of the line's intervals.
    ///
    /// # Errors
    ///
    /// None that decoded intervals can cause.
    pub fn interval_tree(&self) -> Result<SumTree, SumTreeError> {
        SumTree::build_parallel(self.intervals.len(), |i| self.intervals[i].interval.leaf())
    }

    /// Builds the tree of the order's list.
    ///
    /// # Errors
    ///
    /// None that decoded tasks can cause.
    pub fn task_tree(&self) -> Result<SumTree, SumTreeError> {
        task_tree(&self.tasks)
    }

    /// Returns the claim's line that consumes the order's tasks `cursor_from .. cursor_to`. The chain fills
    /// in the shortfall.
    ///
    /// # Errors
    ///
    /// [`LineError::Tree`] without intervals, [`LineError::SumTooLarge`] and [`LineError::AmountTooLarge`]
    /// for work or money of more than 96 bits.
    pub fn to_line(&self, cursor_from: u32, cursor_to: u32) -> Result<Line, LineError> {
        let tree = self.interval_tree()?;
        let top = tree.top()?;
        let sum =
            narrow_u96(U256::from(top.sum)).ok_or(LineError::SumTooLarge { sum_micro: top.sum })?;
        let amount =
            amount_wei(sum, self.order.priceWei).ok_or(LineError::AmountTooLarge { sum })?;
        Ok(Line {
            builder: self.order.builder,
            manager: self.order.manager,
            orderHash: self.order.order_hash(),
            cursorFrom: cursor_from,
            cursorTo: cursor_to,
            topHash: top.hash,
            leafCount: tree.leaf_count(),
            sumIbmMicro: sum,
            amountWei: amount,
            shortfallWei: U96::ZERO,
        })
    }

    /// Finds a job.
    pub fn job(&self, job_id: JobId) -> Option<&SignedJob> {
        self.jobs
            .iter()
            .find(|signed| signed.job.job_id() == job_id)
    }

    fn write(&self, out: &mut Writer) {
        write_order(out, &self.order);
        out.put(self.order_signature);
        out.each(&self.tasks, |out, task| out.put(task.to_bytes()));
        let mut jobs: Vec<_> = self
            .jobs
            .iter()
            .map(|signed| (signed.job.job_id(), signed))
            .collect();
        jobs.sort_by_key(|(job_id, _)| *job_id);
        jobs.dedup_by_key(|(job_id, _)| *job_id);
        out.each(&jobs, |out, (_, signed)| {
            write_job(out, &signed.job);
            out.put(signed.signature);
        });
        out.each(&self.intervals, |out, held| {
            out.put(held.interval.to_bytes());
            out.each(&held.units, |out, unit| out.put(unit.to_bytes()));
        });
        out.each(&self.nodes, |out, preimage| {
            out.node(preimage.left);
            out.node(preimage.right);
        });
        out.each(&self.roots, |out, root| {
            out.u64(root.leaf_count);
            out.node(root.top);
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let order = read_order(r)?;
        let order_signature = r.array("order signature")?;
        let tasks = r.each("tasks", Task::LEN_BYTES, usize::MAX, Task::read)?;
        let jobs = r.each("jobs", JOB_BYTES + SIGNATURE_BYTES, usize::MAX, |r| {
            Ok(SignedJob {
                job: read_job(r)?,
                signature: r.array("job signature")?,
            })
        })?;
        ascending(&jobs)?;
        let intervals = r.each("intervals", Interval::LEN_BYTES + 4, usize::MAX, |r| {
            let interval = Interval::read(r)?;
            let units = r.each("units", UnitLeaf::LEN_BYTES, usize::MAX, UnitLeaf::read)?;
            Ok(BlobInterval { interval, units })
        })?;
        let nodes = r.each("nodes", 2 * NODE_BYTES, usize::MAX, |r| {
            Ok(NodePreimage {
                left: r.node("left child")?,
                right: r.node("right child")?,
            })
        })?;
        let roots = r.each("roots", 8 + NODE_BYTES, usize::MAX, |r| {
            Ok(RootPreimage {
                leaf_count: r.u64("leafCount")?,
                top: r.node("top")?,
            })
        })?;
        Ok(Self {
            order,
            order_signature,
            tasks,
            jobs,
            intervals,
            nodes,
            roots,
        })
    }
}

impl BlobInterval {
    /// Builds the tree of the interval's units.
    ///
    /// # Errors
    ///
    /// None that decoded units can cause.
    pub fn unit_tree(&self) -> Result<SumTree, SumTreeError> {
        unit_tree(&self.units)
    }
}

fn ascending(jobs: &[SignedJob]) -> Result<(), DecodeError> {
    let ids: Vec<JobId> = jobs.iter().map(|signed| signed.job.job_id()).collect();
    match ids.windows(2).position(|pair| pair[0] >= pair[1]) {
        Some(at) => Err(DecodeError::OutOfOrder {
            field: "job",
            index: at + 1,
        }),
        None => Ok(()),
    }
}

fn write_order(out: &mut Writer, order: &WorkOrder) {
    out.put(order.manager);
    out.put(order.deviceId);
    out.put(order.builder);
    out.put(order.tasksRoot);
    out.u32(order.taskCount);
    out.u96(order.capIbmMicro);
    out.u96(order.capWei);
    out.u96(order.priceWei);
    out.u64(order.leaseEndsAt);
}

fn read_order(r: &mut Reader<'_>) -> Result<WorkOrder, DecodeError> {
    Ok(WorkOrder {
        manager: r.address("order manager")?,
        deviceId: r.b256("order deviceId")?,
        builder: r.address("order builder")?,
        tasksRoot: r.b256("order tasksRoot")?,
        taskCount: r.u32("order taskCount")?,
        capIbmMicro: r.u96("order capIbmMicro")?,
        capWei: r.u96("order capWei")?,
        priceWei: r.u96("order priceWei")?,
        leaseEndsAt: r.u64("order leaseEndsAt")?,
    })
}

fn write_job(out: &mut Writer, job: &Job) {
    out.put(job.builder);
    out.put(job.manager);
    out.put(job.programId);
    out.put(job.inputRoot);
    out.put(job.paramsRoot);
    out.u64(job.unitCount);
    out.u64(job.maxCost);
    out.u64(job.referenceRate);
    out.u96(job.priceCapWei);
    out.u64(job.minIbMicro);
    out.u64(job.deadlineAt);
    out.u64(job.salt);
}

fn read_job(r: &mut Reader<'_>) -> Result<Job, DecodeError> {
    Ok(Job {
        builder: r.address("job builder")?,
        manager: r.address("job manager")?,
        programId: r.b256("job programId")?,
        inputRoot: r.b256("job inputRoot")?,
        paramsRoot: r.b256("job paramsRoot")?,
        unitCount: r.u64("job unitCount")?,
        maxCost: r.u64("job maxCost")?,
        referenceRate: r.u64("job referenceRate")?,
        priceCapWei: r.u96("job priceCapWei")?,
        minIbMicro: r.u64("job minIbMicro")?,
        deadlineAt: r.u64("job deadlineAt")?,
        salt: r.u64("job salt")?,
    })
}
