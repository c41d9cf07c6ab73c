//! The subcommands of `inferix job`.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    time::Duration,
};

use alloy::primitives::{Address, B256, Bytes, U256, aliases::U96, keccak256};
use clap::{Args, Subcommand};
use eyre::{Result, WrapErr, bail, eyre};
use indicatif::{ProgressBar, ProgressStyle};
use inferix_gpu::{Program, render::RenderParams};
use inferix_prover::{
    id::JobId,
    typed_data::{Job, domain},
};
use serde_json::json;
use url::Url;

use super::{
    estimate::{Estimate, estimate},
    frames::{Frames, Preview, all_pieces, write},
    scene::{Regions, SceneArgs},
};
use crate::{
    api::{
        Client,
        client::ClientOptions,
        types::{JobState, JobStatus, SignedJob},
    },
    chain::{Deployment, Reader},
    cli::{
        registration::parse_micro,
        session::{Session, Table, ifx, parse_ifx},
    },
    config::Config,
    manager::{clock::Clock, programs},
    wallet::Wallet,
};

/// How often a watched job is asked after.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// Salts stay below what a JSON number holds everywhere.
const SALT_BITS: u32 = 53;

/// Have frames rendered.
#[derive(Args, Debug)]
pub(in crate::cli) struct JobArgs {
    #[command(subcommand)]
    command: JobCommand,

    /// The manager's address. Left out, the first that the configuration or the registry names.
    #[arg(long, global = true, value_name = "URL")]
    manager: Option<Url>,
}

#[derive(Debug, Subcommand)]
enum JobCommand {
    /// Say what a job would cost, from units of it rendered here.
    Estimate {
        #[command(flatten)]
        scene: SceneArgs,
        /// How many units to render here.
        #[arg(long, default_value_t = 16)]
        sampled: u64,
    },
    /// Estimate a job, sign it and hand it to the manager.
    Submit {
        #[command(flatten)]
        scene: SceneArgs,
        #[command(flatten)]
        terms: TermArgs,
    },
    /// List your jobs.
    List,
    /// Follow a job until it is done.
    Watch {
        /// The job.
        job_id: B256,
        /// Write a picture of what is there of a frame to this PNG file.
        #[arg(long, value_name = "FILE")]
        preview: Option<PathBuf>,
        /// Which frame. Left out, the job's first.
        #[arg(long, requires = "preview")]
        frame: Option<u32>,
    },
    /// Fetch a job's frames that are complete, each as PNG and EXR.
    Fetch {
        /// The job.
        job_id: B256,
        /// Folder to write to.
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        out: PathBuf,
    },
    /// Cancel a job: what is leased is still finished and paid.
    Cancel {
        /// The job.
        job_id: B256,
    },
}

/// What a builder agrees to.
#[derive(Args, Debug)]
struct TermArgs {
    /// The most to pay per IBM, in IFX.
    #[arg(long, value_name = "IFX", value_parser = parse_ifx)]
    price_cap: U96,

    /// Slowest device that may work on it, in IB.
    #[arg(long, value_name = "IB", value_parser = parse_micro, default_value = "0")]
    min_ib: u64,

    /// How long from now it is worth rendering, such as `2h` or `3days`.
    #[arg(long, default_value = "1day", value_parser = humantime_serde::re::humantime::parse_duration)]
    within: Duration,

    /// How many units to render here for the estimate.
    #[arg(long, default_value_t = 16)]
    sampled: u64,

    /// Work units at which a unit is capped, instead of eight times the dearest sampled one.
    #[arg(long)]
    max_cost: Option<u64>,

    /// Don't ask before signing.
    #[arg(long)]
    yes: bool,
}

impl JobArgs {
    pub(in crate::cli) async fn run(self, session: &Session) -> Result<()> {
        let config = session.config()?;
        let wallet = session.wallet(&config)?;
        let client = connect(&config, &wallet, self.manager).await?;
        match self.command {
            JobCommand::Estimate { scene, sampled } => {
                let (_, figures) = prepare(&client, scene, sampled).await?;
                figures.print(session)
            }
            JobCommand::Submit { scene, terms } => {
                let (regions, figures) = prepare(&client, scene, terms.sampled).await?;
                submit(session, &client, &wallet, (regions, figures, terms)).await
            }
            JobCommand::List => list(session, &client, wallet.address()).await,
            JobCommand::Watch {
                job_id,
                preview,
                frame,
            } => {
                watch(
                    session,
                    &client,
                    JobId::new(job_id),
                    preview.map(|path| (path, frame)),
                )
                .await
            }
            JobCommand::Fetch { job_id, out } => {
                fetch(session, &client, JobId::new(job_id), out).await
            }
            JobCommand::Cancel { job_id } => {
                let status = client
                    .cancel(JobId::new(job_id))
                    .await
                    .wrap_err("canceling the job")?;
                session.print(&status, || table(std::slice::from_ref(&status)))
            }
        }
    }
}

async fn connect(config: &Config, wallet: &Wallet, manager: Option<Url>) -> Result<Client> {
    let base = match manager.or_else(|| config.worker.managers.first().cloned()) {
        Some(base) => base,
        None => {
            let endpoints = Reader::connect(&config.chain)
                .await?
                .manager_endpoints()
                .await?;
            let named = endpoints
                .iter()
                .find_map(|(_, endpoint)| endpoint.parse().ok());
            named.ok_or_else(|| eyre!("no manager is registered: name one with --manager"))?
        }
    };
    let deployment = Deployment::read(&config.chain.deployment_file)?;
    let options = ClientOptions {
        base,
        account: wallet.address(),
        wallet: wallet.clone(),
        chain_id: deployment.chain_id,
        work_claims: deployment.work_claims,
        clock: Clock::system(),
    };
    Ok(Client::connect(options).await?)
}

/// Compiles the scene and estimates the job.
async fn prepare(client: &Client, scene: SceneArgs, sampled: u64) -> Result<(Regions, Estimate)> {
    let info = client.info().await?;
    let bar = spinner("rendering a few units here");
    let work = move || {
        let regions = scene.compile()?;
        let figures = estimate(&regions, sampled, &info)?;
        Ok::<_, eyre::Report>((regions, figures))
    };
    let done = tokio::task::spawn_blocking(work)
        .await
        .wrap_err("estimating")?;
    bar.finish_and_clear();
    done
}

async fn submit(
    session: &Session,
    client: &Client,
    wallet: &Wallet,
    (regions, figures, terms): (Regions, Estimate, TermArgs),
) -> Result<()> {
    if !session.is_json() {
        figures.print(session)?;
    }
    if !terms.yes {
        confirm()?;
    }
    let info = client.info().await?;
    let reader = Reader::connect(&session.config()?.chain).await?;
    let now_at = reader.head().await?.time;
    let params = Bytes::from(regions.params.encode());
    let within_s = i64::try_from(terms.within.as_secs()).unwrap_or(i64::MAX);
    let job = Job {
        builder: wallet.address(),
        manager: info.manager,
        programId: B256::new(Program::Render.program_id()),
        inputRoot: programs::input_root(&regions.input)?,
        paramsRoot: programs::params_root(&params)?,
        unitCount: regions.params.unit_count(),
        maxCost: terms.max_cost.unwrap_or(figures.max_cost),
        referenceRate: info.reference_rate,
        priceCapWei: terms.price_cap,
        minIbMicro: terms.min_ib,
        // Deadlines are judged by the chain's time.
        deadlineAt: now_at.saturating_add_signed(within_s),
        salt: rand::random::<u64>() >> (u64::BITS - SALT_BITS),
    };
    let signature = wallet.sign_message(&job, &domain(info.chain_id, info.work_claims))?;

    let bar = spinner("sending the scene");
    let input_blob = keccak256(&regions.input);
    client
        .send_blob(regions.input)
        .await
        .wrap_err("sending the scene")?;
    let signed = SignedJob {
        job,
        signature: Bytes::copy_from_slice(&signature),
        input_blob,
        params,
    };
    bar.set_message("handing the job over");
    let status = client
        .submit(&signed)
        .await
        .wrap_err("handing the job over")?;
    bar.finish_and_clear();
    if session.is_json() {
        println!(
            "{}",
            json!({ "job_id": status.job_id, "estimate": figures })
        );
    } else {
        println!("{}", status.job_id);
    }
    Ok(())
}

fn confirm() -> Result<()> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody is here to agree to the estimate: pass --yes");
    }
    eprint!("Sign this job? [y/N] ");
    std::io::stderr().flush().wrap_err("asking")?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .wrap_err("reading the answer")?;
    if !answer.trim().eq_ignore_ascii_case("y") {
        bail!("not signed");
    }
    Ok(())
}

async fn list(session: &Session, client: &Client, builder: Address) -> Result<()> {
    let jobs = client.jobs(builder).await.wrap_err("listing the jobs")?;
    session.print(&jobs, || table(&jobs))
}

async fn watch(
    session: &Session,
    client: &Client,
    job_id: JobId,
    preview: Option<(PathBuf, Option<u32>)>,
) -> Result<()> {
    let signed = client
        .signed_job(job_id)
        .await
        .wrap_err("asking for the job")?;
    let params = RenderParams::decode(&signed.params)?;
    let mut preview = preview.map(|(path, frame)| {
        let frame = frame.unwrap_or(params.first_frame);
        Preview::new(path, frame, params.clone())
    });
    let bar = progress(signed.job.unitCount);
    loop {
        let status = client.job(job_id).await.wrap_err("asking after the job")?;
        bar.set_position(status.done_count);
        bar.set_message(remark(&status));
        if let Some(preview) = &mut preview {
            preview.update(client, job_id).await?;
        }
        if !matches!(status.state, JobState::Queued | JobState::Running) {
            bar.finish_and_clear();
            return session.print(&status, || table(std::slice::from_ref(&status)));
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

async fn fetch(session: &Session, client: &Client, job_id: JobId, out: PathBuf) -> Result<()> {
    std::fs::create_dir_all(&out).wrap_err_with(|| format!("making {}", out.display()))?;
    let signed = client
        .signed_job(job_id)
        .await
        .wrap_err("asking for the job")?;
    let params = RenderParams::decode(&signed.params)?;
    let frame_count = params.frame_count;
    let pieces = all_pieces(client, job_id).await?;
    let (mut frames, mut files, mut written_count) = (Frames::new(params), Vec::new(), 0);
    let bar = progress(pieces.len() as u64);
    for piece in &pieces {
        frames.add(client, piece, |_| true).await?;
        for (index, frame) in frames.take_complete() {
            files.extend(write(&out, index, &frame)?);
            written_count += 1;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if written_count < frame_count {
        eprintln!("{written_count} of {frame_count} frames are complete");
    }
    session.print(&files, || {
        let mut table = Table::new(&["file"]);
        files
            .iter()
            .for_each(|file| table.row([file.display().to_string()]));
        table
    })
}

fn table(jobs: &[JobStatus]) -> Table {
    let mut table = Table::new(&["job", "state", "units", "workers", "IFX at most", "remark"]);
    for job in jobs {
        table.row([
            job.job_id.to_string(),
            format!("{:?}", job.state).to_lowercase(),
            format!("{}/{}", job.done_count, job.unit_count),
            job.worker_count.to_string(),
            ifx(job.spent_wei.min(U256::MAX)),
            remark(job),
        ]);
    }
    table
}

fn remark(status: &JobStatus) -> String {
    if let Some(waiting_for) = &status.waiting_for {
        return format!("waits: {waiting_for}");
    }
    let left_s = status
        .eta_at
        .map(|eta_at| eta_at.saturating_sub(Clock::system().now()));
    left_s.map_or_else(String::new, |left_s| {
        let left = humantime_serde::re::humantime::format_duration(Duration::from_secs(left_s));
        format!("done in about {left}")
    })
}

/// Bars are for people: elsewhere they print nothing.
fn progress(count: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}");
    ProgressBar::new(count).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn spinner(message: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(message);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
