// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice A program as the dispute VM runs it: what its id is the hash of.
/// @dev Sizes are log2 of bytes: of code, memory, input, parameters and a sub-unit's output.
struct Image {
    bytes32 codeRoot;
    bytes32 constantsRoot;
    uint32 entry;
    uint64 maxSteps;
    uint8 log2Code;
    uint8 log2Memory;
    uint8 log2Input;
    uint8 log2Params;
    uint8 log2Output;
}

/// @title Images
/// @notice The id and the bounds of a program's image (PROTOCOL.md, Data). The twin of `prover/src/vm/image.rs`.
library Images {
    /// @notice A size or place of an image is outside of its bounds. `name` is the field's, in ASCII.
    error WrongImage(bytes32 name, uint256 value, uint256 min, uint256 max);

    /// @dev What the preimage of an id begins with.
    uint8 private constant TAG = 0x06;

    /// @dev log2 of the bytes of a leaf.
    uint256 private constant LOG2_LEAF = 5;

    /// @dev A dispute has six rounds of 32 segments.
    uint256 private constant MAX_STEPS = 1 << 30;

    /// @notice Names a program.
    function programId(Image memory image) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                TAG,
                image.codeRoot,
                image.constantsRoot,
                image.entry,
                image.maxSteps,
                image.log2Code,
                image.log2Memory,
                image.log2Input,
                image.log2Params,
                image.log2Output
            )
        );
    }

    /// @notice Checks that every region has a place, and that execution can begin.
    function requireSound(Image memory image) internal pure {
        _requireWithin("log2Memory", image.log2Memory, 16, 31);
        _requireWithin("log2Code", image.log2Code, LOG2_LEAF, 24);
        _requireWithin("log2Input", image.log2Input, LOG2_LEAF, image.log2Memory - 1);
        _requireWithin("log2Params", image.log2Params, LOG2_LEAF, image.log2Memory - 4);
        _requireWithin("log2Output", image.log2Output, LOG2_LEAF, image.log2Memory - 3);
        _requireWithin("entry", image.entry, 0, (1 << image.log2Code) - 4);
        _requireWithin("entry", image.entry & 3, 0, 0);
        _requireWithin("maxSteps", image.maxSteps, 1, MAX_STEPS);
    }

    function _requireWithin(bytes32 name, uint256 value, uint256 min, uint256 max) private pure {
        require(value >= min && value <= max, WrongImage(name, value, min, max));
    }
}
