//! A program as the machine runs it, and its id.

use std::sync::Arc;

use alloy_primitives::B256;
use inferix_gpu::{
    Program,
    program::{self, Layout},
};

use super::{
    instruction::Instruction,
    memory::{LOG2_LEAF, Memory, to_usize},
    merkle::{fold, node_hash, zero_roots},
    state::{REGISTERS, State, Status},
};

/// The stack pointer.
const SP: usize = 2;

/// The first register of arguments.
const A0: usize = 10;

/// Why bytes are no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// A region does not fit, or is smaller than a leaf.
    #[error("a {what} of 2^{log2_bytes} bytes does not fit in a memory of 2^{log2_memory}")]
    WrongRegion {
        /// Which.
        what: &'static str,
        /// Its size.
        log2_bytes: u32,
        /// The memory's size.
        log2_memory: u32,
    },
    /// Bytes are longer than their region.
    #[error("{len} bytes of {what} do not fit in {max}")]
    TooLong {
        /// What.
        what: &'static str,
        /// Its length.
        len: usize,
        /// The most.
        max: usize,
    },
    /// The entry is no place of an instruction.
    #[error("no instruction stands at entry {entry:#x} of {code_len} bytes of code")]
    WrongEntry {
        /// The entry.
        entry: u32,
        /// Length of the code.
        code_len: usize,
    },
}

/// A program: code, constants and layout.
#[derive(Clone, Debug)]
pub struct Image {
    layout: Layout,
    words: Arc<[u32]>,
    code: Arc<[Instruction]>,
    constants: Arc<[u8]>,
    code_root: B256,
    constants_root: B256,
}

impl Image {
    /// Takes a program that ships.
    ///
    /// # Errors
    ///
    /// [`ImageError`], of an image that no test has seen.
    pub fn of(program: Program) -> Result<Self, ImageError> {
        let binary = program.binary();
        Self::new(binary.layout, binary.code, binary.constants)
    }

    /// Puts a program together.
    ///
    /// # Errors
    ///
    /// [`ImageError`].
    pub fn new(layout: Layout, code: &[u8], constants: &[u8]) -> Result<Self, ImageError> {
        check(&layout)?;
        let code_max = 1_usize << layout.log2_code;
        let constants_max = 1_usize << layout.log2_constants();
        for (what, bytes, max) in [
            ("code", code, code_max),
            ("constants", constants, constants_max),
        ] {
            let len = bytes.len();
            if len > max {
                return Err(ImageError::TooLong { what, len, max });
            }
        }
        if !layout.entry.is_multiple_of(4) || to_usize(layout.entry) >= code.len() {
            return Err(ImageError::WrongEntry {
                entry: layout.entry,
                code_len: code.len(),
            });
        }
        let mut padded = code.to_vec();
        padded.resize(code_max, 0);
        let (chunks, _) = padded.as_chunks();
        let words: Arc<[u32]> = chunks.iter().copied().map(u32::from_le_bytes).collect();
        Ok(Self {
            layout,
            code: words.iter().copied().map(Instruction::decode).collect(),
            words,
            constants: constants.into(),
            code_root: region_root(&padded, layout.log2_code),
            constants_root: region_root(constants, layout.log2_constants()),
        })
    }

    /// Its sizes.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Root of the code's tree.
    pub fn code_root(&self) -> B256 {
        self.code_root
    }

    /// Root of the constants' region.
    pub fn constants_root(&self) -> B256 {
        self.constants_root
    }

    /// The instructions, as many as the code region holds.
    pub(super) fn code(&self) -> &Arc<[Instruction]> {
        &self.code
    }

    /// Names the program ([`program::program_id`]).
    pub fn program_id(&self) -> B256 {
        let roots = (self.code_root.0, self.constants_root.0);
        B256::new(program::program_id(&self.layout, roots.0, roots.1))
    }

    /// Fills a memory for one sub-unit, or for the assembly of a unit.
    ///
    /// # Errors
    ///
    /// [`ImageError::TooLong`].
    pub fn memory(&self, bytes: Regions<'_>) -> Result<Memory, ImageError> {
        let layout = &self.layout;
        let (parts_at, params_at) = (layout.parts_at(), layout.params_at());
        let regions = [
            ("input", 0, bytes.input, layout.log2_input),
            ("parts", parts_at, bytes.parts, layout.log2_eighth()),
            ("parameters", params_at, bytes.params, layout.log2_params),
        ];
        let mut memory = Memory::new(layout.log2_memory);
        for (what, at, bytes, log2_bytes) in regions {
            let (len, max) = (bytes.len(), 1 << log2_bytes);
            if len > max {
                return Err(ImageError::TooLong { what, len, max });
            }
            put(&mut memory, at, bytes);
        }
        put(&mut memory, layout.constants_at(), &self.constants);
        memory.mark();
        Ok(memory)
    }

    /// Composes the first state of a sub-unit from roots alone, as the contract does.
    pub fn first_state(&self, roots: Roots, place: Place) -> State {
        let layout = &self.layout;
        let m = layout.log2_memory;
        let zeros = zero_roots(m - LOG2_LEAF);
        let zero = |log2: u32| zeros[to_usize(log2 - LOG2_LEAF)];
        let widen = |root: B256, from: u32, to: u32| {
            let siblings: Vec<_> = (from..to).map(zero).collect();
            fold(root, 0, &siblings)
        };
        let input = widen(roots.input, layout.log2_input, m - 1);
        let params = widen(roots.params, layout.log2_params, m - 4);
        let eighth = zero(layout.log2_eighth());
        let work = node_hash(roots.parts.unwrap_or(eighth), eighth);
        let given = node_hash(node_hash(self.constants_root, params), eighth);
        let rest = node_hash(work, given);
        State {
            program_id: self.program_id(),
            memory_root: node_hash(input, rest),
            step: 0,
            pc: layout.entry,
            status: Status::Running,
            registers: self.first_registers(place),
        }
    }

    /// The registers that a sub-unit starts with: the stack's end, and which sub-unit it is.
    pub(super) fn first_registers(&self, place: Place) -> [u32; REGISTERS] {
        let mut registers = [0; REGISTERS];
        registers[SP] = self.layout.constants_at();
        let numbers = [place.unit_index, place.sub_unit_index, place.max_cost];
        let words = numbers.map(u64::to_le_bytes);
        let (halves, _) = words.as_flattened().as_chunks();
        for (register, half) in registers[A0..].iter_mut().zip(halves) {
            *register = u32::from_le_bytes(*half);
        }
        registers
    }

    /// The code's leaf with the instruction at `pc`, and its siblings from the bottom up.
    pub(super) fn code_proof(&self, pc: u32) -> (B256, Vec<B256>) {
        let mut tree = Memory::new(self.layout.log2_code);
        for (index, word) in self.words.iter().enumerate() {
            put_at(&mut tree, 4 * index, &word.to_le_bytes());
        }
        tree.root();
        let (leaf, mut siblings) = tree.proof(pc);
        siblings.truncate(to_usize(self.layout.log2_code - LOG2_LEAF));
        (leaf, siblings)
    }
}

/// What a machine reads, save its constants.
#[derive(Clone, Copy, Debug, Default)]
pub struct Regions<'a> {
    /// The job's input.
    pub input: &'a [u8],
    /// The job's parameters.
    pub params: &'a [u8],
    /// For an assembly, the outputs of the unit's sub-units, each in its own region of the output's size.
    pub parts: &'a [u8],
}

/// The roots of the same regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Of the region of input.
    pub input: B256,
    /// Of the region of parameters.
    pub params: B256,
    /// Of the region of parts, [`Layout::log2_eighth`] large; `None`: it is zero.
    pub parts: Option<B256>,
}

/// What a machine computes: a sub-unit of a job's unit, or the unit's assembly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The unit.
    pub unit_index: u64,
    /// The sub-unit of that unit, or [`ASSEMBLY`].
    pub sub_unit_index: u64,
    /// What the unit may cost.
    pub max_cost: u64,
}

/// In the place of a sub-unit's index: all of them, put together.
pub const ASSEMBLY: u64 = u64::MAX;

fn check(layout: &Layout) -> Result<(), ImageError> {
    let m = layout.log2_memory;
    let wrong = |what, log2_bytes| {
        Err(ImageError::WrongRegion {
            what,
            log2_bytes,
            log2_memory: m,
        })
    };
    if !(16..=31).contains(&m) {
        return wrong("memory", m);
    }
    let regions = [
        ("code", layout.log2_code, 24),
        ("input", layout.log2_input, m - 1),
        ("parameter region", layout.log2_params, m - 4),
        ("output", layout.log2_output, m - 3),
    ];
    for (what, log2_bytes, max) in regions {
        if !(LOG2_LEAF..=max).contains(&log2_bytes) {
            return wrong(what, log2_bytes);
        }
    }
    Ok(())
}

fn region_root(bytes: &[u8], log2_bytes: u32) -> B256 {
    B256::new(inferix_gpu::memory::subtree_root(bytes, log2_bytes))
}

/// Regions were checked to fit.
fn put(memory: &mut Memory, at: u32, bytes: &[u8]) {
    put_at(memory, to_usize(at), bytes);
}

fn put_at(memory: &mut Memory, at: usize, bytes: &[u8]) {
    let fits = memory.put(at, bytes).is_some();
    debug_assert!(fits, "the caller compared the lengths");
}
