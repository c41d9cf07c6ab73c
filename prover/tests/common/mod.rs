//! What the tests and the vector generator share.
#![allow(dead_code, reason = "no test uses all of it")]
#![allow(unreachable_pub, reason = "each test compiles it as a part of itself")]
#![allow(missing_docs, reason = "the names of cases are those of the protocol")]
#![allow(
    clippy::unwrap_used,
    reason = "a test panics on what it does not expect"
)]

pub mod cases;
pub mod chain;
pub mod peers;
pub mod sample;
