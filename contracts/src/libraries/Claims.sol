// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice What a claim says once, whatever its lines. Only its truncated hash is stored.
/// @dev `startMs` and `endMs` in milliseconds since 1970; `postedAt` and `deadlineAt` in seconds since 1970, as
/// they were when the claim was posted: an extension is kept by the contract, not here.
struct ClaimHeader {
    address worker;
    uint96 deviceIndex;
    uint32 seq;
    uint32 paramsVersion;
    uint64 ibMicro;
    uint64 startMs;
    uint64 endMs;
    uint64 postedAt;
    uint64 deadlineAt;
    bytes32 blobHash;
    bytes32 linesHash;
}

/// @notice A claim's part for one order: the top of its tree of intervals, and its money in wei.
struct Line {
    address builder;
    address manager;
    bytes32 orderHash;
    uint32 cursorFrom;
    uint32 cursorTo;
    bytes32 topHash;
    uint64 leafCount;
    uint96 sumIbmMicro;
    uint96 amountWei;
    uint96 shortfallWei;
}

/// @title Claims
/// @notice Hashes of a claim's parts (PROTOCOL.md, Claims).
library Claims {
    /// @notice Returns a device's id: its owner and its index.
    function deviceId(address owner, uint256 deviceIndex) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(owner)) << 96 | deviceIndex);
    }

    /// @notice Returns the id of a device's claim.
    function claimId(address worker, uint256 deviceIndex, uint32 seq) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(worker, uint96(deviceIndex), seq));
    }

    /// @notice Returns a header's claim id.
    function claimId(ClaimHeader memory header) internal pure returns (bytes32) {
        return claimId(header.worker, header.deviceIndex, header.seq);
    }

    /// @notice Returns the hash that a claim's word keeps, truncated to 200 bits.
    /// @dev A worker that wants two headers with one hash must find a collision: 2^100 work.
    function hash200(ClaimHeader memory header) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(header))) >> 56;
    }

    /// @notice Returns the hash that a header keeps of its lines.
    function hashLines(Line[] memory lines) internal pure returns (bytes32) {
        return keccak256(abi.encode(lines));
    }
}
