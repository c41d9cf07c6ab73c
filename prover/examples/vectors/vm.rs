//! `vm.json`: steps of the dispute VM with their witnesses.

use alloy_primitives::{B256, Bytes};
use inferix_prover::vm::{Image, Layout, Machine, Place, Regions, StepShape, StepWitness};
use serde::Serialize;

use crate::{
    OURS,
    assembler::{ECALL, jal, li},
    opcodes::OPCODES,
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
    let rows = OPCODES.iter();
    let mut steps: Vec<_> = rows.map(|row| case(row.0, &row.2, row.1)).collect();
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
    let regions = Regions {
        input: &params,
        params: &params,
        parts: &[],
    };
    let mut machine = Machine::new(&image, regions, Place::default()).unwrap();
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
