//! The sources of the images: whoever changes one compiles the images again.

use crate::memory::keccak256;

/// The sources of the render program.
const SOURCES: [(&str, &[u8]); 26] = [
    ("types.h", include_bytes!("../../kernels/types.h")),
    ("float.h", include_bytes!("../../kernels/float.h")),
    ("math.h", include_bytes!("../../kernels/math.h")),
    ("vector.h", include_bytes!("../../kernels/vector.h")),
    ("random.h", include_bytes!("../../kernels/random.h")),
    ("keccak.h", include_bytes!("../../kernels/keccak.h")),
    ("srgb.h", include_bytes!("../../kernels/srgb.h")),
    ("params.h", include_bytes!("../../kernels/params.h")),
    ("scene.h", include_bytes!("../../kernels/scene.h")),
    ("cost.h", include_bytes!("../../kernels/cost.h")),
    ("view.h", include_bytes!("../../kernels/view.h")),
    ("lanes.h", include_bytes!("../../kernels/lanes.h")),
    ("trace.h", include_bytes!("../../kernels/trace.h")),
    ("texture.h", include_bytes!("../../kernels/texture.h")),
    ("surface.h", include_bytes!("../../kernels/surface.h")),
    ("albedo.h", include_bytes!("../../kernels/albedo.h")),
    ("scatter.h", include_bytes!("../../kernels/scatter.h")),
    ("sky.h", include_bytes!("../../kernels/sky.h")),
    ("light.h", include_bytes!("../../kernels/light.h")),
    ("camera.h", include_bytes!("../../kernels/camera.h")),
    ("path.h", include_bytes!("../../kernels/path.h")),
    ("render.h", include_bytes!("../../kernels/render.h")),
    ("soft_float.h", include_bytes!("../../kernels/soft_float.h")),
    ("vm/runtime.c", include_bytes!("../../kernels/vm/runtime.c")),
    ("vm/render.c", include_bytes!("../../kernels/vm/render.c")),
    (
        "vm/program.ld",
        include_bytes!("../../kernels/vm/program.ld"),
    ),
];

/// Entry points of the CPU, which only call what the listed sources define.
#[cfg(test)]
const HOST_SOURCES: [&str; 2] = ["host.c", "keccak.c"];

/// Digest of the kernels that this build of the crate has, whatever the images were made of: every source, each
/// name and text preceded by its length as four little-endian bytes.
pub fn digest() -> [u8; 32] {
    let mut preimage = Vec::new();
    let parts = SOURCES
        .iter()
        .flat_map(|(name, text)| [name.as_bytes(), text]);
    for part in parts {
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
    fn every_kernel_source_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/kernels");
        let names = |path: &str, prefix: &str| -> Vec<String> {
            let entries = std::fs::read_dir(path).unwrap().map(Result::unwrap);
            entries
                .filter(|entry| entry.file_type().unwrap().is_file())
                .map(|entry| format!("{prefix}{}", entry.file_name().into_string().unwrap()))
                .collect()
        };
        let vm = names(&format!("{folder}/vm"), "vm/");
        for name in names(folder, "").into_iter().chain(vm) {
            let is_listed = SOURCES.iter().any(|(listed, _)| *listed == name);
            assert!(
                is_listed || HOST_SOURCES.contains(&name.as_str()),
                "`{name}` is not listed"
            );
        }
    }
}
