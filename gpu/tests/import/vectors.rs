//! The blobs of the generated scenes, pinned: the same on every machine and number of threads.

use std::collections::BTreeMap;

use inferix_gpu::{
    memory::{LOG2_INPUT, keccak256, subtree_root},
    scene::{ValidScene, build, generate, import::import_bytes},
};
use serde::Deserialize;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SceneCase {
    name: String,
    source: String,
    size_bytes: String,
    keccak256: String,
    input_root: String,
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}")
}

fn compile(generated: &generate::Generated) -> Vec<u8> {
    build(
        &import_bytes(&generated.glb, &generated.options)
            .unwrap()
            .parts,
    )
    .unwrap()
}

#[test]
fn blobs_match_the_vectors() {
    let file = include_str!("../../../test-vectors/scenes.json");
    let cases: Vec<SceneCase> = serde_json::from_str(file).unwrap();
    assert_eq!(cases.len(), 2, "the vector file lost its cases");
    let scenes = BTreeMap::from([
        ("demo", generate::demo()),
        ("cornell", generate::cornell_box()),
    ]);
    let computed: Vec<SceneCase> = (cases.iter())
        .map(|case| {
            let blob = compile(&scenes[case.name.as_str()]);
            ValidScene::new(&blob).unwrap();
            SceneCase {
                name: case.name.clone(),
                source: case.source.clone(),
                size_bytes: blob.len().to_string(),
                keccak256: hex(&keccak256(&blob)),
                input_root: hex(&subtree_root(&blob, LOG2_INPUT)),
            }
        })
        .collect();
    assert_eq!(computed, cases);
}

#[test]
fn a_blob_does_not_depend_on_the_number_of_threads() {
    let demo = generate::demo();
    let blobs = [1, 2, 7].map(|thread_count| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(thread_count);
        pool.build().unwrap().install(|| compile(&demo))
    });
    assert!(blobs[0] == blobs[1] && blobs[1] == blobs[2]);
}
