//! Files that were changed at random: the importer returns parts or an error, and never panics.
//!
//! What imports is compiled and validated too. A case is known by its seed, which a failure names.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use inferix_gpu::scene::{
    EnvironmentOptions, ValidScene, build, decode_environment, generate,
    import::{ImportOptions, import_bytes},
};
use serde_json::{Value, json};

use crate::{files::everything, refusals::pack};

/// Cases of a run that everyone makes.
const CASES: u64 = 600;
/// Cases of a run that takes minutes.
const LONG_CASES: u64 = 200_000;
/// How long a file of some kilobytes may take: far more than any does.
const PATIENCE: Duration = Duration::from_secs(20);

/// Random numbers from a seed: SplitMix64.
struct Random(u64);

impl Random {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.draw() % bound.max(1) as u64) as usize
    }

    /// Changes bytes here and there, or a run of them, or the length.
    fn change_bytes(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 => bytes.truncate(at.max(1)),
                1 => {
                    let end = (at + self.below(9)).min(bytes.len());
                    bytes.splice(at..end, self.draw().to_le_bytes());
                }
                2 => {
                    let end = (at + 4).min(bytes.len());
                    let values = [0, u32::MAX, 0x7f80_0000, 0x7fc0_0000, 0x8000_0000];
                    let value = values[self.below(values.len())].to_le_bytes();
                    bytes[at..end].copy_from_slice(&value[..end - at]);
                }
                _ => bytes[at] = self.draw() as u8,
            }
        }
    }

    /// Changes some bytes in their place.
    fn change_some(&mut self, bytes: &mut [u8]) {
        for _ in 0..=self.below(32) {
            let at = self.below(bytes.len());
            bytes[at] = self.draw() as u8;
        }
    }

    /// Replaces, removes or doubles values somewhere in JSON.
    fn change_json(&mut self, json: &mut Value) {
        for _ in 0..=self.below(3) {
            let mut at = &mut *json;
            for _ in 0..self.below(9) {
                let count = match at {
                    Value::Array(entries) => entries.len(),
                    Value::Object(fields) => fields.len(),
                    _ => 0,
                };
                if count == 0 {
                    break;
                }
                let index = self.below(count);
                at = match at {
                    Value::Array(entries) => &mut entries[index],
                    Value::Object(fields) => fields.values_mut().nth(index).unwrap(),
                    _ => unreachable!("counted above"),
                };
            }
            match (self.below(4), &mut *at) {
                (0, Value::Array(entries)) if !entries.is_empty() => {
                    let index = self.below(entries.len());
                    entries.remove(index);
                }
                (0, Value::Object(fields)) if !fields.is_empty() => {
                    let key = fields.keys().nth(self.below(fields.len())).unwrap().clone();
                    fields.remove(&key);
                }
                (1, Value::Array(entries)) if !entries.is_empty() => {
                    let entry = entries[self.below(entries.len())].clone();
                    entries.push(entry);
                }
                (_, at) => *at = self.value(at),
            }
        }
    }

    fn value(&mut self, old: &Value) -> Value {
        if let (Some(number), true) = (old.as_u64(), self.below(2) == 0) {
            let near = [
                number.wrapping_add(1),
                number.wrapping_sub(1),
                number.wrapping_mul(2),
                number / 2,
            ];
            return json!(near[self.below(4)]);
        }
        let values = [
            json!(0),
            json!(1),
            json!(7),
            json!(-1),
            json!(5121),
            json!(5126),
            json!(65_536),
            json!(16_777_215),
            json!(u32::MAX),
            json!(u64::MAX),
            json!(1e38),
            json!(-1e38),
            json!(1e-40),
            json!(0.5),
            json!(""),
            json!("VEC4"),
            json!("SCALAR"),
            json!("CUBICSPLINE"),
            json!("data:,%00"),
            json!("../x"),
            json!(null),
            json!([]),
            json!({}),
            json!(true),
        ];
        // Mostly of the same type: others end at the parser.
        let kind = |value: &Value| std::mem::discriminant(value);
        for _ in 0..20 {
            let value = &values[self.below(values.len())];
            if kind(value) == kind(old) {
                return value.clone();
            }
        }
        values[self.below(values.len())].clone()
    }
}

/// Returns the files that are changed: JSON and binary chunk.
fn seeds() -> Vec<(Value, Vec<u8>)> {
    [everything().finish(), generate::cornell_box().glb]
        .iter()
        .map(|glb| {
            let json_end = 20 + u32::from_le_bytes(glb[12..16].try_into().unwrap()) as usize;
            let json = serde_json::from_slice(&glb[20..json_end]).unwrap();
            (json, glb[json_end + 8..].to_vec())
        })
        .collect()
}

fn changed(seed: u64, files: &[(Value, Vec<u8>)]) -> Vec<u8> {
    let mut random = Random(seed);
    let (mut json, mut bin) = files[random.below(files.len())].clone();
    match random.below(4) {
        0 => {
            let mut glb = pack(&json, &bin);
            random.change_bytes(&mut glb);
            glb
        }
        1 => {
            random.change_bytes(&mut bin);
            pack(&json, &bin)
        }
        2 => {
            random.change_json(&mut json);
            random.change_bytes(&mut bin);
            pack(&json, &bin)
        }
        _ => {
            random.change_json(&mut json);
            pack(&json, &bin)
        }
    }
}

/// Imports, compiles and validates. Returns what became of the file, in a word.
fn try_scene(bytes: &[u8]) -> String {
    let import = match import_bytes(bytes, &ImportOptions::default()) {
        Ok(import) => import,
        Err(err) => {
            let debug = format!("{err:?}");
            let end = debug
                .find(|c: char| !c.is_alphanumeric())
                .unwrap_or(debug.len());
            return debug[..end].to_owned();
        }
    };
    match build(&import.parts) {
        Ok(blob) => match ValidScene::new(&blob) {
            Ok(_) => "compiled".to_owned(),
            Err(err) => panic!("own blob is refused: {err}"),
        },
        Err(err) => format!("build: {err:?}").chars().take(24).collect(),
    }
}

fn run(cases: std::ops::Range<u64>, mut case: impl FnMut(u64) -> String) -> BTreeMap<String, u64> {
    let mut outcomes = BTreeMap::new();
    let mut slowest = (Duration::ZERO, 0);
    for seed in cases {
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| case(seed)));
        let outcome = outcome.unwrap_or_else(|_| panic!("case of seed {seed} panicked"));
        slowest = slowest.max((start.elapsed(), seed));
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    println!("slowest {slowest:?}\n{outcomes:#?}");
    assert!(slowest.0 < PATIENCE, "{slowest:?}");
    outcomes
}

#[test]
fn changed_scenes_are_read_or_refused() {
    let files = seeds();
    let outcomes = run(0..CASES, |seed| try_scene(&changed(seed, &files)));
    assert!(
        outcomes["compiled"] > CASES / 20,
        "the changes are too coarse"
    );
    assert!(outcomes.len() > 12, "the changes are too fine");
}

#[test]
#[ignore = "takes minutes"]
fn changed_scenes_are_read_or_refused_at_length() {
    let files = seeds();
    run(CASES..LONG_CASES, |seed| try_scene(&changed(seed, &files)));
}

/// Returns a sky of each format.
fn skies() -> [Vec<u8>; 2] {
    let mut radiance = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 4 +X 8\n".to_vec();
    for row in 0..4_u8 {
        radiance.extend([2, 2, 0, 8]);
        radiance.extend((0..4).flat_map(|channel| [131, row * 9 + channel, 131, 7, 2, 1, 128]));
    }
    let pixels = (0..32).map(|i| [i as f32, 0.5, 1e3]).collect();
    let frame = inferix_gpu::image::Frame::new(8, 4, pixels).unwrap();
    [radiance, inferix_gpu::image::encode_exr(&frame).unwrap()]
}

fn try_sky(seed: u64, skies: &[Vec<u8>]) -> String {
    let mut random = Random(seed);
    let mut bytes = skies[random.below(skies.len())].clone();
    random.change_bytes(&mut bytes);
    match decode_environment(&bytes, &EnvironmentOptions::default()) {
        Ok(_) => "read".to_owned(),
        Err(err) => format!("{err:?}")
            .chars()
            .take_while(|c| c.is_alphanumeric())
            .collect(),
    }
}

#[test]
fn changed_skies_are_read_or_refused() {
    let skies = skies();
    for sky in &skies {
        decode_environment(sky, &EnvironmentOptions::default()).unwrap();
    }
    run(0..CASES, |seed| try_sky(seed, &skies));
}

#[test]
#[ignore = "takes minutes"]
fn changed_skies_are_read_or_refused_at_length() {
    let skies = skies();
    run(CASES..LONG_CASES, |seed| try_sky(seed, &skies));
}

/// Changes every file of a folder: `SCENES=folder cargo test --release -- --ignored real`.
#[test]
#[ignore = "needs SCENES, a folder of .glb files"]
fn changed_real_scenes_are_read_or_refused() {
    let folder = std::env::var("SCENES").expect("SCENES names a folder");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    files.retain(|path| path.extension().is_some_and(|end| end == "glb"));
    let files: Vec<_> = files
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    run(0..3_000, |seed| {
        let mut random = Random(seed);
        let mut bytes = files[random.below(files.len())].clone();
        // Most of a file is pixels: half the changes fall into the JSON.
        let json_end = 20 + u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
        let mut json: Value = serde_json::from_slice(&bytes[20..json_end]).unwrap();
        let mut bin = bytes.split_off(json_end).split_off(8);
        if random.below(2) == 0 {
            random.change_json(&mut json);
            random.change_bytes(&mut bin);
        } else {
            random.change_some(&mut bin);
        }
        try_scene(&pack(&json, &bin))
    });
}
