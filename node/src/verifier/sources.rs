//! Where claims' blobs and jobs' inputs are fetched from.

use std::collections::BTreeSet;

use alloy::primitives::{Address, B256};
use inferix_prover::blob::ClaimBlob;
use tracing::{debug, warn};
use url::Url;

use super::{Verifier, VerifierError, Watched};
use crate::{
    api::client::{Client, ClientError, ClientOptions},
    manager::clock::Clock,
};

/// The largest blob that is fetched: a claim's, or a job's input.
const MAX_BLOB_BYTES: u64 = 512 << 20;

impl Verifier {
    /// The claim's blob: `None` if nobody has it, `Some(None)` if it is not one.
    pub(super) async fn claim_blob(
        &self,
        watched: &Watched,
    ) -> Result<Option<Option<ClaimBlob>>, VerifierError> {
        let Some(bytes) = self.fetch(watched.header.blobHash, watched).await? else {
            return Ok(None);
        };
        let decoded = ClaimBlob::from_bytes(&bytes);
        if let Err(err) = &decoded {
            warn!(claim_id = %watched.claim_id, %err, "claim blob is none");
        }
        Ok(Some(decoded.ok()))
    }

    /// A blob from this node or from a manager.
    pub(super) async fn fetch(
        &self,
        hash: B256,
        watched: &Watched,
    ) -> Result<Option<bytes::Bytes>, VerifierError> {
        if self.blobs.has(hash).await? {
            return Ok(Some(self.blobs.get(hash).await?));
        }
        for base in self.manager_urls(watched).await? {
            let fetched = async {
                let client = self.client(base.clone()).await?;
                client.fetch_into(&self.blobs, hash, MAX_BLOB_BYTES).await
            };
            match fetched.await {
                Ok(_) => return Ok(Some(self.blobs.get(hash).await?)),
                Err(err) => debug!(manager = %base, %hash, %err, "blob not fetched"),
            }
        }
        Ok(None)
    }

    /// The managers of a claim's lines, as the registry names them, and those that are configured.
    pub(super) async fn manager_urls(&self, watched: &Watched) -> Result<Vec<Url>, VerifierError> {
        let named: BTreeSet<Address> = watched.lines.iter().map(|line| line.manager).collect();
        let told = self.endpoints.of(&self.reader, named).await?;
        let urls = told.iter().filter_map(|endpoint| Url::parse(endpoint).ok());
        Ok(self
            .config
            .verifier
            .managers
            .iter()
            .cloned()
            .chain(urls)
            .collect())
    }

    pub(super) async fn client(&self, base: Url) -> Result<Client, ClientError> {
        let deployment = self.reader.deployment();
        Client::connect(ClientOptions {
            base,
            account: self.account,
            wallet: self.wallet.clone(),
            chain_id: deployment.chain_id,
            work_claims: deployment.work_claims,
            clock: Clock::system(),
        })
        .await
    }
}
