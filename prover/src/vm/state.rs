//! What a dispute agrees on after each instruction.

use alloy_primitives::{B256, keccak256};

/// Registers of RV32I.
pub const REGISTERS: usize = 32;

/// What a state's preimage begins with, so that it is no node of a tree.
const TAG: u8 = 0x05;

/// Bytes of a state's preimage.
pub const STATE_BYTES: usize = 1 + 32 + 32 + 8 + 4 + 1 + 4 * (REGISTERS - 1);

/// Whether a program still runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// It executes the instruction at `pc`.
    #[default]
    Running = 0,
    /// It executed `ecall`. It stays so.
    Halted = 1,
    /// It came to what no machine executes. It stays so.
    Trapped = 2,
}

impl Status {
    /// The byte of a preimage.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Running => 0,
            Self::Halted => 1,
            Self::Trapped => 2,
        }
    }
}

/// A machine between two instructions.
///
/// # Layout of its preimage, 202 bytes, integers big-endian
///
/// ```text
/// 0x05 ‖ programId 32 ‖ memoryRoot 32 ‖ step u64 ‖ pc u32 ‖ status u8 ‖ x1 u32 ‖ … ‖ x31 u32
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The program.
    pub program_id: B256,
    /// Root of the data memory.
    pub memory_root: B256,
    /// Instructions executed, or counted after the end: every number below `maxSteps` has its state.
    pub step: u64,
    /// Where the next instruction stands.
    pub pc: u32,
    /// Whether there is a next instruction.
    pub status: Status,
    /// `x0` to `x31`; `x0` is zero.
    pub registers: [u32; REGISTERS],
}

impl State {
    /// Writes the preimage.
    pub fn to_bytes(&self) -> [u8; STATE_BYTES] {
        let mut out = [0; STATE_BYTES];
        out[0] = TAG;
        out[1..33].copy_from_slice(self.program_id.as_slice());
        out[33..65].copy_from_slice(self.memory_root.as_slice());
        out[65..73].copy_from_slice(&self.step.to_be_bytes());
        out[73..77].copy_from_slice(&self.pc.to_be_bytes());
        out[77] = self.status.byte();
        for (place, register) in out[78..].chunks_exact_mut(4).zip(&self.registers[1..]) {
            place.copy_from_slice(&register.to_be_bytes());
        }
        out
    }

    /// Hashes the preimage.
    pub fn hash(&self) -> B256 {
        keccak256(self.to_bytes())
    }
}
