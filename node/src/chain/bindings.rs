//! Typed bindings, from the interfaces' ABI.
//!
//! `scripts/gen` writes the JSON files out of the contracts. One module for each contract, because two
//! interfaces may name the same struct.
#![allow(
    missing_docs,
    clippy::too_many_arguments,
    reason = "generated from the contracts' ABI"
)]

use alloy::{
    primitives::Bytes,
    sol,
    sol_types::{SolInterface, SolType, SolValue},
};

macro_rules! bind {
    ($module:ident, $name:ident, $path:literal) => {
        pub mod $module {
            super::sol!(
                #[sol(rpc)]
                #[derive(Debug, PartialEq, Eq)]
                $name,
                $path
            );
            pub use $name::*;
        }
    };
}

bind!(ifx, IIFX, "../contracts/abi/IIFX.json");
bind!(
    node_registry,
    INodeRegistry,
    "../contracts/abi/INodeRegistry.json"
);
bind!(
    builder_accounts,
    IBuilderAccounts,
    "../contracts/abi/IBuilderAccounts.json"
);
bind!(
    checkpoints,
    ICheckpoints,
    "../contracts/abi/ICheckpoints.json"
);
bind!(
    program_registry,
    IProgramRegistry,
    "../contracts/abi/IProgramRegistry.json"
);
bind!(
    work_claims,
    IWorkClaims,
    "../contracts/abi/IWorkClaims.json"
);
bind!(
    fraud_proofs,
    IFraudProofs,
    "../contracts/abi/IFraudProofs.json"
);
bind!(voids, IVoids, "../contracts/abi/IVoids.json");
bind!(
    manager_frauds,
    IManagerFrauds,
    "../contracts/abi/IManagerFrauds.json"
);
bind!(demands, IDemands, "../contracts/abi/IDemands.json");
bind!(
    dispute_game,
    IDisputeGame,
    "../contracts/abi/IDisputeGame.json"
);
bind!(
    execution_proof,
    IExecutionProof,
    "../contracts/abi/IExecutionProof.json"
);

/// A contract's revert, decoded.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token's.
    Ifx(ifx::IIFXErrors),
    /// The registry's.
    NodeRegistry(node_registry::INodeRegistryErrors),
    /// The accounts'.
    BuilderAccounts(builder_accounts::IBuilderAccountsErrors),
    /// The checkpoints'.
    Checkpoints(checkpoints::ICheckpointsErrors),
    /// The programs'.
    ProgramRegistry(program_registry::IProgramRegistryErrors),
    /// The claims'.
    WorkClaims(work_claims::IWorkClaimsErrors),
    /// The fraud proofs'.
    FraudProofs(fraud_proofs::IFraudProofsErrors),
    /// The voids'.
    Voids(voids::IVoidsErrors),
    /// The manager frauds'.
    ManagerFrauds(manager_frauds::IManagerFraudsErrors),
    /// The demands'.
    Demands(demands::IDemandsErrors),
    /// The disputes'.
    DisputeGame(dispute_game::IDisputeGameErrors),
    /// The proofs' of executions.
    ExecutionProof(execution_proof::IExecutionProofErrors),
}

impl Refusal {
    /// Decodes revert data. The claims' own errors are looked for first: a call may pass through them.
    pub fn decode(data: &Bytes) -> Option<Self> {
        fn try_as<E: SolInterface>(data: &Bytes, wrap: fn(E) -> Refusal) -> Option<Refusal> {
            E::abi_decode(data).ok().map(wrap)
        }
        try_as(data, Self::WorkClaims)
            .or_else(|| try_as(data, Self::NodeRegistry))
            .or_else(|| try_as(data, Self::BuilderAccounts))
            .or_else(|| try_as(data, Self::Checkpoints))
            .or_else(|| try_as(data, Self::FraudProofs))
            .or_else(|| try_as(data, Self::Voids))
            .or_else(|| try_as(data, Self::ManagerFrauds))
            .or_else(|| try_as(data, Self::Demands))
            .or_else(|| try_as(data, Self::DisputeGame))
            .or_else(|| try_as(data, Self::ExecutionProof))
            .or_else(|| try_as(data, Self::ProgramRegistry))
            .or_else(|| try_as(data, Self::Ifx))
    }
}

/// Turns a struct of one binding, or of the prover, into the same struct of another: each interface
/// declares its own, and all have one encoding.
///
/// # Errors
///
/// [`ChainError::Answer`](super::ChainError::Answer) if the two are not the same struct after all.
pub fn recode<A, B>(value: &A) -> Result<B, super::ChainError>
where
    A: SolValue,
    B: SolValue + From<<B::SolType as SolType>::RustType>,
{
    B::abi_decode(&value.abi_encode())
        .map_err(|err| super::ChainError::Answer(Box::new(err.into())))
}
