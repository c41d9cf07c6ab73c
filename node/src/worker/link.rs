//! A manager that a worker works for, connected when it is first reached.

use tokio::sync::OnceCell;
use tracing::warn;
use url::Url;

use super::{Book, accept::complete_list};
use crate::api::{
    client::{Client, ClientError, ClientOptions},
    types::{KnownList, Lease, LeaseReply, LeaseRequest},
};

/// Lists that a request names at most: of what it does not name, everything is sent.
const KNOWN_MAX: usize = 256;

/// A manager that a worker works for.
#[derive(Debug)]
pub struct Link {
    options: ClientOptions,
    client: OnceCell<Client>,
}

impl Link {
    /// Names a manager. Nothing is sent yet.
    pub fn new(options: ClientOptions) -> Self {
        Self {
            options,
            client: OnceCell::new(),
        }
    }

    /// The manager's API.
    pub fn url(&self) -> &Url {
        &self.options.base
    }

    /// The client, once the manager has said what it is.
    ///
    /// # Errors
    ///
    /// Those of [`Client::connect`].
    pub async fn client(&self) -> Result<&Client, ClientError> {
        self.client
            .get_or_try_init(|| Client::connect(self.options.clone()))
            .await
    }

    /// Asks for a task, and puts the order's list together out of what the worker has and what was sent. What
    /// the lease says is not checked here.
    ///
    /// # Errors
    ///
    /// Those of [`client`](Self::client) and of [`Client::lease`].
    pub async fn lease(
        &self,
        request: &LeaseRequest,
        book: &Book,
    ) -> Result<LeaseReply, ClientError> {
        let client = self.client().await?;
        let held = book.orders_of(client.manager()).unwrap_or_else(|err| {
            warn!(%err, "lists are asked for whole");
            Vec::new()
        });
        let request = LeaseRequest {
            known: held.iter().take(KNOWN_MAX).map(known_list).collect(),
            ..request.clone()
        };
        let mut reply = client.lease(&request).await?;
        if let Some(lease) = &mut reply.lease {
            let builder = lease.order.builder;
            let before = held.iter().find(|held| held.order.builder == builder);
            complete_list(lease, before.map_or(&[], |held| &held.tasks));
        }
        Ok(reply)
    }
}

fn known_list(held: &Lease) -> KnownList {
    KnownList {
        builder: held.order.builder,
        task_count: held.order.taskCount,
        tasks_root: held.order.tasksRoot,
    }
}
