// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Execution, Subject, Target, TargetKind} from "../src/libraries/Execution.sol";
import {Image} from "../src/libraries/Image.sol";

/// @title Machine
/// @notice All states of a program of three instructions, written down instead of executed.
/// @dev The program stores the unit's index at the end of scratch, sets x12 to zero, and halts: its output is zero, its
/// cost the unit's index, its status 0. Trees are folded here by a second implementation.
library Machine {
    /// @dev `sw x10, -4(x2)`, `addi x12, x0, 0`, `ecall`, little-endian.
    bytes32 private constant CODE_LEAF = hex"232ea1fe1306000073000000";

    uint8 internal constant LOG2_CODE = 17;
    uint8 internal constant LOG2_MEMORY = 24;
    uint8 internal constant LOG2_INPUT = 20;
    uint8 internal constant LOG2_PARAMS = 10;
    bytes32 private constant CONSTANTS_ROOT = keccak256("constants");

    function image() internal pure returns (Image memory) {
        return Image({
            codeRoot: path(CODE_LEAF, 0, LOG2_CODE - 5, new bytes32[](0)),
            constantsRoot: CONSTANTS_ROOT,
            entry: 0,
            maxSteps: 1 << 25,
            log2Code: LOG2_CODE,
            log2Memory: LOG2_MEMORY,
            log2Input: LOG2_INPUT,
            log2Params: LOG2_PARAMS,
            log2Output: 5
        });
    }

    /// @notice Returns the part of a state's preimage that a witness brings: from the memory's root on.
    function stateAt(Subject memory subject, Target memory target, uint256 number)
        internal
        pure
        returns (bytes memory state)
    {
        uint256 done = number < 3 ? number : 3;
        (bytes32[] memory siblings, bytes32 leaf) = scratchPath(subject, target, done != 0);
        bytes32 root = path(leaf, scratchIndex(), siblings.length, siblings);
        uint8 status = done == 3 ? 1 : 0;
        uint32 pc = uint32(done == 3 ? 8 : 4 * done);
        state = abi.encodePacked(root, uint64(number), pc, status);
        uint64 index = target.kind == TargetKind.Assembly ? type(uint64).max : target.index;
        uint32[32] memory x;
        x[2] = uint32(3 << (LOG2_MEMORY - 2));
        (x[10], x[11]) = (uint32(subject.unitIndex), uint32(subject.unitIndex >> 32));
        (x[12], x[13]) = (done > 1 ? 0 : uint32(index), uint32(index >> 32));
        (x[14], x[15]) = (uint32(subject.maxCost), uint32(subject.maxCost >> 32));
        for (uint256 i = 1; i < 32; ++i) {
            state = bytes.concat(state, bytes4(x[i]));
        }
    }

    function hashAt(Subject memory subject, Target memory target, uint256 number) internal pure returns (bytes32) {
        return keccak256(bytes.concat(hex"05", subject.programId, stateAt(subject, target, number)));
    }

    /// @notice Returns the witness of the step from a state.
    function witnessAt(Subject memory subject, Target memory target, uint256 number)
        internal
        pure
        returns (bytes memory witness)
    {
        witness = stateAt(subject, target, number);
        if (number >= 3) return witness;
        bytes32[] memory zeros = zeroRoots(LOG2_CODE);
        witness = bytes.concat(witness, CODE_LEAF);
        for (uint256 i = 5; i < LOG2_CODE; ++i) {
            witness = bytes.concat(witness, zeros[i]);
        }
        if (number != 0) return witness;
        (bytes32[] memory siblings, bytes32 leaf) = scratchPath(subject, target, false);
        witness = bytes.concat(witness, leaf);
        for (uint256 i = 0; i < siblings.length; ++i) {
            witness = bytes.concat(witness, siblings[i]);
        }
    }

    /// @notice Returns the root of parts and scratch after the end.
    function workRoot(Subject memory subject, Target memory target) internal pure returns (bytes32) {
        (bytes32[] memory siblings, bytes32 leaf) = scratchPath(subject, target, true);
        return path(leaf, scratchIndex(), LOG2_MEMORY - 2 - 5, siblings);
    }

    /// @notice Returns the leaf at the end of scratch, and its siblings up to the memory's root.
    function scratchPath(Subject memory subject, Target memory target, bool isStored)
        internal
        pure
        returns (bytes32[] memory siblings, bytes32 leaf)
    {
        uint256 m = LOG2_MEMORY;
        bytes32[] memory zeros = zeroRoots(m);
        siblings = new bytes32[](m - 5);
        for (uint256 i = 5; i < m - 3; ++i) {
            siblings[i - 5] = zeros[i];
        }
        siblings[m - 3 - 5] = zeros[m - 3];
        if (target.kind == TargetKind.Assembly) {
            siblings[m - 3 - 5] = widen(target.node, 5 + 5 * uint256(target.levels), m - 3);
        }
        bytes32 params = widen(subject.paramsRoot, LOG2_PARAMS, m - 4);
        siblings[m - 2 - 5] = node(node(CONSTANTS_ROOT, params), zeros[m - 3]);
        siblings[m - 1 - 5] = widen(subject.inputRoot, LOG2_INPUT, m - 1);
        // The last four bytes, little-endian.
        if (!isStored) return (siblings, 0);
        uint256 value = uint32(subject.unitIndex);
        value = (value & 0xff) << 24 | (value >> 8 & 0xff) << 16 | (value >> 16 & 0xff) << 8 | value >> 24;
        leaf = bytes32(value);
    }

    function scratchIndex() internal pure returns (uint256) {
        return ((3 << (LOG2_MEMORY - 2)) - 32) >> 5;
    }

    /// @notice Folds a node with siblings, or with zeros where none are given.
    function path(bytes32 node_, uint256 index, uint256 levels, bytes32[] memory siblings)
        internal
        pure
        returns (bytes32)
    {
        bytes32[] memory zeros = zeroRoots(levels + 5);
        for (uint256 i = 0; i < levels; ++i) {
            bytes32 sibling = siblings.length == 0 ? zeros[i + 5] : siblings[i];
            node_ = index >> i & 1 == 1 ? node(sibling, node_) : node(node_, sibling);
        }
        return node_;
    }

    function widen(bytes32 node_, uint256 from, uint256 to) internal pure returns (bytes32) {
        bytes32[] memory zeros = zeroRoots(to);
        for (uint256 i = from; i < to; ++i) {
            node_ = node(node_, zeros[i]);
        }
        return node_;
    }

    /// @notice Returns the roots of regions of zeros, by log2 of their bytes.
    function zeroRoots(uint256 log2Bytes) internal pure returns (bytes32[] memory zeros) {
        zeros = new bytes32[](log2Bytes + 1);
        for (uint256 i = 6; i <= log2Bytes; ++i) {
            zeros[i] = node(zeros[i - 1], zeros[i - 1]);
        }
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(bytes.concat(left, right));
    }

    /// @notice Lets a test call a library function of calldata arguments.
    function firstState(Subject calldata subject, Target calldata target) internal pure returns (bytes32) {
        return Execution.firstState(subject, target, image());
    }
}
