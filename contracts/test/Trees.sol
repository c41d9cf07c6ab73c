// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Branch, Sibling, SumTop} from "../src/libraries/SumTree.sol";

/// @notice A whole sum tree: hashes and stated sums of every level, leaves first.
struct Tree {
    bytes32[][] hashes;
    uint256[][] sums;
}

/// @title Trees
/// @notice Builds sum trees, honest ones and such that lie about one sum, and shows parts of them.
/// @dev Written from PROTOCOL.md, not from `SumTree.sol`: the two check each other.
library Trees {
    uint256 private constant NO_LIE = type(uint256).max;

    function build(bytes32[] memory hashes, uint256[] memory sums) internal pure returns (Tree memory) {
        return buildLying(hashes, sums, NO_LIE, 0, 0);
    }

    /// @notice Builds a tree in which node `index` of `level` is said to have `sum`.
    function buildLying(bytes32[] memory hashes, uint256[] memory sums, uint256 level, uint256 index, uint256 sum)
        internal
        pure
        returns (Tree memory tree)
    {
        uint256 height = heightOf(hashes.length);
        tree.hashes = new bytes32[][](height + 1);
        tree.sums = new uint256[][](height + 1);
        tree.hashes[0] = hashes;
        tree.sums[0] = _copy(sums);
        for (uint256 depth = 0; depth <= height; ++depth) {
            if (depth == level) tree.sums[depth][index] = sum;
            if (depth < height) _climb(tree, depth);
        }
    }

    function heightOf(uint256 count) internal pure returns (uint256 height) {
        for (; count > 1; count = (count + 1) / 2) {
            ++height;
        }
    }

    function top(Tree memory tree) internal pure returns (SumTop memory) {
        uint256 height = tree.hashes.length - 1;
        return SumTop(uint64(tree.hashes[0].length), tree.hashes[height][0], uint128(tree.sums[height][0]));
    }

    function root(Tree memory tree) internal pure returns (bytes32) {
        SumTop memory t = top(tree);
        return keccak256(bytes.concat(hex"02", bytes8(t.leafCount), t.hash, bytes16(t.sum)));
    }

    /// @notice Returns the siblings of a node, bottom up.
    function proof(Tree memory tree, uint256 level, uint256 index) internal pure returns (Sibling[] memory) {
        Sibling[] memory all = new Sibling[](tree.hashes.length);
        uint256 used = 0;
        for (; level + 1 < tree.hashes.length; ++level) {
            uint256 other = index ^ 1;
            if (other < tree.hashes[level].length) {
                all[used++] = Sibling(tree.hashes[level][other], uint128(tree.sums[level][other]));
            }
            index /= 2;
        }
        return cut(all, used);
    }

    /// @notice Returns the node preimages above a node, top first, and the turns that lead down to it.
    function chain(Tree memory tree, uint256 level, uint256 index)
        internal
        pure
        returns (Branch[] memory branches, uint256 path)
    {
        uint256 height = tree.hashes.length - 1;
        Branch[] memory all = new Branch[](height);
        uint256 used = 0;
        for (uint256 depth = height; depth > level; --depth) {
            uint256 left = (index >> (depth - level)) * 2;
            if (left + 1 >= tree.hashes[depth - 1].length) continue;
            if (index >> (depth - 1 - level) & 1 == 1) path |= 1 << used;
            all[used++] = branch(tree, depth, index >> (depth - level));
        }
        branches = new Branch[](used);
        for (uint256 i = 0; i < used; ++i) {
            branches[i] = all[i];
        }
    }

    function branch(Tree memory tree, uint256 level, uint256 index) internal pure returns (Branch memory) {
        (bytes32[] memory h, uint256[] memory s) = (tree.hashes[level - 1], tree.sums[level - 1]);
        return Branch(h[2 * index], uint128(s[2 * index]), h[2 * index + 1], uint128(s[2 * index + 1]));
    }

    /// @notice Returns whether a node has two children: a carried node has none of its own.
    function hasChildren(Tree memory tree, uint256 level, uint256 index) internal pure returns (bool) {
        return level > 0 && 2 * index + 1 < tree.hashes[level - 1].length;
    }

    /// @notice Returns the nodes up to five levels below a node.
    function below(Tree memory tree, uint256 level, uint256 index) internal pure returns (Sibling[] memory nodes) {
        uint256 levels = level < 5 ? level : 5;
        uint256 first = index << levels;
        uint256 end = first + (1 << levels);
        if (end > tree.hashes[level - levels].length) end = tree.hashes[level - levels].length;
        nodes = new Sibling[](end - first);
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i] = Sibling(tree.hashes[level - levels][first + i], uint128(tree.sums[level - levels][first + i]));
        }
    }

    function cut(Sibling[] memory all, uint256 count) internal pure returns (Sibling[] memory some) {
        some = new Sibling[](count);
        for (uint256 i = 0; i < count; ++i) {
            some[i] = all[i];
        }
    }

    function _climb(Tree memory tree, uint256 level) private pure {
        (bytes32[] memory h, uint256[] memory s) = (tree.hashes[level], tree.sums[level]);
        uint256 count = (h.length + 1) / 2;
        (bytes32[] memory hashes, uint256[] memory sums) = (new bytes32[](count), new uint256[](count));
        for (uint256 i = 0; i < count; ++i) {
            (uint256 l, uint256 r) = (2 * i, 2 * i + 1);
            if (r == h.length) {
                (hashes[i], sums[i]) = (h[l], s[l]);
                continue;
            }
            hashes[i] = keccak256(abi.encodePacked(uint8(1), h[l], uint128(s[l]), h[r], uint128(s[r])));
            sums[i] = s[l] + s[r];
        }
        (tree.hashes[level + 1], tree.sums[level + 1]) = (hashes, sums);
    }

    function _copy(uint256[] memory from) private pure returns (uint256[] memory to) {
        to = new uint256[](from.length);
        for (uint256 i = 0; i < from.length; ++i) {
            to[i] = from[i];
        }
    }
}
