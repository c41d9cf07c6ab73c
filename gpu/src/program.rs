//! The programs, and what their ids commit to.
//!
//! An id is the hash of a tag and of the kernel sources in the order of `SOURCES`: whoever changes a
//! result's bits has changed a source, and with it the id.

use crate::memory::keccak256;

/// Changes when a rule changes that no source shows, such as the compiler's flags.
const RENDER_TAG: &[u8] = b"inferix/render/1";

/// The sources of the render program. The order is part of the id.
const SOURCES: [(&str, &[u8]); 22] = [
    ("types.h", include_bytes!("../kernels/types.h")),
    ("float.h", include_bytes!("../kernels/float.h")),
    ("math.h", include_bytes!("../kernels/math.h")),
    ("vector.h", include_bytes!("../kernels/vector.h")),
    ("random.h", include_bytes!("../kernels/random.h")),
    ("keccak.h", include_bytes!("../kernels/keccak.h")),
    ("srgb.h", include_bytes!("../kernels/srgb.h")),
    ("params.h", include_bytes!("../kernels/params.h")),
    ("scene.h", include_bytes!("../kernels/scene.h")),
    ("cost.h", include_bytes!("../kernels/cost.h")),
    ("view.h", include_bytes!("../kernels/view.h")),
    ("lanes.h", include_bytes!("../kernels/lanes.h")),
    ("trace.h", include_bytes!("../kernels/trace.h")),
    ("texture.h", include_bytes!("../kernels/texture.h")),
    ("surface.h", include_bytes!("../kernels/surface.h")),
    ("albedo.h", include_bytes!("../kernels/albedo.h")),
    ("scatter.h", include_bytes!("../kernels/scatter.h")),
    ("sky.h", include_bytes!("../kernels/sky.h")),
    ("light.h", include_bytes!("../kernels/light.h")),
    ("camera.h", include_bytes!("../kernels/camera.h")),
    ("path.h", include_bytes!("../kernels/path.h")),
    ("render.h", include_bytes!("../kernels/render.h")),
];

/// Entry points of the CPU, which only call what the listed sources define.
#[cfg(test)]
const HOST_SOURCES: [&str; 2] = ["host.c", "keccak.c"];

/// A deterministic kernel with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// Renders frames of a scene by path tracing.
    Render,
}

impl Program {
    /// Returns the id under which jobs name the program.
    pub fn program_id(self) -> [u8; 32] {
        match self {
            Self::Render => sources_digest(RENDER_TAG),
        }
    }
}

/// Hashes the tag and every source, each preceded by its length as four little-endian bytes.
fn sources_digest(tag: &[u8]) -> [u8; 32] {
    let mut preimage = Vec::new();
    let parts = SOURCES
        .iter()
        .flat_map(|(name, text)| [name.as_bytes(), text]);
    for part in std::iter::once(tag).chain(parts) {
        let len = u32::try_from(part.len()).unwrap_or(u32::MAX);
        preimage.extend_from_slice(&len.to_le_bytes());
        preimage.extend_from_slice(part);
    }
    keccak256(&preimage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_source_is_part_of_the_id() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/kernels");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if HOST_SOURCES.contains(&name.as_str()) {
                continue;
            }
            assert!(
                SOURCES.iter().any(|(listed, _)| *listed == name),
                "`{name}` is not listed"
            );
        }
    }
}
