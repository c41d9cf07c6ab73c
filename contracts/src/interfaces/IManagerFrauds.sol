// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {LeafEvidence, LineRef, TaskEvidence} from "../libraries/Evidence.sol";
import {Task} from "../libraries/Interval.sol";
import {Job, Signature, WorkOrder} from "../libraries/TypedData.sol";

/// @title IManagerFrauds
/// @notice What a manager signed against a builder; it repays the builder, the worker stays paid.
/// @dev Every function reverts with `NotFraud`, `AlreadyPenalized`, `LineUnknown`, `WrongOrder`, the tree's errors of `IFraudProofs`,
/// and what `IWorkClaims.requireOpen` reverts with.
interface IManagerFrauds {
    /// @notice A predicate held. `predicate` is the selector of the function that proved it.
    event ManagerFraudProven(bytes32 indexed claimId, address indexed manager, bytes4 predicate, uint256 lineIndex);

    /// @notice The evidence is sound and shows no fraud.
    error NotFraud();
    /// @notice The manager was penalized for this before.
    error AlreadyPenalized(bytes32 claimId, uint256 lineIndex);
    /// @notice The claim has no such line.
    error LineUnknown(uint256 lineIndex, uint256 lineCount);
    /// @notice The order is not the line's, or not one of the line's manager.
    error WrongOrder(bytes32 orderHash, bytes32 needed);
    /// @notice The other order is not signed by the manager's operator.
    error WrongSigner(address signer, address needed);
    /// @notice The preimage is not what was committed to.
    error WrongPreimage(bytes32 computed, bytes32 needed);

    /// @notice A task that the line consumes contradicts the job that its `jobId` hashes.
    /// @param order The line's order.
    /// @param listed The task in the order's list, within the line's cursor range.
    function proveTaskContradictsJob(
        LineRef calldata target,
        WorkOrder calldata order,
        TaskEvidence calldata listed,
        Job calldata job
    ) external;

    /// @notice Units of the leaf are leased twice, by leases that overlapped.
    /// @dev Shown by a claim that was posted before the other lease ended, which is the one that ends first.
    /// @param leaf A leaf of the line that was claimed.
    /// @param leafTask The preimage of the leaf's `taskId`.
    /// @param otherOrder Another order of the manager, or the line's own.
    /// @param signature The operator's, under the other order.
    /// @param other A task of the other order that shares a unit with the leaf.
    function proveDoubleLease(
        LineRef calldata target,
        LeafEvidence calldata leaf,
        Task calldata leafTask,
        WorkOrder calldata otherOrder,
        Signature calldata signature,
        TaskEvidence calldata other
    ) external;
}
