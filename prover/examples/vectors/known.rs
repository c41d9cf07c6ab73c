//! Values that did not come from our code.
//!
//! The ones of ethers were computed with its 6.17.0 (`keccak256`, `concat`, `TypedDataEncoder`, `AbiCoder`,
//! `Wallet`) from the layouts in `PROTOCOL.md`, written down a second time in JavaScript.

use alloy_primitives::{Address, B256, address, b256, hex};

use crate::common::cases::{
    AmountCase, ApiRequestFields, BlobCase, BlobFields, BlobLineFields, Dec, DomainCase, FraudCase,
    HeaderCase, HeaderFields, IntervalCase, IntervalFields, JobFields, KeccakCase, LineFields,
    LinesCase, MailCase, MessageCase, NodeCase, OperatorConsentFields, PayableCase, PersonCase,
    RangeCase, ReceiptFields, ShapeCase, SignatureCase, TaskCase, TaskFields, TreeCase, UnitCase,
    UnitFields, WorkOrderFields,
};

const ETHERS: &str = "ethers 6.17.0, from the layouts in PROTOCOL.md";
const BY_HAND: &str = "by hand, from the formula in PROTOCOL.md";

/// Device 3 of worker `e1…`.
const DEVICE: B256 = b256!("e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1000000000000000000000003");

/// The contract of all cases here.
const CONTRACT: Address = Address::repeat_byte(0xc1);

fn b(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

fn a(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

pub fn keccaks() -> Vec<KeccakCase> {
    let ethereum = "Ethereum yellow paper, appendix A: the hash of no code";
    let nist = "Keccak-256 known answer of the Keccak team's submission, also in EIP-55's and web3's tests";
    let cases = [
        (
            "no bytes",
            ethereum,
            Vec::new(),
            b256!("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        ),
        (
            "abc",
            nist,
            b"abc".to_vec(),
            b256!("4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        ),
        (
            "a byte below the rate",
            ETHERS,
            vec![0xa3; 135],
            b256!("3d28d08c3dacab77392064a939f3e7f8d03f2e02e2c664ac08a05f63ac652626"),
        ),
        (
            "the rate",
            ETHERS,
            vec![0xa3; 136],
            b256!("b82d89d96e5575d11a9e1f4cabb2a45e60899e69a19a724cd796bdcf13511018"),
        ),
        (
            "a byte above the rate",
            ETHERS,
            vec![0xa3; 137],
            b256!("ec8008a74e50bc7d6b22c3ad85402bf10e6d4449f3c8618e36c461b8a44eeafb"),
        ),
    ];
    cases
        .map(|(name, source, message, hash)| KeccakCase {
            name: name.into(),
            source: source.into(),
            message: message.into(),
            hash,
        })
        .into()
}

pub fn tree_of_five() -> TreeCase {
    let leaves = (1..=5_u8).map(|i| NodeCase {
        hash: b(0x11 * i),
        sum: Dec(u128::from(i) * 1_000_000_000),
    });
    TreeCase {
        name: "5 leaves".into(),
        source: ETHERS.into(),
        leaves: leaves.collect(),
        top: NodeCase {
            hash: b256!("58597dbfa11a477df5974b6e9901ec22250b2cc920c630a4f2166b881349f279"),
            sum: Dec(15_000_000_000),
        },
        root: b256!("774a2fd6f610596e3aa4d48386c4d8c1e9f73f084dd47a8154f7b73062461a94"),
        proofs: Vec::new(),
        chains: Vec::new(),
        descents: Vec::new(),
    }
}

/// The audit paths of the example of RFC 6962. Its nodes are named here by the leaves that they cover.
pub fn rfc6962_shapes() -> Vec<ShapeCase> {
    type Path = (u128, &'static str, &'static [(u128, u128)]);
    let paths: [Path; 4] = [
        (0, "PATH(0, D[7]) = [b, h, l]", &[(1, 2), (2, 4), (4, 7)]),
        (3, "PATH(3, D[7]) = [c, g, l]", &[(2, 3), (0, 2), (4, 7)]),
        (4, "PATH(4, D[7]) = [f, j, k]", &[(5, 6), (6, 7), (0, 4)]),
        (6, "PATH(6, D[7]) = [i, k]", &[(4, 6), (0, 4)]),
    ];
    paths
        .map(|(leaf_index, name, siblings)| ShapeCase {
            name: name.into(),
            source: "RFC 6962, section 2.1.3".into(),
            leaf_count: Dec(7),
            leaf_index: Dec(leaf_index),
            siblings: siblings
                .iter()
                .map(|(from, to)| RangeCase {
                    from: Dec(*from),
                    to: Dec(*to),
                })
                .collect(),
        })
        .into()
}

pub fn interval() -> IntervalCase {
    IntervalCase {
        name: "each field another".into(),
        source: ETHERS.into(),
        interval: IntervalFields {
            seq: Dec(7),
            job_id: b(0xa1),
            task_id: b(0xb2),
            device_id: b(0xc3),
            task_index: Dec(2),
            checkpoint_index: Dec(9),
            start_ms: Dec(1_700_000_000_123),
            end_ms: Dec(1_700_000_060_123),
            active_ms: Dec(59_000),
            first_unit: Dec(4096),
            unit_count: Dec(16),
            units_root: b(0xd4),
            cost: Dec(123_456_789_012_345_678_901_234_567_890),
            ibm_micro: Dec(491_666),
            telemetry_digest: b(0xe5),
        },
        bytes: hex!(
        "00000007a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1b2b2b2b2"
        "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2c3c3c3c3c3c3c3c3c3c3c3c3"
        "c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c300000002000000090000018bcfe5687b0000018b"
        "cfe652db0000e678000000000000100000000010d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4"
        "d4d4d4d4d4d4d4d4d4d4d4d4000000018ee90ff6c373e0ee4e3f0ad2000000000000000000078092"
        "e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5"
        )
        .into(),
        leaf_hash: b256!("3a01e5e8bd8407c49fc94584d0d3f650c211d5b0bc7a77a33431d89c05240961"),
    }
}

pub fn unit() -> UnitCase {
    UnitCase {
        name: "each field another".into(),
        source: ETHERS.into(),
        unit: UnitFields {
            unit_index: Dec(4097),
            status: Dec(1),
            output_root: b(0xf6),
            cost: Dec(0xfff_ffff_ffff),
        },
        bytes: hex!(
        "000000000000100101f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6"
        "f600000fffffffffff"
        )
        .into(),
        leaf_hash: b256!("e776ff91a9cf8ffec8bb0bd7ba794951acf313bb0b832c771bebac82bcbab91d"),
    }
}

pub fn task() -> TaskCase {
    TaskCase {
        name: "each field another".into(),
        source: ETHERS.into(),
        task: TaskFields {
            job_id: b(0xa1),
            first_unit: Dec(4096),
            unit_count: Dec(64),
            max_cost: Dec(5_000_000),
            reference_rate: Dec(1_234_567),
            lease_ends_at: Dec(1_700_003_600),
        },
        bytes: hex!(
        "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a10000000000001000"
        "0000004000000000004c4b40000000000012d687000000006553ff10"
        )
        .into(),
        task_id: b256!("8e5cd9b7c71f5a5fbc3c1c0ffb7281a84d018b5c04924aca9f158200946ecfb1"),
    }
}

pub fn payables() -> Vec<PayableCase> {
    let case = |name: &str, cost, reference_rate, ib_micro, active_ms, ibm_micro| PayableCase {
        name: name.into(),
        source: BY_HAND.into(),
        cost: Dec(cost),
        reference_rate: Dec(reference_rate),
        ib_micro: Dec(ib_micro),
        active_ms: Dec(active_ms),
        ibm_micro: Dec(ibm_micro),
    };
    vec![
        case(
            "the work is less",
            2_000_000_000_000,
            200_000,
            500_000,
            60_000,
            400_000,
        ),
        case(
            "the time is less",
            2_000_000_000_000,
            300_000,
            500_000,
            60_000,
            500_000,
        ),
        case(
            "half a minute at half of the standard speed",
            10_000_000_000_000,
            1_000_000,
            500_000,
            30_000,
            250_000,
        ),
    ]
}

pub fn amounts() -> Vec<AmountCase> {
    vec![AmountCase {
        name: "half an IBM at two IFX".into(),
        source: BY_HAND.into(),
        sum_ibm_micro: Dec(500_000),
        price_wei: Dec(2_000_000_000_000_000_000),
        amount_wei: Dec(1_000_000_000_000_000_000),
    }]
}

/// The example of the standard.
pub fn mail() -> MailCase {
    MailCase {
        name: "Mail".into(),
        source: "EIP-712, assets/eip-712/Example.js".into(),
        domain_name: "Ether Mail".into(),
        domain_version: "1".into(),
        chain_id: Dec(1),
        verifying_contract: address!("CcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"),
        from: PersonCase {
            name: "Cow".into(),
            wallet: address!("CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"),
        },
        to: PersonCase {
            name: "Bob".into(),
            wallet: address!("bBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"),
        },
        contents: "Hello, Bob!".into(),
        domain_separator: b256!("f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"),
        struct_hash: b256!("c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"),
        signing_hash: b256!("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"),
    }
}

pub fn signatures() -> Vec<SignatureCase> {
    let hello = hex!(
        "68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b90"
        "7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064"
    );
    let world = hex!(
        "9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76"
        "939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793"
    );
    let hash = b256!("a1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2");
    let signer = Some(address!("2e988A386a799F506693793c6A5AF6B54dfAaBfB"));
    let eip2098 = "EIP-2098, test cases; the hash is EIP-191's of the message";
    // The largest s of this form: above half of the curve's order.
    let mut high = hello;
    high[32] = 0x7f;
    high[33..].fill(0xff);
    vec![
        SignatureCase {
            name: "Hello World".into(),
            source: eip2098.into(),
            hash,
            signature: hello.into(),
            signer,
        },
        SignatureCase {
            name: "It's a small(er) world".into(),
            source: eip2098.into(),
            hash: b256!("ac33ec93c768b669bdb542a85baebaf7342d35fc9ad8fc0bbc1b852c6f8bf021"),
            signature: world.into(),
            signer,
        },
        SignatureCase {
            name: "s in the upper half".into(),
            source: "EIP-2 refuses s above half of the order, which is 7fffffff ffffffff ffffffff ffffffff 5d57…".into(),
            hash,
            signature: high.into(),
            signer: None,
        },
        SignatureCase {
            name: "no signature".into(),
            source: "zeros are on no curve".into(),
            hash,
            signature: [0; 64].into(),
            signer: None,
        },
    ]
}

pub fn domain() -> DomainCase {
    DomainCase {
        name: "a devnet".into(),
        source: ETHERS.into(),
        chain_id: Dec(31_337),
        verifying_contract: CONTRACT,
        domain_separator: b256!("482a10dbd5714bb6bb26071841c25d42883bf78aec88a88b2267cdc297ea6f1e"),
    }
}

fn message<T>(
    message: T,
    struct_hash: B256,
    signing_hash: B256,
    signature: [u8; 64],
) -> MessageCase<T> {
    MessageCase {
        name: "each field another".into(),
        source: ETHERS.into(),
        chain_id: Dec(31_337),
        verifying_contract: CONTRACT,
        message,
        struct_hash,
        signing_hash,
        signature: signature.into(),
        signer: address!("9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"),
    }
}

pub fn job() -> MessageCase<JobFields> {
    message(
        JobFields {
            builder: a(0xb1),
            manager: a(0xa1),
            program_id: b(1),
            input_root: b(2),
            params_root: b(3),
            unit_count: Dec(1024),
            max_cost: Dec(5_000_000),
            reference_rate: Dec(1_234_567),
            price_cap_wei: Dec(3_000_000_000_000_000_000),
            min_ib_micro: Dec(100_000),
            deadline_at: Dec(1_700_086_400),
            salt: Dec(42),
        },
        b256!("931fe01f066de82de896179751566613e8158832464286924f11a3b69f10090a"),
        b256!("b49e3426ca6487dc4465cc60e38fef68658c5dfbab8b36aacb40b62ed9b10cff"),
        hex!(
        "d2a43a3204ed3b69d683eeec0115f4cd7be9b0cf7cd0710d41bc08eb74bdf2ceb16d57ee8582d63e"
        "4ac66dab26316e43cad206f83c7df0e007c060e7351fb03a"
        ),
    )
}

pub fn work_order() -> MessageCase<WorkOrderFields> {
    message(
        WorkOrderFields {
            manager: a(0xa1),
            device_id: DEVICE,
            builder: a(0xb1),
            tasks_root: b(4),
            task_count: Dec(3),
            cap_ibm_micro: Dec(5_000_000),
            cap_wei: Dec(10_000_000_000_000_000_000),
            price_wei: Dec(2_000_000_000_000_000_000),
            lease_ends_at: Dec(1_700_003_600),
        },
        b256!("b86ccd9763e7c79ad144dc3afbd0eafb015614408de4bce4577d1b362df72ccd"),
        b256!("1a35608fc6ad3b8899d72408dc1ab46fb57e7cfb840da7635aff487110f7c208"),
        hex!(
        "668b448df06c15e37dcb5c93efc49e5347fa895b8a8448c57e5e93af5a4b24fe1d5a26e7c05757b2"
        "8f60231dd02e1e5bc520288a3964666bdb4fe97bd081bfd4"
        ),
    )
}

pub fn receipt() -> MessageCase<ReceiptFields> {
    message(
        ReceiptFields {
            manager: a(0xa1),
            worker: a(0xe1),
            job_id: b(0xa1),
            task_id: b(0xb2),
            first_unit: Dec(4096),
            unit_count: Dec(16),
            units_root: b(0xd4),
        },
        b256!("027bca2df75d28f067e2a25e7a94b71bb913845f861f19b929903638e047fa79"),
        b256!("e228c92ec5bc5b275bd04dadb3494c33df7489bc7ff75b4f168cb525aeaa7d8b"),
        hex!(
        "ef604019f9720bef9bef72f70296d3fd523e31fa16e5e02b09e55a904f4276d3c304adcc207af191"
        "b71bba03f800cf6aac30c4b7e11151db5fde411083c33ced"
        ),
    )
}

pub fn operator_consent() -> MessageCase<OperatorConsentFields> {
    message(
        OperatorConsentFields {
            owner: a(0xe1),
            operator: a(0xe2),
        },
        b256!("6abec65e5cbb1d4569b57fe2114e1ce346c926656bc5b9a5d691dc114ec18cf8"),
        b256!("65e19d1cfdeb61f9d2b9f02afe2d80d504945ec044b79ca75731971ef0cdb323"),
        hex!(
        "81cf3e8d32546c9b9d11eb1f62053aed8d7fcf0a0c6b014a9e8b63ddccd1391b56cc6a137c94a974"
        "674526391dc1c0fe4c47835f853760d374b4f689af018aa2"
        ),
    )
}

pub fn api_request() -> MessageCase<ApiRequestFields> {
    message(
        ApiRequestFields {
            caller: a(0xb1),
            method: "POST".into(),
            path: "/v1/jobs?limit=10".into(),
            body_hash: b(5),
            nonce: Dec(7),
            expires_at: Dec(1_700_000_060),
        },
        b256!("86aa5dfcab6820a306a4b49c6abada459fe35285ee4ba38f71d4f45e66c8ba97"),
        b256!("b929e68a51753ad193b759d4a4941b528dbab7aa9d72ba2dce44cef706d1a088"),
        hex!(
        "353335b667cd547c5920fb92ae87479abc8c61f2973ff68b77f76feafc68ab715e116fbe2aab12df"
        "7435203db8a5ebbf21f88de6757901a7a242aadcf21f6f1d"
        ),
    )
}

pub fn lines() -> LinesCase {
    let first = LineFields {
        builder: a(0xb1),
        manager: a(0xa1),
        order_hash: b(0x21),
        cursor_from: Dec(0),
        cursor_to: Dec(3),
        top_hash: b(0x22),
        leaf_count: Dec(5),
        sum_ibm_micro: Dec(491_666),
        amount_wei: Dec(983_332_000_000_000_000),
        shortfall_wei: Dec(0),
    };
    let second = LineFields {
        builder: a(0xb2),
        manager: a(0xa1),
        order_hash: b(0x23),
        cursor_from: Dec(7),
        cursor_to: Dec(9),
        top_hash: b(0x24),
        leaf_count: Dec(1),
        sum_ibm_micro: Dec(1),
        amount_wei: Dec(2_000_000_000_000),
        shortfall_wei: Dec(5),
    };
    LinesCase {
        name: "two lines".into(),
        source: ETHERS.into(),
        lines: vec![first, second],
        roots: Vec::new(),
        lines_hash: b256!("3ac6ed335ca3d9a91d2197ddae7de6d1a6f77ab8d41a8a032c20f966c42dc515"),
    }
}

pub fn header() -> HeaderCase {
    let header_hash = b256!("e7cf52a43d97050d421f3b84975d9700f3854bf07ac466016ba2fde280802339");
    HeaderCase {
        name: "each field another".into(),
        source: ETHERS.into(),
        header: HeaderFields {
            device_id: DEVICE,
            seq: Dec(5),
            params_version: Dec(1),
            ib_micro: Dec(500_000),
            start_ms: Dec(1_700_000_000_123),
            end_ms: Dec(1_700_000_060_123),
            posted_at: Dec(1_700_000_100),
            deadline_at: Dec(1_700_000_160),
            blob_hash: b(0x31),
            lines_hash: b256!("3ac6ed335ca3d9a91d2197ddae7de6d1a6f77ab8d41a8a032c20f966c42dc515"),
        },
        worker: a(0xe1),
        device_index: Dec(3),
        claim_id: b256!("2c1345243e235dec55809ca69e75bb69d7d36d9d3ca5860d9d5196f0069404c9"),
        header_hash,
        hash200: header_hash[..25].to_vec().into(),
    }
}

/// A blob of one line, without jobs: written byte by byte in JavaScript.
pub fn blob() -> BlobCase {
    BlobCase {
        name: "one line with one interval of one unit, without its job".into(),
        source: "ethers 6.17.0, from the layout in prover/src/blob.rs".into(),
        bytes: hex!(
        "494658420001e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e10000000000000000000000030000"
        "00050000018bcfe5687b0000018bcfe652db00000001a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
        "a1a1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1000000000000000000000003b1b1b1b1b1b1"
        "b1b1b1b1b1b1b1b1b1b1b1b1b1b10404040404040404040404040404040404040404040404040404"
        "040404040404000000010000000000000000004c4b40000000008ac7230489e80000000000001bc1"
        "6d674ec80000000000006553ff107777777777777777777777777777777777777777777777777777"
        "77777777777777777777777777777777777777777777777777777777777777777777777777770000"
        "0001a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1000000000000"
        "10000000004000000000004c4b40000000000012d687000000006553ff1000000000000000010000"
        "0007a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1b2b2b2b2b2b2"
        "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2c3c3c3c3c3c3c3c3c3c3c3c3c3c3"
        "c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c300000002000000090000018bcfe5687b0000018bcfe6"
        "52db0000e678000000000000100000000010d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4"
        "d4d4d4d4d4d4d4d4d4d4000000018ee90ff6c373e0ee4e3f0ad2000000000000000000078092e5e5"
        "e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e500000001000000000000"
        "100101f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f600000fffff"
        "ffffff0000000000000000"
        )
        .into(),
        hash: b256!("becc3f660bd7c821d9d1e9448a216da1811ec53b3cec1c17f26c343e6c6931e1"),
        decoded: BlobFields {
            device_id: DEVICE,
            seq: Dec(5),
            start_ms: Dec(1_700_000_000_123),
            end_ms: Dec(1_700_000_060_123),
            lines: vec![BlobLineFields {
                order_hash: b256!(
                    "7703788f0c8d5e769421c355792b3c6b01ca82c4940f90d7c3139963e371db47"
                ),
                order_signature: [0x77; 64].into(),
                task_count: Dec(1),
                job_ids: Vec::new(),
                interval_count: Dec(1),
                unit_count: Dec(1),
                node_count: Dec(0),
                root_count: Dec(0),
                tasks_root: Some(b256!(
                    "5cf26001d725d862e38ec847e13bf7cf2aaed00c3c27316955eed3f780df7a55"
                )),
                root: Some(b256!(
                    "ee68ec5ee95da97ad2b3d49d4f172beec33b805bd84798a1268100f557aa435e"
                )),
            }],
        },
    }
}

/// A line of two leaves, 10 and 20, that states 31.
pub fn node_sum() -> FraudCase {
    FraudCase {
        name: "a line of 10 and 20 that states 31".into(),
        source: "ethers 6.17.0, from contracts/abi/IFraudProofs.json".into(),
        predicate: "NodeSum".into(),
        claim_id: b256!("2c1345243e235dec55809ca69e75bb69d7d36d9d3ca5860d9d5196f0069404c9"),
        line_index: Dec(0),
        prover: a(0x9e),
        salt: b(0x5a),
        commitment: b256!("6909c0b91ce7d7c040cb3fc05de5943c51bc78318b13b3c927a7b636803c602b"),
        calldata: hex!(
        "c8e4666f000000000000000000000000000000000000000000000000000000000000006000000000"
        "000000000000000000000000000000000000000000000000000003a0000000000000000000000000"
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000600000000000000000000000009e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e"
        "9e9e9e9e5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5ae1e1e1e1"
        "e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1000000000000000000000003000000000000000000000000"
        "00000000000000000000000000000000000000050000000000000000000000000000000000000000"
        "00000000000000000000000100000000000000000000000000000000000000000000000000000000"
        "0007a1200000000000000000000000000000000000000000000000000000018bcfe5687b00000000"
        "00000000000000000000000000000000000000000000018bcfe652db000000000000000000000000"
        "000000000000000000000000000000006553f1640000000000000000000000000000000000000000"
        "00000000000000006553f1a031313131313131313131313131313131313131313131313131313131"
        "31313131193c2ca15be0a94a07bb55cb801c7687f79903c22af00affbaed028d5898e19c00000000"
        "00000000000000000000000000000000000000000000000000000180000000000000000000000000"
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "000000000000000000000001000000000000000000000000b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1"
        "b1b1b1b1000000000000000000000000a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a121212121"
        "21212121212121212121212121212121212121212121212121212121000000000000000000000000"
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "000000000000000000000001c4aebf0bc81f283f184c9b879eb68f0588af9f3bd63835fa370f6a5a"
        "faf6345f000000000000000000000000000000000000000000000000000000000000000200000000"
        "0000000000000000000000000000000000000000000000000000001f000000000000000000000000"
        "000000000000000000000000000038637ff9e0000000000000000000000000000000000000000000"
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "00000001111111111111111111111111111111111111111111111111111111111111111100000000"
        "0000000000000000000000000000000000000000000000000000000a222222222222222222222222"
        "22222222222222222222222222222222222222220000000000000000000000000000000000000000"
        "000000000000000000000014"
        )
        .into(),
    }
}
