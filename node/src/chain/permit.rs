//! The signature that lets a contract take IFX of its signer (EIP-2612), so that one transaction does.

use alloy::{
    primitives::{Address, B256, U256, keccak256},
    sol,
    sol_types::SolStruct,
};

use super::{ChainError, Reader};
use crate::wallet::Wallet;

/// Long enough for a transaction to be mined on a busy day.
const VALID_FOR_S: u64 = 86_400;

mod typed {
    super::sol! {
        /// EIP-2612.
        #[derive(Debug)]
        struct Permit {
            address owner;
            address spender;
            uint256 value;
            uint256 nonce;
            uint256 deadline;
        }
    }
}

/// A signed permit: what the contracts take.
#[derive(Clone, Copy, Debug)]
pub struct Permit {
    /// Until when it is valid, Unix time in seconds.
    pub deadline_at: U256,
    /// Parity of the signature, 27 or 28.
    pub v: u8,
    /// Its first half.
    pub r: B256,
    /// Its second half.
    pub s: B256,
}

impl Permit {
    /// Lets `spender` take `value_wei` of the wallet's IFX.
    ///
    /// # Errors
    ///
    /// Those of [`Reader::ifx_wei`], and [`ChainError::Wallet`].
    pub async fn sign(
        reader: &Reader,
        wallet: &Wallet,
        spender: Address,
        value_wei: U256,
    ) -> Result<Self, ChainError> {
        let owner = wallet.address();
        let deadline_at = U256::from(reader.head().await?.time.saturating_add(VALID_FOR_S));
        let message = typed::Permit {
            owner,
            spender,
            value: value_wei,
            nonce: reader.permit_nonce(owner).await?,
            deadline: deadline_at,
        };
        let domain = reader.permit_domain().await?;
        let mut bytes = Vec::with_capacity(66);
        bytes.extend([0x19, 0x01]);
        bytes.extend(domain);
        bytes.extend(message.eip712_hash_struct());
        let signature = wallet.sign(&keccak256(bytes))?;
        Ok(Self {
            deadline_at,
            v: 27 + u8::from(signature.v()),
            r: signature.r().into(),
            s: signature.s().into(),
        })
    }
}
