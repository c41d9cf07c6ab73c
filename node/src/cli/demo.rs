//! `inferix demo`: the main job on this machine, by real processes.
//!
//! A chain, a manager, two honest workers, one that repeats an interval and so inflates its sum, a
//! verifier and a builder. It ends with the picture and a table of who paid, earned and lost what; its
//! exit code is 0 only if the money adds up.

mod ledger;
mod nodes;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use eyre::{Result, WrapErr, ensure, eyre};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use self::{
    ledger::{Ending, balance_sheet},
    nodes::{Nodes, WORKERS},
};
use crate::chain::{ClaimStatus, Reader};

/// Run the main job on this machine: a scene is rendered, measured, claimed and paid; a cheat is caught.
#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// Scene, as .glb or .gltf. Left out, one that the project generates.
    #[arg(default_value = "demo")]
    scene: String,

    /// Folder for keys, data, logs and the picture. It is made anew.
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    out: PathBuf,

    /// Picture's size.
    #[arg(long, value_name = "WxH", default_value = "640x360")]
    size: String,

    /// Paths for each pixel.
    #[arg(long, default_value_t = 96)]
    samples: u32,

    /// Frames to render, the first and the last: `0-3`, or one alone.
    #[arg(long, default_value = "0")]
    frames: String,
}

/// IFX that the builder lets the manager spend.
const ALLOCATION_IFX: &str = "2000";
/// What an IBM may cost the builder, in IFX.
const PRICE_CAP_IFX: &str = "25";
/// How long claims may take to come to an end: two windows, and then some.
const CLAIMS_TIMEOUT: Duration = Duration::from_secs(200);

impl DemoArgs {
    pub(super) async fn run(self) -> Result<()> {
        let began = Instant::now();
        if self.out.join("devnet").exists() {
            std::fs::remove_dir_all(&self.out).wrap_err("clearing the old demo folder")?;
        }
        say(began, "starting a chain and deploying the contracts");
        let mut nodes = Nodes::start_chain(&self.out).await?;
        say(began, "registering a manager, three workers and a verifier");
        nodes.register_all().await?;
        say(began, "starting manager and verifier");
        nodes.start_services().await?;

        say(
            began,
            "builder: allocating, estimating and submitting the job",
        );
        nodes
            .builder(["account", "deposit", ALLOCATION_IFX])
            .await?;
        let manager = format!("{:#x}", nodes.account("manager")?);
        nodes
            .builder(["account", "allocate", &manager, ALLOCATION_IFX])
            .await?;
        let job_id = self.submit(&nodes).await?;
        nodes.start_workers()?;
        say(
            began,
            "workers render; two are honest, one repeats an interval in its claim",
        );
        nodes.builder_loud(["job", "watch", &job_id]).await?;
        let pictures = self.out.join("frames");
        let into = pictures.to_string_lossy().into_owned();
        nodes
            .builder(["job", "fetch", &job_id, "--out", &into])
            .await?;

        say(
            began,
            "the job is done; claims are posted and their windows run",
        );
        let reader = nodes.reader().await?;
        for worker in WORKERS {
            nodes.run_as(worker, ["worker", "drain"]).await?;
        }
        let claims = wait_for_claims(&reader, &nodes).await?;
        for worker in WORKERS {
            nodes.run_as_owner(worker, ["worker", "withdraw"]).await?;
        }
        let ending = Ending {
            job_id,
            claims,
            picture: first_picture(&pictures)?,
        };
        let adds_up = balance_sheet(&reader, &nodes, &ending).await?;
        say(began, "done");
        nodes.stop().await;
        ensure!(adds_up, "the money does not add up");
        Ok(())
    }

    async fn submit(&self, nodes: &Nodes) -> Result<String> {
        let samples = self.samples.to_string();
        let options = [
            &self.scene,
            "--size",
            &self.size,
            "--samples",
            &samples,
            "--frames",
            &self.frames,
        ];
        let options = || options.into_iter();
        nodes
            .builder_loud(["job", "estimate"].into_iter().chain(options()))
            .await?;
        let terms = ["--price-cap", PRICE_CAP_IFX, "--yes"];
        let submit = ["--json", "job", "submit"]
            .into_iter()
            .chain(options())
            .chain(terms);
        let printed = nodes.builder(submit).await?;
        let status: Value = serde_json::from_str(&printed).wrap_err("reading the submitted job")?;
        let job_id = status.get("job_id").and_then(Value::as_str);
        Ok(job_id
            .ok_or_else(|| eyre!("the job's id is missing in {printed}"))?
            .to_owned())
    }
}

/// Waits until every worker's claims are final or rejected, and all work is claimed.
async fn wait_for_claims(reader: &Reader, nodes: &Nodes) -> Result<Vec<ledger::ClaimEnd>> {
    let until = Instant::now() + CLAIMS_TIMEOUT;
    loop {
        let mut ends = Vec::new();
        let mut is_open = false;
        let head = reader.head().await?.number;
        for posted in reader
            .posted_claims(reader.deployment().first_block, head)
            .await?
        {
            let status = reader.claim_state(&posted.header).await?.status;
            is_open |= status == ClaimStatus::Posted;
            ends.push(ledger::ClaimEnd { posted, status });
        }
        let is_all_claimed = nodes.all_claimed();
        if !is_open && is_all_claimed && !ends.is_empty() {
            return Ok(ends);
        }
        ensure!(
            Instant::now() < until,
            "claims did not come to an end: see the logs in the demo folder"
        );
        sleep(Duration::from_secs(1)).await;
    }
}

fn first_picture(dir: &Path) -> Result<PathBuf> {
    let mut pictures: Vec<PathBuf> = std::fs::read_dir(dir)
        .wrap_err("looking for the picture")?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    pictures.sort();
    pictures
        .into_iter()
        .next()
        .ok_or_else(|| eyre!("no picture was fetched into {}", dir.display()))
}

fn say(began: Instant, what: &str) {
    println!("[{:>4} s] {what}", began.elapsed().as_secs());
}
