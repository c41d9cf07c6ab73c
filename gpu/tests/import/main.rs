//! The importer on files made here: what it reads, what it refuses, and that it never panics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, in its helpers too"
)]

/// Asserts that importing fails with a pattern.
macro_rules! assert_refused {
    ($import:expr, $pattern:pat $(if $guard:expr)?) => {
        match $import.err() {
            Some($pattern) $(if $guard)? => {}
            other => panic!("not `{}` but {other:?}", stringify!($pattern)),
        }
    };
}

mod contradictions;
mod features;
mod files;
mod fuzz;
mod motion;
mod refusals;
mod vectors;
