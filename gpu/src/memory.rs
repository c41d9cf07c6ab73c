//! Commitments to the memory regions of a program.
//!
//! # Layout
//!
//! - A region is a binary tree over raw 32-byte leaves, zero-padded to a fixed power of two of bytes.
//! - A node is `keccak256(left ++ right)`. A leaf enters as it is: every tree of a region has a depth that
//!   the program fixes, so an inner node can't pass for a leaf.
//!
//! # Cost
//!
//! One hash for every 32 bytes that are present; the padding is hashed once per level, ahead of time.

use std::sync::OnceLock;

use rayon::prelude::*;

/// Log2 of the bytes of a leaf.
pub const LOG2_LEAF: u32 = 5;

/// Log2 of the bytes of the input region.
pub const LOG2_INPUT: u32 = 28;

/// Log2 of the bytes of the parameter region.
pub const LOG2_PARAMS: u32 = 10;

/// Above log2 of the bytes of every region.
const LOG2_MAX: u32 = 40;

/// Log2 of the bytes that one task of the parallel hash folds.
const LOG2_CHUNK: u32 = 16;

unsafe extern "C" {
    fn ifx_keccak_256(bytes: *const u8, len: usize, digest: *mut u8);
    fn ifx_keccak_fold(nodes: *mut u8, pair_count: usize);
}

/// Returns the Keccak-256 digest of `bytes`.
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    // SAFETY: the pointers span `bytes.len()` readable and 32 writable bytes that do not overlap.
    unsafe { ifx_keccak_256(bytes.as_ptr(), bytes.len(), digest.as_mut_ptr()) };
    digest
}

/// Returns the root of a region of `2^log2_size` bytes that begins with `bytes` and is zero behind them.
///
/// # Panics
///
/// If the bytes do not fit in the region, or if the region is smaller than a leaf: both are fixed by the
/// program before any input is read.
pub fn subtree_root(bytes: &[u8], log2_size: u32) -> [u8; 32] {
    assert!(
        (LOG2_LEAF..LOG2_MAX).contains(&log2_size),
        "a region of 2^{log2_size} bytes"
    );
    assert!(
        bytes.len() <= 1 << log2_size,
        "{} bytes in 2^{log2_size}",
        bytes.len()
    );

    let log2_chunk = LOG2_CHUNK.min(log2_size);
    let mut nodes: Vec<u8> = bytes
        .par_chunks(1 << log2_chunk)
        .flat_map_iter(|chunk| fold(chunk.to_vec(), LOG2_LEAF, log2_chunk))
        .collect();
    if nodes.is_empty() {
        nodes = zero_root(log2_chunk).to_vec();
    }
    let nodes = fold(nodes, log2_chunk, log2_size);
    let mut root = [0; 32];
    root.copy_from_slice(&nodes);
    root
}

/// Folds nodes that stand for `2^from` bytes each into one that stands for `2^to`.
fn fold(mut nodes: Vec<u8>, from: u32, to: u32) -> [u8; 32] {
    nodes.resize(nodes.len().next_multiple_of(32), 0);
    for level in from..to {
        if !nodes.len().is_multiple_of(64) {
            nodes.extend_from_slice(&zero_root(level));
        }
        let pair_count = nodes.len() / 64;
        // SAFETY: `nodes` holds `pair_count` pairs of 32 bytes, and the parents overwrite the first half.
        unsafe { ifx_keccak_fold(nodes.as_mut_ptr(), pair_count) };
        nodes.truncate(pair_count * 32);
    }
    let mut root = [0; 32];
    root.copy_from_slice(&nodes);
    root
}

/// Returns the root of `2^log2_size` zero bytes.
fn zero_root(log2_size: u32) -> [u8; 32] {
    static ROOTS: OnceLock<Vec<[u8; 32]>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let levels = LOG2_LEAF..LOG2_MAX;
        let mut root = [0; 32];
        levels
            .map(|_| {
                let above = keccak256(&[root, root].concat());
                std::mem::replace(&mut root, above)
            })
            .collect()
    });
    roots[(log2_size - LOG2_LEAF) as usize]
}

#[cfg(test)]
mod tests {
    use tiny_keccak::{Hasher, Keccak};

    use super::*;

    fn oracle(bytes: &[u8]) -> [u8; 32] {
        let mut hasher = Keccak::v256();
        let mut digest = [0; 32];
        hasher.update(bytes);
        hasher.finalize(&mut digest);
        digest
    }

    fn oracle_root(bytes: &[u8], log2_size: u32) -> [u8; 32] {
        let mut padded = bytes.to_vec();
        padded.resize(1 << log2_size, 0);
        while padded.len() > 32 {
            padded = padded.chunks(64).flat_map(oracle).collect();
        }
        padded.try_into().unwrap()
    }

    #[test]
    fn digests_match_another_implementation() {
        let bytes: Vec<u8> = (0..600_u32).map(|i| (i * 7 + 3) as u8).collect();
        for len in [0, 1, 31, 32, 64, 135, 136, 137, 271, 272, 273, 600] {
            assert_eq!(
                keccak256(&bytes[..len]),
                oracle(&bytes[..len]),
                "{len} bytes"
            );
        }
    }

    #[test]
    fn roots_match_a_padded_tree() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|i| (i * 31 + i / 255) as u8).collect();
        for (len, log2_size) in [
            (0, 5),
            (1, 5),
            (32, 5),
            (33, 6),
            (0, 18),
            (5000, 13),
            (65_537, 18),
            (300_000, 19),
        ] {
            let part = &bytes[..len];
            assert_eq!(
                subtree_root(part, log2_size),
                oracle_root(part, log2_size),
                "{len} bytes"
            );
        }
    }

    #[test]
    fn the_empty_input_region_is_the_known_zero_subtree() {
        assert_eq!(
            subtree_root(&[], LOG2_INPUT),
            subtree_root(&[0; 100], LOG2_INPUT)
        );
    }
}
