//! The dispute VM: RV32IM without anything else, whose every state has a hash.
//!
//! - [`Machine`] executes a sub-unit of a program's [`Image`], to any instruction.
//! - [`State`] is what a dispute agrees on; [`StepWitness`] is what lets the contract `RiscvStep` execute one more
//!   instruction, and [`StepWitness::step`] does here what the contract does there.
//!
//! `step` is total: what is illegal, misaligned or out of range leads to [`Status::Trapped`], from which nothing
//! leads away, and `ecall` to [`Status::Halted`]. Counting goes on in both, so every number has one state.
//!
//! Code stands in a memory of its own, which nothing writes. Data memory is one tree whose aligned subtrees are the
//! regions that [`Layout`] tells.

mod execute;
mod image;
mod instruction;
mod machine;
mod memory;
mod merkle;
mod state;
mod witness;

pub use image::{ASSEMBLY, Image, ImageError, Place, Regions, Roots};
pub use inferix_gpu::program::Layout;
pub use instruction::{Instruction, Op};
pub use machine::Machine;
pub use memory::{LEAF_BYTES, LOG2_LEAF, Memory};
pub use merkle::{fold, node_hash, zero_roots};
pub use state::{REGISTERS, STATE_BYTES, State, Status};
pub use witness::{LeafProof, StepShape, StepWitness, WitnessError};
