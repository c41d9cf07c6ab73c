// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @title ICheckpoints
/// @notice Block hashes with the time of their recording: work that cites one began after it.
interface ICheckpoints {
    /// @notice A checkpoint was recorded. Indices count from 1.
    event CheckpointRecorded(uint32 indexed index, uint64 blockNumber, bytes32 blockHash, uint64 recordedAt);

    /// @notice The last checkpoint is younger than the period.
    error CheckpointTooEarly(uint64 nowAt, uint64 neededAt);
    /// @notice The chain is not deep enough yet.
    error ChainTooShort(uint256 blockNumber, uint256 neededBlocks);

    /// @notice Records the hash of the block `checkpointDepthBlocks` back.
    /// @dev Reverts with `CheckpointTooEarly` and `ChainTooShort`.
    /// @return index The new checkpoint's index.
    function checkpoint() external returns (uint32 index);

    /// @notice Returns a checkpoint: the upper 216 bits of the block hash, and when it was recorded (zero: never).
    function checkpointAt(uint32 index) external view returns (bytes27 blockHash, uint64 recordedAt);

    /// @notice Returns the index of the last checkpoint, and when it was recorded; zero if there is none.
    function latest() external view returns (uint32 index, uint64 recordedAt);
}
