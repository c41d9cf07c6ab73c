//! What subcommands share: the configuration, an open key, the chain, and how to print.

use std::path::{Path, PathBuf};

use alloy::primitives::{
    Address, U256,
    aliases::U96,
    utils::{format_ether, parse_ether},
};
use eyre::{Result, WrapErr, eyre};
use serde::Serialize;

use crate::{
    chain::{Reader, Sender},
    config::Config,
    secret::Secret,
    store::Store,
    wallet::Wallet,
};

/// One run of the command line.
#[derive(Debug)]
pub(crate) struct Session {
    config_file: PathBuf,
    json: bool,
}

/// A keystore and the file with its password.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct KeyArgs {
    /// Keystore of the cold owner. Left out, the configured key owns the account.
    #[arg(long, value_name = "FILE")]
    pub(crate) owner_keystore: Option<PathBuf>,

    /// File with the owner's password. Left out, it is asked for.
    #[arg(long, value_name = "FILE")]
    pub(crate) owner_password_file: Option<PathBuf>,
}

impl Session {
    pub(crate) fn new(config_file: PathBuf, json: bool) -> Self {
        Self { config_file, json }
    }

    /// Whether listings are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Reads the configuration.
    pub(crate) fn config(&self) -> Result<Config> {
        Ok(Config::read(&self.config_file)?)
    }

    /// Opens the configured key.
    pub(crate) fn wallet(&self, config: &Config) -> Result<Wallet> {
        let keystore = config.wallet.keystore_file.as_deref().ok_or_else(|| {
            eyre!("wallet.keystore_file is not set: make a key with `inferix wallet new`")
        })?;
        open_wallet(keystore, config.wallet.password_file.as_deref())
    }

    /// Opens the owner's key, or the configured one where none is named.
    pub(crate) fn owner(&self, config: &Config, keys: &KeyArgs) -> Result<Wallet> {
        match &keys.owner_keystore {
            Some(keystore) => open_wallet(keystore, keys.owner_password_file.as_deref()),
            None => self.wallet(config),
        }
    }

    /// Connects to the chain and opens a sender for commands. It has a store of its own, so that it
    /// works beside a running node.
    pub(crate) async fn chain(&self, config: &Config, wallet: &Wallet) -> Result<(Reader, Sender)> {
        let reader = Reader::connect(&config.chain).await?;
        let name = format!("commands/{:#x}", wallet.address());
        let store = Store::open(&config.data_dir.join(name))?;
        let chain_id = reader.deployment().chain_id;
        let sender = Sender::open(&config.chain, chain_id, wallet.clone(), &store)?;
        sender.recover().await?;
        Ok((reader, sender))
    }

    /// Prints rows: a table for people, JSON for programs.
    pub(crate) fn print<T: Serialize>(
        &self,
        rows: &T,
        table: impl FnOnce() -> Table,
    ) -> Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(rows)?);
        } else {
            print!("{}", table().text());
        }
        Ok(())
    }
}

/// Opens a keystore; asks for the password where no file holds it.
pub(crate) fn open_wallet(keystore: &Path, password_file: Option<&Path>) -> Result<Wallet> {
    let password = read_password(password_file, "Password: ")?;
    Ok(Wallet::open(keystore, &password)?)
}

/// Reads a password from a file, or asks for it.
pub(crate) fn read_password(file: Option<&Path>, prompt: &str) -> Result<Secret<String>> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file)
            .wrap_err_with(|| format!("reading password file {}", file.display()))?,
        None => rpassword::prompt_password(prompt)
            .wrap_err("no password: give a password file, or run this in a terminal")?,
    };
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Parses an amount of IFX, as `12.5`.
pub(crate) fn parse_ifx(text: &str) -> Result<U96, String> {
    let wei =
        parse_ether(text).map_err(|_| format!("{text} is no amount of IFX: write it as 12.5"))?;
    if wei > U256::from(U96::MAX) {
        return Err(format!("{text} IFX is more than there can be"));
    }
    Ok(wei.to::<U96>())
}

/// Writes an amount of IFX without needless zeros.
pub(crate) fn ifx(wei: U256) -> String {
    let text = format_ether(wei);
    let trimmed = text.trim_end_matches('0').trim_end_matches('.');
    if trimmed.is_empty() {
        "0".to_owned()
    } else {
        trimmed.to_owned()
    }
}

/// Writes an address short enough for a table.
pub(crate) fn short(address: Address) -> String {
    let text = format!("{address:#x}");
    format!("{}…{}", &text[..8], &text[38..])
}

/// Columns of text.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self {
            rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()],
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Lays the columns out, each as wide as its widest cell.
    pub(crate) fn text(&self) -> String {
        let column_count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..column_count).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row
                .iter()
                .zip(&widths)
                .map(|(cell, &width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_alike() {
        for text in ["0", "1", "12.5", "0.000000000000000001"] {
            assert_eq!(ifx(U256::from(parse_ifx(text).unwrap())), text);
        }
        assert!(parse_ifx("one").is_err());
        assert!(
            parse_ifx("79228162514.3").is_err(),
            "2^96 wei are more than fit"
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["name", "IFX"]);
        table.row(["builder".to_owned(), "1".to_owned()]);
        assert_eq!(table.text(), "name     IFX\nbuilder  1\n");
    }
}
