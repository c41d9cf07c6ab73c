//! What builders, managers, owners and callers sign: EIP-712 structs and their hashes.
//!
//! The declarations below are those of `PROTOCOL.md`, *Signed messages*, and the contracts hash the same
//! strings. A job's id and an order's hash are *struct* hashes: the same on every chain. Signatures bind
//! the domain, and so the chain and the contract.

use std::borrow::Cow;

use alloy_primitives::{Address, B256, Signature, SignatureError, U256};
use alloy_sol_types::{Eip712Domain, SolStruct, sol};

use crate::id::{DeviceId, JobId};

/// Length of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// A signature in the compact form of EIP-2098: `r`, then `s` with the parity of `y` in its top bit. One
/// signer's signature of one message has one such form, which the 65 bytes `r ‖ s ‖ v` have not.
pub type CompactSignature = [u8; SIGNATURE_BYTES];

sol! {
    /// What a builder orders: a program, its input, and how many units of it at what price.
    #[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[allow(missing_docs)]
    struct Job {
        address builder;
        address manager;
        bytes32 programId;
        bytes32 inputRoot;
        bytes32 paramsRoot;
        uint64 unitCount;
        uint64 maxCost;
        uint64 referenceRate;
        uint96 priceCapWei;
        uint64 minIbMicro;
        uint64 deadlineAt;
        uint64 salt;
    }

    /// What a manager allows one device of a worker to claim from one builder's allocation.
    #[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[allow(missing_docs)]
    struct WorkOrder {
        address manager;
        bytes32 deviceId;
        address builder;
        bytes32 tasksRoot;
        uint32 taskCount;
        uint96 capIbmMicro;
        uint96 capWei;
        uint96 priceWei;
        uint64 leaseEndsAt;
    }

    /// A manager's word that a unit range's outputs arrived and matched their hashes.
    #[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[allow(missing_docs)]
    struct Receipt {
        address manager;
        address worker;
        bytes32 jobId;
        bytes32 taskId;
        uint64 firstUnit;
        uint32 unitCount;
        bytes32 unitsRoot;
    }

    /// An operator key's consent to act for an owner.
    #[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[allow(missing_docs)]
    struct OperatorConsent {
        address owner;
        address operator;
    }

    /// A call of a node's HTTP interface.
    #[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[allow(missing_docs)]
    struct ApiRequest {
        address caller;
        string method;
        string path;
        bytes32 bodyHash;
        uint64 nonce;
        uint64 expiresAt;
    }
}

/// Returns the domain of a chain's contract: `WorkClaims`, or `NodeRegistry` for [`OperatorConsent`].
pub fn domain(chain_id: u64, verifying_contract: Address) -> Eip712Domain {
    Eip712Domain::new(
        Some(Cow::Borrowed("Inferix")),
        Some(Cow::Borrowed("1")),
        Some(U256::from(chain_id)),
        Some(verifying_contract),
        None,
    )
}

/// Returns the hash that is signed for `message` in `domain`.
pub fn signing_hash<T: SolStruct>(message: &T, domain: &Eip712Domain) -> B256 {
    message.eip712_signing_hash(domain)
}

/// Returns who signed `message` in `domain`.
///
/// # Errors
///
/// A [`SignatureError`] for bytes that are no signature, or one with `s` in the upper half of the
/// curve's order: the contracts refuse those too.
pub fn recover_signer<T: SolStruct>(
    message: &T,
    domain: &Eip712Domain,
    signature: &CompactSignature,
) -> Result<Address, SignatureError> {
    recover_hash_signer(signing_hash(message, domain), signature)
}

/// Returns who signed a hash.
///
/// # Errors
///
/// As [`recover_signer`].
pub fn recover_hash_signer(
    hash: B256,
    signature: &CompactSignature,
) -> Result<Address, SignatureError> {
    let parsed = Signature::from_erc2098(signature);
    if parsed.normalize_s().is_some() {
        return Err(SignatureError::FromBytes(
            "s is in the upper half of the curve's order",
        ));
    }
    parsed.recover_address_from_prehash(&hash)
}

impl Job {
    /// Names the job: its struct hash.
    pub fn job_id(&self) -> JobId {
        JobId::new(self.eip712_hash_struct())
    }
}

impl WorkOrder {
    /// Names the order: its struct hash.
    pub fn order_hash(&self) -> B256 {
        self.eip712_hash_struct()
    }

    /// Names the device.
    pub fn device_id(&self) -> DeviceId {
        DeviceId::new(self.deviceId)
    }
}
