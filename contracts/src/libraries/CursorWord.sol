// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice How far the orders of a manager for a device and a builder have been claimed, from the top: amount in wei
/// 96, work in micro-IBM 96, tasks 32; 32 unused.
type CursorWord is uint256;

using {CursorWordFields.taskCount, CursorWordFields.ibmMicro, CursorWordFields.amountWei} for CursorWord global;

/// @title CursorWordFields
/// @notice Packs and reads the word of a cursor.
library CursorWordFields {
    function pack(uint256 amountWei_, uint256 ibmMicro_, uint256 taskCount_) internal pure returns (CursorWord) {
        return CursorWord.wrap(amountWei_ << 160 | ibmMicro_ << 64 | taskCount_ << 32);
    }

    function amountWei(CursorWord word) internal pure returns (uint96) {
        return uint96(CursorWord.unwrap(word) >> 160);
    }

    function ibmMicro(CursorWord word) internal pure returns (uint96) {
        return uint96(CursorWord.unwrap(word) >> 64);
    }

    function taskCount(CursorWord word) internal pure returns (uint32) {
        return uint32(CursorWord.unwrap(word) >> 32);
    }
}
