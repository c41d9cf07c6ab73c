//! Every call that a node makes, ready to be sent.

use alloy::{
    primitives::{
        Address, B256, U256,
        aliases::{U40, U96},
    },
    sol_types::SolCall,
};
use inferix_prover::{
    claim::{ClaimHeader, Line},
    id::DeviceId,
    typed_data::{CompactSignature, OperatorConsent, WorkOrder, domain},
};

use super::{
    Call, ChainError, Deployment, Permit,
    bindings::{
        builder_accounts, checkpoints, fraud_proofs, ifx, node_registry, recode, work_claims,
    },
};
use crate::wallet::Wallet;

/// What an account registers with.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Bits of [`roles`](crate::roles).
    pub roles: u8,
    /// Speed of the first device, in micro-IB; 0 where the account is no worker.
    pub ib_micro: u64,
    /// Price per IBM, in wei.
    pub price_wei: U96,
    /// What is put at stake, in wei.
    pub stake_wei: U96,
    /// A manager's API.
    pub endpoint: String,
}

/// A line of a claim, with the order that it consumes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LineDraft {
    /// The order.
    pub order: WorkOrder,
    /// The manager's operator's signature of it.
    pub signature: alloy::primitives::FixedBytes<64>,
    /// Where the cursor stands afterwards.
    pub cursor_to: u32,
    /// Top of the line's tree.
    pub top_hash: B256,
    /// Its leaves.
    pub leaf_count: u64,
    /// Its sum, in micro-IBM.
    pub sum_ibm_micro: U96,
}

/// A claim that has not been posted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClaimDraft {
    /// The device; its lines' orders name it too.
    pub device_id: DeviceId,
    /// The number that the claim will get.
    pub seq: u32,
    /// Where its span begins, in Unix milliseconds.
    pub start_ms: u64,
    /// Where its span ends, in Unix milliseconds.
    pub end_ms: u64,
    /// Hash of the published blob.
    pub blob_hash: B256,
    /// Its lines.
    pub lines: Vec<LineDraft>,
}

/// Registers the sender's account with an operator who consents.
///
/// # Errors
///
/// [`ChainError::Wallet`], [`ChainError::Answer`].
pub fn register(
    deployment: &Deployment,
    owner: Address,
    operator: &Wallet,
    registration: Registration,
    permit: &Permit,
) -> Result<Call, ChainError> {
    let consent = OperatorConsent {
        owner,
        operator: operator.address(),
    };
    let domain = domain(deployment.chain_id, deployment.node_registry);
    let consent = operator.sign_message(&consent, &domain)?;
    let call = node_registry::registerCall {
        registration: node_registry::Registration {
            operator: operator.address(),
            roles: registration.roles,
            ibMicro: U40::from(registration.ib_micro),
            priceWei: registration.price_wei,
            stakeWei: registration.stake_wei,
            consent: signature(&consent)?,
            endpoint: registration.endpoint,
        },
        permit: node_registry::Permit {
            deadlineAt: permit.deadline_at,
            v: permit.v,
            r: permit.r,
            s: permit.s,
        },
    };
    Ok(Call::new(deployment.node_registry, call.abi_encode()))
}

/// Pays IFX into the sender's builder account and allocates it to a manager.
pub fn deposit_and_allocate(
    deployment: &Deployment,
    manager: Address,
    amount_wei: U96,
    permit: &Permit,
) -> Call {
    let call = builder_accounts::depositAndAllocateCall {
        manager,
        amountWei: amount_wei,
        permit: accounts_permit(permit),
    };
    Call::new(deployment.builder_accounts, call.abi_encode())
}

/// Pays IFX into a builder account.
pub fn deposit(
    deployment: &Deployment,
    builder: Address,
    amount_wei: U96,
    permit: &Permit,
) -> Call {
    let call = builder_accounts::depositCall {
        builder,
        amountWei: amount_wei,
        permit: accounts_permit(permit),
    };
    Call::new(deployment.builder_accounts, call.abi_encode())
}

/// Lets a manager spend a part of the sender's balance.
pub fn allocate(deployment: &Deployment, manager: Address, amount_wei: U96) -> Call {
    let call = builder_accounts::allocateCall {
        manager,
        amountWei: amount_wei,
    };
    Call::new(deployment.builder_accounts, call.abi_encode())
}

/// Asks for a part of an allocation back; it is free once live leases have run out.
pub fn request_deallocation(deployment: &Deployment, manager: Address, amount_wei: U96) -> Call {
    let call = builder_accounts::requestDeallocationCall {
        manager,
        amountWei: amount_wei,
    };
    Call::new(deployment.builder_accounts, call.abi_encode())
}

/// Takes back what was asked for.
pub fn deallocate(deployment: &Deployment, manager: Address) -> Call {
    Call::new(
        deployment.builder_accounts,
        builder_accounts::deallocateCall { manager }.abi_encode(),
    )
}

/// Pays the sender's unallocated balance out.
pub fn withdraw_balance(deployment: &Deployment, amount_wei: U96) -> Call {
    let call = builder_accounts::withdrawBalanceCall {
        amountWei: amount_wei,
    };
    Call::new(deployment.builder_accounts, call.abi_encode())
}

/// Pays what an account has earned out to its owner.
pub fn withdraw(deployment: &Deployment, account: Address) -> Call {
    Call::new(
        deployment.builder_accounts,
        builder_accounts::withdrawCall { account }.abi_encode(),
    )
}

/// Begins the sender's exit.
pub fn request_exit(deployment: &Deployment) -> Call {
    Call::new(
        deployment.node_registry,
        node_registry::requestExitCall {}.abi_encode(),
    )
}

/// Pays an exited account's stake out to its owner.
pub fn withdraw_stake(deployment: &Deployment, node: Address) -> Call {
    Call::new(
        deployment.node_registry,
        node_registry::withdrawStakeCall { node }.abi_encode(),
    )
}

/// Records a checkpoint.
pub fn checkpoint(deployment: &Deployment) -> Call {
    Call::new(
        deployment.checkpoints,
        checkpoints::checkpointCall {}.abi_encode(),
    )
}

/// Moves IFX.
pub fn transfer(deployment: &Deployment, to: Address, amount_wei: U256) -> Call {
    Call::new(
        deployment.ifx,
        ifx::transferCall {
            to,
            value: amount_wei,
        }
        .abi_encode(),
    )
}

/// Posts a claim.
///
/// # Errors
///
/// [`ChainError::Answer`].
pub fn submit(deployment: &Deployment, draft: &ClaimDraft) -> Result<Call, ChainError> {
    let input = work_claims::ClaimInput {
        startMs: draft.start_ms,
        endMs: draft.end_ms,
        blobHash: draft.blob_hash,
    };
    let lines = draft
        .lines
        .iter()
        .map(|line| {
            Ok(work_claims::LineInput {
                order: recode(&line.order)?,
                signature: recode(&signature(&line.signature.0)?)?,
                cursorTo: line.cursor_to,
                topHash: line.top_hash,
                leafCount: line.leaf_count,
                sumIbmMicro: line.sum_ibm_micro,
            })
        })
        .collect::<Result<_, ChainError>>()?;
    Ok(Call::new(
        deployment.work_claims,
        work_claims::submitCall { input, lines }.abi_encode(),
    ))
}

/// Closes a claim that survived its window.
///
/// # Errors
///
/// [`ChainError::Answer`].
pub fn finalize(
    deployment: &Deployment,
    header: &ClaimHeader,
    lines: &[Line],
) -> Result<Call, ChainError> {
    let call = work_claims::finalizeCall {
        header: recode(header)?,
        lines: lines.iter().map(recode).collect::<Result<_, _>>()?,
    };
    Ok(Call::new(deployment.work_claims, call.abi_encode()))
}

/// Commits to a fraud proof, so that a copied one earns nothing.
pub fn commit_fraud(deployment: &Deployment, commitment: B256) -> Call {
    Call::new(
        deployment.fraud_proofs,
        fraud_proofs::commitCall { commitment }.abi_encode(),
    )
}

fn accounts_permit(permit: &Permit) -> builder_accounts::Permit {
    builder_accounts::Permit {
        deadlineAt: permit.deadline_at,
        v: permit.v,
        r: permit.r,
        s: permit.s,
    }
}

fn signature(compact: &CompactSignature) -> Result<node_registry::Signature, ChainError> {
    Ok(node_registry::Signature {
        r: B256::from_slice(&compact[..32]),
        vs: B256::from_slice(&compact[32..]),
    })
}
