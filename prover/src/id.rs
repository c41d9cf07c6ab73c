//! Names of jobs, tasks, devices and claims.
//!
//! All are 32 bytes; a type for each keeps one from passing for another.

use std::fmt;

use alloy_primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

use crate::U96;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(B256);

        impl $name {
            /// Takes the 32 bytes as they are.
            pub const fn new(bytes: B256) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn bytes(self) -> B256 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id! {
    /// A job: the struct hash of its signed message, the same on every chain.
    JobId
}
id! {
    /// A task: its leaf hash.
    TaskId
}
id! {
    /// A device: its owner's address, then its index in 12 bytes.
    DeviceId
}
id! {
    /// A claim: the hash of its device and its number.
    ClaimId
}

impl DeviceId {
    /// Names device `device_index` of `owner`.
    pub fn from_parts(owner: Address, device_index: U96) -> Self {
        let mut bytes = [0; 32];
        bytes[..20].copy_from_slice(owner.as_slice());
        bytes[20..].copy_from_slice(&device_index.to_be_bytes::<12>());
        Self(B256::new(bytes))
    }

    /// The owner.
    pub fn owner(self) -> Address {
        Address::from_slice(&self.0[..20])
    }

    /// The index among the owner's devices.
    pub fn device_index(self) -> U96 {
        U96::from_be_slice(&self.0[20..])
    }
}

impl ClaimId {
    /// Names claim `seq` of `device_id`.
    pub fn from_parts(device_id: DeviceId, seq: u32) -> Self {
        let mut bytes = [0; 36];
        bytes[..32].copy_from_slice(device_id.0.as_slice());
        bytes[32..].copy_from_slice(&seq.to_be_bytes());
        Self(keccak256(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_id_gives_back_its_owner_and_index() {
        let owner = Address::repeat_byte(0xa1);
        let index = U96::from(0x0102_0304_u64);
        let id = DeviceId::from_parts(owner, index);
        assert_eq!((id.owner(), id.device_index()), (owner, index));
        assert_eq!(id.bytes()[31], 4);
    }
}
