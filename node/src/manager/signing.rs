//! Signatures in the one form that the contracts take: `r ‖ vs` of EIP-2098.

use alloy::{
    primitives::{Address, Bytes, Signature, SignatureError},
    sol_types::{Eip712Domain, SolStruct},
};
use inferix_prover::typed_data::{CompactSignature, recover_signer, signing_hash};

use crate::wallet::{Wallet, WalletError};

/// Why a message was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key failed.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The wallet gave bytes that are no signature.
    #[error("the wallet gave no signature")]
    Malformed(#[from] SignatureError),
}

/// Why a signature is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum SignatureRefusal {
    /// It has another length.
    #[error("a signature has 64 bytes (r and vs of EIP-2098), not {got}")]
    WrongLength {
        /// Its length.
        got: usize,
    },
    /// The bytes are no signature.
    #[error("these bytes are no signature")]
    Malformed(#[from] SignatureError),
}

/// Signs a message.
///
/// # Errors
///
/// Every variant of [`SignError`].
pub fn sign<T: SolStruct>(wallet: &Wallet, message: &T, domain: &Eip712Domain) -> Result<Bytes, SignError> {
    let bytes = wallet.sign_hash(&signing_hash(message, domain))?;
    let signature = Signature::from_raw(&bytes)?;
    Ok(Bytes::copy_from_slice(&signature.as_erc2098()))
}

/// Returns who signed a message.
///
/// # Errors
///
/// Every variant of [`SignatureRefusal`].
pub fn signer_of<T: SolStruct>(
    message: &T,
    domain: &Eip712Domain,
    signature: &[u8],
) -> Result<Address, SignatureRefusal> {
    let compact: CompactSignature =
        signature.try_into().map_err(|_| SignatureRefusal::WrongLength { got: signature.len() })?;
    Ok(recover_signer(message, domain, &compact)?)
}
