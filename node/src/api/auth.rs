//! Who sent a request: signatures over its method, its path and the hash of its body.
//!
//! # Header
//!
//! `authorization: Inferix caller=0x…, chain=<id>, nonce=<u64>, expires=<Unix s>, signature=0x<64 bytes>`
//!
//! The signature is over the EIP-712 struct `ApiRequest` (`PROTOCOL.md`, *Signed messages*). Its `path` is the
//! manager's account in lower-case hex before the path and query, as [`signed_path`] writes it, so that no
//! manager can play a request to another. A request without a body hashes no bytes; a blob's hash is the one
//! in its path. The account signs itself, or its registered operator does.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use alloy::{
    primitives::{Address, B256, hex},
    sol_types::Eip712Domain,
};
use inferix_prover::typed_data::ApiRequest;

use crate::{
    chain::ChainError,
    manager::{ManagerError, signing::SignatureRefusal, signing::signer_of},
    store::{Store, StoreError, Tree},
    wallet::{Wallet, WalletError},
};

/// Name of the scheme in the header.
const SCHEME: &str = "Inferix ";

/// How far ahead a request may expire, in seconds: for so long its nonce is remembered.
pub const EXPIRY_MAX_S: u64 = 300;

/// Nonces that are forgotten at once: each time costs a write.
const FORGET_COUNT: usize = 256;

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The account that asks.
    pub caller: Address,
    /// The chain that it asks about.
    pub chain_id: u64,
    /// A number that it uses once.
    pub nonce: u64,
    /// When the request is void, Unix time in seconds.
    pub expires_at: u64,
    /// Its signature.
    pub signature: Vec<u8>,
}

/// What of a request is signed, besides who and when.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The path as [`signed_path`] writes it.
    pub path: &'a str,
    /// Keccak-256 of the body.
    pub body_hash: B256,
}

/// Why a request is not the caller's.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// There is no header.
    #[error("the request is not signed: send an authorization header")]
    Missing,
    /// The header is not what it should be.
    #[error("the authorization header's {field} is malformed")]
    Malformed {
        /// Which part.
        field: &'static str,
    },
    /// The request is meant for another chain.
    #[error("the request is signed for chain {got}, this manager is on chain {needed}")]
    WrongChain {
        /// The request's.
        got: u64,
        /// The manager's.
        needed: u64,
    },
    /// It is too late.
    #[error("the request expired at {expires_at}, it is {now}: check the clock and sign again")]
    Expired {
        /// The request's.
        expires_at: u64,
        /// The time.
        now: u64,
    },
    /// It would be valid for too long.
    #[error(
        "the request expires at {expires_at}, at most {EXPIRY_MAX_S} s after {now} are allowed"
    )]
    ExpiresTooLate {
        /// The request's.
        expires_at: u64,
        /// The time.
        now: u64,
    },
    /// The signature is none.
    #[error("the request's signature is refused")]
    Signature(#[from] SignatureRefusal),
    /// Another key signed, or something else was signed.
    #[error("the request is signed by {signer}, which is neither {caller} nor its operator")]
    Forged {
        /// Who signed what was received.
        signer: Address,
        /// Who is said to.
        caller: Address,
    },
    /// The same request was there before.
    #[error("nonce {nonce} was used before: sign each request with another")]
    Replayed {
        /// The nonce.
        nonce: u64,
    },
    /// The caller asks too often.
    #[error("too many requests: at most {per_second} a second in the long run")]
    TooMany {
        /// How many are allowed.
        per_second: u32,
    },
    /// The caller's operator can't be looked up.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The caller's operator can't be looked up.
    #[error(transparent)]
    Manager(#[from] ManagerError),
    /// The nonce can't be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Credentials {
    /// Signs a request.
    ///
    /// # Errors
    ///
    /// [`WalletError`].
    pub fn sign(
        wallet: &Wallet,
        domain: &Eip712Domain,
        parts: RequestParts<'_>,
        (caller, nonce, expires_at): (Address, u64, u64),
    ) -> Result<Self, WalletError> {
        let message = message(caller, nonce, expires_at, parts);
        let signature = wallet.sign_message(&message, domain)?.to_vec();
        let chain_id = domain.chain_id.unwrap_or_default().saturating_to();
        Ok(Self {
            caller,
            chain_id,
            nonce,
            expires_at,
            signature,
        })
    }

    /// Writes the header.
    pub fn to_header(&self) -> String {
        let Self {
            caller,
            chain_id,
            nonce,
            expires_at,
            signature,
        } = self;
        let signature = hex::encode_prefixed(signature);
        format!(
            "{SCHEME}caller={caller:#x}, chain={chain_id}, nonce={nonce}, expires={expires_at}, signature={signature}"
        )
    }

    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`AuthError::Malformed`].
    pub fn from_header(header: &str) -> Result<Self, AuthError> {
        let malformed = |field| AuthError::Malformed { field };
        let fields = header.strip_prefix(SCHEME).ok_or(malformed("scheme"))?;
        let mut values = [""; 5];
        let names = ["caller", "chain", "nonce", "expires", "signature"];
        for field in fields.split(',') {
            let (name, value) = field
                .trim()
                .split_once('=')
                .ok_or(malformed("list of fields"))?;
            let place = names
                .iter()
                .position(|known| *known == name)
                .ok_or(malformed("list of fields"))?;
            if !std::mem::replace(&mut values[place], value).is_empty() {
                return Err(malformed("list of fields"));
            }
        }
        let [caller, chain, nonce, expires, signature] = values;
        Ok(Self {
            caller: caller.parse().map_err(|_| malformed("caller"))?,
            chain_id: chain.parse().map_err(|_| malformed("chain"))?,
            nonce: nonce.parse().map_err(|_| malformed("nonce"))?,
            expires_at: expires.parse().map_err(|_| malformed("expires"))?,
            signature: hex::decode(signature).map_err(|_| malformed("signature"))?,
        })
    }

    /// Checks all that needs neither the chain nor the store, and returns who signed.
    ///
    /// # Errors
    ///
    /// [`AuthError::WrongChain`], [`AuthError::Expired`], [`AuthError::ExpiresTooLate`],
    /// [`AuthError::Signature`].
    pub fn check(
        &self,
        domain: &Eip712Domain,
        parts: RequestParts<'_>,
        now: u64,
    ) -> Result<Address, AuthError> {
        let needed = domain.chain_id.unwrap_or_default().saturating_to();
        if self.chain_id != needed {
            return Err(AuthError::WrongChain {
                got: self.chain_id,
                needed,
            });
        }
        let expires_at = self.expires_at;
        if expires_at <= now {
            return Err(AuthError::Expired { expires_at, now });
        }
        if expires_at > now.saturating_add(EXPIRY_MAX_S) {
            return Err(AuthError::ExpiresTooLate { expires_at, now });
        }
        let message = message(self.caller, self.nonce, expires_at, parts);
        Ok(signer_of(&message, domain, &self.signature)?)
    }
}

/// Returns the path that is signed: the manager's account, then path and query as sent.
pub fn signed_path(manager: Address, path_and_query: &str) -> String {
    format!("/{manager:#x}{path_and_query}")
}

fn message(caller: Address, nonce: u64, expires_at: u64, parts: RequestParts<'_>) -> ApiRequest {
    ApiRequest {
        caller,
        method: parts.method.to_owned(),
        path: parts.path.to_owned(),
        bodyHash: parts.body_hash,
        nonce,
        expiresAt: expires_at,
    }
}

/// Nonces of requests that have not expired, kept over restarts.
#[derive(Debug)]
pub struct NonceBook {
    tree: Tree,
    used: Mutex<BTreeSet<(u64, Address, u64)>>,
}

impl NonceBook {
    /// Opens the book as the last write left it.
    ///
    /// # Errors
    ///
    /// [`AuthError::Store`].
    pub fn open(store: &Store) -> Result<Self, AuthError> {
        let tree = store.tree("api_nonces")?;
        let used = tree
            .scan::<(u64, Address, u64)>(b"")?
            .into_iter()
            .map(|(_, used)| used)
            .collect();
        Ok(Self {
            tree,
            used: Mutex::new(used),
        })
    }

    /// Takes a nonce, or refuses it because it was taken before. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// [`AuthError::Replayed`], [`AuthError::Store`].
    pub fn take(&self, credentials: &Credentials, now: u64) -> Result<(), AuthError> {
        let Credentials {
            caller,
            nonce,
            expires_at,
            ..
        } = *credentials;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.insert((expires_at, caller, nonce)) {
            return Err(AuthError::Replayed { nonce });
        }
        self.tree.put(
            key(&(expires_at, caller, nonce)),
            &(expires_at, caller, nonce),
        )?;

        let live = used.split_off(&(now, Address::ZERO, 0));
        if used.len() >= FORGET_COUNT {
            self.tree.remove_all(used.iter().map(key))?;
            used.clear();
        }
        used.extend(live);
        Ok(())
    }
}

fn key(used: &(u64, Address, u64)) -> Vec<u8> {
    let (expires_at, caller, nonce) = used;
    [
        expires_at.to_be_bytes().as_slice(),
        caller.as_slice(),
        &nonce.to_be_bytes(),
    ]
    .concat()
}
