// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {LeafEvidence, LineRef} from "../libraries/Evidence.sol";
import {Task} from "../libraries/Interval.sol";
import {Job} from "../libraries/TypedData.sol";

/// @title IVoids
/// @notice Errors of clocks and circumstances: the leaf is not paid, nobody is slashed (PROTOCOL.md, Fraud predicates).
/// @dev Every function reverts with `NotVoid`, `LineUnknown`, the tree's errors of `IFraudProofs`, and what `IWorkClaims.voidLeaf`
/// reverts with.
interface IVoids {
    /// @notice The evidence is sound, and the leaf stays.
    error NotVoid();
    /// @notice The claim has no such line.
    error LineUnknown(uint256 lineIndex, uint256 lineCount);
    /// @notice The preimage is not what the leaf commits to.
    error WrongPreimage(bytes32 computed, bytes32 needed);
    /// @notice The evidence names two leaves that are one.
    error SameLeaf(uint256 lineIndex, uint64 leafIndex);

    /// @notice The leaf's checkpoint is unknown, or was recorded later than the leaf's start, beyond the drift.
    function voidCheckpoint(LineRef calldata target, LeafEvidence calldata leaf) external;

    /// @notice The leaf lies outside of the claim's span.
    function voidOutsideSpan(LineRef calldata target, LeafEvidence calldata leaf) external;

    /// @notice Two leaves of the claim overlap in time; the later one is voided.
    function voidOverlap(
        LineRef calldata target,
        LeafEvidence calldata leaf,
        uint256 otherLineIndex,
        LeafEvidence calldata other
    ) external;

    /// @notice The leaf's program is suspended, or was never registered.
    /// @param task The preimage of the leaf's `taskId`.
    /// @param job The preimage of the task's `jobId`.
    function voidSuspended(LineRef calldata target, LeafEvidence calldata leaf, Task calldata task, Job calldata job)
        external;
}
