//! What the chain says. Never sends.

use alloy::{
    consensus::Transaction,
    eips::BlockNumberOrTag,
    primitives::{Address, B256, Bytes, U256},
    providers::{Provider, RootProvider},
    sol_types::SolEvent,
};
use inferix_prover::{claim::ClaimHeader, id::DeviceId};

use super::{
    AllocationView, BlockView, ChainError, CheckpointView, ClaimStateView, ClaimStatus, CursorView,
    Deployment, LastClaimView, NodeView, Refusal,
    bindings::{
        builder_accounts, checkpoints, demands, ifx, node_registry, program_registry, recode,
        work_claims,
    },
    endpoint,
};
use crate::config::ChainConfig;

/// Reads one deployment.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) provider: RootProvider,
    pub(super) deployment: Deployment,
}

impl Reader {
    /// Opens the configured endpoints and checks that they serve the deployment's chain.
    ///
    /// # Errors
    ///
    /// [`ChainError::WrongChain`], [`ChainError::NoContract`], [`ChainError::Deployment`],
    /// [`ChainError::Rpc`], [`ChainError::Client`].
    pub async fn connect(config: &ChainConfig) -> Result<Self, ChainError> {
        let deployment = Deployment::read(&config.deployment_file)?;
        let provider = endpoint::connect(config)?;
        let got = provider.get_chain_id().await?;
        if got != deployment.chain_id {
            return Err(ChainError::WrongChain {
                got,
                needed: deployment.chain_id,
            });
        }
        let address = deployment.work_claims;
        if provider.get_code_at(address).await?.is_empty() {
            return Err(ChainError::NoContract { address });
        }
        Ok(Self {
            provider,
            deployment,
        })
    }

    /// Where the contracts are.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The latest block.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`], [`ChainError::NoBlock`].
    pub async fn head(&self) -> Result<BlockView, ChainError> {
        let block = self
            .provider
            .get_block_by_number(BlockNumberOrTag::Latest)
            .await?;
        let header = block
            .ok_or(ChainError::NoBlock { number: u64::MAX })?
            .header;
        Ok(BlockView {
            number: header.number,
            time: header.timestamp,
        })
    }

    /// What a unit of gas costs now, in wei.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`].
    pub async fn gas_price_wei(&self) -> Result<u128, ChainError> {
        Ok(self.provider.get_gas_price().await?)
    }

    /// The chain's coin that an account has, in wei.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`].
    pub async fn coin_wei(&self, account: Address) -> Result<U256, ChainError> {
        Ok(self.provider.get_balance(account).await?)
    }

    /// IFX that an account has, in wei.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`], [`ChainError::Answer`]; so do the views below.
    pub async fn ifx_wei(&self, account: Address) -> Result<U256, ChainError> {
        Ok(ifx::new(self.deployment.ifx, &self.provider)
            .balanceOf(account)
            .call()
            .await?)
    }

    /// IFX in existence, in wei.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn supply_wei(&self) -> Result<U256, ChainError> {
        Ok(ifx::new(self.deployment.ifx, &self.provider)
            .totalSupply()
            .call()
            .await?)
    }

    /// The nonce of an account's next permit.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn permit_nonce(&self, account: Address) -> Result<U256, ChainError> {
        Ok(ifx::new(self.deployment.ifx, &self.provider)
            .nonces(account)
            .call()
            .await?)
    }

    /// The token's EIP-712 domain.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn permit_domain(&self) -> Result<B256, ChainError> {
        Ok(ifx::new(self.deployment.ifx, &self.provider)
            .DOMAIN_SEPARATOR()
            .call()
            .await?)
    }

    /// A node account's record.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn node(&self, account: Address) -> Result<NodeView, ChainError> {
        let node = self.node_registry().node(account).call().await?;
        Ok(NodeView {
            operator: node.operator,
            roles: node.roles,
            device_count: node.deviceCount,
            ib_micro: node.ibMicro.to(),
            exit_at: node.exitAt.to(),
            stake_wei: U256::from(node.stakeWei),
            locked_wei: U256::from(node.lockedWei),
            price_wei: U256::from(node.priceWei),
        })
    }

    /// Until when somebody was an account's operator, Unix time in seconds: 0 if never, the largest if still.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn operator_until(
        &self,
        account: Address,
        operator: Address,
    ) -> Result<u64, ChainError> {
        Ok(self
            .node_registry()
            .operatorUntil(account, operator)
            .call()
            .await?)
    }

    /// A device's speed, in micro-IB.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei); a device that is not registered is a refusal.
    pub async fn device_ib_micro(
        &self,
        account: Address,
        device_index: u32,
    ) -> Result<u64, ChainError> {
        let index = alloy::primitives::aliases::U96::from(device_index);
        Ok(self
            .node_registry()
            .deviceIbMicro(account, index)
            .call()
            .await?
            .to())
    }

    /// What registering needs at stake, in wei.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn min_stake_wei(&self, ib_micro: u64, price_wei: U256) -> Result<U256, ChainError> {
        Ok(self
            .node_registry()
            .minStakeWei(U256::from(ib_micro), price_wei)
            .call()
            .await?)
    }

    /// A builder's money that no manager may spend, in wei.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn builder_balance_wei(&self, builder: Address) -> Result<U256, ChainError> {
        Ok(U256::from(
            self.builder_accounts().balanceWei(builder).call().await?,
        ))
    }

    /// A builder's allocation to a manager.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn allocation(
        &self,
        builder: Address,
        manager: Address,
    ) -> Result<AllocationView, ChainError> {
        let allocation = self
            .builder_accounts()
            .allocation(builder, manager)
            .call()
            .await?;
        Ok(AllocationView {
            free_wei: U256::from(allocation.freeWei),
            pending_wei: U256::from(allocation.pendingWei),
            available_at: allocation.availableAt,
        })
    }

    /// What an account has earned and withdrawn, in wei.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn credits(&self, account: Address) -> Result<(U256, U256), ChainError> {
        let credits = self.builder_accounts().credits(account).call().await?;
        Ok((
            U256::from(credits.earnedWei),
            U256::from(credits.withdrawnWei),
        ))
    }

    /// What builders were paid out of forfeited stake, in wei.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn compensated_wei(&self, builder: Address) -> Result<U256, ChainError> {
        let topics = vec![builder_accounts::Compensated::SIGNATURE_HASH];
        let head = self.head().await?.number;
        let contract = self.deployment.builder_accounts;
        let logs = self
            .logs(contract, topics, self.deployment.first_block, head)
            .await?;
        Ok(logs
            .iter()
            .filter_map(|log| builder_accounts::Compensated::decode_log(&log.inner).ok())
            .filter(|event| event.builder == builder)
            .map(|event| U256::from(event.amountWei))
            .sum())
    }

    /// The accounts that take the fee's other part and the penalties.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn treasury_and_pool(&self) -> Result<(Address, Address), ChainError> {
        let accounts = self.builder_accounts();
        Ok((
            accounts.TREASURY().call().await?,
            accounts.PENALTY_POOL().call().await?,
        ))
    }

    /// Whether a program may be claimed now.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn is_program_live(&self, program_id: B256) -> Result<bool, ChainError> {
        let registry = program_registry::new(self.deployment.program_registry, &self.provider);
        Ok(registry.isLive(program_id).call().await?)
    }

    /// How far the orders of a worker, a manager and a builder have been claimed.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn cursor(
        &self,
        device_id: DeviceId,
        manager: Address,
        builder: Address,
    ) -> Result<CursorView, ChainError> {
        let cursor = self
            .work_claims()
            .cursorOf(device_id.bytes(), manager, builder)
            .call()
            .await?;
        Ok(CursorView {
            cursor: cursor.cursor,
            claimed_ibm_micro: U256::from(cursor.ibmMicro),
            claimed_wei: U256::from(cursor.amountWei),
        })
    }

    /// The parameters in force, and their version.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn parameters(&self) -> Result<(u32, work_claims::Parameters), ChainError> {
        let reply = self.work_claims().parameters().call().await?;
        Ok((reply.version, reply._1))
    }

    /// The parameters of a version: those of a claim are the ones that it was posted under.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn parameters_at(&self, version: u32) -> Result<work_claims::Parameters, ChainError> {
        Ok(self.work_claims().parametersAt(version).call().await?)
    }

    /// A device's last claim.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn last_claim(&self, device_id: B256) -> Result<LastClaimView, ChainError> {
        let last = self.work_claims().lastClaim(device_id).call().await?;
        Ok(LastClaimView {
            seq: last.seq,
            end_ms: last.endMs,
            posted_at: last.postedAt,
        })
    }

    /// A claim's state. A deadline that was put off stands here, and not in the header, which never changes.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn claim_state(&self, header: &ClaimHeader) -> Result<ClaimStateView, ChainError> {
        let state = self.work_claims().claimState(recode(header)?).call().await;
        match state.map_err(ChainError::from) {
            Ok(state) => Ok(ClaimStateView {
                status: ClaimStatus::from_byte(state.status),
                live_count: state.liveCount,
                deadline_at: state.deadlineAt,
            }),
            Err(ChainError::Refused(refusal)) if is_header_unknown(&refusal) => {
                Ok(ClaimStateView {
                    status: ClaimStatus::None,
                    live_count: 0,
                    deadline_at: header.deadlineAt,
                })
            }
            Err(err) => Err(err),
        }
    }

    /// A mined transaction's calldata.
    ///
    /// # Errors
    ///
    /// [`ChainError::Rpc`].
    pub async fn transaction_input(&self, tx_hash: B256) -> Result<Option<Bytes>, ChainError> {
        let transaction = self.provider.get_transaction_by_hash(tx_hash).await?;
        Ok(transaction.map(|transaction| transaction.input().clone()))
    }

    /// What an account lets the demands' contract take of its IFX, in wei.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn demand_allowance_wei(&self, account: Address) -> Result<U256, ChainError> {
        let token = ifx::new(self.deployment.ifx, &self.provider);
        Ok(token
            .allowance(account, self.deployment.demands)
            .call()
            .await?)
    }

    /// Where a demand stands, as `IDemands.DemandStatus`, and by when it must be served, Unix time in
    /// seconds.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn demand_state(&self, demand_id: B256) -> Result<(u8, u64), ChainError> {
        let demands = demands::new(self.deployment.demands, &self.provider);
        let state = demands.demandState(demand_id).call().await?;
        Ok((state.status, state.deadlineAt))
    }

    /// The work of a line that was voided, in micro-IBM.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn voided_micro(
        &self,
        claim_id: B256,
        line_index: usize,
    ) -> Result<U256, ChainError> {
        let voided = self
            .work_claims()
            .voidedMicro(claim_id, U256::from(line_index))
            .call()
            .await?;
        Ok(U256::from(voided))
    }

    /// The latest checkpoint.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn latest_checkpoint(&self) -> Result<CheckpointView, ChainError> {
        let latest = self.checkpoints().latest().call().await?;
        Ok(CheckpointView {
            index: latest.index,
            recorded_at: latest.recordedAt,
        })
    }

    /// When a checkpoint was recorded, Unix time in seconds; 0 if it was not.
    ///
    /// # Errors
    ///
    /// As [`ifx_wei`](Self::ifx_wei).
    pub async fn checkpoint_time(&self, index: u32) -> Result<u64, ChainError> {
        Ok(self
            .checkpoints()
            .checkpointAt(index)
            .call()
            .await?
            .recordedAt)
    }

    pub(crate) fn node_registry(&self) -> node_registry::INodeRegistryInstance<&RootProvider> {
        node_registry::new(self.deployment.node_registry, &self.provider)
    }

    pub(crate) fn builder_accounts(
        &self,
    ) -> builder_accounts::IBuilderAccountsInstance<&RootProvider> {
        builder_accounts::new(self.deployment.builder_accounts, &self.provider)
    }

    pub(crate) fn work_claims(&self) -> work_claims::IWorkClaimsInstance<&RootProvider> {
        work_claims::new(self.deployment.work_claims, &self.provider)
    }

    fn checkpoints(&self) -> checkpoints::ICheckpointsInstance<&RootProvider> {
        checkpoints::new(self.deployment.checkpoints, &self.provider)
    }
}

fn is_header_unknown(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::WorkClaims(work_claims::IWorkClaimsErrors::HeaderUnknown(_))
    )
}
