//! Writes random steps of the dispute VM for `scripts/fuzz-steps`, and prints what they are.
//!
//! Arguments: how many, the seed, the folder. A file holds a thousand records, each after its length (u32,
//! big-endian).
#![allow(
    clippy::unwrap_used,
    reason = "a generator stops on what it does not expect"
)]
#![allow(unreachable_pub, reason = "the modules are parts of one program")]
#![allow(missing_docs, reason = "a generator has no users")]

#[path = "../tests/common/assembler.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod assembler;
#[path = "../tests/common/steps.rs"]
mod steps;

use std::{collections::BTreeMap, path::PathBuf};

use inferix_prover::vm::Status;
use steps::{Dice, RandomStep, random_steps};

/// Few enough for the memory of a test in forge.
const RECORDS_PER_FILE: usize = 1000;

fn main() {
    let mut args = std::env::args().skip(1);
    let count: usize = args.next().unwrap().parse().unwrap();
    let seed: u64 = args.next().unwrap().parse().unwrap();
    let folder = PathBuf::from(args.next().unwrap());
    std::fs::create_dir_all(&folder).unwrap();

    let mut dice = Dice(seed);
    let mut kinds = BTreeMap::new();
    for file in 0..count.div_ceil(RECORDS_PER_FILE) {
        let left = count - file * RECORDS_PER_FILE;
        let mut bytes = Vec::new();
        for step in random_steps(&mut dice, left.min(RECORDS_PER_FILE)) {
            *kinds.entry(kind(&step)).or_insert(0_usize) += 1;
            let record = step.to_bytes();
            bytes.extend(u32::try_from(record.len()).unwrap().to_be_bytes());
            bytes.extend(record);
        }
        std::fs::write(folder.join(format!("{file}.bin")), bytes).unwrap();
    }
    for (kind, count) in kinds {
        println!("{kind} {count}");
    }
}

fn kind(step: &RandomStep) -> String {
    let Some(next) = &step.next else {
        return "refused".into();
    };
    if step.witness.state.status != Status::Running {
        return format!("over {:?}", next.status);
    }
    match step.op() {
        None => "beyond the code".into(),
        Some(op) => format!("{op:?} {:?}", next.status),
    }
}
