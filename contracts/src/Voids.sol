// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {ICheckpoints} from "./interfaces/ICheckpoints.sol";
import {IProgramRegistry} from "./interfaces/IProgramRegistry.sol";
import {IVoids} from "./interfaces/IVoids.sol";
import {IWorkClaims} from "./interfaces/IWorkClaims.sol";
import {Line} from "./libraries/Claims.sol";
import {Evidence, LeafEvidence, LineRef} from "./libraries/Evidence.sol";
import {Interval, Task} from "./libraries/Interval.sol";
import {Job, TypedData} from "./libraries/TypedData.sol";

/// @title Voids
/// @notice Errors of clocks and circumstances: clocks drift and chains reorganize, so nobody is slashed for them.
/// @dev Stateless. That header and lines are the claim's is checked by `WorkClaims.voidLeaf`, which every void ends in.
contract Voids is IVoids {
    using Evidence for LineRef;
    using Evidence for Line;
    using Evidence for Interval;

    /// @dev Milliseconds in a second.
    uint256 private constant MS = 1000;

    /// @notice The contract that keeps the claims.
    IWorkClaims public immutable WORK_CLAIMS;

    /// @notice Where the leaves' checkpoints are recorded.
    ICheckpoints public immutable CHECKPOINTS;

    /// @notice Where programs are suspended.
    IProgramRegistry public immutable PROGRAMS;

    /// @param workClaims The contract that keeps the claims.
    /// @param checkpoints Where the leaves' checkpoints are recorded.
    /// @param programs Where programs are suspended.
    constructor(IWorkClaims workClaims, ICheckpoints checkpoints, IProgramRegistry programs) {
        WORK_CLAIMS = workClaims;
        CHECKPOINTS = checkpoints;
        PROGRAMS = programs;
    }

    /// @inheritdoc IVoids
    function voidCheckpoint(LineRef calldata target, LeafEvidence calldata leaf) external {
        target.line().requireLeaf(leaf);
        (, uint64 recordedAt) = CHECKPOINTS.checkpointAt(leaf.leaf.checkpointIndex);
        uint256 drift = WORK_CLAIMS.parametersAt(target.header.paramsVersion).drift;
        bool isUnknown = recordedAt == 0;
        require(isUnknown || recordedAt * MS > leaf.leaf.startMs + drift * MS, NotVoid());

        _void(target, leaf, target.lineIndex);
    }

    /// @inheritdoc IVoids
    function voidOutsideSpan(LineRef calldata target, LeafEvidence calldata leaf) external {
        target.line().requireLeaf(leaf);
        require(leaf.leaf.startMs < target.header.startMs || leaf.leaf.endMs > target.header.endMs, NotVoid());

        _void(target, leaf, target.lineIndex);
    }

    /// @inheritdoc IVoids
    function voidOverlap(
        LineRef calldata target,
        LeafEvidence calldata leaf,
        uint256 otherLineIndex,
        LeafEvidence calldata other
    ) external {
        uint256 lineIndex = target.lineIndex;
        require(lineIndex != otherLineIndex || leaf.index != other.index, SameLeaf(lineIndex, leaf.index));
        target.line().requireLeaf(leaf);
        target.line(otherLineIndex).requireLeaf(other);
        (Interval calldata a, Interval calldata b) = (leaf.leaf, other.leaf);
        require(a.startMs < b.endMs && b.startMs < a.endMs, NotVoid());

        // Of two that start together, the later is the one that stands later in the claim.
        bool isFirstInClaim = lineIndex < otherLineIndex || (lineIndex == otherLineIndex && leaf.index < other.index);
        bool isOtherLater = b.startMs > a.startMs || (b.startMs == a.startMs && isFirstInClaim);
        if (isOtherLater) _void(target, other, otherLineIndex);
        else _void(target, leaf, lineIndex);
    }

    /// @inheritdoc IVoids
    function voidSuspended(LineRef calldata target, LeafEvidence calldata leaf, Task calldata task, Job calldata job)
        external
    {
        target.line().requireLeaf(leaf);
        leaf.leaf.requireTask(task);
        bytes32 jobId = TypedData.hashJob(job);
        require(jobId == task.jobId, WrongPreimage(jobId, task.jobId));
        require(!PROGRAMS.isLive(job.programId), NotVoid());

        _void(target, leaf, target.lineIndex);
    }

    function _void(LineRef calldata target, LeafEvidence calldata leaf, uint256 lineIndex) private {
        WORK_CLAIMS.voidLeaf(target.header, target.lines, lineIndex, leaf.index, leaf.leaf.ibmMicro);
    }
}
