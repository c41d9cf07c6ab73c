//! Who paid, earned and lost what, read from the chain; and whether it adds up.

use std::path::PathBuf;

use alloy::primitives::{Address, U256};
use eyre::Result;

use super::nodes::{Nodes, WORKERS};
use crate::{
    chain::{ClaimStatus, PostedClaim, Reader},
    cli::session::{Table, ifx},
};

/// IFX that every account begins with.
const START_IFX: u64 = 10_000;

/// A claim and what became of it.
#[derive(Debug)]
pub(super) struct ClaimEnd {
    pub(super) posted: PostedClaim,
    pub(super) status: ClaimStatus,
}

/// What the demo ended with.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) job_id: String,
    pub(super) claims: Vec<ClaimEnd>,
    pub(super) picture: PathBuf,
}

/// One party's money, in wei.
struct Party {
    name: String,
    account: Address,
    role: &'static str,
    start_wei: U256,
    /// In its wallet.
    wallet_wei: U256,
    /// At stake.
    stake_wei: U256,
    /// In its builder account, allocated or not.
    deposit_wei: U256,
    /// Credited and not withdrawn.
    due_wei: U256,
    /// Credited in all.
    earned_wei: U256,
}

impl Party {
    fn worth_wei(&self) -> U256 {
        self.wallet_wei + self.stake_wei + self.deposit_wei + self.due_wei
    }
}

/// Prints the table and returns whether the money adds up.
pub(super) async fn balance_sheet(reader: &Reader, nodes: &Nodes, ending: &Ending) -> Result<bool> {
    let parties = parties(reader, nodes).await?;
    let mut table = Table::new(&[
        "party",
        "role",
        "IFX before",
        "IFX after",
        "earned",
        "paid or lost",
    ]);
    for party in &parties {
        let (start_wei, worth_wei) = (party.start_wei, party.worth_wei());
        let lost_wei = (start_wei + party.earned_wei).saturating_sub(worth_wei);
        table.row([
            party.name.clone(),
            party.role.to_owned(),
            ifx(start_wei),
            ifx(worth_wei),
            ifx(party.earned_wei),
            ifx(lost_wei),
        ]);
    }
    println!("\n{}", table.text());
    let checks = checks(reader, &parties, ending).await?;
    for (what, holds) in &checks {
        println!("{} {what}", if *holds { "ok   " } else { "WRONG" });
    }
    print_gas(nodes, ending);
    println!("job      {}", ending.job_id);
    println!("picture  {}", ending.picture.display());
    Ok(checks.iter().all(|(_, holds)| *holds))
}

async fn parties(reader: &Reader, nodes: &Nodes) -> Result<Vec<Party>> {
    let (treasury, pool) = reader.treasury_and_pool().await?;
    let manager = nodes.account("manager")?;
    let mut parties = Vec::new();
    let named = [
        ("builder", "builder"),
        ("manager", "manager"),
        (WORKERS[0], "worker"),
        (WORKERS[1], "worker"),
        (WORKERS[2], "worker, lies"),
        ("verifier", "verifier"),
    ];
    for (name, role) in named {
        parties.push(party(reader, name, role, nodes.account(name)?, manager).await?);
    }
    for (name, account) in [("treasury", treasury), ("penalty pool", pool)] {
        let party = party(reader, name, "protocol", account, manager).await?;
        parties.push(Party {
            start_wei: U256::ZERO,
            ..party
        });
    }
    Ok(parties)
}

async fn party(
    reader: &Reader,
    name: &str,
    role: &'static str,
    account: Address,
    manager: Address,
) -> Result<Party> {
    let (earned_wei, withdrawn_wei) = reader.credits(account).await?;
    let allocation = reader.allocation(account, manager).await?;
    // What is forfeited to a builder goes to its balance, and not to its credits.
    let damages_wei = reader.compensated_wei(account).await?;
    Ok(Party {
        name: name.to_owned(),
        account,
        role,
        start_wei: U256::from(START_IFX) * U256::from(10_u64.pow(18)),
        wallet_wei: reader.ifx_wei(account).await?,
        stake_wei: reader.node(account).await?.stake_wei,
        deposit_wei: reader.builder_balance_wei(account).await? + allocation.free_wei,
        due_wei: earned_wei - withdrawn_wei,
        earned_wei: earned_wei + damages_wei,
    })
}

/// What must hold of the money at the end.
async fn checks(
    reader: &Reader,
    parties: &[Party],
    ending: &Ending,
) -> Result<Vec<(String, bool)>> {
    let deployment = reader.deployment();
    let sum = |of: fn(&Party) -> U256| parties.iter().map(of).fold(U256::ZERO, |a, b| a + b);
    let find = |account: Address| parties.iter().find(|party| party.account == account);
    let by_name = |name: &str| parties.iter().find(|party| party.name == name);

    let supply_wei = reader.supply_wei().await?;
    let first_supply_wei = U256::from(1_000_000_000) * U256::from(10_u64.pow(18));
    let burnt_wei = first_supply_wei - supply_wei;
    let in_registry_wei = reader.ifx_wei(deployment.node_registry).await?;
    let in_accounts_wei = reader.ifx_wei(deployment.builder_accounts).await?;
    let start_wei = sum(|party| party.start_wei);
    let end_wei = sum(Party::worth_wei);

    let finals = ending
        .claims
        .iter()
        .filter(|claim| claim.status == ClaimStatus::Final);
    let (mut final_wei, mut honest_wei) = (U256::ZERO, U256::ZERO);
    for claim in finals {
        let amount: U256 = claim
            .posted
            .lines
            .iter()
            .map(|line| U256::from(line.amountWei))
            .sum();
        final_wei += amount;
        honest_wei += find(claim.posted.header.worker()).map_or(U256::ZERO, |_| amount);
    }
    let builder = by_name("builder");
    let damages_wei = builder.map_or(U256::ZERO, |party| party.earned_wei);
    let builder_paid_wei = builder.map_or(U256::ZERO, |party| {
        (party.start_wei + damages_wei).saturating_sub(party.worth_wei())
    });
    let workers_wei = WORKERS
        .iter()
        .filter_map(|name| by_name(name))
        .map(|party| party.earned_wei);
    let workers_wei = workers_wei.fold(U256::ZERO, |a, b| a + b);
    let treasury_wei = by_name("treasury").map_or(U256::ZERO, |party| party.earned_wei);
    let cheat = by_name(WORKERS[2]);
    let is_caught = ending
        .claims
        .iter()
        .any(|claim| claim.status == ClaimStatus::Rejected);
    let cheat_lost = cheat.is_some_and(|party| party.worth_wei() < party.start_wei);
    let cheat_earned = cheat.is_some_and(|party| !party.earned_wei.is_zero());
    Ok(vec![
        (
            format!(
                "all money is accounted for: {} IFX before = {} after + {} burnt",
                ifx(start_wei),
                ifx(end_wei),
                ifx(burnt_wei)
            ),
            start_wei == end_wei + burnt_wei,
        ),
        (
            format!(
                "the registry holds exactly the stakes, {} IFX",
                ifx(in_registry_wei)
            ),
            in_registry_wei == sum(|party| party.stake_wei),
        ),
        (
            format!(
                "the accounts hold exactly deposits and credits, {} IFX",
                ifx(in_accounts_wei)
            ),
            in_accounts_wei == sum(|party| party.deposit_wei + party.due_wei),
        ),
        (
            format!(
                "final claims, {} IFX = workers {} + treasury {}",
                ifx(final_wei),
                ifx(workers_wei),
                ifx(treasury_wei)
            ),
            !final_wei.is_zero()
                && final_wei == workers_wei + treasury_wei
                && honest_wei == final_wei,
        ),
        (
            format!(
                "the builder paid the final claims, {} IFX, and got {} IFX of damages",
                ifx(builder_paid_wei),
                ifx(damages_wei)
            ),
            builder_paid_wei == final_wei && !damages_wei.is_zero(),
        ),
        (
            "the false claim was refuted, its worker earned nothing and lost stake".to_owned(),
            is_caught && cheat_lost && !cheat_earned,
        ),
    ])
}

/// Gas of claims and finalizations, for each interval that was settled.
fn print_gas(nodes: &Nodes, ending: &Ending) {
    let finals: Vec<_> = ending
        .claims
        .iter()
        .filter(|claim| claim.status == ClaimStatus::Final)
        .collect();
    let interval_count: u64 = finals
        .iter()
        .flat_map(|claim| &claim.posted.lines)
        .map(|line| line.leafCount)
        .sum();
    let gas: u64 =
        nodes.claim_gas(|claim_id| finals.iter().any(|claim| claim.posted.claim_id == claim_id));
    println!(
        "gas      {gas} for {} claims with {interval_count} intervals: {} for each settled interval",
        finals.len(),
        gas.checked_div(interval_count).unwrap_or_default()
    );
}
