//! `inferix claim`: look at claims and close them.

use alloy::primitives::{B256, U256};
use clap::{Args, Subcommand};
use eyre::{Result, eyre};
use serde::Serialize;
use serde_json::json;

use super::session::{Session, Table, ifx, short};
use crate::{
    chain::{ClaimStatus, PostedClaim, Reader, calls},
    explain,
};

/// Look at claims and close them.
#[derive(Args, Debug)]
pub(super) struct ClaimArgs {
    #[command(subcommand)]
    command: ClaimCommand,
}

#[derive(Debug, Subcommand)]
enum ClaimCommand {
    /// List all claims on chain.
    List,
    /// Close a claim that survived its window, whoever's it is.
    Finalize {
        /// The claim.
        claim_id: B256,
    },
    /// Say line by line why a claim pays what it pays.
    Explain {
        /// The claim.
        claim_id: B256,
    },
}

#[derive(Serialize)]
struct Row {
    claim_id: B256,
    worker: alloy::primitives::Address,
    seq: u32,
    posted_at: u64,
    deadline_at: u64,
    lines: usize,
    intervals: u64,
    amount_wei: U256,
    status: String,
}

impl ClaimArgs {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let config = session.config()?;
        match self.command {
            ClaimCommand::List => list(session, &Reader::connect(&config.chain).await?).await,
            ClaimCommand::Finalize { claim_id } => finalize(session, claim_id).await,
            ClaimCommand::Explain { claim_id } => {
                let reader = Reader::connect(&config.chain).await?;
                let posted = find(&reader, claim_id).await?;
                let explanation = explain::explain(&config, &reader, &posted).await?;
                session.print(&explanation, || {
                    let mut table = Table::new(&["what", "figure", "from"]);
                    for step in &explanation {
                        table.row([
                            step.what.clone(),
                            step.figure.clone(),
                            step.source.to_owned(),
                        ]);
                    }
                    table
                })
            }
        }
    }
}

async fn list(session: &Session, reader: &Reader) -> Result<()> {
    let head = reader.head().await?.number;
    let mut rows = Vec::new();
    for claim in reader
        .posted_claims(reader.deployment().first_block, head)
        .await?
    {
        let header = &claim.header;
        let state = reader.claim_state(header).await?;
        rows.push(Row {
            claim_id: claim.claim_id,
            worker: header.worker(),
            seq: header.seq,
            posted_at: header.postedAt,
            deadline_at: state.deadline_at,
            lines: claim.lines.len(),
            intervals: claim.lines.iter().map(|line| line.leafCount).sum(),
            amount_wei: claim
                .lines
                .iter()
                .map(|line| U256::from(line.amountWei))
                .sum(),
            status: status_word(state.status).to_owned(),
        });
    }
    session.print(&rows, || {
        let mut table = Table::new(&[
            "claim",
            "worker",
            "seq",
            "intervals",
            "IFX",
            "deadline",
            "status",
        ]);
        for row in &rows {
            table.row([
                row.claim_id.to_string(),
                short(row.worker),
                row.seq.to_string(),
                row.intervals.to_string(),
                ifx(row.amount_wei),
                row.deadline_at.to_string(),
                row.status.clone(),
            ]);
        }
        table
    })
}

fn status_word(status: ClaimStatus) -> &'static str {
    match status {
        ClaimStatus::None => "past",
        ClaimStatus::Posted => "posted",
        ClaimStatus::Final => "final",
        ClaimStatus::Rejected => "rejected",
    }
}

async fn find(reader: &Reader, claim_id: B256) -> Result<PostedClaim> {
    let head = reader.head().await?.number;
    let claims = reader
        .posted_claims(reader.deployment().first_block, head)
        .await?;
    let found = claims.into_iter().find(|claim| claim.claim_id == claim_id);
    found.ok_or_else(|| eyre!("no claim {claim_id} was posted on this chain"))
}

async fn finalize(session: &Session, claim_id: B256) -> Result<()> {
    let config = session.config()?;
    let wallet = session.wallet(&config)?;
    let (reader, sender) = session.chain(&config, &wallet).await?;
    let posted = find(&reader, claim_id).await?;
    let call = calls::finalize(reader.deployment(), &posted.header, &posted.lines)?;
    let receipt = sender.send(&format!("finalize/{claim_id}"), call).await?;
    if session.is_json() {
        println!(
            "{}",
            json!({ "claim_id": claim_id, "gas_used": receipt.gas_used })
        );
    } else {
        println!("claim {claim_id} is final, {} gas", receipt.gas_used);
    }
    Ok(())
}
