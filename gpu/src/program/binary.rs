//! A program's image for the dispute VM.

use super::Layout;
use crate::memory::{keccak256, subtree_root};

/// What the preimage of a program's id begins with.
const TAG: u8 = 0x06;

/// Code, constants and layout of a program.
#[derive(Clone, Copy, Debug)]
pub struct Binary {
    /// What people call it.
    pub name: &'static str,
    /// Its sizes.
    pub layout: Layout,
    /// Its instructions, little-endian words.
    pub code: &'static [u8],
    /// What stands in its region of constants.
    pub constants: &'static [u8],
}

impl Binary {
    /// Root of the code's tree.
    pub fn code_root(&self) -> [u8; 32] {
        subtree_root(self.code, self.layout.log2_code)
    }

    /// Root of the region of constants.
    pub fn constants_root(&self) -> [u8; 32] {
        subtree_root(self.constants, self.layout.log2_constants())
    }

    /// Names the program.
    pub fn program_id(&self) -> [u8; 32] {
        program_id(&self.layout, self.code_root(), self.constants_root())
    }
}

/// Names a program by what it is: the hash of
///
/// ```text
/// 0x06 ‖ codeRoot 32 ‖ constantsRoot 32 ‖ entry u32 ‖ maxSteps u64 ‖ log2 of code, memory, input, parameters, output, a byte each
/// ```
///
/// with big-endian integers.
pub fn program_id(layout: &Layout, code_root: [u8; 32], constants_root: [u8; 32]) -> [u8; 32] {
    let mut preimage = vec![TAG];
    preimage.extend_from_slice(&code_root);
    preimage.extend_from_slice(&constants_root);
    preimage.extend_from_slice(&layout.entry.to_be_bytes());
    preimage.extend_from_slice(&layout.max_steps.to_be_bytes());
    let sizes = [
        layout.log2_code,
        layout.log2_memory,
        layout.log2_input,
        layout.log2_params,
        layout.log2_output,
    ];
    preimage.extend(sizes.map(|size| size.to_le_bytes()[0]));
    keccak256(&preimage)
}
