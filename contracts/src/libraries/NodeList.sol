// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @title NodeList
/// @notice 32 nodes of a tree and the node above them.
library NodeList {
    /// @notice Returns the node five levels above 32 nodes.
    function rootOf(bytes32[32] calldata nodes) internal pure returns (bytes32 root) {
        // GAS: a level of a descent pays for it. Nodes lie behind the free memory pointer, which stays where it is; each
        // level is written over the one below.
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, nodes, 1024)
            for { let width := 1024 } gt(width, 32) { width := shr(1, width) } {
                for { let i := 0 } lt(i, width) { i := add(i, 64) } {
                    mstore(add(at, shr(1, i)), keccak256(add(at, i), 64))
                }
            }
            root := mload(at)
        }
    }

    /// @notice Returns the node five levels above one of 32.
    function rootOf(bytes32 node, uint256 index, bytes32[5] calldata siblings) internal pure returns (bytes32) {
        // GAS: as above.
        assembly ("memory-safe") {
            for { let i := 0 } lt(i, 160) { i := add(i, 32) } {
                let place := shl(5, and(index, 1))
                index := shr(1, index)
                mstore(place, node)
                mstore(xor(place, 0x20), calldataload(add(siblings, i)))
                node := keccak256(0, 0x40)
            }
        }
        return node;
    }
}
