//! Deploys all contracts, in the order that `contracts/script/Deploy.s.sol` fixes.
//!
//! The contracts know each other by immutable addresses, some of which lie ahead: an address follows
//! from the deployer and its nonce, so the creations must be the deployer's next transactions.

use alloy::{
    primitives::{
        Address, Bytes, U256,
        aliases::{U24, U96},
    },
    sol_types::{SolCall, SolValue},
};
use inferix_gpu::Program;
use serde::Deserialize;

use super::{
    Call, ChainError, Deployment, Sender,
    bindings::{dispute_game, program_registry, work_claims},
};

/// Who does what in a deployment.
#[derive(Clone, Copy, Debug)]
pub struct Roles {
    /// May mint up to the cap; zero for nobody.
    pub minter: Address,
    /// Gets the first tokens.
    pub holder: Address,
    /// Takes the fee's other part.
    pub treasury: Address,
    /// Takes a part of what is forfeited.
    pub penalty_pool: Address,
    /// Sets parameters, registers programs.
    pub timelock: Address,
    /// May suspend a program.
    pub guardian: Address,
}

/// What is fixed at deployment.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Of claims; governance can't go far from them.
    pub parameters: work_claims::Parameters,
    /// Of disputes, for ever.
    pub games: dispute_game::GameTerms,
}

/// Compiled contracts, as `contracts/tools/abi` writes them.
macro_rules! artifact {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../../contracts/artifacts/", $name, ".json")),
        )
    };
}

const ARTIFACTS: [(&str, &str); 12] = [
    artifact!("IFX"),
    artifact!("ProgramRegistry"),
    artifact!("NodeRegistry"),
    artifact!("BuilderAccounts"),
    artifact!("Checkpoints"),
    artifact!("WorkClaims"),
    artifact!("FraudProofs"),
    artifact!("Voids"),
    artifact!("ManagerFrauds"),
    artifact!("Demands"),
    artifact!("ExecutionProof"),
    artifact!("DisputeGame"),
];

#[derive(Deserialize)]
struct Artifact {
    bytecode: Bytes,
}

/// Deploys all contracts.
///
/// # Errors
///
/// Those of [`Sender::send`]; [`ChainError::NoContract`] if a contract does not come to lie where the
/// others expect it: the deployer has sent something else meanwhile.
pub async fn deploy(
    sender: &Sender,
    chain_id: u64,
    roles: &Roles,
    initial_wei: U256,
    terms: &Terms,
) -> Result<Deployment, ChainError> {
    let (first_block, nonce) = (sender.head_number().await?, sender.nonce().await?);
    let at = |index: u64| sender.account().create(nonce + index);
    let [ifx, programs, registry, accounts, checkpoints] = [at(0), at(1), at(2), at(3), at(4)];
    let [claims, frauds, voids, manager_frauds, demands] = [at(5), at(6), at(7), at(8), at(9)];
    let [proofs, disputes] = [at(10), at(11)];
    let wiring = (
        registry,
        accounts,
        frauds,
        voids,
        manager_frauds,
        demands,
        disputes,
        roles.timelock,
    );
    let arguments: [Vec<u8>; 12] = [
        (roles.minter, roles.holder, initial_wei).abi_encode_params(),
        (roles.timelock, roles.guardian).abi_encode_params(),
        (ifx, claims, accounts).abi_encode_params(),
        (ifx, registry, claims, roles.treasury, roles.penalty_pool).abi_encode_params(),
        (claims,).abi_encode_params(),
        (wiring, terms.parameters.clone()).abi_encode_params(),
        (claims,).abi_encode_params(),
        (claims, checkpoints, programs).abi_encode_params(),
        (claims, registry).abi_encode_params(),
        (ifx, claims, registry, programs).abi_encode_params(),
        (programs,).abi_encode_params(),
        (ifx, claims, registry, programs, proofs, terms.games.clone()).abi_encode_params(),
    ];
    for (index, ((name, artifact), arguments)) in ARTIFACTS.iter().zip(arguments).enumerate() {
        let mut code = bytecode(name, artifact)?;
        code.extend(arguments);
        let receipt = sender
            .send(
                &format!("deploy/{nonce}/{index:02}/{name}"),
                Call::create(code),
            )
            .await?;
        let address = at(u64::try_from(index).unwrap_or(u64::MAX));
        if receipt.contract_address != Some(address) {
            return Err(ChainError::NoContract { address });
        }
    }
    Ok(Deployment {
        chain_id,
        first_block,
        ifx,
        node_registry: registry,
        builder_accounts: accounts,
        program_registry: programs,
        checkpoints,
        work_claims: claims,
        fraud_proofs: frauds,
        voids,
        manager_frauds,
        demands,
        dispute_game: disputes,
    })
}

/// Lets a program be claimed. The sender must be the timelock.
pub fn register_program(deployment: &Deployment, program: Program, output_depth: u8) -> Call {
    let binary = program.binary();
    let layout = binary.layout;
    let image = program_registry::Image {
        codeRoot: binary.code_root().into(),
        constantsRoot: binary.constants_root().into(),
        entry: layout.entry,
        maxSteps: layout.max_steps,
        log2Code: byte(layout.log2_code),
        log2Memory: byte(layout.log2_memory),
        log2Input: byte(layout.log2_input),
        log2Params: byte(layout.log2_params),
        log2Output: byte(layout.log2_output),
    };
    let call = program_registry::registerCall {
        image,
        outputDepth: output_depth,
    };
    Call::new(deployment.program_registry, call.abi_encode())
}

/// Sizes are logarithms; one that is no byte is refused by the contract.
fn byte(log2: u32) -> u8 {
    u8::try_from(log2).unwrap_or(u8::MAX)
}

/// The parameters of a development network (`PROTOCOL.md`, *Parameters*).
pub fn devnet_terms() -> Terms {
    let ifx = |amount: u64| U96::from(amount) * U96::from(10_u64.pow(18));
    let games = dispute_game::GameTerms {
        clock: 60,
        floor: U24::from(5),
        revealWindow: 60,
        trial: 0,
        minBondWei: ifx(15),
        moveRefundWei: ifx(1) / U96::from(2),
    };
    let parameters = work_claims::Parameters {
        window: 60,
        demandWindow: 20,
        leaseGrace: 60,
        maxLease: 3600,
        drift: 5,
        checkpointPeriod: 5,
        checkpointDepthBlocks: 2,
        penaltyMultiplier: 2,
        workerBps: 8000,
        managerStakeBps: 1000,
        epochMinutes: 2,
        unbonding: 4200,
        minLockWei: ifx(25),
        bountyWei: ifx(3),
        demandFeeWei: ifx(1),
    };
    Terms { parameters, games }
}

fn bytecode(name: &str, artifact: &str) -> Result<Vec<u8>, ChainError> {
    let artifact: Artifact =
        serde_json::from_str(artifact).map_err(|err| ChainError::RefusedPlain {
            message: format!("artifact {name}: {err}"),
        })?;
    Ok(artifact.bytecode.to_vec())
}
