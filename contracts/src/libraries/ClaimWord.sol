// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice What is stored of a claim, from the top: hash 200, seq 32, live 16, status 8. Out of the ring, the
/// claim's deadline in seconds since 1970 stands in the place of `seq`.
type ClaimWord is uint256;

/// @notice What is stored of a device, from the top: locked 96, postedAt 64, endMs 64, seq 32. `locked` is the locked
/// stake in wei of the whole account; it stands in the word of device 0 alone.
type DeviceWord is uint256;

using {
    ClaimWordFields.hash200,
    ClaimWordFields.seqOrDeadline,
    ClaimWordFields.live,
    ClaimWordFields.status
} for ClaimWord global;
using {
    DeviceWordFields.seq,
    DeviceWordFields.endMs,
    DeviceWordFields.postedAt,
    DeviceWordFields.lockedWei
} for DeviceWord global;

/// @title ClaimWordFields
/// @notice Packs and reads the word of a claim.
library ClaimWordFields {
    function pack(uint256 hash200_, uint256 seqOrDeadline_, uint256 live_, uint256 status_)
        internal
        pure
        returns (ClaimWord)
    {
        return ClaimWord.wrap(hash200_ << 56 | seqOrDeadline_ << 24 | live_ << 8 | status_);
    }

    function hash200(ClaimWord word) internal pure returns (uint256) {
        return ClaimWord.unwrap(word) >> 56;
    }

    function seqOrDeadline(ClaimWord word) internal pure returns (uint32) {
        return uint32(ClaimWord.unwrap(word) >> 24);
    }

    function live(ClaimWord word) internal pure returns (uint16) {
        return uint16(ClaimWord.unwrap(word) >> 8);
    }

    function status(ClaimWord word) internal pure returns (uint8) {
        return uint8(ClaimWord.unwrap(word));
    }
}

/// @title DeviceWordFields
/// @notice Packs and reads the word of a device.
library DeviceWordFields {
    function pack(uint256 lockedWei_, uint256 postedAt_, uint256 endMs_, uint256 seq_)
        internal
        pure
        returns (DeviceWord)
    {
        return DeviceWord.wrap(lockedWei_ << 160 | postedAt_ << 96 | endMs_ << 32 | seq_);
    }

    function withLocked(DeviceWord word, uint256 lockedWei_) internal pure returns (DeviceWord) {
        return DeviceWord.wrap(lockedWei_ << 160 | uint160(DeviceWord.unwrap(word)));
    }

    function lockedWei(DeviceWord word) internal pure returns (uint256) {
        return DeviceWord.unwrap(word) >> 160;
    }

    function seq(DeviceWord word) internal pure returns (uint32) {
        return uint32(DeviceWord.unwrap(word));
    }

    function endMs(DeviceWord word) internal pure returns (uint64) {
        return uint64(DeviceWord.unwrap(word) >> 32);
    }

    function postedAt(DeviceWord word) internal pure returns (uint64) {
        return uint64(DeviceWord.unwrap(word) >> 96);
    }
}
