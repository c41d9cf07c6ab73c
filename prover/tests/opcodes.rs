//! Every instruction of the dispute VM against a table that was written by hand.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]
#![allow(unreachable_pub, reason = "the modules are parts of one program")]

#[path = "common/assembler.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod assembler;
#[path = "common/opcodes.rs"]
mod opcodes;

use std::collections::BTreeSet;

use assembler::li;
use inferix_prover::vm::{
    Image, Instruction, Layout, Machine, Place, Regions, State, Status, StepShape, StepWitness,
};
use opcodes::{OPCODES, Outcome};

const LAYOUT: Layout = Layout {
    log2_code: 8,
    log2_memory: 16,
    log2_input: 10,
    log2_params: 8,
    log2_output: 6,
    entry: 0,
    max_steps: 1 << 20,
};

const MEMORY_BYTES: usize = 1 << 16;

#[test]
fn each_row_of_the_table_changes_what_it_names_and_nothing_else() {
    let input: Vec<u8> = (0..=255).collect();
    for (name, word, [a, b], outcome) in OPCODES {
        let words = [&li(5, *a)[..], &li(6, *b), &[*word]].concat();
        let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let image = Image::new(LAYOUT, &code, b"").unwrap();
        let regions = Regions {
            input: &input,
            ..Regions::default()
        };
        let mut machine = Machine::new(&image, regions, Place::default()).unwrap();
        machine.run(4);
        let witness = StepWitness::of(&mut machine, &image);
        let mut memory = machine.memory().get(0, MEMORY_BYTES).unwrap().to_vec();
        machine.run(5);

        let mut expected = witness.state.clone();
        expected.step = 5;
        change(&mut expected, &mut memory, *outcome);
        let mut state = machine.state();
        let stepped = witness.step(&StepShape::of(&image)).unwrap();
        assert_eq!(stepped, state, "the witness of {name} of {a:x} {b:x}");
        assert!(
            machine.memory().get(0, MEMORY_BYTES).unwrap() == memory,
            "memory after {name} of {a:x} {b:x}"
        );
        let has_moved = state.memory_root != witness.state.memory_root;
        assert_eq!(has_moved, matches!(outcome, Outcome::Word(..)), "{name}");
        state.memory_root = expected.memory_root;
        assert_eq!(state, expected, "{name} of {a:x} {b:x}");
    }
}

fn change(state: &mut State, memory: &mut [u8], outcome: Outcome) {
    let next = 20;
    match outcome {
        Outcome::Register(value) => (state.registers[7], state.pc) = (value, next),
        Outcome::Jump(to) => (state.registers[7], state.pc) = (next, to),
        Outcome::Goto(to) => state.pc = to,
        Outcome::Word(at, value) => {
            let at = at as usize;
            memory[at..at + 4].copy_from_slice(&value.to_le_bytes());
            state.pc = next;
        }
        Outcome::Halts => state.status = Status::Halted,
        Outcome::Traps => state.status = Status::Trapped,
    }
}

#[test]
fn the_table_has_every_instruction() {
    let ops: BTreeSet<String> = OPCODES
        .iter()
        .map(|(_, word, ..)| format!("{:?}", Instruction::decode(*word).op))
        .collect();
    assert_eq!(ops.len(), 48, "{ops:?}");
}
