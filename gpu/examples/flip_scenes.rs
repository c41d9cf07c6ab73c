//! Flips bytes of scenes for as long as one likes: `flip_scenes [SEED] [ROUNDS]`.
#![allow(clippy::unwrap_used, reason = "finding a panic is the point")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/flip.rs"]
mod flip;

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|arg| arg.parse::<u64>().unwrap());
    let seed = numbers.next().unwrap_or(1);
    let rounds = numbers.next().unwrap_or(100_000);
    let rendered = flip::rendered_count(seed, rounds);
    println!("seed {seed}: {rounds} scenes, {rendered} rendered, the others refused");
}
