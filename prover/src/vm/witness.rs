//! What lets a contract execute one instruction, and the check of it that the contract does too.

use alloy_primitives::B256;

use super::{
    execute::{Bus, FILE, Flow, SINK, execute},
    image::Image,
    instruction::{Instruction, Op},
    machine::Machine,
    memory::{LEAF_BYTES, LOG2_LEAF, to_usize},
    merkle::fold,
    state::{REGISTERS, State, Status},
};

/// A leaf with its siblings, from the bottom up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeafProof {
    /// The leaf.
    pub leaf: B256,
    /// As many as the tree is deep.
    pub siblings: Vec<B256>,
}

/// What an instruction reads and writes.
///
/// There is one witness for each instruction: no code where nothing runs, no memory where nothing is loaded or
/// stored, and so on. A contract reverts on every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepWitness {
    /// The state before.
    pub state: State,
    /// The instruction's leaf of the code. Only of a running machine whose `pc` is a word of the code.
    pub code: Option<LeafProof>,
    /// The leaf of memory that a load or store touches. Only if it is aligned and in range.
    pub memory: Option<LeafProof>,
}

/// Why a witness is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// A part is missing, or is too much.
    #[error("the witness should have {needed} parts of {part}")]
    WrongParts {
        /// Which part.
        part: &'static str,
        /// How many.
        needed: usize,
    },
    /// A path does not lead to its root.
    #[error("the {part}'s path ends in {got}, not in {needed}")]
    WrongRoot {
        /// Which path.
        part: &'static str,
        /// Where it ends.
        got: B256,
        /// Where it should.
        needed: B256,
    },
}

/// The sizes that a step depends on; they are part of the program's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepShape {
    /// Root of the code.
    pub code_root: B256,
    /// Log2 of its bytes.
    pub log2_code: u32,
    /// Log2 of the bytes of memory.
    pub log2_memory: u32,
}

impl StepShape {
    /// Reads them off an image.
    pub fn of(image: &Image) -> Self {
        Self {
            code_root: image.code_root(),
            log2_code: image.layout().log2_code,
            log2_memory: image.layout().log2_memory,
        }
    }

    fn has_code_at(&self, pc: u32) -> bool {
        pc.is_multiple_of(4) && u64::from(pc) < 1 << self.log2_code
    }

    /// The place in memory that an instruction touches, if it is aligned and in range.
    fn touched(&self, ins: Instruction, base: u32) -> Option<u32> {
        let size = access_bytes(ins.op)?;
        let address = base.wrapping_add(ins.imm);
        let fits = address.is_multiple_of(size) && u64::from(address) < 1 << self.log2_memory;
        fits.then_some(address)
    }
}

/// Bytes that a load or store moves.
fn access_bytes(op: Op) -> Option<u32> {
    if matches!(op, Op::Lb | Op::Lbu | Op::Sb) {
        return Some(1);
    }
    if matches!(op, Op::Lh | Op::Lhu | Op::Sh) {
        return Some(2);
    }
    matches!(op, Op::Lw | Op::Sw).then_some(4)
}

impl StepWitness {
    /// Writes what the contract reads: the state's preimage from `memoryRoot` on, 169 bytes, then each proof's leaf
    /// and siblings.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.state.to_bytes()[33..].to_vec();
        for proof in [&self.code, &self.memory].into_iter().flatten() {
            out.extend_from_slice(proof.leaf.as_slice());
            out.extend(proof.siblings.iter().flatten());
        }
        out
    }

    /// Takes the witness of a machine's next instruction.
    pub fn of(machine: &mut Machine, image: &Image) -> Self {
        let shape = StepShape::of(image);
        let state = machine.state();
        let mut witness = Self {
            state,
            code: None,
            memory: None,
        };
        if machine.status() != Status::Running || !shape.has_code_at(machine.pc()) {
            return witness;
        }
        let (leaf, siblings) = image.code_proof(machine.pc());
        let ins = instruction_in(leaf, machine.pc());
        witness.code = Some(LeafProof { leaf, siblings });
        witness.memory = shape
            .touched(ins, machine.register(ins.rs1))
            .map(|address| {
                let (leaf, siblings) = machine.memory().proof(address);
                LeafProof { leaf, siblings }
            });
        witness
    }

    /// Executes the instruction on the witness alone.
    ///
    /// # Errors
    ///
    /// [`WitnessError`] for any witness but the one.
    pub fn step(&self, shape: &StepShape) -> Result<State, WitnessError> {
        let mut next = State {
            step: self.state.step.saturating_add(1),
            ..self.state.clone()
        };
        if self.state.status != Status::Running {
            absent("code", &self.code)?;
            absent("memory", &self.memory)?;
            return Ok(next);
        }
        let pc = self.state.pc;
        if !shape.has_code_at(pc) {
            absent("code", &self.code)?;
            absent("memory", &self.memory)?;
            next.status = Status::Trapped;
            return Ok(next);
        }
        let code = present("code", &self.code)?;
        let code_index = u64::from(pc >> LOG2_LEAF);
        let got = root_of("code", code, code_index, shape.log2_code)?;
        require_root("code", got, shape.code_root)?;
        let ins = instruction_in(code.leaf, pc);

        let mut x = [0; FILE];
        x[..REGISTERS].copy_from_slice(&self.state.registers);
        let mut window = self.window(shape, ins)?;
        let ins = Instruction {
            rd: if ins.rd == 0 { SINK } else { ins.rd },
            ..ins
        };
        match execute(ins, pc, &mut x, &mut window) {
            Flow::Goto(to) => next.pc = to,
            Flow::Halt => next.status = Status::Halted,
            Flow::Trap => next.status = Status::Trapped,
        }
        next.registers.copy_from_slice(&x[..REGISTERS]);
        if let (Some(proof), Some(address)) = (&self.memory, window.address) {
            let index = u64::from(address >> LOG2_LEAF);
            next.memory_root = fold(B256::new(window.leaf), index, &proof.siblings);
        }
        Ok(next)
    }

    /// The one leaf that the instruction may touch, proven.
    fn window(&self, shape: &StepShape, ins: Instruction) -> Result<Window, WitnessError> {
        let base = self.state.registers[usize::from(ins.rs1 & 31)];
        let Some(address) = shape.touched(ins, base) else {
            absent("memory", &self.memory)?;
            return Ok(Window::default());
        };
        let proof = present("memory", &self.memory)?;
        let index = u64::from(address >> LOG2_LEAF);
        let got = root_of("memory", proof, index, shape.log2_memory)?;
        require_root("memory", got, self.state.memory_root)?;
        Ok(Window {
            leaf: proof.leaf.0,
            address: Some(address),
        })
    }
}

/// One leaf of memory.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    leaf: [u8; LEAF_BYTES],
    /// The place in it that is touched; `None`: no place is.
    address: Option<u32>,
}

impl Window {
    fn place<const N: usize>(&self, address: u32) -> Option<std::ops::Range<usize>> {
        let at = to_usize(self.address.filter(|own| *own == address)?) % LEAF_BYTES;
        Some(at..at + N)
    }
}

impl Bus for Window {
    fn load<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        self.leaf.get(self.place::<N>(address)?)?.try_into().ok()
    }

    fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Option<()> {
        let place = self.place::<N>(address)?;
        self.leaf.get_mut(place)?.copy_from_slice(&value);
        Some(())
    }
}

/// The instruction at `pc`, out of the code's leaf.
fn instruction_in(leaf: B256, pc: u32) -> Instruction {
    let at = (to_usize(pc) % LEAF_BYTES) & !3;
    let word = leaf[at..at + 4].try_into().map(u32::from_le_bytes);
    Instruction::decode(word.unwrap_or_default())
}

fn present<'a>(
    part: &'static str,
    proof: &'a Option<LeafProof>,
) -> Result<&'a LeafProof, WitnessError> {
    proof
        .as_ref()
        .ok_or(WitnessError::WrongParts { part, needed: 1 })
}

fn absent(part: &'static str, proof: &Option<LeafProof>) -> Result<(), WitnessError> {
    if proof.is_some() {
        return Err(WitnessError::WrongParts { part, needed: 0 });
    }
    Ok(())
}

fn root_of(
    part: &'static str,
    proof: &LeafProof,
    index: u64,
    log2_bytes: u32,
) -> Result<B256, WitnessError> {
    let needed = to_usize(log2_bytes - LOG2_LEAF);
    if proof.siblings.len() != needed {
        return Err(WitnessError::WrongParts { part, needed });
    }
    Ok(fold(proof.leaf, index, &proof.siblings))
}

fn require_root(part: &'static str, got: B256, needed: B256) -> Result<(), WitnessError> {
    if got != needed {
        return Err(WitnessError::WrongRoot { part, got, needed });
    }
    Ok(())
}
