//! Compiles the kernels for the host.
//!
//! The flags are part of the results: no contraction of products and sums, no reassociation, no
//! flush to zero. A compiler that does not know one of them fails the build.

/// What each build of the kernels is given, and why.
const FLAGS: [&str; 8] = [
    // A fused multiply-add stands only where the source asks for one.
    "-ffp-contract=off",
    "-fno-fast-math",
    // The kernels never look at errno, and the square root is then one instruction.
    "-fno-math-errno",
    "-fno-unsafe-math-optimizations",
    "-ffreestanding",
    "-fno-builtin",
    "-std=c11",
    "-O3",
];

fn main() {
    println!("cargo::rerun-if-changed=kernels");
    let mut build = cc::Build::new();
    build
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(false);
    for flag in FLAGS {
        build.flag(flag);
    }
    build.file("kernels/keccak.c").compile("ifx_keccak");
}
