// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice A stretch of measured working time on one device: the leaf of a claim.
/// @dev Times in milliseconds since 1970, `activeMs` in milliseconds, work in micro-IBM, cost in work units.
struct Interval {
    uint32 seq;
    bytes32 jobId;
    bytes32 taskId;
    bytes32 deviceId;
    uint32 taskIndex;
    uint32 checkpointIndex;
    uint64 startMs;
    uint64 endMs;
    uint32 activeMs;
    uint64 firstUnit;
    uint32 unitCount;
    bytes32 unitsRoot;
    uint128 cost;
    uint96 ibmMicro;
    bytes32 telemetryDigest;
}

/// @notice The result of one unit. `status` is 0 (done) or 1 (capped); cost in work units.
struct Unit {
    uint64 unitIndex;
    uint8 status;
    bytes32 outputRoot;
    uint64 cost;
}

/// @notice A range of units of a job, leased to one worker.
/// @dev `maxCost` in work units a unit, `referenceRate` in micro-IBM per 10^12 work units, `leaseEndsAt` in
/// seconds since 1970.
struct Task {
    bytes32 jobId;
    uint64 firstUnit;
    uint32 unitCount;
    uint64 maxCost;
    uint64 referenceRate;
    uint64 leaseEndsAt;
}

/// @title IntervalHash
/// @notice Hashes of the three kinds of leaf, and what an interval may be paid (PROTOCOL.md, Leaves and Payable work).
library IntervalHash {
    uint16 private constant TAG_INTERVAL = 0x0001;
    uint16 private constant TAG_UNIT = 0x0002;
    uint16 private constant TAG_TASK = 0x0003;

    /// @notice Returns the leaf hash of an interval.
    function hashInterval(Interval calldata leaf) internal pure returns (bytes32 hash) {
        // GAS: budget of the fraud predicates; abi.encodePacked costs five times as much, and a leaf is in every proof.
        // Each word is written so that it ends where its field ends, the last field first: what a write spills to
        // its left, the next one overwrites. 234 bytes past the free memory pointer, which stays where it is.
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(add(free, 234), calldataload(add(leaf, 448))) // telemetryDigest
            mstore(add(free, 202), calldataload(add(leaf, 416))) // ibmMicro
            mstore(add(free, 190), calldataload(add(leaf, 384))) // cost
            mstore(add(free, 174), calldataload(add(leaf, 352))) // unitsRoot
            mstore(add(free, 142), calldataload(add(leaf, 320))) // unitCount
            mstore(add(free, 138), calldataload(add(leaf, 288))) // firstUnit
            mstore(add(free, 130), calldataload(add(leaf, 256))) // activeMs
            mstore(add(free, 126), calldataload(add(leaf, 224))) // endMs
            mstore(add(free, 118), calldataload(add(leaf, 192))) // startMs
            mstore(add(free, 110), calldataload(add(leaf, 160))) // checkpointIndex
            mstore(add(free, 106), calldataload(add(leaf, 128))) // taskIndex
            mstore(add(free, 102), calldataload(add(leaf, 96))) // deviceId
            mstore(add(free, 70), calldataload(add(leaf, 64))) // taskId
            mstore(add(free, 38), calldataload(add(leaf, 32))) // jobId
            mstore(add(free, 6), calldataload(leaf)) // seq
            mstore(add(free, 2), TAG_INTERVAL)
            hash := keccak256(add(free, 32), 234)
        }
    }

    /// @notice Returns the leaf hash of a unit.
    function hashUnit(Unit calldata unit) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(TAG_UNIT, unit.unitIndex, unit.status, unit.outputRoot, unit.cost));
    }

    /// @notice Returns the leaf hash of a task, which is also its id.
    function hashTask(Task calldata task) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                TAG_TASK, task.jobId, task.firstUnit, task.unitCount, task.maxCost, task.referenceRate, task.leaseEndsAt
            )
        );
    }

    /// @notice Returns the work in micro-IBM that an interval may be paid for: what it proved, or what its
    /// device can do in the active time, whichever is less.
    /// @dev At most 2^192 / 10^12 on one side and 2^96 on the other: nothing here overflows 256 bits.
    function payableMicro(Interval calldata leaf, uint256 referenceRate, uint256 ibMicro)
        internal
        pure
        returns (uint256)
    {
        uint256 provedMicro = uint256(leaf.cost) * referenceRate / 1e12;
        uint256 timeMicro = ibMicro * leaf.activeMs / 60_000;
        return provedMicro < timeMicro ? provedMicro : timeMicro;
    }
}
