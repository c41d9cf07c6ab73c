//! `inferix wallet`: keys in encrypted keystores.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use eyre::{Result, WrapErr, ensure};

use super::session::{Session, open_wallet, read_password};
use crate::{secret::Secret, wallet::Wallet};

/// Make, import and show keys.
#[derive(Args, Debug)]
pub(super) struct WalletArgs {
    #[command(subcommand)]
    command: WalletCommand,
}

#[derive(Debug, Subcommand)]
enum WalletCommand {
    /// Make a random key.
    New(PathArgs),
    /// Keep a key from elsewhere; the key itself is read from a file, or asked for.
    Import {
        #[command(flatten)]
        path: PathArgs,
        /// File with the private key, 32 bytes in hex.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// Show the address of a keystore.
    Address(PathArgs),
}

#[derive(Args, Debug)]
struct PathArgs {
    /// The keystore.
    keystore: PathBuf,
    /// File with its password. Left out, it is asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl WalletArgs {
    pub(super) fn run(self, session: &Session) -> Result<()> {
        let (path, wallet) = match self.command {
            WalletCommand::New(args) => {
                let password = args.new_password()?;
                (
                    args.keystore.clone(),
                    Wallet::create(&args.keystore, &password)?,
                )
            }
            WalletCommand::Import {
                path: args,
                key_file,
            } => {
                let key = read_password(key_file.as_deref(), "Private key: ")?;
                let password = args.new_password()?;
                (
                    args.keystore.clone(),
                    Wallet::import(&key, &args.keystore, &password)?,
                )
            }
            WalletCommand::Address(args) => {
                let wallet = open_wallet(&args.keystore, args.password_file.as_deref())?;
                (args.keystore, wallet)
            }
        };
        let address = wallet.address();
        if session.is_json() {
            println!(
                "{}",
                serde_json::json!({ "address": address, "keystore": path })
            );
        } else {
            println!("{address:#x}");
        }
        Ok(())
    }
}

impl PathArgs {
    /// A password for a new keystore: typed twice, because a typing error would lock the key for good.
    fn new_password(&self) -> Result<Secret<String>> {
        let password = read_password(self.password_file.as_deref(), "New password: ")?;
        ensure!(
            !password.expose().is_empty(),
            "the password is empty: choose another"
        );
        if self.password_file.is_none() {
            let again = rpassword::prompt_password("Again: ").wrap_err("no password")?;
            ensure!(
                again == *password.expose(),
                "the passwords differ: nothing was written"
            );
        }
        Ok(password)
    }
}
