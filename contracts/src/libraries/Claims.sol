// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice What a claim says once, whatever its lines. Only its truncated hash is stored.
/// @dev `startMs` and `endMs` in milliseconds since 1970; `postedAt` and `deadlineAt` in seconds since 1970, as
/// they were when the claim was posted: an extension is kept by the contract, not here.
struct ClaimHeader {
    bytes32 deviceId;
    uint32 seq;
    uint32 paramsVersion;
    uint64 ibMicro;
    uint64 startMs;
    uint64 endMs;
    uint64 postedAt;
    uint64 deadlineAt;
    bytes32 blobHash;
    bytes32 linesHash;
}

/// @notice A claim's part for one order: the top of its tree of intervals, and its money in wei.
struct Line {
    address builder;
    address manager;
    bytes32 orderHash;
    uint32 cursorFrom;
    uint32 cursorTo;
    bytes32 topHash;
    uint64 leafCount;
    uint96 sumIbmMicro;
    uint96 amountWei;
    uint96 shortfallWei;
}

/// @title Claims
/// @notice Hashes of a claim's parts (PROTOCOL.md, Claims).
library Claims {
    /// @dev Bytes of an encoded header: the lines' offset stands behind it.
    uint256 private constant HEADER_BYTES = 320;

    /// @dev Bytes of an encoded line.
    uint256 private constant LINE_BYTES = 320;

    /// @dev Places of words in an encoded line, in the order of `Line`'s fields.
    uint256 internal constant LINE_BUILDER = 0;
    uint256 internal constant LINE_MANAGER = 1;
    uint256 internal constant LINE_ORDER_HASH = 2;
    uint256 internal constant LINE_CURSOR_FROM = 3;
    uint256 internal constant LINE_CURSOR_TO = 4;
    uint256 internal constant LINE_TOP_HASH = 5;
    uint256 internal constant LINE_LEAF_COUNT = 6;
    uint256 internal constant LINE_SUM_IBM_MICRO = 7;
    uint256 internal constant LINE_AMOUNT_WEI = 8;
    uint256 internal constant LINE_SHORTFALL_WEI = 9;

    /// @dev Places of words in an encoded header, in the order of `ClaimHeader`'s fields; `seal` writes the last.
    uint256 internal constant HEADER_DEVICE_ID = 0;
    uint256 internal constant HEADER_SEQ = 1;
    uint256 internal constant HEADER_PARAMS_VERSION = 2;
    uint256 internal constant HEADER_IB_MICRO = 3;
    uint256 internal constant HEADER_START_MS = 4;
    uint256 internal constant HEADER_END_MS = 5;
    uint256 internal constant HEADER_POSTED_AT = 6;
    uint256 internal constant HEADER_DEADLINE_AT = 7;
    uint256 internal constant HEADER_BLOB_HASH = 8;

    /// @notice Returns a device's id: its owner and its index.
    function deviceId(address owner, uint256 deviceIndex) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(owner)) << 96 | deviceIndex);
    }

    /// @notice Returns the account that a device is of.
    function ownerOf(bytes32 deviceId_) internal pure returns (address) {
        return address(bytes20(deviceId_));
    }

    /// @notice Returns which of its owner's devices a device is.
    function deviceIndexOf(bytes32 deviceId_) internal pure returns (uint96) {
        return uint96(uint256(deviceId_));
    }

    /// @notice Returns the id of a device's claim.
    function claimId(bytes32 deviceId_, uint32 seq) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(deviceId_, seq));
    }

    /// @notice Returns the hash that a claim's word keeps: that of the ABI-encoded header, truncated to 200 bits.
    /// @dev A worker that wants two headers with one hash must find a collision: 2^100 work.
    function hash200(ClaimHeader calldata header) internal pure returns (uint256 hash) {
        // GAS: budget of finalizing. A static struct lies in calldata as abi.encode would write it; a word with dirty
        // upper bits only makes a hash that is nobody's.
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, header, 320)
            hash := shr(56, keccak256(free, 320))
        }
    }

    /// @notice Returns the hash that a header keeps of its lines: that of the ABI-encoded array.
    function hashLines(Line[] calldata lines) internal pure returns (bytes32 hash) {
        // GAS: budget of finalizing; as for the header. Ten words a line, after the offset and the length.
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := mul(lines.length, 320)
            mstore(free, 0x20)
            mstore(add(free, 32), lines.length)
            calldatacopy(add(free, 64), lines.offset, size)
            hash := keccak256(free, add(size, 64))
        }
    }

    /// @notice Returns room for what abi.encode makes of a header and its lines: the event's data.
    function blank(uint256 lineCount) internal pure returns (bytes memory encoded) {
        encoded = new bytes(HEADER_BYTES + 64 + lineCount * LINE_BYTES);
        // The lines' offset from the start, and their number.
        uint256 header = headerOf(encoded);
        put(header, HEADER_BYTES / 32, HEADER_BYTES + 32);
        put(header, HEADER_BYTES / 32 + 1, lineCount);
    }

    /// @notice Returns where an encoded header lies.
    function headerOf(bytes memory encoded) internal pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := add(encoded, 32)
        }
    }

    /// @notice Returns where an encoded line lies.
    function lineOf(bytes memory encoded, uint256 lineIndex) internal pure returns (uint256) {
        // Memory is never that long.
        unchecked {
            return headerOf(encoded) + HEADER_BYTES + 64 + lineIndex * LINE_BYTES;
        }
    }

    /// @notice Writes a word of an encoded header or line.
    function put(uint256 pointer, uint256 place, uint256 value) internal pure {
        // GAS: budget of posting. Structs that are filled and then encoded cost 4k gas a claim. Pointers are of
        // `headerOf` and `lineOf`, and places the constants above, so this stays within what `blank` made room for.
        assembly ("memory-safe") {
            mstore(add(pointer, shl(5, place)), value)
        }
    }

    /// @notice Reads a word of an encoded header or line.
    function get(uint256 pointer, uint256 place) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(pointer, shl(5, place)))
        }
    }

    /// @notice Writes `linesHash` into an encoded header, and returns the header's hash.
    function seal(bytes memory encoded) internal pure returns (uint256 hash) {
        // GAS: budget of posting. The event, the lines' hash and the header's hash read one encoding; only the word
        // before the lines differs, which is their offset in the event and 32 where they are encoded alone.
        assembly ("memory-safe") {
            let header := add(encoded, 32)
            let lines := add(header, 320)
            let offset := mload(lines)
            mstore(lines, 0x20)
            mstore(add(header, 288), keccak256(lines, sub(mload(encoded), 320)))
            mstore(lines, offset)
            hash := shr(56, keccak256(header, 320))
        }
    }
}
