//! The programs, as the dispute VM runs them, and what their ids commit to.
//!
//! `scripts/programs` compiles the kernels to the images under `programs/`. An image's id binds its code, its
//! constants and its layout, so whoever changes a result's bits changes the id. The CPU's build of the same sources
//! has the same bits: the tests of `prover` compare the two.

mod binary;
mod layout;
mod refine;
mod sources;

use std::sync::OnceLock;

pub use binary::{Binary, program_id};
pub use layout::Layout;
pub use refine::refine;
pub use sources::digest as sources_digest;

use crate::memory::{LOG2_INPUT, LOG2_PARAMS};

/// The render program; a sub-unit is one pixel times a range of samples.
///
/// Its output is a `SubUnit` of `kernels/render.h`: 16 bytes in one leaf.
static RENDER: Binary = Binary {
    name: "render",
    layout: Layout {
        log2_code: 17,
        log2_memory: LOG2_INPUT + 1,
        log2_input: LOG2_INPUT,
        log2_params: LOG2_PARAMS,
        log2_output: 5,
        entry: 0,
        max_steps: 1 << 30,
    },
    code: include_bytes!("../../programs/render.code"),
    constants: include_bytes!("../../programs/render.constants"),
};

/// A deterministic kernel with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// Renders frames of a scene by path tracing.
    Render,
}

impl Program {
    /// All programs.
    pub const ALL: [Self; 1] = [Self::Render];

    /// Returns the id under which jobs name the program.
    pub fn program_id(self) -> [u8; 32] {
        static RENDER_ID: OnceLock<[u8; 32]> = OnceLock::new();
        match self {
            Self::Render => *RENDER_ID.get_or_init(|| RENDER.program_id()),
        }
    }

    /// Returns the program as the dispute VM runs it.
    pub fn binary(self) -> &'static Binary {
        match self {
            Self::Render => &RENDER,
        }
    }
}
