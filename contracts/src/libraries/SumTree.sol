// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice A sibling in a proof: what stands beside the path on one level.
struct Sibling {
    bytes32 hash;
    uint128 sum;
}

/// @notice The preimage of an inner node: both children, each with the sum that the node states for it.
struct Branch {
    bytes32 leftHash;
    uint128 leftSum;
    bytes32 rightHash;
    uint128 rightSum;
}

/// @notice The preimage of a root: the last node left, its stated sum, and the number of leaves.
struct SumTop {
    uint64 leafCount;
    bytes32 hash;
    uint128 sum;
}

/// @title SumTree
/// @notice The Merkle-sum tree of the protocol (PROTOCOL.md, Merkle-sum tree).
/// @dev Bottom-up proofs compute sums and so show a leaf of an honest path; chains from the top follow
/// sums as they are stated and so show a lie. The twin of `prover/src/sum_tree.rs`.
library SumTree {
    /// @notice A tree has at least one leaf.
    error TreeEmpty();
    /// @notice There is no node at this index of this level.
    error IndexOutOfTree(uint256 index, uint256 width);
    /// @notice A proof has exactly one sibling for each level on which the node is not carried.
    error WrongSiblingCount(uint256 given, uint256 needed);
    /// @notice A computed hash is not the committed one.
    error WrongHash(bytes32 computed, bytes32 needed);
    /// @notice A sum on the path leaves 128 bits: no such tree can be honest.
    error SumOverflow(uint256 sum);

    uint256 private constant MAX_SUM = type(uint128).max;

    /// @notice Returns the hash of a tree's root.
    function root(SumTop memory top) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(2), top.leafCount, top.hash, top.sum));
    }

    /// @notice Returns the hash of an inner node.
    function node(bytes32 leftHash, uint256 leftSum, bytes32 rightHash, uint256 rightSum)
        internal
        pure
        returns (bytes32 hash)
    {
        // GAS: one per level of every proof; abi.encodePacked costs four times as much.
        // The 97 bytes are written past the free memory pointer, which stays where it is.
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore8(at, 1)
            mstore(add(at, 1), leftHash)
            // The sums are below 2^128: shifted, they fill the upper 16 bytes.
            mstore(add(at, 33), shl(128, leftSum))
            mstore(add(at, 49), rightHash)
            mstore(add(at, 81), shl(128, rightSum))
            hash := keccak256(at, 97)
        }
    }

    /// @notice Returns how many nodes a tree has on a level; leaves are on level 0.
    function width(uint256 leafCount, uint256 level) internal pure returns (uint256) {
        return (leafCount + (1 << level) - 1) >> level;
    }

    /// @notice Checks that a node stands at its place under the top, and returns the sum that the path gives.
    /// @dev Only hashes are compared: the top's own sum is bound by its parent record, not by its hash, and
    /// a top that states another sum than its children's is itself a fraud (NodeSum).
    /// @param top Hash of the top.
    /// @param leafCount Leaves of the tree.
    /// @param level Level of the node; 0 for a leaf.
    /// @param index Place of the node on its level.
    /// @param hash Hash of the node.
    /// @param sum Sum of the node.
    /// @param siblings Bottom up, one for each level on which the node is not carried.
    function requireNode(
        bytes32 top,
        uint256 leafCount,
        uint256 level,
        uint256 index,
        bytes32 hash,
        uint256 sum,
        Sibling[] calldata siblings
    ) internal pure returns (uint256) {
        require(leafCount != 0, TreeEmpty());
        uint256 count = width(leafCount, level);
        require(index < count, IndexOutOfTree(index, count));

        uint256 used = 0;
        for (; count > 1; count = (count + 1) >> 1) {
            bool isCarried = index & 1 == 0 && index + 1 == count;
            if (!isCarried) {
                require(used < siblings.length, WrongSiblingCount(siblings.length, used + 1));
                Sibling calldata sibling = siblings[used++];
                hash = index & 1 == 0
                    ? node(hash, sum, sibling.hash, sibling.sum)
                    : node(sibling.hash, sibling.sum, hash, sum);
                sum += sibling.sum;
                require(sum <= MAX_SUM, SumOverflow(sum));
            }
            index >>= 1;
        }

        require(used == siblings.length, WrongSiblingCount(siblings.length, used));
        require(hash == top, WrongHash(hash, top));
        return sum;
    }

    /// @notice Folds neighbouring nodes of one level into the node above them that spans them all.
    /// @param nodes The nodes, in order; overwritten.
    /// @param first Place of the first on its level.
    /// @param count Nodes of that level in the whole tree.
    /// @param levels How many levels to climb.
    function fold(Sibling[] memory nodes, uint256 first, uint256 count, uint256 levels)
        internal
        pure
        returns (bytes32, uint256)
    {
        uint256 length = nodes.length;
        for (uint256 level = 0; level < levels; ++level) {
            uint256 kept = 0;
            for (uint256 i = 0; i < length; i += 2) {
                nodes[kept++] = i + 1 < length ? _join(nodes[i], nodes[i + 1]) : nodes[i];
                // An odd node is carried only at the very end of its level.
                require(i + 1 < length || first + length == count, IndexOutOfTree(first + length, count));
            }
            (length, first, count) = (kept, first >> 1, (count + 1) >> 1);
        }
        require(length == 1, WrongSiblingCount(length, 1));
        return (nodes[0].hash, nodes[0].sum);
    }

    /// @notice Follows node preimages from the top to the last one, whose own hash and stated sum it returns.
    /// @dev Each preimage must hash to what the one above it states; sums are taken as stated. Tags part
    /// leaves from nodes, so a chain can't pass through a leaf.
    /// @param hash Hash of the top.
    /// @param sum Stated sum of the top.
    /// @param chain The node preimages, top first.
    /// @param path Bit `k` is set where the way below the `k`-th preimage goes right.
    function descend(bytes32 hash, uint256 sum, Branch[] calldata chain, uint256 path)
        internal
        pure
        returns (bytes32, uint256)
    {
        for (uint256 i = 0; i < chain.length; ++i) {
            (hash, sum) = step(hash, chain[i], path >> i & 1 == 1);
        }
        return (hash, sum);
    }

    /// @notice Opens one node and returns the hash and the stated sum of the child on the given side.
    function step(bytes32 hash, Branch calldata branch, bool isRight) internal pure returns (bytes32, uint256) {
        bytes32 computed = node(branch.leftHash, branch.leftSum, branch.rightHash, branch.rightSum);
        require(computed == hash, WrongHash(computed, hash));
        return isRight ? (branch.rightHash, branch.rightSum) : (branch.leftHash, branch.leftSum);
    }

    function _join(Sibling memory left, Sibling memory right) private pure returns (Sibling memory) {
        uint256 sum = uint256(left.sum) + right.sum;
        require(sum <= MAX_SUM, SumOverflow(sum));
        // The sum was just checked to fit.
        return Sibling(node(left.hash, left.sum, right.hash, right.sum), uint128(sum));
    }
}
