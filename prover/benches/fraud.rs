//! Speed at which a verifier reads a claim.
//!
//! Names read `fraud/op=<operation> intervals=<count> units=<count>`; a claim of a day has 1,440 intervals of
//! a minute.
#![allow(missing_docs, reason = "a benchmark has no users")]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark stops on what it does not expect"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;

use common::{
    chain::Chain,
    sample::{Shape, honest},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use inferix_prover::blob::ClaimBlob;

fn fraud(c: &mut Criterion) {
    let mut group = c.benchmark_group("fraud");
    group.sample_size(10);
    for units_per_interval in [1, 60] {
        let shape = Shape {
            lines: 4,
            tasks: 36,
            intervals_per_task: 10,
            units_per_interval,
        };
        let claim = honest(1, shape);
        let bytes = claim.blob.to_bytes();
        let intervals = 1_440;
        let id = |op: &str| {
            let units = intervals * units_per_interval;
            BenchmarkId::from_parameter(format!("op={op} intervals={intervals} units={units}"))
        };
        group.throughput(Throughput::Elements(intervals * units_per_interval));
        let chain = Chain::new();
        group.bench_function(id("find"), |b| b.iter(|| chain.find(black_box(&claim))));
        group.bench_function(id("decode"), |b| {
            b.iter(|| ClaimBlob::from_bytes(black_box(&bytes)))
        });
    }
    group.finish();
}

criterion_group!(benches, fraud);
criterion_main!(benches);
