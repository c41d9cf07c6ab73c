// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {ICheckpoints} from "./interfaces/ICheckpoints.sol";
import {IWorkClaims} from "./interfaces/IWorkClaims.sol";
import {Parameters} from "./libraries/ParameterSet.sol";

/// @title Checkpoints
/// @notice Records block hashes with the time of their recording, for anyone's gas.
contract Checkpoints is ICheckpoints {
    /// @notice Whose parameters say how often, and how deep.
    IWorkClaims public immutable WORK_CLAIMS;

    /// @dev One slot: every call reads and writes it.
    struct Latest {
        uint32 index;
        uint64 recordedAt;
    }

    /// @dev One slot each: the upper 216 bits of the hash, and the time in seconds since 1970.
    struct Entry {
        bytes27 blockHash;
        uint40 recordedAt;
    }

    Latest private _latest;
    mapping(uint32 index => Entry) private _entries;

    /// @param workClaims The contract that holds the parameters.
    constructor(IWorkClaims workClaims) {
        WORK_CLAIMS = workClaims;
    }

    /// @inheritdoc ICheckpoints
    function checkpoint() external returns (uint32 index) {
        (, Parameters memory parameters) = WORK_CLAIMS.parameters();
        Latest memory last = _latest;
        // INVARIANT: checkpoints are at least a period apart, so that their indices bound time.
        uint64 neededAt = last.index == 0 ? 0 : last.recordedAt + parameters.checkpointPeriod;
        uint64 nowAt = uint64(block.timestamp);
        require(nowAt >= neededAt, CheckpointTooEarly(nowAt, neededAt));
        uint256 depth = parameters.checkpointDepthBlocks;
        require(block.number > depth, ChainTooShort(block.number, depth + 1));

        uint64 blockNumber = uint64(block.number - depth);
        bytes32 blockHash = blockhash(blockNumber);
        index = last.index + 1;
        _latest = Latest(index, nowAt);
        _entries[index] = Entry(bytes27(blockHash), uint40(nowAt));

        emit CheckpointRecorded(index, blockNumber, blockHash, nowAt);
    }

    /* VIEWS */

    /// @inheritdoc ICheckpoints
    function checkpointAt(uint32 index) external view returns (bytes27 blockHash, uint64 recordedAt) {
        Entry memory entry = _entries[index];
        return (entry.blockHash, entry.recordedAt);
    }

    /// @inheritdoc ICheckpoints
    function latest() external view returns (uint32 index, uint64 recordedAt) {
        return (_latest.index, _latest.recordedAt);
    }
}
