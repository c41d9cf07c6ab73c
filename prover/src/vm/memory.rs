//! The machine's data memory: bytes, what was written since they were last hashed, and their tree.

use std::collections::BTreeMap;

use alloy_primitives::B256;

use super::merkle::InnerNodes;

/// Log2 of the bytes of a leaf.
pub const LOG2_LEAF: u32 = 5;

/// Bytes of a leaf.
pub const LEAF_BYTES: usize = 1 << LOG2_LEAF;

/// Bytes that are kept together for going back.
const PAGE_BYTES: usize = 1 << 12;

const WORD_BITS: usize = 64;

/// `2^n` bytes of memory with a root.
///
/// Reading and writing never panic: what is out of range is `None`. A root costs the hashes above the leaves that
/// were written since the last one.
#[derive(Clone, Debug)]
pub struct Memory {
    bytes: Vec<u8>,
    nodes: InnerNodes,
    /// A bit for each leaf whose hash is older than its bytes.
    dirty: Vec<u64>,
    /// A bit for each page that stands in `before`.
    saved: Vec<u64>,
    /// Pages as they were at the mark.
    before: BTreeMap<usize, Box<[u8]>>,
    log2_bytes: u32,
}

impl Memory {
    /// Makes `2^log2_bytes` zero bytes, at least a page.
    pub fn new(log2_bytes: u32) -> Self {
        let log2_bytes = log2_bytes.clamp(12, 31);
        let len = 1_usize << log2_bytes;
        Self {
            bytes: vec![0; len],
            nodes: InnerNodes::new(log2_bytes - LOG2_LEAF),
            dirty: vec![0; len / LEAF_BYTES / WORD_BITS],
            saved: vec![0; (len / PAGE_BYTES).div_ceil(WORD_BITS)],
            before: BTreeMap::new(),
            log2_bytes,
        }
    }

    /// Log2 of its bytes.
    pub fn log2_bytes(&self) -> u32 {
        self.log2_bytes
    }

    /// Depth of its tree.
    pub fn depth(&self) -> u32 {
        self.log2_bytes - LOG2_LEAF
    }

    /// Reads a part of the memory.
    pub fn get(&self, at: usize, len: usize) -> Option<&[u8]> {
        self.bytes.get(at..at.checked_add(len)?)
    }

    /// Writes bytes at any place. `None`: they don't fit, and nothing is written.
    pub fn put(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        let end = at.checked_add(bytes.len())?;
        if end > self.bytes.len() {
            return None;
        }
        if bytes.is_empty() {
            return Some(());
        }
        for page in at / PAGE_BYTES..=(end - 1) / PAGE_BYTES {
            self.save(page);
        }
        for leaf in at / LEAF_BYTES..=(end - 1) / LEAF_BYTES {
            self.dirty[leaf / WORD_BITS] |= 1 << (leaf % WORD_BITS);
        }
        self.bytes[at..end].copy_from_slice(bytes);
        Some(())
    }

    /// Reads an aligned `N` bytes.
    #[inline]
    pub(super) fn load<const N: usize>(&self, address: u32) -> Option<[u8; N]> {
        let at = to_usize(address);
        if !at.is_multiple_of(N) {
            return None;
        }
        self.bytes.get(at..at + N)?.try_into().ok()
    }

    /// Writes an aligned `N` bytes.
    #[inline]
    pub(super) fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> Option<()> {
        let at = to_usize(address);
        // A power of two of bytes holds all of an aligned place or nothing.
        if !at.is_multiple_of(N) || at >= self.bytes.len() {
            return None;
        }
        let page = at / PAGE_BYTES;
        let saved = self.saved.get(page / WORD_BITS)?;
        if saved >> (page % WORD_BITS) & 1 == 0 {
            self.save(page);
        }
        let leaf = at / LEAF_BYTES;
        *self.dirty.get_mut(leaf / WORD_BITS)? |= 1 << (leaf % WORD_BITS);
        self.bytes.get_mut(at..at + N)?.copy_from_slice(&value);
        Some(())
    }

    /// Makes what is in memory now the state to go back to.
    pub fn mark(&mut self) {
        self.before.clear();
        self.saved.fill(0);
    }

    /// Goes back to the last mark.
    pub fn rewind(&mut self) {
        for (page, bytes) in std::mem::take(&mut self.before) {
            let at = page * PAGE_BYTES;
            self.bytes[at..at + PAGE_BYTES].copy_from_slice(&bytes);
            let first = at / LEAF_BYTES / WORD_BITS;
            self.dirty[first..first + PAGE_BYTES / LEAF_BYTES / WORD_BITS].fill(u64::MAX);
        }
        self.saved.fill(0);
    }

    /// Returns the root of all bytes.
    pub fn root(&mut self) -> B256 {
        let mut indices = Vec::new();
        for (word, bits) in self.dirty.iter_mut().enumerate() {
            let mut left = std::mem::take(bits);
            while left != 0 {
                let bit = left.trailing_zeros();
                indices.push(word * WORD_BITS + to_usize(bit));
                left &= left - 1;
            }
        }
        let bytes = &self.bytes;
        self.nodes.update(&indices, |index| leaf_of(bytes, index));
        self.nodes.root(leaf_of(bytes, 0))
    }

    /// Returns the leaf with the byte at `address`, and its siblings from the bottom up. Call [`root`](Self::root)
    /// before: siblings are as old as the last root.
    pub fn proof(&self, address: u32) -> (B256, Vec<B256>) {
        let index = to_usize(address) / LEAF_BYTES;
        let leaf = |index| leaf_of(&self.bytes, index);
        (leaf(index), self.nodes.siblings(0, index, leaf))
    }

    /// Returns the root of the aligned region of `2^log2_bytes` bytes at `address`, and its siblings from the bottom
    /// up. Call [`root`](Self::root) before.
    pub fn region(&self, address: u32, log2_bytes: u32) -> (B256, Vec<B256>) {
        let height = log2_bytes - LOG2_LEAF;
        let index = to_usize(address) >> log2_bytes;
        let leaf = |index| leaf_of(&self.bytes, index);
        let node = self.nodes.node(height, index, leaf);
        (node, self.nodes.siblings(height, index, leaf))
    }

    #[cold]
    fn save(&mut self, page: usize) {
        let at = page * PAGE_BYTES;
        let word = &mut self.saved[page / WORD_BITS];
        let bit = 1 << (page % WORD_BITS);
        if *word & bit != 0 {
            return;
        }
        *word |= bit;
        self.before
            .insert(page, self.bytes[at..at + PAGE_BYTES].into());
    }
}

fn leaf_of(bytes: &[u8], index: usize) -> B256 {
    let at = index * LEAF_BYTES;
    bytes
        .get(at..at + LEAF_BYTES)
        .map_or(B256::ZERO, B256::from_slice)
}

/// Addresses have 32 bits, and so has every machine that this runs on, at least.
pub(super) fn to_usize(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
