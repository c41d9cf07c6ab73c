//! Every fraud predicate that a claim can violate, and its evidence.
//!
//! [`find`](find()) reads a claim as a verifier does, and names what can be proven against it: frauds of the
//! worker, leaves to void, frauds of a manager, and what is hidden and has to be demanded. The evidence
//! has the fields that `IFraudProofs.sol`, `IVoids.sol` and `IManagerFrauds.sol` take, and
//! [`Fraud::holds`] checks it as the contract does (`PROTOCOL.md`, *Fraud predicates*).
//!
//! # Trees that lie
//!
//! A worker can commit to a tree that no leaves give: a node that states a false sum, a hash without
//! preimage, another shape. So a line's tree is opened in one of two ways:
//!
//! - The blob's leaves give the line's top. Then each hash and sum in it is as it should be, and any leaf
//!   can be proven. All honest claims, and all lies that stand in leaves, end here.
//! - They don't. Then the tree is walked from the top by preimages: those that the blob's leaves and
//!   explicit nodes give, and those that demands brought to light ([`Known`]). Each node's stated sum is
//!   compared with its children's. Where a preimage is missing, the place is *demanded*. A worker that
//!   shows it is refuted in the next round; one that does not has lost.
//!
//! A preimage proves itself by its hash, so nothing that a blob says is trusted. Each distinct hash is
//! opened once: a tree that repeats its nodes costs no more than it has nodes.

mod check;
mod demand;
mod evidence;
mod find;
mod known;
mod leaf;
mod manager;
mod opened;
mod units;

pub use demand::Demand;
pub use evidence::{
    ChainEvidence, Fraud, LeafEvidence, ManagerFraud, Predicate, TaskEvidence, UnitEvidence, Void,
};
pub use find::{ClaimView, Facts, Findings, find};
pub use known::Known;
pub use manager::ObservedOrder;
