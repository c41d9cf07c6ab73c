// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @title OutputTree
/// @notice The memory subtree of a unit's output, and chunks of it (PROTOCOL.md, Data).
library OutputTree {
    /// @notice A chunk is all of its leaves.
    error WrongChunkSize(uint256 sizeBytes, uint256 neededBytes);
    /// @notice There is one sibling for each level above the chunk.
    error WrongSiblingCount(uint256 given, uint256 needed);

    /// @dev log2 of the leaves in a chunk: 32 leaves, 1 KiB, about 41k gas of calldata at its floor price.
    uint256 internal constant CHUNK_LEVELS = 5;

    /// @dev Bytes of a leaf.
    uint256 private constant LEAF_BYTES = 32;

    /// @notice Returns the root of an output of which a chunk is given.
    /// @param data The chunk's leaves.
    /// @param chunkIndex Which chunk of the output it is.
    /// @param depth log2 of the leaves in the whole output; at least `CHUNK_LEVELS`.
    /// @param siblings Bottom up from the chunk.
    function rootOf(bytes calldata data, uint256 chunkIndex, uint256 depth, bytes32[] calldata siblings)
        internal
        pure
        returns (bytes32 root)
    {
        uint256 neededBytes = LEAF_BYTES << CHUNK_LEVELS;
        require(data.length == neededBytes, WrongChunkSize(data.length, neededBytes));
        require(siblings.length == depth - CHUNK_LEVELS, WrongSiblingCount(siblings.length, depth - CHUNK_LEVELS));

        root = _chunkRoot(data);
        for (uint256 i = 0; i < siblings.length; ++i) {
            bool isRight = chunkIndex >> i & 1 == 1;
            root = isRight ? _node(siblings[i], root) : _node(root, siblings[i]);
        }
    }

    function _chunkRoot(bytes calldata data) private pure returns (bytes32) {
        bytes32[] memory nodes = new bytes32[](1 << CHUNK_LEVELS);
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i] = bytes32(data[i * LEAF_BYTES:(i + 1) * LEAF_BYTES]);
        }
        for (uint256 width = nodes.length; width > 1; width /= 2) {
            for (uint256 i = 0; i < width; i += 2) {
                nodes[i / 2] = _node(nodes[i], nodes[i + 1]);
            }
        }
        return nodes[0];
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(left, right));
    }
}
