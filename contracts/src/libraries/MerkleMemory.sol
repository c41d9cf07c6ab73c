// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @title MerkleMemory
/// @notice Trees of fixed depth over raw 32-byte leaves: the dispute VM's code and memory (PROTOCOL.md, Dispute VM).
library MerkleMemory {
    /// @notice Returns the roots that two nodes at one place have with the same siblings, bottom up: before and after
    /// a write. Bit `i` of `index` says on which side of sibling `i` the path is.
    /// @param siblings 32 bytes for each level.
    function fold(bytes32 before, bytes32 afterwards, uint256 index, bytes calldata siblings)
        internal
        pure
        returns (bytes32, bytes32)
    {
        // GAS: budget of a step: forty hashes. The first two words of memory are scratch; `siblings` ends where its length
        // says.
        assembly ("memory-safe") {
            let at := siblings.offset
            let end := add(at, siblings.length)
            for {} lt(at, end) { at := add(at, 0x20) } {
                // The node's place in the pair, and its sibling's.
                let place := shl(5, and(index, 1))
                index := shr(1, index)
                mstore(xor(place, 0x20), calldataload(at))
                mstore(place, before)
                before := keccak256(0, 0x40)
                mstore(place, afterwards)
                afterwards := keccak256(0, 0x40)
            }
        }
        return (before, afterwards);
    }

    /// @notice Returns the root that a node has with its siblings, bottom up.
    function root(bytes32 node, uint256 index, bytes calldata siblings) internal pure returns (bytes32) {
        // GAS: as `fold`, with one hash a level.
        assembly ("memory-safe") {
            let at := siblings.offset
            let end := add(at, siblings.length)
            for {} lt(at, end) { at := add(at, 0x20) } {
                let place := shl(5, and(index, 1))
                index := shr(1, index)
                mstore(xor(place, 0x20), calldataload(at))
                mstore(place, node)
                node := keccak256(0, 0x40)
            }
        }
        return node;
    }
}
