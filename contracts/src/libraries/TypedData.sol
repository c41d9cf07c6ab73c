// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice What a builder signs to have units computed (PROTOCOL.md, Signed messages).
/// @dev `priceCapWei` in wei per IBM, `deadlineAt` in seconds since 1970, `minIbMicro` in micro-IB.
struct Job {
    address builder;
    address manager;
    bytes32 programId;
    bytes32 inputRoot;
    bytes32 paramsRoot;
    uint64 unitCount;
    uint64 maxCost;
    uint64 referenceRate;
    uint96 priceCapWei;
    uint64 minIbMicro;
    uint64 deadlineAt;
    uint64 salt;
}

/// @notice What a manager's operator signs to let a worker's device claim a builder's money.
/// @dev `deviceId` is of `Claims.deviceId`: each device has a list of its own. `capIbmMicro` and `capWei` are
/// cumulative over the whole list; `priceWei` in wei per IBM.
struct WorkOrder {
    address manager;
    bytes32 deviceId;
    address builder;
    bytes32 tasksRoot;
    uint32 taskCount;
    uint96 capIbmMicro;
    uint96 capWei;
    uint96 priceWei;
    uint64 leaseEndsAt;
}

/// @notice What a manager's operator signs when outputs arrived and their hashes matched.
struct Receipt {
    address manager;
    address worker;
    bytes32 jobId;
    bytes32 taskId;
    uint64 firstUnit;
    uint32 unitCount;
    bytes32 unitsRoot;
}

/// @notice An EIP-712 signature in the compact form of EIP-2098: `vs` carries the parity in its top bit.
struct Signature {
    bytes32 r;
    bytes32 vs;
}

/// @title TypedData
/// @notice EIP-712 hashes of the protocol's messages.
library TypedData {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("Inferix");
    bytes32 private constant VERSION_HASH = keccak256("1");
    bytes32 private constant JOB_TYPEHASH = keccak256(
        "Job(address builder,address manager,bytes32 programId,bytes32 inputRoot,bytes32 paramsRoot,uint64 unitCount,uint64 maxCost,uint64 referenceRate,uint96 priceCapWei,uint64 minIbMicro,uint64 deadlineAt,uint64 salt)"
    );
    bytes32 private constant WORK_ORDER_TYPEHASH = keccak256(
        "WorkOrder(address manager,bytes32 deviceId,address builder,bytes32 tasksRoot,uint32 taskCount,uint96 capIbmMicro,uint96 capWei,uint96 priceWei,uint64 leaseEndsAt)"
    );
    bytes32 private constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(address manager,address worker,bytes32 jobId,bytes32 taskId,uint64 firstUnit,uint32 unitCount,bytes32 unitsRoot)"
    );

    /// @dev All bits of `vs` but the parity.
    uint256 private constant MAX_S_BITS = type(uint256).max >> 1;

    /// @dev Half of the order of secp256k1.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    bytes32 private constant OPERATOR_CONSENT_TYPEHASH = keccak256("OperatorConsent(address owner,address operator)");

    /// @notice Returns the domain separator of messages that a contract verifies.
    function domainSeparator(address verifyingContract) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, verifyingContract));
    }

    /// @notice Returns a job's id: its struct hash.
    function hashJob(Job memory job) internal pure returns (bytes32) {
        return keccak256(abi.encode(JOB_TYPEHASH, job));
    }

    /// @notice Returns an order's struct hash.
    function hashWorkOrder(WorkOrder memory order) internal pure returns (bytes32) {
        return keccak256(abi.encode(WORK_ORDER_TYPEHASH, order));
    }

    /// @notice Returns the struct hash of an order that lies in calldata.
    function hashWorkOrderCalldata(WorkOrder calldata order) internal pure returns (bytes32 hash) {
        bytes32 typeHash = WORK_ORDER_TYPEHASH;
        // GAS: budget of posting. A static struct lies in calldata as abi.encode would write it; a word with dirty
        // upper bits only makes a hash that nobody signed.
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            calldatacopy(add(free, 32), order, 288)
            hash := keccak256(free, 320)
        }
    }

    /// @notice Returns a receipt's struct hash.
    function hashReceipt(Receipt memory receipt) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT_TYPEHASH, receipt));
    }

    /// @notice Returns the struct hash of an operator's consent.
    function hashOperatorConsent(address owner, address operator) internal pure returns (bytes32) {
        return keccak256(abi.encode(OPERATOR_CONSENT_TYPEHASH, owner, operator));
    }

    /// @notice Returns who signed a struct hash in a domain, or zero for no valid signature.
    /// @dev Of the two signatures that each message has, only the one with the lower `s` is valid.
    function signerOf(bytes32 separator, bytes32 structHash, Signature calldata signature)
        internal
        pure
        returns (address)
    {
        bytes32 digest;
        // GAS: budget of posting. 66 bytes past the free memory pointer, which stays where it is.
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, hex"1901")
            mstore(add(free, 2), separator)
            mstore(add(free, 34), structHash)
            digest := keccak256(free, 66)
        }
        uint256 s = uint256(signature.vs) & MAX_S_BITS;
        if (s > HALF_ORDER) return address(0);
        // 27 or 28.
        return ecrecover(digest, uint8((uint256(signature.vs) >> 255) + 27), signature.r, bytes32(s));
    }
}
