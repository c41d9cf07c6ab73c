//! Renders a scene on the CPU: `cargo run --release --example render -- SCENE [OPTION VALUE]...`
//!
//! `SCENE` is a .glb or .gltf, or `demo` or `cornell`. Options: `--out FILE` (.png or .exr), `--size WxH`,
//! `--samples N`, `--depth N`, `--frame N`, `--frames N`, `--fps N`, `--camera N`, `--eye X,Y,Z` with
//! `--target X,Y,Z`, `--environment FILE`, `--turn RADIANS`, `--stops N` or `--stops auto`, `--clamp N`,
//! `--write-glb FILE`, `--threads N`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, path::Path, process::ExitCode, time::Instant};

use inferix_gpu::{
    Executor, Program, TaskInput, UnitBatch,
    cpu::CpuExecutor,
    image::{Exposure, Frame, Tone, encode_exr, encode_png},
    memory::keccak256,
    render::{CameraChoice, RenderParams},
    scene::{
        EnvironmentOptions, build, generate,
        import::{ImportOptions, import_bytes, import_file},
        load_environment,
    },
};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut source: Option<&dyn std::error::Error> = Some(failure.as_ref());
            while let Some(err) = source {
                eprintln!("error: {err}");
                source = err.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let scene = args.next().ok_or("name a scene")?;
    let mut options = BTreeMap::new();
    while let Some(name) = args.next() {
        let value = args.next().ok_or(format!("{name} needs a value"))?;
        options.insert(name.trim_start_matches('-').to_owned(), value);
    }
    let text = |name: &str| options.get(name).map(String::as_str);

    let generated = match scene.as_str() {
        "demo" => Some(generate::demo()),
        "cornell" => Some(generate::cornell_box()),
        _ => None,
    };
    let mut import_options = match &generated {
        Some(generated) => generated.options.clone(),
        None => ImportOptions::default(),
    };
    if let Some(fps) = text("fps") {
        import_options.fps = fps.parse()?;
    }
    if let Some(count) = text("frames") {
        import_options.frame_count = Some(count.parse()?);
    }
    if let Some(path) = text("environment") {
        let environment = EnvironmentOptions {
            turn: text("turn").unwrap_or("0").parse()?,
            ..EnvironmentOptions::default()
        };
        import_options.sky = Some(load_environment(Path::new(path), &environment)?);
    }
    let start = Instant::now();
    let import = match &generated {
        Some(generated) => import_bytes(&generated.glb, &import_options)?,
        None => import_file(Path::new(&scene), &import_options)?,
    };
    for warning in &import.report.warnings {
        println!("warning: {warning}");
    }
    for note in &import.report.notes {
        println!("note: {note}");
    }
    let imported = start.elapsed();
    let blob = build(&import.parts)?;
    println!(
        "{} triangles, {} texels, {} frames, cameras {:?}; imported in {imported:.0?}, built in {:.0?}",
        import.report.triangle_count,
        import.report.texel_count,
        import.report.frame_count,
        import.report.cameras,
        start.elapsed() - imported,
    );
    let digest: String = keccak256(&blob)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    println!("blob of {} bytes, {digest}", blob.len());
    if let (Some(path), Some(generated)) = (text("write-glb"), &generated) {
        std::fs::write(path, &generated.glb)?;
    }
    let Some(out) = text("out") else {
        return Ok(());
    };

    let (width, height) = text("size")
        .unwrap_or("640x360")
        .split_once('x')
        .ok_or("WxH")?;
    let samples = text("samples").unwrap_or("64").parse()?;
    let camera = match (text("eye"), text("target")) {
        (Some(eye), Some(target)) => look_at(&triple(eye)?, &triple(target)?),
        _ => CameraChoice::Scene {
            index: text("camera").unwrap_or("0").parse()?,
        },
    };
    let frame_index = text("frame").unwrap_or("0").parse()?;
    let params = RenderParams {
        max_depth: text("depth").unwrap_or("8").parse()?,
        first_frame: frame_index,
        radiance_clamp: text("clamp").unwrap_or("0").parse()?,
        camera,
        ..RenderParams::new(width.parse()?, height.parse()?, samples)
    };
    let start = Instant::now();
    let executor = CpuExecutor::new(text("threads").unwrap_or("0").parse()?)?;
    let mut session = executor.prepare(TaskInput {
        program: Program::Render,
        input: blob.into(),
        params: params.encode().as_slice().into(),
    })?;
    session.submit(UnitBatch {
        first_unit: 0,
        unit_count: u32::try_from(params.unit_count())?,
        max_cost: u64::MAX,
    })?;
    let mut frame = Frame::empty(&params);
    while let Some(batch) = session.collect()? {
        for unit in &batch.outputs {
            frame.add(&params, frame_index, unit);
        }
    }
    println!(
        "rendered in {:.2?} on {}",
        start.elapsed(),
        executor.device_name()
    );

    let exposure = match text("stops").unwrap_or("0") {
        "auto" => Exposure::Auto,
        stops => Exposure::Stops(stops.parse()?),
    };
    let tone = Tone {
        exposure,
        ..Tone::default()
    };
    let luminance: f64 = frame
        .pixels()
        .iter()
        .flatten()
        .copied()
        .map(f64::from)
        .sum();
    println!("mean {:.4}", luminance / (3 * frame.pixels().len()) as f64);
    let bytes = match out.ends_with(".exr") {
        true => encode_exr(&frame)?,
        false => encode_png(&frame, &tone)?,
    };
    std::fs::write(out, bytes)?;
    Ok(())
}

fn triple(text: &str) -> Result<[f32; 3], Failure> {
    let numbers: Vec<f32> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
    Ok(numbers
        .try_into()
        .map_err(|_| "a point has three coordinates")?)
}

fn look_at(eye: &[f32; 3], target: &[f32; 3]) -> CameraChoice {
    let unit = |v: [f32; 3]| {
        let length = (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt();
        v.map(|value| value / length)
    };
    let z = unit([eye[0] - target[0], eye[1] - target[1], eye[2] - target[2]]);
    let x = unit([z[2], 0.0, -z[0]]);
    let y = [
        z[1] * x[2] - z[2] * x[1],
        z[2] * x[0] - z[0] * x[2],
        z[0] * x[1] - z[1] * x[0],
    ];
    let rows = [0, 1, 2].map(|axis| [x[axis], y[axis], z[axis], eye[axis]]);
    CameraChoice::own(rows, 0.7)
}
