//! Random steps of the dispute VM: what Rust says of them, for Solidity to say the same.
//!
//! Half of them are of states and trees that no program leads to: any `pc`, any registers, sizes from one leaf on. The
//! other half are of programs, where the machine too must agree with its witness. A few of each are forged
//! afterwards.

use alloy_primitives::B256;
use inferix_prover::vm::{
    Image, Instruction, LOG2_LEAF, Layout, LeafProof, Machine, Op, Place, REGISTERS, Regions,
    State, Status, StepShape, StepWitness, fold,
};

use crate::assembler::{
    CSRRW, EBREAK, ECALL, FENCE, FENCE_I, b_type, i_type, jal, li, r_type, s_type, u_type,
};

/// Words at which signs, carries, shifts and alignments change.
const EDGES: [u32; 14] = [
    0,
    1,
    2,
    4,
    31,
    32,
    0x7ff,
    0x800,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_fffc,
    0xffff_fffe,
    0xffff_ffff,
];

/// Of the images that machines run.
const LAYOUT: Layout = Layout {
    log2_code: 8,
    log2_memory: 16,
    log2_input: 10,
    log2_params: 8,
    log2_output: 6,
    entry: 0,
    max_steps: 1 << 20,
};

/// Random numbers (SplitMix64) from a seed that is printed.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn long(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn word(&mut self) -> u32 {
        (self.long() >> 32) as u32
    }

    pub fn below(&mut self, end: u32) -> u32 {
        self.word() % end
    }

    /// Whether a thing that happens once in `times` happens.
    pub fn once_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    /// A word that is often an edge, or near one.
    pub fn operand(&mut self) -> u32 {
        match self.below(4) {
            0 => self.word(),
            1 => self.word() >> self.below(32),
            _ => self
                .pick(&EDGES)
                .wrapping_add(self.pick(&[0, 0, 0, 1, u32::MAX])),
        }
    }

    fn bytes32(&mut self) -> B256 {
        let mut out = B256::ZERO;
        for place in out.chunks_exact_mut(8) {
            place.copy_from_slice(&self.long().to_be_bytes());
        }
        out
    }
}

/// A step, true or forged.
#[derive(Clone, Debug)]
pub struct RandomStep {
    pub shape: StepShape,
    pub witness: StepWitness,
    /// The state after; `None`: the witness must be refused.
    pub next: Option<State>,
}

impl RandomStep {
    fn new(shape: StepShape, witness: StepWitness) -> Self {
        let next = witness.step(&shape).ok();
        Self {
            shape,
            witness,
            next,
        }
    }

    pub fn op(&self) -> Option<Op> {
        let (code, pc) = (self.witness.code.as_ref()?, self.witness.state.pc);
        let at = (pc & 28) as usize;
        let word = u32::from_le_bytes(code.leaf[at..at + 4].try_into().unwrap());
        Some(Instruction::decode(word).op)
    }

    /// The record that `RiscvStepRandom.t.sol` reads; `test-vectors/README.md` tells it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let hashes = self.next.as_ref().map_or([B256::ZERO; 2], |next| {
            [self.witness.state.hash(), next.hash()]
        });
        let mut out = vec![self.shape.log2_code as u8, self.shape.log2_memory as u8];
        for hash in [
            self.witness.state.program_id,
            self.shape.code_root,
            hashes[0],
            hashes[1],
        ] {
            out.extend_from_slice(hash.as_slice());
        }
        out.extend(self.witness.to_bytes());
        out
    }
}

/// Makes `count` steps. Panics where the machine and its witness differ, or a forged witness is of the true state.
pub fn random_steps(dice: &mut Dice, count: usize) -> Vec<RandomStep> {
    let mut out = Vec::new();
    while out.len() < count {
        let honest = if dice.once_in(10) {
            program(dice)
        } else {
            vec![anywhere(dice)]
        };
        for step in honest {
            assert!(step.next.is_some(), "an honest witness is refused");
            if dice.once_in(3) {
                let forged = forged(dice, &step);
                if forged.next.is_some() {
                    let (got, honest) = (&forged.witness.state, &step.witness.state);
                    assert_ne!(got.hash(), honest.hash(), "two witnesses of one state");
                }
                out.push(forged);
            }
            out.push(step);
        }
    }
    out.truncate(count);
    out
}

/// A word: mostly an instruction, its registers `x0` to `x31`.
fn instruction(dice: &mut Dice) -> u32 {
    let [rd, rs1, rs2] = [(); 3].map(|()| dice.below(32));
    let (funct3, any) = (dice.below(8), dice.word());
    let imm = match dice.below(3) {
        0 => any.cast_signed(),
        1 => dice.below(64).cast_signed() - 32,
        _ => dice.pick(&[0, 1, -1, 4, 2046, 2047, -2048, 0x400, 0x41f, 0x20]),
    };
    match dice.below(18) {
        0 => any,
        1 => {
            let other = [0, u32::MAX, EBREAK, FENCE, FENCE_I, CSRRW, 0x0001_0001];
            dice.pick(&other)
        }
        2 => ECALL | dice.pick(&[0, 0, 1 << 7, 1 << 15, 0x0010_0000, 0x3020_0000]),
        3 => any & !0x707f | 0x0f | (funct3 & 1) << 12,
        4 | 5 => i_type(imm, rs1, funct3, rd, 0x13),
        6 => {
            let shift = dice.below(32) | dice.pick(&[0, 0, 0x400, 0x20, 0x800]);
            i_type(shift.cast_signed(), rs1, dice.pick(&[1, 5]), rd, 0x13)
        }
        7 | 8 => r_type(dice.pick(&[0, 0, 0, 0x20]), rs2, rs1, funct3, rd, 0x33),
        9 | 10 => r_type(1, rs2, rs1, funct3, rd, 0x33),
        11 | 12 => b_type(imm, rs2, rs1, funct3),
        13 => jal(dice.pick(&[imm, imm & !3, imm << 8]), rd),
        14 => i_type(imm, rs1, funct3 & dice.pick(&[0, 0, 7]), rd, 0x67),
        15 => u_type(any, rd, dice.pick(&[0x37, 0x17])),
        16 => i_type(imm, rs1, dice.pick(&[0, 1, 2, 4, 5, funct3]), rd, 0x03),
        _ => s_type(imm, rs2, rs1, dice.pick(&[0, 1, 2, funct3])),
    }
}

/// Bytes that a load or store moves; 0: it is none.
fn access_bytes(word: u32) -> u32 {
    match (word & 0x7f, word >> 12 & 7) {
        (0x03, 0 | 4) | (0x23, 0) => 1,
        (0x03, 1 | 5) | (0x23, 1) => 2,
        (0x03 | 0x23, 2) => 4,
        _ => 0,
    }
}

fn log2(dice: &mut Dice, (least, most): (u32, u32)) -> u32 {
    match dice.below(4) {
        0 => least,
        1 => most,
        _ => least + dice.below(most - least + 1),
    }
}

/// A place in `2^log2_bytes` bytes, at their edges, or beyond.
fn place(dice: &mut Dice, log2_bytes: u32, align: u32) -> u32 {
    let end = 1_u32.checked_shl(log2_bytes).unwrap_or(0);
    let inside = dice.word() & end.wrapping_sub(1) & !(align.max(1) - 1);
    match dice.below(16) {
        0 => 0,
        1 => end.wrapping_sub(align.max(1)),
        2 => end.wrapping_sub(dice.below(4)),
        3 => end.wrapping_add(dice.below(4)),
        4 => inside | dice.below(4),
        5 => dice.operand(),
        _ => inside,
    }
}

/// A step of a state and of trees that nothing but these numbers made.
fn anywhere(dice: &mut Dice) -> RandomStep {
    let (log2_code, log2_memory) = (log2(dice, (5, 24)), log2(dice, (5, 31)));
    let word = instruction(dice);
    let pc = match dice.below(3) {
        0 => place(dice, log2_code, 4),
        _ => dice.word() & ((1 << log2_code) - 1) & !3,
    };
    let mut registers = [0; REGISTERS];
    for register in &mut registers[1..] {
        *register = dice.operand();
    }
    let ins = Instruction::decode(word);
    let size = access_bytes(word);
    if size != 0 && ins.rs1 != 0 && !dice.once_in(8) {
        let address = place(dice, log2_memory, size);
        registers[usize::from(ins.rs1)] = address.wrapping_sub(ins.imm);
    }
    let mut state = State {
        program_id: dice.bytes32(),
        memory_root: dice.bytes32(),
        step: dice.pick(&[0, 1 << 29, u64::MAX - 1, u64::MAX]),
        pc,
        status: Status::Running,
        registers,
    };
    if dice.once_in(24) {
        state.status = dice.pick(&[Status::Halted, Status::Trapped]);
    }
    let (mut code, mut memory) = (None, None);
    let mut code_root = dice.bytes32();
    let is_in_code = pc.is_multiple_of(4) && u64::from(pc) < 1 << log2_code;
    if state.status == Status::Running && is_in_code {
        let mut leaf = dice.bytes32();
        let at = (pc & 28) as usize;
        leaf[at..at + 4].copy_from_slice(&word.to_le_bytes());
        let proof = noise(dice, leaf, log2_code);
        code_root = fold(proof.leaf, u64::from(pc >> LOG2_LEAF), &proof.siblings);
        code = Some(proof);

        let address = state.registers[usize::from(ins.rs1)].wrapping_add(ins.imm);
        if size != 0 && address.is_multiple_of(size) && u64::from(address) < 1 << log2_memory {
            let leaf = dice.bytes32();
            let proof = noise(dice, leaf, log2_memory);
            let index = u64::from(address >> LOG2_LEAF);
            state.memory_root = fold(proof.leaf, index, &proof.siblings);
            memory = Some(proof);
        }
    }
    let shape = StepShape {
        code_root,
        log2_code,
        log2_memory,
    };
    let witness = StepWitness {
        state,
        code,
        memory,
    };
    RandomStep::new(shape, witness)
}

fn noise(dice: &mut Dice, leaf: B256, log2_bytes: u32) -> LeafProof {
    LeafProof {
        leaf,
        siblings: (LOG2_LEAF..log2_bytes).map(|_| dice.bytes32()).collect(),
    }
}

/// The steps of a program after its constants, up to one after its end.
fn program(dice: &mut Dice) -> Vec<RandomStep> {
    let base = place(dice, LAYOUT.log2_memory, 4);
    let mut words = li(5, base).to_vec();
    words.extend(li(6, dice.operand()));
    for _ in 0..16 {
        let word = instruction(dice);
        // Registers that hold something: x0, and x4 to x7.
        let few = |word: u32, at: u32| {
            let old = word >> at & 31;
            let new = if old == 0 { 0 } else { 4 | old & 3 };
            word & !(31 << at) | new << at
        };
        words.push(match word & 0x7f {
            0x33 | 0x63 => few(few(few(word, 7), 15), 20),
            0x03 | 0x13 | 0x67 => few(few(word, 7), 15),
            0x23 => few(few(word, 15), 20),
            0x17 | 0x37 | 0x6f => few(word, 7),
            _ => word,
        });
    }
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let image = Image::new(LAYOUT, &code, b"constants").unwrap();
    let regions = Regions {
        input: b"input",
        params: b"params",
        parts: &[],
    };
    let mut machine = Machine::new(&image, regions, Place::default()).unwrap();
    let mut out = Vec::new();
    for number in 1..=20 {
        let is_over = machine.status() != Status::Running;
        let witness = StepWitness::of(&mut machine, &image);
        let step = RandomStep::new(StepShape::of(&image), witness);
        machine.run(number);
        assert_eq!(
            step.next.as_ref(),
            Some(&machine.state()),
            "the machine and its witness differ at step {number} of {words:08x?}"
        );
        // The first ones only set registers.
        if number > 4 {
            out.push(step);
        }
        if is_over {
            break;
        }
    }
    out
}

/// Changes one thing of a step.
fn forged(dice: &mut Dice, step: &RandomStep) -> RandomStep {
    let (mut shape, mut witness) = (step.shape, step.witness.clone());
    let bit = dice.below(256) as usize;
    let has_code = witness.code.is_some();
    let flip = |hash: &mut B256| hash[bit / 8] ^= 1 << (bit % 8);
    let part = if dice.once_in(2) {
        &mut witness.code
    } else {
        &mut witness.memory
    };
    let state = &mut witness.state;
    match (dice.below(10), part) {
        (0, _) => flip(&mut state.memory_root),
        (1, _) => state.pc ^= 1 << (bit % 32),
        (2, _) => state.registers[1 + bit % 31] ^= 1 << dice.below(32),
        (3, _) => state.step ^= 1 << (bit % 64),
        (4, _) if state.status == Status::Running => state.status = Status::Halted,
        (4, _) => state.status = Status::Running,
        (5, _) if has_code => flip(&mut shape.code_root),
        (6, Some(proof)) => flip(&mut proof.leaf),
        (7, Some(proof)) => proof.siblings.push(B256::ZERO),
        (8, part) => *part = part.is_none().then(|| noise(dice, B256::ZERO, 8)),
        (_, Some(proof)) if !proof.siblings.is_empty() => {
            let at = bit % proof.siblings.len();
            if dice.once_in(4) {
                proof.siblings.remove(at);
            } else {
                flip(&mut proof.siblings[at]);
            }
        }
        _ => flip(&mut state.memory_root),
    }
    RandomStep::new(shape, witness)
}
