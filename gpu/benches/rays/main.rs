//! Closest hits of one thread, beside Embree on the same triangles and the same rays.
//!
//! Names read `rays/set=<instructions> kind=<rays>`. After them come lines `ratio/kind=<rays> <speed of ours
//! divided by speed of Embree's>`: there both take turns, so that a busy machine slows them alike, and each is
//! the median of the rounds' ratios. `ratio.rays_vs_embree` is the smaller of those of coherent and of diffuse
//! rays. Embree is loaded when the bench runs: nothing of ours is built with it. Where it is absent the ratio is
//! `missing`.
#![allow(missing_docs, reason = "a bench has no callers")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench may panic")]

mod embree;
mod landscape;

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use embree::Embree;
use inferix_gpu::{
    kernels::{Hit, Instructions, Kernels, Ray},
    scene::{MeshPart, ValidScene, build},
};

const ROUNDS: usize = 9;
const EDGE: u32 = 1024;

/// One run over all rays takes 0.1 to 0.4 s: few samples say enough.
const SAMPLES: usize = 10;
const SAMPLING: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_millis(100);

/// Rays of one kind, and whether their ratio counts.
struct Kind {
    name: &'static str,
    rays: Vec<Ray>,
    counts: bool,
}

fn main() {
    let parts = landscape::parts();
    let (blob, seconds) = timed(|| build(&parts).expect("the landscape is a scene"));
    println!("build.seconds {seconds:.2}");
    println!("build.bytes {}", blob.len());
    let (scene, seconds) =
        timed(|| ValidScene::new(&blob).expect("the builder makes valid scenes"));
    println!("validate.seconds {seconds:.2}");
    let mesh = &parts.meshes[0];
    println!("triangles {}", mesh.indices.len());
    let kinds = kinds(&scene, mesh);
    let embree = Embree::load().map(|library| library.scene(&mesh.positions, &mesh.indices));

    let mut criterion = Criterion::default().configure_from_args();
    rays(&mut criterion, &scene, &kinds, embree.as_ref());
    criterion.final_summary();
    print_ratios(&scene, &kinds, embree.as_ref());
}

fn kinds(scene: &ValidScene, mesh: &MeshPart) -> [Kind; 3] {
    let primary = landscape::primary_rays(EDGE);
    let (hits, _) = Kernels::detect().closest(scene, 0, &primary).unwrap();
    let diffuse = landscape::diffuse_rays(&primary, &hits, mesh);
    let shuffled = landscape::shuffled(&diffuse);
    [
        ("primary", primary, true),
        ("diffuse", diffuse, true),
        ("shuffled", shuffled, false),
    ]
    .map(|(name, rays, counts)| Kind { name, rays, counts })
}

fn rays(c: &mut Criterion, scene: &ValidScene, kinds: &[Kind], embree: Option<&embree::Scene>) {
    let mut group = c.benchmark_group("rays");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(SAMPLES)
        .measurement_time(SAMPLING)
        .warm_up_time(WARM_UP);
    let detected = Kernels::detect();
    for Kind { name, rays, .. } in kinds {
        group.throughput(Throughput::Elements(rays.len() as u64));
        let id = |set: &str| BenchmarkId::from_parameter(format!("set={set} kind={name}"));
        let set = format!("{:?}", detected.instructions());
        group.bench_function(id(&set), |b| {
            b.iter_with_large_drop(|| detected.closest(scene, 0, rays).unwrap());
        });
        if let Some(embree) = embree {
            group.bench_function(id("Embree"), |b| {
                b.iter_with_large_drop(|| embree.closest(rays));
            });
        }
    }
    let Kind { name, rays, .. } = &kinds[1];
    group.throughput(Throughput::Elements(rays.len() as u64));
    for instructions in [Instructions::Baseline, Instructions::Scalar] {
        let Ok(kernels) = Kernels::with(instructions) else {
            continue;
        };
        let id = format!("set={instructions:?} kind={name}");
        group.bench_function(BenchmarkId::from_parameter(id), |b| {
            b.iter_with_large_drop(|| kernels.closest(scene, 0, rays).unwrap());
        });
    }
    group.finish();
}

fn print_ratios(scene: &ValidScene, kinds: &[Kind], embree: Option<&embree::Scene>) {
    let Some(embree) = embree else {
        println!("ratio.rays_vs_embree missing");
        return;
    };
    let mut smallest = f64::INFINITY;
    for kind in kinds {
        let ratio = ratio(kind, scene, embree);
        println!("ratio/kind={} {ratio:.3}", kind.name);
        if kind.counts {
            smallest = smallest.min(ratio);
        }
    }
    println!("ratio.rays_vs_embree {smallest:.3}");
}

/// Lets both trace the same rays in turns, and returns our speed over Embree's.
fn ratio(Kind { name, rays, .. }: &Kind, scene: &ValidScene, embree: &embree::Scene) -> f64 {
    let kernels = Kernels::detect();
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        let ((hits, cost), ours) = timed(|| kernels.closest(scene, 0, rays).unwrap());
        let (other, theirs) = timed(|| embree.closest(rays));
        ratios.push(theirs / ours);
        if round == 0 {
            println!(
                "cost/kind={name} {:.1} a ray",
                cost as f64 / rays.len() as f64
            );
            let part = agreement(&hits, &other);
            println!("agreement/kind={name} {part:.6}");
            assert!(part > 0.999, "the two do not trace the same rays");
        }
    }
    median(ratios)
}

/// Part of the rays for which both name the same triangle, or none, at nearly the same distance. They may
/// differ on an edge that two triangles share.
fn agreement(ours: &[Hit], theirs: &[Hit]) -> f64 {
    let agrees = |(a, b): (&Hit, &Hit)| {
        a.triangle == b.triangle
            || (a.triangle != u32::MAX
                && b.triangle != u32::MAX
                && (a.t - b.t).abs() < 1e-5 + 1e-4 * a.t)
    };
    let count = ours.iter().zip(theirs).filter(|pair| agrees(*pair)).count();
    count as f64 / ours.len() as f64
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let result = run();
    (result, started.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
