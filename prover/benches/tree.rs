//! Speed of the Merkle-sum tree, beside the bare hash and other people's trees.
//!
//! Names read `tree/op=<operation> leaves=<count>`. After them come lines `ratio.<name> <speed of ours
//! divided by speed of theirs>`, each the best of runs that take turns on the same threads:
//!
//! - `ratio.tree_vs_keccak`: permutations per second of a build, beside those of one long message;
//! - `ratio.tree_vs_keccak_parallel`: the same with all threads of the pool on both sides;
//! - `ratio.tree_vs_rs_merkle`, `ratio.tree_vs_merkle_light`: builds over as many leaves, one thread each.
//!   Theirs hash 64 and 65 bytes a node and no sums, ours 97: all are one permutation.
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

#[path = "../tests/common/peers.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use more of it")]
mod peers;

use std::{hint::black_box, time::Instant};

use alloy_primitives::{B256, keccak256};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use inferix_prover::{
    interval::Interval,
    sum_tree::{Node, Peaks, SumTree},
};
use rayon::prelude::*;

const LEAVES: usize = 1 << 16;

/// Leaves of the ratios' trees: a build of 2 ms mostly fits between two interruptions by a scheduler.
const RATIO_LEAVES: usize = 1 << 13;
const ROUNDS: usize = 300;

/// Bytes that one permutation absorbs.
const RATE_BYTES: usize = 136;
const MESSAGE_PERMUTATIONS: usize = 64;

fn leaves(count: usize) -> Vec<Node> {
    (0..count)
        .map(|i| Node {
            hash: keccak256(i.to_be_bytes()),
            sum: i as u128,
        })
        .collect()
}

fn tree(c: &mut Criterion) {
    let mut group = c.benchmark_group("tree");
    for count in [1_440, LEAVES] {
        let leaves = leaves(count);
        let tree = SumTree::build(leaves.clone()).unwrap();
        let id = |op: &str| BenchmarkId::from_parameter(format!("op={op} leaves={count}"));
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(id("build"), |b| {
            b.iter_with_large_drop(|| SumTree::build(black_box(leaves.clone())));
        });
        group.bench_function(id("build_parallel"), |b| {
            b.iter_with_large_drop(|| SumTree::build_parallel(count, |i| leaves[i]));
        });
        group.bench_function(id("append_peaks"), |b| {
            b.iter(|| {
                let mut peaks = Peaks::new();
                leaves.iter().for_each(|leaf| peaks.append(*leaf).unwrap());
                peaks.root()
            });
        });
        group.throughput(Throughput::Elements(1));
        group.bench_function(id("prove"), |b| {
            b.iter(|| tree.prove(black_box(count as u64 / 3)))
        });
        let (proof, root) = (tree.prove(count as u64 / 3).unwrap(), tree.root().unwrap());
        let leaf = leaves[count / 3];
        group.bench_function(id("verify"), |b| {
            b.iter(|| proof.verify(black_box(leaf), root))
        });
    }
    let interval = Interval::default();
    group.bench_function("op=hash_interval", |b| {
        b.iter(|| black_box(&interval).leaf_hash())
    });
    group.finish();
}

/// Measures `ours` and `theirs` in turns, and returns the ratio of their best speeds. `ours` takes leaves
/// that it may keep. Neither the copy of them nor dropping what was built is measured.
fn ratio<T, U>(leaves: &[Node], ours: impl Fn(Vec<Node>) -> T, theirs: impl Fn() -> U) -> f64 {
    let seconds = |run: &mut dyn FnMut()| {
        let begin = Instant::now();
        run();
        begin.elapsed().as_secs_f64()
    };
    let (mut our_best, mut their_best) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        let mut input = Some(leaves.to_vec());
        let (mut our_output, mut their_output) = (None, None);
        our_best = our_best.min(seconds(&mut || our_output = input.take().map(&ours)));
        their_best = their_best.min(seconds(&mut || their_output = Some(theirs())));
        black_box((our_output, their_output));
    }
    their_best / our_best
}

fn keccak_message(message: &[u8]) -> B256 {
    keccak256(black_box(message))
}

fn print_ratios() {
    let leaves = leaves(RATIO_LEAVES);
    let build = |leaves| SumTree::build(leaves).unwrap();
    // As many permutations as a build has nodes, and one.
    let message = vec![0x5a_u8; MESSAGE_PERMUTATIONS * RATE_BYTES - 1];
    let messages = RATIO_LEAVES / MESSAGE_PERMUTATIONS;

    let vs_keccak = ratio(&leaves, build, || {
        (0..messages)
            .map(|_| keccak_message(&message))
            .collect::<Vec<_>>()
    });
    println!("ratio.tree_vs_keccak {vs_keccak:.3}");

    let build_parallel =
        |leaves: Vec<Node>| SumTree::build_parallel(leaves.len(), |i| leaves[i]).unwrap();
    let vs_parallel = ratio(&leaves, build_parallel, || {
        (0..messages)
            .into_par_iter()
            .map(|_| keccak_message(&message))
            .collect::<Vec<_>>()
    });
    println!("ratio.tree_vs_keccak_parallel {vs_parallel:.3}");

    let hashes: Vec<[u8; 32]> = leaves.iter().map(|leaf| leaf.hash.0).collect();
    let vs_rs_merkle = ratio(&leaves, build, || {
        let tree = rs_merkle::MerkleTree::<peers::RsKeccak>::from_leaves(&hashes);
        black_box(tree.root());
        tree
    });
    println!("ratio.tree_vs_rs_merkle {vs_rs_merkle:.3}");

    let vs_merkle_light = ratio(&leaves, build, || {
        let leaves = hashes.iter().copied();
        merkle_light::merkle::MerkleTree::<_, peers::KeccakAlgorithm>::new(leaves)
    });
    println!("ratio.tree_vs_merkle_light {vs_merkle_light:.3}");
}

criterion_group!(benches, tree);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    print_ratios();
}
