// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Image} from "./Image.sol";

/// @notice What a game is about, fixed when it opens.
/// @dev A unit that a claim's line commits to, and what it says that the unit put out. `salt` is of a block that was
/// unknown before.
struct Subject {
    bytes32 claimId;
    uint32 lineIndex;
    uint64 leafIndex;
    uint96 ibmMicro;
    uint96 bondWei;
    bytes32 salt;
    bytes32 programId;
    bytes32 inputRoot;
    bytes32 paramsRoot;
    uint64 unitIndex;
    uint64 maxCost;
    bytes32 outputRoot;
    uint64 cost;
    uint8 status;
}

/// @notice Which execution a game came down to.
enum TargetKind {
    /// A sub-unit, whose output the worker's tree of parts has at `index`.
    Part,
    /// A sub-unit behind the worker's tree of parts: its output is said to be zero.
    Beyond,
    /// The unit's assembly from the tree of parts with root `node`, `levels` levels of 32 high.
    Assembly
}

/// @notice An execution and what the worker says that it puts out.
struct Target {
    TargetKind kind;
    uint64 index;
    uint8 levels;
    bytes32 node;
}

/// @title Execution
/// @notice The first state of an execution, and what its last must be (PROTOCOL.md, Dispute VM).
library Execution {
    /// @notice The worker's tree of parts is larger than the program's region.
    error PartsTooLarge(uint256 log2Bytes, uint256 maxLog2Bytes);

    uint8 private constant STATE_TAG = 0x05;
    uint256 private constant LOG2_LEAF = 5;

    /// @dev log2 of the parts below a node of one level.
    uint256 private constant LOG2_ARITY = 5;

    uint256 private constant REGISTERS = 31;
    /// @dev Places of x2, x10, x11, x12 and their followers among the registers, which begin with x1.
    uint256 private constant SP = 1;
    uint256 private constant A0 = 9;

    /// @notice Returns the hash of an execution's first state.
    function firstState(Subject calldata subject, Target calldata target, Image memory image)
        internal
        pure
        returns (bytes32)
    {
        uint256 m = image.log2Memory;
        bytes32 eighth = zero(m - 3);
        bytes32 work = _node(_partsRoot(target, image), eighth);
        bytes32 memoryRoot = _node(_inputRoot(subject, image), _node(work, _node(_givenRoot(subject, image), eighth)));
        uint64 index = target.kind == TargetKind.Assembly ? type(uint64).max : target.index;

        uint32[REGISTERS] memory registers;
        // The memory is at most 2^31 bytes.
        registers[SP] = uint32(3 << (m - 2));
        (registers[A0], registers[A0 + 1]) = _halves(subject.unitIndex);
        (registers[A0 + 2], registers[A0 + 3]) = _halves(index);
        (registers[A0 + 4], registers[A0 + 5]) = _halves(subject.maxCost);
        return keccak256(
            bytes.concat(
                abi.encodePacked(STATE_TAG, subject.programId, memoryRoot, uint64(0), image.entry, uint8(0)),
                _packed(registers)
            )
        );
    }

    /// @notice Returns what an execution is said to put out, and log2 of its bytes.
    /// @param log2UnitOutput log2 of the bytes of a unit's output.
    function outputOf(Subject calldata subject, Target calldata target, Image memory image, uint256 log2UnitOutput)
        internal
        pure
        returns (bytes32 root, uint256 log2Bytes)
    {
        if (target.kind == TargetKind.Assembly) return (subject.outputRoot, log2UnitOutput);
        if (target.kind == TargetKind.Beyond) return (zero(image.log2Output), image.log2Output);
        return (target.node, image.log2Output);
    }

    /// @notice Returns the memory root of a last state with an output.
    /// @param output Root of the output, and log2 of its bytes.
    /// @param workRoot Root of the quarter that holds parts and scratch.
    function lastMemoryRoot(
        Subject calldata subject,
        Image memory image,
        bytes32 output,
        uint256 log2Output,
        bytes32 workRoot
    ) internal pure returns (bytes32) {
        bytes32 given = _node(_givenRoot(subject, image), widen(output, log2Output, image.log2Memory - 3));
        return _node(_inputRoot(subject, image), _node(workRoot, given));
    }

    /// @notice Returns the root of a region of zeros.
    function zero(uint256 log2Bytes) internal pure returns (bytes32 node) {
        for (uint256 level = LOG2_LEAF; level < log2Bytes; ++level) {
            node = _node(node, node);
        }
    }

    /// @notice Returns the root of a region of which a smaller one is the beginning, and the rest zero.
    function widen(bytes32 node, uint256 from, uint256 to) internal pure returns (bytes32) {
        bytes32 sibling = zero(from);
        for (uint256 level = from; level < to; ++level) {
            node = _node(node, sibling);
            sibling = _node(sibling, sibling);
        }
        return node;
    }

    function _partsRoot(Target calldata target, Image memory image) private pure returns (bytes32) {
        uint256 max = uint256(image.log2Memory) - 3;
        if (target.kind != TargetKind.Assembly) return zero(max);
        uint256 log2Bytes = image.log2Output + LOG2_ARITY * target.levels;
        require(log2Bytes <= max, PartsTooLarge(log2Bytes, max));
        return widen(target.node, log2Bytes, max);
    }

    function _inputRoot(Subject calldata subject, Image memory image) private pure returns (bytes32) {
        return widen(subject.inputRoot, image.log2Input, image.log2Memory - 1);
    }

    function _givenRoot(Subject calldata subject, Image memory image) private pure returns (bytes32) {
        return _node(image.constantsRoot, widen(subject.paramsRoot, image.log2Params, image.log2Memory - 4));
    }

    function _halves(uint64 value) private pure returns (uint32 low, uint32 high) {
        return (uint32(value), uint32(value >> 32));
    }

    function _packed(uint32[REGISTERS] memory registers) private pure returns (bytes memory packed) {
        for (uint256 i = 0; i < REGISTERS; ++i) {
            packed = bytes.concat(packed, bytes4(registers[i]));
        }
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(0x20, right)
            hash := keccak256(0, 0x40)
        }
    }
}
