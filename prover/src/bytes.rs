//! Canonical bytes: fixed widths, big-endian, read strictly.
//!
//! A reader takes bytes from strangers. It never allocates by a length that it has not compared with
//! the bytes that are left, and it refuses what it would not have written itself.

use alloy_primitives::{Address, B256, U256};

use crate::{U96, sum_tree::Node};

/// Why bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside a field.
    #[error("bytes end at {len_bytes} where {field} needs {needed_bytes} more at {offset_bytes}")]
    Truncated {
        /// The field that was being read.
        field: &'static str,
        /// Where the field begins.
        offset_bytes: usize,
        /// What the field needs.
        needed_bytes: usize,
        /// Length of the whole input.
        len_bytes: usize,
    },
    /// Bytes are left over.
    #[error("{extra_bytes} bytes follow the last field")]
    TrailingBytes {
        /// How many.
        extra_bytes: usize,
    },
    /// The magic number is another one.
    #[error("magic number is {got:#010x} and not {needed:#010x}")]
    WrongMagic {
        /// What was read.
        got: u32,
        /// What begins such bytes.
        needed: u32,
    },
    /// The version is not one that this build reads.
    #[error("version {got} is not {needed}")]
    UnknownVersion {
        /// What was read.
        got: u16,
        /// What this build reads.
        needed: u16,
    },
    /// A count is above its bound, or more than the bytes that are left can hold.
    #[error("{field} counts {got}, above the bound of {bound}")]
    CountTooLarge {
        /// The counted items.
        field: &'static str,
        /// The count that was read.
        got: u64,
        /// What is allowed here.
        bound: u64,
    },
    /// Items that must ascend do not.
    #[error("{field} {index} is not above the one before it")]
    OutOfOrder {
        /// The items.
        field: &'static str,
        /// Index of the first one that is out of order.
        index: usize,
    },
}

/// Reads fields off the front of a slice.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    all: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(all: &'a [u8]) -> Self {
        Self { all, offset: 0 }
    }

    pub(crate) fn take(
        &mut self,
        field: &'static str,
        len: usize,
    ) -> Result<&'a [u8], DecodeError> {
        let rest = self.all.get(self.offset..).unwrap_or_default();
        let taken = rest.get(..len).ok_or(DecodeError::Truncated {
            field,
            offset_bytes: self.offset,
            needed_bytes: len,
            len_bytes: self.all.len(),
        })?;
        self.offset += len;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(field, N)?);
        Ok(out)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array(field)?))
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array(field)?))
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array(field)?))
    }

    pub(crate) fn u96(&mut self, field: &'static str) -> Result<U96, DecodeError> {
        Ok(U96::from_be_bytes(self.array::<12>(field)?))
    }

    pub(crate) fn u128(&mut self, field: &'static str) -> Result<u128, DecodeError> {
        Ok(u128::from_be_bytes(self.array(field)?))
    }

    pub(crate) fn b256(&mut self, field: &'static str) -> Result<B256, DecodeError> {
        Ok(B256::new(self.array(field)?))
    }

    pub(crate) fn address(&mut self, field: &'static str) -> Result<Address, DecodeError> {
        Ok(Address::new(self.array(field)?))
    }

    pub(crate) fn node(&mut self, field: &'static str) -> Result<Node, DecodeError> {
        Ok(Node {
            hash: self.b256(field)?,
            sum: self.u128(field)?,
        })
    }

    /// Reads a count of items of at least `item_bytes` each. The count is at most `bound`, and at most
    /// what the bytes that are left can hold: it is safe to allocate by.
    pub(crate) fn count(
        &mut self,
        field: &'static str,
        item_bytes: usize,
        bound: usize,
    ) -> Result<usize, DecodeError> {
        let got = self.u32(field)?;
        let left = self.all.len().saturating_sub(self.offset);
        let bound = bound.min(left / item_bytes.max(1));
        let refused = DecodeError::CountTooLarge {
            field,
            got: u64::from(got),
            bound: widen(bound),
        };
        let count = usize::try_from(got).map_err(|_| refused)?;
        if count > bound {
            return Err(refused);
        }
        Ok(count)
    }

    /// Reads a count and as many items, of at least `item_bytes` each.
    pub(crate) fn each<T>(
        &mut self,
        field: &'static str,
        item_bytes: usize,
        bound: usize,
        read: impl Fn(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.count(field, item_bytes, bound)?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    pub(crate) fn end(self) -> Result<(), DecodeError> {
        let extra_bytes = self.all.len().saturating_sub(self.offset);
        if extra_bytes != 0 {
            return Err(DecodeError::TrailingBytes { extra_bytes });
        }
        Ok(())
    }
}

/// Appends fields to a vector.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn put(&mut self, bytes: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(bytes.as_ref());
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.put(value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.put(value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.put(value.to_be_bytes());
    }

    pub(crate) fn u96(&mut self, value: U96) {
        self.put(value.to_be_bytes::<12>());
    }

    pub(crate) fn u128(&mut self, value: u128) {
        self.put(value.to_be_bytes());
    }

    /// Appends a count and the items. No caller holds 2^32 of them: the blob's bound is below that.
    pub(crate) fn each<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.u32(u32::try_from(items.len()).unwrap_or(u32::MAX));
        for item in items {
            write(self, item);
        }
    }

    pub(crate) fn node(&mut self, node: Node) {
        self.put(node.hash);
        self.u128(node.sum);
    }
}

/// Writes fields into a fixed array, so that hashing a leaf allocates nothing.
#[derive(Debug)]
pub(crate) struct ArrayWriter<const N: usize> {
    pub(crate) bytes: [u8; N],
    offset: usize,
}

impl<const N: usize> ArrayWriter<N> {
    pub(crate) fn new() -> Self {
        Self {
            bytes: [0; N],
            offset: 0,
        }
    }

    /// Appends `field`. The widths of a layout add up to `N`, which its test shows.
    #[inline]
    pub(crate) fn put(&mut self, field: impl AsRef<[u8]>) -> &mut Self {
        let field = field.as_ref();
        let end = self.offset + field.len();
        self.bytes[self.offset..end].copy_from_slice(field);
        self.offset = end;
        self
    }

    #[inline]
    pub(crate) fn finish(&self) -> [u8; N] {
        debug_assert_eq!(self.offset, N, "a layout's widths add up to its length");
        self.bytes
    }
}

/// Widens a count. No target of ours has more than 64 bits.
pub(crate) fn widen(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Widens a 96-bit number.
pub(crate) fn widen_u96(value: U96) -> u128 {
    value.to::<u128>()
}

/// Narrows to 96 bits, where the value fits.
pub(crate) fn narrow_u96(value: U256) -> Option<U96> {
    (value.bit_len() <= 96).then(|| U96::from_limbs_slice(&value.as_limbs()[..2]))
}
