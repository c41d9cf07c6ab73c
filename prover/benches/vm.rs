//! Speed of the dispute VM.
//!
//! Names read `vm/op=<what>`. The last line is `mips.vm <million instructions per second of one core>`: a program that
//! mixes arithmetic, loads, stores and branches as the render program does, the median of runs.
#![allow(missing_docs, reason = "a benchmark has no users")]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops on what it does not expect"
)]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock"
)]

#[path = "../tests/common/assembler.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use more of it")]
mod assembler;

use std::{hint::black_box, time::Instant};

use assembler::{addi, b_type, i_type, jal, li, r_type, s_type};
use criterion::{Criterion, Throughput, criterion_group};
use inferix_prover::vm::{Image, Layout, Machine, Place, Regions};

const STEPS: u64 = 20_000_000;
const ROUNDS: usize = 9;

const LAYOUT: Layout = Layout {
    log2_code: 12,
    log2_memory: 24,
    log2_input: 20,
    log2_params: 10,
    log2_output: 5,
    entry: 0,
    max_steps: 1 << 30,
};

/// Sixteen instructions for ever: a load, a store, a product, shifts, a branch that goes either way.
fn mixed() -> Image {
    let mut words = [li(5, LAYOUT.scratch_at()), li(6, 0x9e37_79b9)].concat();
    let top = words.len();
    words.extend([
        r_type(1, 6, 7, 0, 7, 0x33),
        addi(7, 7, 0x123),
        i_type(7, 7, 5, 8, 0x13),
        i_type(0x7fc, 8, 7, 9, 0x13),
        r_type(0, 5, 9, 0, 9, 0x33),
        i_type(0, 9, 2, 10, 0x03),
        r_type(0, 7, 10, 4, 10, 0x33),
        s_type(0, 10, 9, 2),
        i_type(1, 7, 7, 11, 0x13),
        b_type(8, 0, 11, 0),
        addi(12, 12, 1),
        r_type(0, 8, 12, 3, 13, 0x33),
        i_type(3, 13, 1, 13, 0x13),
        r_type(0, 13, 14, 0, 14, 0x33),
        r_type(1, 6, 7, 3, 15, 0x33),
    ]);
    let back = (words.len() - top) * 4;
    words.push(jal(-i32::try_from(back).unwrap(), 0));
    let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    Image::new(LAYOUT, &code, &[]).unwrap()
}

fn run(c: &mut Criterion) {
    let image = mixed();
    let mut machine = Machine::new(&image, Regions::default(), Place::default()).unwrap();
    let mut group = c.benchmark_group("vm");
    group.throughput(Throughput::Elements(STEPS));
    group.sample_size(10);
    group.bench_function("op=run", |b| {
        b.iter(|| {
            let step = machine.step() + STEPS;
            machine.run(black_box(step));
        });
    });
    group.finish();
}

fn ratios() {
    let image = mixed();
    let mut machine = Machine::new(&image, Regions::default(), Place::default()).unwrap();
    let mut mips: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let step = machine.step() + STEPS;
            let start = Instant::now();
            machine.run(black_box(step));
            STEPS as f64 / start.elapsed().as_secs_f64() / 1e6
        })
        .collect();
    mips.sort_by(f64::total_cmp);
    println!("mips.vm {:.0}", mips[ROUNDS / 2]);
}

criterion_group!(benches, run);

fn main() {
    benches();
    ratios();
}
