//! Signatures of messages, as the API carries them: the 64 bytes that the contracts take.

use alloy::{
    primitives::{Address, SignatureError},
    sol_types::{Eip712Domain, SolStruct},
};
use inferix_prover::typed_data::{CompactSignature, recover_signer};

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
        signature
            .try_into()
            .map_err(|_| SignatureRefusal::WrongLength {
                got: signature.len(),
            })?;
    Ok(recover_signer(message, domain, &compact)?)
}
