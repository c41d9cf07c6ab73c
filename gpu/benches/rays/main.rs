//! Closest hits per second of one thread, beside Embree on the same triangles and the same rays.
//!
//! Both take turns in one run, so that a busy machine slows them alike; each figure is the median of its
//! rounds, and a ratio the median of the rounds' ratios. Embree is loaded when the bench runs: nothing of
//! ours is built with it. Where it is absent the ratio is `missing`.
#![allow(missing_docs, reason = "a bench has no callers")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench may panic")]

mod embree;
mod landscape;

use std::time::Instant;

use embree::Embree;
use inferix_gpu::{
    kernels::{Hit, Instructions, Kernels, Ray},
    scene::{ValidScene, build},
};

const ROUNDS: usize = 9;
const EDGE: u32 = 1024;

fn main() {
    let parts = landscape::parts();
    let started = Instant::now();
    let blob = build(&parts).expect("the landscape is a scene");
    println!("build.seconds {:.2}", started.elapsed().as_secs_f64());
    println!("build.bytes {}", blob.len());
    let started = Instant::now();
    let scene = ValidScene::new(&blob).expect("the builder makes valid scenes");
    println!("validate.seconds {:.2}", started.elapsed().as_secs_f64());
    let mesh = &parts.meshes[0];
    println!("triangles {}", mesh.indices.len());

    let kernels = Kernels::detect();
    let primary = landscape::primary_rays(EDGE);
    let (hits, _) = kernels.closest(&scene, 0, &primary).unwrap();
    let diffuse = landscape::diffuse_rays(&primary, &hits, mesh);
    let shuffled = landscape::shuffled(&diffuse);
    let embree = Embree::load().map(|library| library.scene(&mesh.positions, &mesh.indices));

    let mut smallest = f64::INFINITY;
    for (name, rays, counts) in [
        ("primary", &primary, true),
        ("diffuse", &diffuse, true),
        ("shuffled", &shuffled, false),
    ] {
        let ratio = compare(name, &scene, rays, embree.as_ref());
        if counts {
            smallest = smallest.min(ratio.unwrap_or(f64::NAN));
        }
    }
    for instructions in [Instructions::Baseline, Instructions::Scalar] {
        let kernels = Kernels::with(instructions).unwrap();
        let (_, seconds) = timed(|| kernels.closest(&scene, 0, &diffuse).unwrap());
        println!(
            "rays/set={instructions:?} kind=diffuse {:.3} Mray/s",
            rate(&diffuse, seconds)
        );
    }
    match embree {
        Some(_) => println!("ratio.rays_vs_embree {smallest:.3}"),
        None => println!("ratio.rays_vs_embree missing"),
    }
}

/// Prints the speed of both, and returns ours over Embree's.
fn compare(
    name: &str,
    scene: &ValidScene,
    rays: &[Ray],
    embree: Option<&embree::Scene>,
) -> Option<f64> {
    let kernels = Kernels::detect();
    let set = kernels.instructions();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let ((hits, cost), seconds) = timed(|| kernels.closest(scene, 0, rays).unwrap());
        ours.push(rate(rays, seconds));
        if round == 0 {
            println!(
                "cost/kind={name} {:.1} a ray",
                cost as f64 / rays.len() as f64
            );
        }
        let Some(embree) = embree else { continue };
        let (other, seconds) = timed(|| embree.closest(rays));
        theirs.push(rate(rays, seconds));
        if round == 0 {
            let part = agreement(&hits, &other);
            println!("agreement/kind={name} {part:.6}");
            assert!(part > 0.999, "the two do not trace the same rays");
        }
    }
    println!(
        "rays/set={set:?} kind={name} {:.3} Mray/s",
        median(ours.clone())
    );
    if theirs.is_empty() {
        return None;
    }
    println!(
        "rays/set=Embree kind={name} {:.3} Mray/s",
        median(theirs.clone())
    );
    let ratio = median(ours.iter().zip(&theirs).map(|(a, b)| a / b).collect());
    println!("ratio/kind={name} {ratio:.3}");
    Some(ratio)
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

fn rate(rays: &[Ray], seconds: f64) -> f64 {
    rays.len() as f64 / seconds / 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
