//! `inferix account`: a builder's prepaid balance, and what managers may spend of it.

use alloy::primitives::{Address, U256, aliases::U96};
use clap::{Args, Subcommand};
use eyre::{Result, WrapErr, bail};
use serde::Serialize;

use super::session::{Session, Table, ifx, parse_ifx};
use crate::chain::{Call, Permit, Reader, Sender, calls};

/// Pay in, let managers spend, pay out.
#[derive(Args, Debug)]
pub(super) struct AccountArgs {
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    /// Show the balance and what managers may spend of it.
    Show,
    /// Pay IFX in.
    Deposit {
        /// How much, in IFX.
        #[arg(value_parser = parse_ifx)]
        amount: U96,
        /// Let this manager spend it at once.
        #[arg(long, value_name = "ADDRESS")]
        manager: Option<Address>,
    },
    /// Let a manager spend a part of the balance.
    Allocate {
        /// The manager's account.
        manager: Address,
        /// How much more, in IFX.
        #[arg(value_parser = parse_ifx)]
        amount: U96,
    },
    /// Ask for allocated money back; `withdraw --manager` fetches it once live leases have run out.
    Deallocate {
        /// The manager's account.
        manager: Address,
        /// How much, in IFX.
        #[arg(value_parser = parse_ifx)]
        amount: U96,
    },
    /// Pay out what no manager may spend.
    Withdraw {
        /// How much, in IFX. Left out, all of it.
        #[arg(value_parser = parse_ifx)]
        amount: Option<U96>,
        /// First take back what was asked of this manager.
        #[arg(long, value_name = "ADDRESS")]
        manager: Option<Address>,
    },
}

#[derive(Serialize)]
struct AccountView {
    builder: Address,
    purse_wei: U256,
    balance_wei: U256,
    allocations: Vec<AllocationRow>,
}

#[derive(Serialize)]
struct AllocationRow {
    manager: Address,
    free_wei: U256,
    pending_wei: U256,
    available_at: u64,
}

impl AccountArgs {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let config = session.config()?;
        let wallet = session.wallet(&config)?;
        let builder = wallet.address();
        if matches!(self.command, AccountCommand::Show) {
            return show(session, &Reader::connect(&config.chain).await?, builder).await;
        }
        let (reader, sender) = session.chain(&config, &wallet).await?;
        let deployment = reader.deployment();
        match self.command {
            AccountCommand::Show => Ok(()),
            AccountCommand::Deposit { amount, manager } => {
                let have_wei = reader.ifx_wei(builder).await?;
                if have_wei < U256::from(amount) {
                    let (have, need) = (ifx(have_wei), ifx(U256::from(amount)));
                    bail!(
                        "account {builder:#x} has {have} IFX and is to pay {need} in: send it some"
                    );
                }
                let accounts = deployment.builder_accounts;
                let permit = Permit::sign(&reader, &wallet, accounts, U256::from(amount)).await?;
                let call = match manager {
                    Some(manager) => {
                        calls::deposit_and_allocate(deployment, manager, amount, &permit)
                    }
                    None => calls::deposit(deployment, builder, amount, &permit),
                };
                send(session, &sender, "deposit", call).await
            }
            AccountCommand::Allocate { manager, amount } => {
                send(
                    session,
                    &sender,
                    "allocate",
                    calls::allocate(deployment, manager, amount),
                )
                .await
            }
            AccountCommand::Deallocate { manager, amount } => {
                let call = calls::request_deallocation(deployment, manager, amount);
                send(session, &sender, "deallocate", call).await?;
                let allocation = reader.allocation(builder, manager).await?;
                eprintln!(
                    "it can be withdrawn from {} on (Unix time)",
                    allocation.available_at
                );
                Ok(())
            }
            AccountCommand::Withdraw { amount, manager } => {
                if let Some(manager) = manager {
                    let call = calls::deallocate(deployment, manager);
                    send(session, &sender, "take back", call).await?;
                }
                let amount = match amount {
                    Some(amount) => amount,
                    None => reader.builder_balance_wei(builder).await?.saturating_to(),
                };
                if amount.is_zero() {
                    bail!(
                        "nothing is free to withdraw: `inferix account deallocate` asks a manager's part back"
                    );
                }
                send(
                    session,
                    &sender,
                    "withdraw",
                    calls::withdraw_balance(deployment, amount),
                )
                .await
            }
        }
    }
}

async fn show(session: &Session, reader: &Reader, builder: Address) -> Result<()> {
    let mut allocations = Vec::new();
    for (manager, _) in reader.manager_endpoints().await? {
        let allocation = reader.allocation(builder, manager).await?;
        if !allocation.free_wei.is_zero() || !allocation.pending_wei.is_zero() {
            allocations.push(AllocationRow {
                manager,
                free_wei: allocation.free_wei,
                pending_wei: allocation.pending_wei,
                available_at: allocation.available_at,
            });
        }
    }
    let view = AccountView {
        builder,
        purse_wei: reader.ifx_wei(builder).await?,
        balance_wei: reader.builder_balance_wei(builder).await?,
        allocations,
    };
    session.print(&view, || {
        let mut table = Table::new(&["what", "IFX"]);
        table.row(["in the purse".to_owned(), ifx(view.purse_wei)]);
        table.row([
            "balance that no manager may spend".to_owned(),
            ifx(view.balance_wei),
        ]);
        for row in &view.allocations {
            table.row([
                format!("allocated to {:#x}", row.manager),
                ifx(row.free_wei),
            ]);
            if !row.pending_wei.is_zero() {
                let what = format!(
                    "  of it asked back, there at {} (Unix time)",
                    row.available_at
                );
                table.row([what, ifx(row.pending_wei)]);
            }
        }
        table
    })
}

/// Sends a call of its own: what was under way before has come to an end, so the nonce names it.
async fn send(session: &Session, sender: &Sender, what: &'static str, call: Call) -> Result<()> {
    let intent = format!("account/{what}/{}", sender.nonce().await?);
    let receipt = sender.send(&intent, call).await.wrap_err(what)?;
    if session.is_json() {
        let sent = serde_json::json!({ "done": what, "tx": receipt.transaction_hash, "gas_used": receipt.gas_used });
        println!("{sent}");
    } else {
        println!(
            "{what}: done in {:#x}, {} gas",
            receipt.transaction_hash, receipt.gas_used
        );
    }
    Ok(())
}
