//! Registering a node account: the same for workers, managers and verifiers.

use alloy::primitives::{U256, aliases::U96};
use clap::Args;
use eyre::{Result, WrapErr, bail};
use serde_json::json;

use super::session::{KeyArgs, Session, ifx, parse_ifx};
use crate::{
    chain::{
        Permit,
        calls::{self, Registration},
    },
    roles,
};

/// What an account registers with.
#[derive(Args, Debug)]
pub(crate) struct RegisterArgs {
    /// IFX to put at stake. Left out, what the role needs.
    #[arg(long, value_name = "IFX", value_parser = parse_ifx)]
    stake: Option<U96>,

    #[command(flatten)]
    owner: KeyArgs,
}

/// What a worker adds to that.
#[derive(Args, Debug)]
pub(crate) struct WorkerTerms {
    /// Speed of the first device, in IB (one RTX 4090 is 0.5).
    #[arg(long, value_name = "IB", value_parser = parse_micro)]
    ib: u64,

    /// Price per IBM, in IFX.
    #[arg(long, value_name = "IFX", value_parser = parse_ifx)]
    price: U96,
}

/// What a worker, a manager or a verifier registers with.
#[derive(Debug)]
pub(crate) enum Role {
    /// Executes tasks.
    Worker(WorkerTerms),
    /// Splits jobs; others find it at this address.
    Manager {
        /// Its API.
        endpoint: String,
    },
    /// Checks claims.
    Verifier,
}

/// Stake that a manager or a verifier puts down where it names none, in wei.
const DEFAULT_STAKE_WEI: u128 = 100 * 10_u128.pow(18);

impl RegisterArgs {
    /// Registers the account of the owner's key, with the configured key as its operator.
    pub(crate) async fn run(self, session: &Session, role: Role) -> Result<()> {
        let config = session.config()?;
        let operator = session.wallet(&config)?;
        let owner = session.owner(&config, &self.owner)?;
        let (reader, sender) = session.chain(&config, &owner).await?;
        let known = reader.node(owner.address()).await?;
        if known.operator != alloy::primitives::Address::ZERO {
            bail!(
                "account {:#x} is registered already, with operator {:#x}",
                owner.address(),
                known.operator
            );
        }

        let (roles, ib_micro, price_wei, endpoint) = match role {
            Role::Worker(terms) => (roles::WORKER, terms.ib, terms.price, String::new()),
            Role::Manager { endpoint } => (roles::MANAGER, 0, U96::ZERO, endpoint),
            Role::Verifier => (roles::VERIFIER, 0, U96::ZERO, String::new()),
        };
        let least_wei = reader
            .min_stake_wei(ib_micro, U256::from(price_wei))
            .await?;
        let stake_wei = match self.stake {
            Some(stake_wei) => stake_wei,
            None => default_stake_wei(least_wei),
        };
        if U256::from(stake_wei) < least_wei {
            bail!(
                "a stake of {} IFX is too low: put at least {} IFX down with --stake",
                ifx(U256::from(stake_wei)),
                ifx(least_wei)
            );
        }
        let have_wei = reader.ifx_wei(owner.address()).await?;
        if have_wei < U256::from(stake_wei) {
            bail!(
                "account {:#x} has {} IFX and needs {} for its stake: send it some",
                owner.address(),
                ifx(have_wei),
                ifx(U256::from(stake_wei))
            );
        }

        let deployment = reader.deployment();
        let permit = Permit::sign(
            &reader,
            &owner,
            deployment.node_registry,
            U256::from(stake_wei),
        )
        .await?;
        let registration = Registration {
            roles,
            ib_micro,
            price_wei,
            stake_wei,
            endpoint,
        };
        let call = calls::register(
            deployment,
            owner.address(),
            &operator,
            registration,
            &permit,
        )?;
        let intent = format!("register/{:#x}", owner.address());
        let receipt = sender.send(&intent, call).await.wrap_err("registering")?;
        if session.is_json() {
            let account = owner.address();
            println!(
                "{}",
                json!({ "account": account, "gas_used": receipt.gas_used })
            );
        } else {
            println!(
                "registered {:#x} with {} IFX at stake, {} gas",
                owner.address(),
                ifx(U256::from(stake_wei)),
                receipt.gas_used
            );
        }
        Ok(())
    }
}

/// Twice what the device needs: claims lock stake, and what is locked must not stop the next claim.
fn default_stake_wei(least_wei: U256) -> U96 {
    let stake_wei = least_wei
        .saturating_mul(U256::from(2))
        .max(U256::from(DEFAULT_STAKE_WEI));
    stake_wei.saturating_to()
}

/// Parses a decimal number into millionths.
pub(crate) fn parse_micro(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text} is no decimal number with at most six places: write it as 0.5");
    let micro = alloy::primitives::utils::parse_units(text, 6).map_err(|_| wrong())?;
    u64::try_from(micro.get_absolute())
        .ok()
        .filter(|_| !micro.is_negative())
        .ok_or_else(wrong)
}
