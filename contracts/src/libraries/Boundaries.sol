// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice One boundary of a list, and its way up to the list's root.
struct BoundaryEvidence {
    bytes24 boundary;
    bytes32[5] siblings;
}

/// @title Boundaries
/// @notice Lists of the 31 states between 32 segments of an execution (PROTOCOL.md, Disputes).
/// @dev A boundary is a state's hash, salted and truncated to 24 bytes: a collision costs 2^96 work, and can't be sought
/// before the salt is known. A list's tree has 32 leaves; the last is zero.
library Boundaries {
    /// @notice A list has 31 boundaries of 24 bytes.
    error WrongListLength(uint256 sizeBytes, uint256 neededBytes);
    /// @notice The list has no such boundary.
    error WrongBoundary(bytes32 computed, bytes32 needed);

    /// @dev Bytes of a list.
    uint256 internal constant LIST_BYTES = 744;

    /// @notice Returns what a list says of a state.
    function boundaryOf(bytes32 salt, bytes32 stateHash) internal pure returns (bytes24 boundary) {
        assembly ("memory-safe") {
            mstore(0, salt)
            mstore(0x20, stateHash)
            boundary := and(keccak256(0, 0x40), not(0xffffffffffffffff))
        }
    }

    /// @notice Returns the root of a list.
    function rootOf(bytes calldata list) internal pure returns (bytes32 root) {
        require(list.length == LIST_BYTES, WrongListLength(list.length, LIST_BYTES));
        // GAS: every round pays for it: 31 hashes. Leaves lie behind the free memory pointer, which stays where it is;
        // each level is written over the one below.
        assembly ("memory-safe") {
            let at := mload(0x40)
            let from := list.offset
            for { let i := 0 } lt(i, 31) { i := add(i, 1) } {
                mstore(add(at, shl(5, i)), and(calldataload(from), not(0xffffffffffffffff)))
                from := add(from, 24)
            }
            mstore(add(at, 992), 0)
            for { let width := 1024 } gt(width, 32) { width := shr(1, width) } {
                for { let i := 0 } lt(i, width) { i := add(i, 64) } {
                    mstore(add(at, shr(1, i)), keccak256(add(at, i), 64))
                }
            }
            root := mload(at)
        }
    }

    /// @notice Checks that a list has a boundary at an index.
    function requireListed(bytes32 root, uint256 index, BoundaryEvidence calldata shown) internal pure {
        bytes32 node = bytes32(shown.boundary);
        for (uint256 i = 0; i < 5; ++i) {
            bytes32 sibling = shown.siblings[i];
            node = index >> i & 1 == 1
                ? keccak256(abi.encodePacked(sibling, node))
                : keccak256(abi.encodePacked(node, sibling));
        }
        require(node == root, WrongBoundary(node, root));
    }
}
