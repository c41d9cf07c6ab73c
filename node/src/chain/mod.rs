//! The EVM chain that work settles on.
//!
//! [`Reader`] never sends, [`Sender`] is the only thing that does.

pub mod bindings;
pub mod calls;
pub mod deploy;
mod deployment;
mod endpoint;
mod endpoints;
mod error;
pub mod evidence;
mod keeper;
mod logs;
mod permit;
mod reader;
mod sender;
mod view;

pub use bindings::Refusal;
pub use deployment::{Deployment, DeploymentError};
pub use endpoints::ManagerEndpoints;
pub use error::ChainError;
pub use keeper::Keeper;
pub use logs::posted_claim;
pub use permit::Permit;
pub use reader::Reader;
pub use sender::{Call, Sender};
pub use view::{
    AllocationView, BlockView, CheckpointView, ClaimStateView, ClaimStatus, CursorView,
    LastClaimView, NodeView, PostedClaim,
};
