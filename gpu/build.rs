//! Compiles the kernels for the host, once for each instruction set.
//!
//! The flags are part of the results: no contraction of products and sums, no reassociation, no
//! flush to zero. A compiler that does not know one of them fails the build.

use std::env;

/// What each build of the kernels is given, and why.
const FLAGS: [&str; 7] = [
    "-std=c11",
    // No libc: what the kernels need, they bring.
    "-ffreestanding",
    "-O3",
    // A fused multiply-add stands only where the source asks for one.
    "-ffp-contract=off",
    // No reassociation, no reciprocals, no flush to zero; NaN and infinity exist.
    "-fno-fast-math",
    // The kernels never look at errno, and the square root is then one instruction.
    "-fno-math-errno",
    "-fno-stack-protector",
];

/// Prefix of the symbols and flags of each instruction set.
const AVX2: (&str, &[&str]) = ("ifx_avx2_", &["-mavx2", "-mfma", "-mbmi", "-mbmi2"]);
const BASE: (&str, &[&str]) = ("ifx_base_", &[]);
const SCALAR: (&str, &[&str]) = ("ifx_scalar_", &["-DIFX_SCALAR"]);

fn main() {
    println!("cargo::rerun-if-changed=kernels");
    kernels().file("kernels/keccak.c").compile("ifx_keccak");
    compile(BASE);
    compile(SCALAR);
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64") {
        compile(AVX2);
    }
}

fn compile((prefix, flags): (&str, &[&str])) {
    let mut build = kernels();
    build.define("IFX_PREFIX", prefix);
    for flag in flags {
        build.flag(flag);
    }
    build
        .file("kernels/host.c")
        .compile(&format!("{prefix}kernels"));
}

fn kernels() -> cc::Build {
    let mut build = cc::Build::new();
    build.extra_warnings(true);
    for flag in FLAGS {
        build.flag(flag);
    }
    build
}
