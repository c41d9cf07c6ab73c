//! A builder that asks for parts of a worker's first claim. Needs `world` beside it.
#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test binary uses a part"
)]

use alloy::{
    primitives::{B256, U256, keccak256},
    sol_types::{SolCall, SolValue},
};
use inferix_node::{
    blobs::Blobs,
    chain::{
        Call, PostedClaim, Reader, Sender,
        bindings::{demands as sol, ifx, recode},
    },
    config::Config,
    secret::Secret,
    store::Store,
    wallet::Wallet,
};
use inferix_prover::blob::{BlobInterval, ClaimBlob};

use crate::world::{IFX, World};

/// A posted claim, and what its builder needs to ask about it.
pub struct Demander {
    pub reader: Reader,
    pub sender: Sender,
    pub claim: PostedClaim,
    pub blob: ClaimBlob,
}

impl Demander {
    pub async fn find(world: &World) -> Self {
        let reader = world.reader().await;
        let head = reader.head().await.unwrap().number;
        let claim = reader.posted_claims(0, head).await.unwrap().remove(0);
        let blobs = Blobs::open(&world.data("worker").join("blobs")).unwrap();
        let bytes = blobs.get(claim.header.blobHash).await.unwrap();
        let config = Config::read(&world.config("builder")).unwrap();
        let store = Store::open(&world.path("test-store")).unwrap();
        let chain_id = reader.deployment().chain_id;
        let builder = key(world, "builder");
        let sender = Sender::open(&config.chain, chain_id, builder, &store).unwrap();
        let allow = ifx::approveCall {
            spender: reader.deployment().demands,
            value: U256::from(100 * u128::from(IFX)),
        };
        let allow = Call::new(reader.deployment().ifx, allow.abi_encode());
        sender.send("allow", allow).await.unwrap();
        Self {
            reader,
            sender,
            claim,
            blob: ClaimBlob::from_bytes(&bytes).unwrap(),
        }
    }

    pub fn held(&self) -> &BlobInterval {
        &self.blob.lines[0].intervals[0]
    }

    pub fn target(&self) -> sol::LineRef {
        let lines = self.claim.lines.iter();
        sol::LineRef {
            header: recode(&self.claim.header).unwrap(),
            lines: lines.map(|line| recode(line).unwrap()).collect(),
            lineIndex: U256::ZERO,
        }
    }

    pub async fn open(
        &self,
        kind: u8,
        (leaf_index, position, chunk_index): (u64, u64, u64),
    ) -> (B256, sol::Demand) {
        let demand = sol::Demand {
            claimId: self.claim.claim_id,
            kind,
            lineIndex: 0,
            level: 0,
            leafIndex: leaf_index,
            position,
            chunkIndex: chunk_index,
        };
        let call = sol::openCall {
            target: self.target(),
            demand: demand.clone(),
        };
        self.send(&format!("open/{kind}"), call.abi_encode()).await;
        (keccak256(demand.abi_encode()), demand)
    }

    pub async fn send(&self, intent: &str, data: Vec<u8>) {
        let call = Call::new(self.reader.deployment().demands, data);
        self.sender.send(intent, call).await.unwrap();
    }
}

pub fn key(world: &World, name: &str) -> Wallet {
    let password = std::fs::read_to_string(world.path("devnet/password")).unwrap();
    let password = Secret::new(password.trim().to_owned());
    Wallet::open(&world.path(&format!("devnet/keys/{name}.json")), &password).unwrap()
}
