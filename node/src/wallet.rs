//! The key that signs and sends, in an encrypted keystore.

use std::path::{Path, PathBuf};

use alloy::{
    primitives::{Address, B256, Bytes, Signature},
    signers::{
        SignerSync,
        local::{LocalSignerError, PrivateKeySigner},
    },
    sol_types::{Eip712Domain, SolStruct},
};
use inferix_prover::typed_data::{CompactSignature, signing_hash};

use crate::secret::Secret;

/// Why a key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The keystore can't be opened: no such file, or a wrong password.
    #[error("can't open keystore {path}: check the path and the password")]
    Locked {
        /// The keystore.
        path: PathBuf,
        /// Why.
        #[source]
        source: LocalSignerError,
    },
    /// The keystore can't be written.
    #[error("can't write a keystore at {path}")]
    Unwritable {
        /// The keystore.
        path: PathBuf,
        /// Why.
        #[source]
        source: LocalSignerError,
    },
    /// A keystore is there already: a key is never overwritten.
    #[error("{path} exists already: choose another path, or move it away")]
    Exists {
        /// The keystore.
        path: PathBuf,
    },
    /// The path names no file.
    #[error("{path} names no file")]
    NoFileName {
        /// The path.
        path: PathBuf,
    },
    /// The folder or file can't be prepared.
    #[error("can't prepare {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are no private key.
    #[error("this is no private key: give 32 bytes in hex")]
    NotAKey,
    /// The signer failed.
    #[error("the key could not sign")]
    Sign(#[from] alloy::signers::Error),
}

/// An open key.
#[derive(Clone, Debug)]
pub struct Wallet {
    signer: PrivateKeySigner,
}

impl Wallet {
    /// Makes a random key and keeps it, encrypted, in a new file that only its owner may read.
    ///
    /// # Errors
    ///
    /// [`WalletError::Exists`], [`WalletError::Unwritable`], [`WalletError::Io`].
    pub fn create(path: &Path, password: &Secret<String>) -> Result<Self, WalletError> {
        Self::keep(PrivateKeySigner::random(), path, password)
    }

    /// Keeps a key from elsewhere, as [`create`](Self::create) does.
    ///
    /// # Errors
    ///
    /// The same, and [`WalletError::NotAKey`].
    pub fn import(
        key_hex: &Secret<String>,
        path: &Path,
        password: &Secret<String>,
    ) -> Result<Self, WalletError> {
        let key: B256 = key_hex
            .expose()
            .trim()
            .parse()
            .map_err(|_| WalletError::NotAKey)?;
        let signer = PrivateKeySigner::from_bytes(&key).map_err(|_| WalletError::NotAKey)?;
        Self::keep(signer, path, password)
    }

    /// Opens a keystore.
    ///
    /// # Errors
    ///
    /// [`WalletError::Locked`].
    pub fn open(path: &Path, password: &Secret<String>) -> Result<Self, WalletError> {
        let signer =
            PrivateKeySigner::decrypt_keystore(path, password.expose()).map_err(|source| {
                WalletError::Locked {
                    path: path.to_owned(),
                    source,
                }
            })?;
        Ok(Self { signer })
    }

    /// Wraps a key that is open already.
    pub fn from_signer(signer: PrivateKeySigner) -> Self {
        Self { signer }
    }

    fn keep(
        signer: PrivateKeySigner,
        path: &Path,
        password: &Secret<String>,
    ) -> Result<Self, WalletError> {
        if path.exists() {
            return Err(WalletError::Exists {
                path: path.to_owned(),
            });
        }
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| WalletError::NoFileName {
                path: path.to_owned(),
            })?;
        let dir = path
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let io = |source| WalletError::Io {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(io)?;

        PrivateKeySigner::encrypt_keystore(
            dir,
            &mut rand::rngs::OsRng,
            signer.to_bytes(),
            password.expose(),
            Some(name),
        )
        .map_err(|source| WalletError::Unwritable {
            path: path.to_owned(),
            source,
        })?;
        restrict(path).map_err(io)?;
        Ok(Self { signer })
    }

    /// The key's address.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// Signs a hash.
    ///
    /// # Errors
    ///
    /// [`WalletError::Sign`].
    pub fn sign(&self, hash: &B256) -> Result<Signature, WalletError> {
        Ok(self.signer.sign_hash_sync(hash)?)
    }

    /// Signs a hash: 65 bytes, `r ‖ s ‖ v` with `v` 27 or 28.
    ///
    /// # Errors
    ///
    /// [`WalletError::Sign`].
    pub fn sign_hash(&self, hash: &B256) -> Result<Bytes, WalletError> {
        Ok(Bytes::copy_from_slice(&self.sign(hash)?.as_bytes()))
    }

    /// Signs a message in the compact form that the contracts take (EIP-2098).
    ///
    /// # Errors
    ///
    /// [`WalletError::Sign`].
    pub fn sign_message<T: SolStruct>(
        &self,
        message: &T,
        domain: &Eip712Domain,
    ) -> Result<CompactSignature, WalletError> {
        Ok(self.sign(&signing_hash(message, domain))?.as_erc2098())
    }

    /// The signer, for the one place that sends.
    pub(crate) fn signer(&self) -> &PrivateKeySigner {
        &self.signer
    }
}

#[cfg(unix)]
fn restrict(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_key_is_kept_encrypted_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/operator.json");
        let wallet = Wallet::create(&path, &password("right")).unwrap();

        let opened = Wallet::open(&path, &password("right")).unwrap();
        assert_eq!(opened.address(), wallet.address());
        assert!(matches!(
            Wallet::open(&path, &password("wrong")),
            Err(WalletError::Locked { .. })
        ));
        assert!(matches!(
            Wallet::create(&path, &password("right")),
            Err(WalletError::Exists { .. })
        ));
    }

    #[test]
    fn a_signature_recovers_to_the_address() {
        let dir = tempfile::tempdir().unwrap();
        let key = password("0x0000000000000000000000000000000000000000000000000000000000000001");
        let wallet = Wallet::import(&key, &dir.path().join("k"), &password("p")).unwrap();
        // The address of the private key 1 is well known.
        let expected: Address = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
            .parse()
            .unwrap();
        assert_eq!(wallet.address(), expected);

        let hash = B256::repeat_byte(7);
        let signature = wallet.sign(&hash).unwrap();
        assert_eq!(
            signature.recover_address_from_prehash(&hash).unwrap(),
            expected
        );
        assert!(matches!(
            Wallet::import(&password("0x01"), &dir.path().join("l"), &password("p")),
            Err(WalletError::NotAKey)
        ));
    }
}
