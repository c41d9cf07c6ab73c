// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IManagerFrauds} from "./interfaces/IManagerFrauds.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IWorkClaims} from "./interfaces/IWorkClaims.sol";
import {ClaimHeader, Line} from "./libraries/Claims.sol";
import {Evidence, LeafEvidence, LineRef, TaskEvidence} from "./libraries/Evidence.sol";
import {Interval, Task} from "./libraries/Interval.sol";
import {Job, Signature, TypedData, WorkOrder} from "./libraries/TypedData.sol";

/// @title ManagerFrauds
/// @notice What a manager signed against a builder: it repays the builder, the worker is covered by its order.
contract ManagerFrauds is IManagerFrauds {
    using Evidence for LineRef;
    using Evidence for Line;
    using Evidence for Interval;
    using Evidence for WorkOrder;

    /// @notice The contract that keeps the claims.
    IWorkClaims public immutable WORK_CLAIMS;

    /// @notice Where a manager's operators are known.
    INodeRegistry public immutable REGISTRY;

    /// @dev What was paid for: a line, or (hashed with its index) a leaf of it.
    mapping(bytes32 key => bool) private _isPenalized;

    /// @param workClaims The contract that keeps the claims.
    /// @param registry Where a manager's operators are known.
    constructor(IWorkClaims workClaims, INodeRegistry registry) {
        WORK_CLAIMS = workClaims;
        REGISTRY = registry;
    }

    /// @inheritdoc IManagerFrauds
    function proveTaskContradictsJob(
        LineRef calldata target,
        WorkOrder calldata order,
        TaskEvidence calldata listed,
        Job calldata job
    ) external {
        WORK_CLAIMS.requireOpen(target.header, target.lines, target.lineIndex);
        Line calldata line = target.line();
        line.requireOrder(order);
        order.requireListed(listed);
        // What the line does not consume costs the builder nothing.
        require(listed.index >= line.cursorFrom && listed.index < line.cursorTo, NotFraud());
        bytes32 jobId = TypedData.hashJob(job);
        require(jobId == listed.task.jobId, WrongPreimage(jobId, listed.task.jobId));
        require(_isContradiction(listed.task, order, job), NotFraud());

        bytes32 key = keccak256(abi.encode(target.claimId(), target.lineIndex));
        _penalize(target, key, line.amountWei);
    }

    /// @inheritdoc IManagerFrauds
    function proveDoubleLease(
        LineRef calldata target,
        LeafEvidence calldata leaf,
        Task calldata leafTask,
        WorkOrder calldata otherOrder,
        Signature calldata signature,
        TaskEvidence calldata other
    ) external {
        WORK_CLAIMS.requireOpen(target.header, target.lines, target.lineIndex);
        Line calldata line = target.line();
        line.requireLeaf(leaf);
        leaf.leaf.requireTask(leafTask);
        _requireSigned(target.header, line, otherOrder, signature);
        otherOrder.requireListed(other);
        // A newer order repeats the list of the one before: the same place for the same device is the same lease.
        bool isSameLease = otherOrder.deviceId == target.header.deviceId && otherOrder.builder == line.builder
            && other.index == leaf.leaf.taskIndex;
        require(!isSameLease && _sharesUnit(leaf.leaf, other.task), NotFraud());
        // The leaf's lease is as old as the claim at least, and the other ends no earlier than it was posted.
        require(
            target.header.postedAt < other.task.leaseEndsAt && other.task.leaseEndsAt <= leafTask.leaseEndsAt,
            NotFraud()
        );

        // Not zero: a leaf that earns nothing costs nothing.
        uint256 amountWei = line.sumIbmMicro == 0 ? 0 : uint256(line.amountWei) * leaf.leaf.ibmMicro / line.sumIbmMicro;
        bytes32 key = keccak256(abi.encode(target.claimId(), target.lineIndex, leaf.index));
        _penalize(target, key, amountWei);
    }

    function _penalize(LineRef calldata target, bytes32 key, uint256 amountWei) private {
        bytes32 claimId = target.claimId();
        Line calldata line = target.line();
        // INVARIANT: a manager pays once for one thing.
        require(!_isPenalized[key], AlreadyPenalized(claimId, target.lineIndex));

        _isPenalized[key] = true;

        emit ManagerFraudProven(claimId, line.manager, msg.sig, target.lineIndex);

        WORK_CLAIMS.penalizeManager(claimId, line.manager, line.builder, amountWei);
    }

    /// @dev An operator counts for as long as it was one when the claim was posted: a manager can't disown an order
    /// by replacing its operator, and a stolen key is worth nothing against later claims.
    function _requireSigned(
        ClaimHeader calldata header,
        Line calldata line,
        WorkOrder calldata order,
        Signature calldata signature
    ) private view {
        require(order.manager == line.manager, WrongOrder(TypedData.hashWorkOrderCalldata(order), line.orderHash));
        bytes32 orderHash = TypedData.hashWorkOrderCalldata(order);
        if (orderHash == line.orderHash) return;
        address signer = TypedData.signerOf(WORK_CLAIMS.domainSeparator(), orderHash, signature);
        uint64 untilAt = signer == address(0) ? 0 : REGISTRY.operatorUntil(line.manager, signer);
        require(untilAt >= header.postedAt, WrongSigner(signer, line.manager));
    }

    function _isContradiction(Task calldata task, WorkOrder calldata order, Job calldata job)
        private
        pure
        returns (bool)
    {
        return job.builder != order.builder || job.manager != order.manager || task.referenceRate != job.referenceRate
            || task.maxCost != job.maxCost || uint256(task.firstUnit) + task.unitCount > job.unitCount
            || order.priceWei > job.priceCapWei || task.leaseEndsAt > job.deadlineAt;
    }

    function _sharesUnit(Interval calldata leaf, Task calldata task) private pure returns (bool) {
        return leaf.jobId == task.jobId && leaf.firstUnit < uint256(task.firstUnit) + task.unitCount
            && task.firstUnit < uint256(leaf.firstUnit) + leaf.unitCount;
    }
}
