//! Holds the programs' images to `test-vectors/programs.json`.
#![allow(missing_docs, reason = "a test binary has no callers")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use inferix_gpu::{Program, program::sources_digest};
use serde_json::Value;

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}")
}

#[test]
fn images_are_of_these_sources_and_have_these_ids() {
    let file: Vec<Value> =
        serde_json::from_str(include_str!("../../test-vectors/programs.json")).unwrap();
    assert_eq!(file.len(), Program::ALL.len());
    for (case, program) in file.iter().zip(Program::ALL) {
        let binary = program.binary();
        assert_eq!(case["name"], binary.name);
        assert_eq!(case["programId"], hex(&program.program_id()));
        assert_eq!(case["codeRoot"], hex(&binary.code_root()));
        assert_eq!(case["constantsRoot"], hex(&binary.constants_root()));
        assert_eq!(
            case["sourcesDigest"],
            hex(&sources_digest()),
            "a kernel changed: run scripts/programs"
        );
    }
}
