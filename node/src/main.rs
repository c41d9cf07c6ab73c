//! The `inferix` binary.

fn main() {}
