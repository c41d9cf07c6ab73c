//! `vm.json`: steps of the dispute VM with their witnesses.

use alloy_primitives::{B256, Bytes};
use inferix_prover::vm::{Image, Layout, Machine, Place, StepShape, StepWitness};
use serde::Serialize;

use crate::{
    OURS,
    assembler::{
        CSRRW, EBREAK, ECALL, FENCE, FENCE_I, b_type, i_type, jal, li, r_type, s_type, u_type,
    },
    steps::{Dice, random_steps},
};

const LAYOUT: Layout = Layout {
    log2_code: 8,
    log2_memory: 16,
    log2_input: 10,
    log2_params: 8,
    log2_output: 6,
    entry: 0,
    max_steps: 1 << 20,
};

/// Words at which signs, carries and shifts change.
const EDGES: [u32; 10] = [
    0,
    1,
    2,
    31,
    32,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_fffe,
    0xffff_ffff,
];

/// Of the scratch region.
const SCRATCH: u32 = 1 << 15;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VmFile {
    source: &'static str,
    log2_code: String,
    log2_memory: String,
    steps: Vec<StepCase>,
    random: Vec<Bytes>,
}

/// Of the random steps that every run of the tests compares; `scripts/fuzz-steps` draws others, and many more.
const SEED: u64 = 0x1f5;

/// How many these are.
const RANDOM_STEPS: usize = 300;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepCase {
    name: String,
    program_id: B256,
    code_root: B256,
    witness: Bytes,
    before: B256,
    next: B256,
}

pub fn vm_file() -> VmFile {
    let mut steps = Vec::new();
    for (name, funct7, funct3) in REGISTER_OPS {
        for k in 0..3 {
            let (a, b) = (edge(steps.len() + k), edge(3 * steps.len() + 7 * k));
            steps.push(case(name, &[a, b], r_type(funct7, 6, 5, funct3, 7, 0x33)));
        }
    }
    for funct3 in 0..8 {
        for imm in [-1, 0x7ff, -2048] {
            let a = edge(steps.len());
            let imm = if funct3 % 4 == 1 { imm & 0x41f } else { imm };
            steps.push(case("immediate", &[a, 0], i_type(imm, 5, funct3, 7, 0x13)));
        }
        for (a, b) in [(1, 1), (u32::MAX, 1), (1, u32::MAX)] {
            steps.push(case("branch", &[a, b], b_type(-8, 6, 5, funct3)));
        }
        for (at, imm) in [
            (SCRATCH, 36),
            (SCRATCH + 40, -1),
            (SCRATCH - 2, 0),
            (1 << 16, -4),
        ] {
            let b = 0x8192_a3b4;
            steps.push(case("load", &[at, b], i_type(imm, 5, funct3, 7, 0x03)));
            steps.push(case("store", &[at, b], s_type(imm, 6, 5, funct3)));
        }
    }
    let others = [
        ("lui", u_type(0x8765_4000, 7, 0x37)),
        ("auipc", u_type(0xffff_f000, 7, 0x17)),
        ("x0", u_type(0x8765_4000, 0, 0x37)),
        ("jal", jal(-20, 1)),
        ("jal off words", jal(2, 1)),
        ("jal out of the code", jal(4096, 1)),
        ("jalr", i_type(-1, 5, 0, 1, 0x67)),
        ("jalr of another width", i_type(0, 5, 1, 1, 0x67)),
        ("branch off words", b_type(6, 5, 5, 0)),
        ("fence", FENCE),
        ("fence.i", FENCE_I),
        ("ecall", ECALL),
        ("ebreak", EBREAK),
        ("csrrw", CSRRW),
        ("zero", 0),
        ("ones", u32::MAX),
        ("compressed", 0x0001_0001),
        ("an unknown extension", r_type(2, 6, 5, 0, 7, 0x33)),
        ("sub's bit on and", r_type(0x20, 6, 5, 7, 7, 0x33)),
    ];
    for (name, word) in others {
        steps.push(case(name, &[SCRATCH, 9], word));
    }
    for (name, word) in [
        ("after ecall", ECALL),
        ("after a trap", 0),
        ("beyond the code", jal(1024, 0)),
    ] {
        steps.push(after(name, word));
    }
    VmFile {
        source: OURS,
        log2_code: LAYOUT.log2_code.to_string(),
        log2_memory: LAYOUT.log2_memory.to_string(),
        steps,
        random: random_steps(&mut Dice(SEED), RANDOM_STEPS)
            .iter()
            .map(|step| step.to_bytes().into())
            .collect(),
    }
}

const REGISTER_OPS: [(&str, u32, u32); 18] = [
    ("add", 0, 0),
    ("sub", 0x20, 0),
    ("sll", 0, 1),
    ("slt", 0, 2),
    ("sltu", 0, 3),
    ("xor", 0, 4),
    ("srl", 0, 5),
    ("sra", 0x20, 5),
    ("or", 0, 6),
    ("and", 0, 7),
    ("mul", 1, 0),
    ("mulh", 1, 1),
    ("mulhsu", 1, 2),
    ("mulhu", 1, 3),
    ("div", 1, 4),
    ("divu", 1, 5),
    ("rem", 1, 6),
    ("remu", 1, 7),
];

fn edge(i: usize) -> u32 {
    EDGES[i * 7 % EDGES.len()]
}

/// The step of one instruction, after `x5` and `x6` were set.
fn case(name: &str, operands: &[u32; 2], word: u32) -> StepCase {
    let mut words = [li(5, operands[0]), li(6, operands[1])].concat();
    words.push(word);
    step(
        &format!("{name} {:x} {:x}", operands[0], operands[1]),
        &words,
        4,
    )
}

/// The step after that of one instruction.
fn after(name: &str, word: u32) -> StepCase {
    step(name, &[word], 1)
}

fn step(name: &str, words: &[u32], number: u64) -> StepCase {
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let image = Image::new(LAYOUT, &code, b"constants").unwrap();
    let params: Vec<u8> = (0..=255).collect();
    let mut machine = Machine::new(&image, (&params, &params), Place::default()).unwrap();
    machine.run(number);
    let witness = StepWitness::of(&mut machine, &image);
    let next = witness.step(&StepShape::of(&image)).unwrap();
    machine.run(number + 1);
    assert_eq!(machine.state(), next);
    StepCase {
        name: name.into(),
        program_id: image.program_id(),
        code_root: image.code_root(),
        witness: witness.to_bytes().into(),
        before: witness.state.hash(),
        next: next.hash(),
    }
}
