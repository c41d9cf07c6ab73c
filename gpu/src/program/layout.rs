//! Where a program of the dispute VM finds what it reads, and the sizes that its id binds.

/// Sizes of a program, for a data memory of `2^m` bytes.
///
/// # Memory map
///
/// | from | size | region |
/// |---|---|---|
/// | 0 | 2^(m-1) | input |
/// | 2^(m-1) | 2^(m-3) | parts: a unit's sub-units, for its assembly |
/// | 2^(m-1) + 2^(m-3) | 2^(m-3) | scratch; the stack comes down from its end |
/// | 2^(m-1) + 2^(m-2) | 2^(m-4) | constants |
/// | … + 2^(m-4) | 2^(m-4) | parameters |
/// | … + 2^(m-3) | 2^(m-3) | output |
///
/// What is in a region stands at its beginning. So the root of the first state follows from the roots of input,
/// constants and parameters in a few hashes. Code has a memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Log2 of the bytes of code.
    pub log2_code: u32,
    /// Log2 of the bytes of memory.
    pub log2_memory: u32,
    /// Log2 of the bytes of the input.
    pub log2_input: u32,
    /// Log2 of the bytes of the parameters.
    pub log2_params: u32,
    /// Log2 of the bytes of a sub-unit's output.
    pub log2_output: u32,
    /// Where execution begins.
    pub entry: u32,
    /// The most instructions of a sub-unit: the last state of a dispute has this number.
    pub max_steps: u64,
}

impl Layout {
    /// Where the parts begin.
    pub const fn parts_at(&self) -> u32 {
        1 << (self.log2_memory - 1)
    }

    /// Where the scratch region begins.
    pub const fn scratch_at(&self) -> u32 {
        self.parts_at() + (1 << (self.log2_memory - 3))
    }

    /// Where the constants begin; the stack ends there.
    pub const fn constants_at(&self) -> u32 {
        self.scratch_at() + (1 << (self.log2_memory - 3))
    }

    /// Where the parameters begin.
    pub const fn params_at(&self) -> u32 {
        self.constants_at() + (1 << (self.log2_memory - 4))
    }

    /// Where the output begins.
    pub const fn output_at(&self) -> u32 {
        self.constants_at() + (1 << (self.log2_memory - 3))
    }

    /// Log2 of the bytes of the regions of parts, of scratch, and of output.
    pub const fn log2_eighth(&self) -> u32 {
        self.log2_memory - 3
    }

    /// Log2 of the bytes of the constants' region.
    pub const fn log2_constants(&self) -> u32 {
        self.log2_memory - 4
    }
}
