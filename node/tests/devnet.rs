//! The contracts, deployed on a real chain by the node's own code.

use std::time::Duration;

use alloy::primitives::U256;
use inferix_node::{
    chain::Reader,
    devnet::{Devnet, DevnetOptions},
    store::Store,
    wallet::Wallet,
};

#[tokio::test]
async fn a_devnet_comes_up_with_all_contracts_and_funds_accounts() {
    let dir = tempfile::tempdir().unwrap();
    let options = DevnetOptions {
        dir: dir.path().to_owned(),
        anvil: None,
        port: 0,
        block_time: Duration::ZERO,
    };
    let devnet = Devnet::start(&options).await.unwrap();
    let config = devnet.chain_config(&dir.path().join("deployment.json"));
    let reader = Reader::connect(&config).await.unwrap();
    assert_eq!(reader.deployment(), devnet.deployment());

    let store = Store::open(&dir.path().join("store")).unwrap();
    drop(store);
    let wallet = Wallet::from_signer(alloy::signers::local::PrivateKeySigner::random());
    devnet.fund(wallet.address(), 5).await.unwrap();
    let ifx_wei = reader.ifx_wei(wallet.address()).await.unwrap();
    assert_eq!(ifx_wei, U256::from(5) * U256::from(10).pow(U256::from(18)));
    assert_eq!(reader.parameters().await.unwrap().1.window, 60);
    assert_eq!(reader.latest_checkpoint().await.unwrap().index, 0);
}
