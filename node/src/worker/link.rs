//! A manager that a worker works for, connected when it is first reached.

use tokio::sync::OnceCell;
use url::Url;

use crate::api::client::{Client, ClientError, ClientOptions};

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
}
