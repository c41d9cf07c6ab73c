// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {ChainEvidence, LeafEvidence, LineRef, TaskEvidence, UnitEvidence} from "../libraries/Evidence.sol";
import {Interval, Task, Unit} from "../libraries/Interval.sol";
import {Branch, SumTop} from "../libraries/SumTree.sol";
import {WorkOrder} from "../libraries/TypedData.sol";

/// @title IFraudProofs
/// @notice The lies that a claim can contain, each proven in one transaction (PROTOCOL.md, Fraud predicates).
/// @dev Every `prove…` rejects the claim and forfeits the line's lock. The prover must have committed
/// `keccak256(claimId ‖ prover ‖ salt)` in an earlier block. Every one reverts with `CommitmentUnknown`,
/// `CommitmentTooYoung`, `LineUnknown`, `NotFraud`, with the tree's errors for evidence that proves nothing, and
/// with what `IWorkClaims.reject` reverts with.
interface IFraudProofs {
    /// @notice A line, and who is to be paid for showing that it lies.
    struct Accusation {
        LineRef target;
        address prover;
        bytes32 salt;
    }

    /// @notice Someone will prove something.
    event Committed(bytes32 indexed commitment, uint64 blockNumber);
    /// @notice A predicate held. `predicate` is the selector of the function that proved it.
    event FraudProven(bytes32 indexed claimId, address indexed prover, bytes4 predicate, uint256 lineIndex);

    /// @notice The commitment stands already.
    error CommitmentKnown(bytes32 commitment);
    /// @notice Nobody committed to this claim, prover and salt.
    error CommitmentUnknown(bytes32 commitment);
    /// @notice The commitment must be of an earlier block.
    error CommitmentTooYoung(uint256 blockNumber, uint256 committedBlock);
    /// @notice The claim has no such line.
    error LineUnknown(uint256 lineIndex, uint256 lineCount);
    /// @notice The evidence is sound and shows no fraud.
    error NotFraud();
    /// @notice The preimage is not what the leaf commits to.
    error WrongPreimage(bytes32 computed, bytes32 needed);
    /// @notice The evidence names two leaves that are one.
    error SameLeaf(uint256 lineIndex, uint64 leafIndex);

    /// @notice A tree has at least one leaf.
    error TreeEmpty();
    /// @notice There is no node at this index of this level.
    error IndexOutOfTree(uint256 index, uint256 width);
    /// @notice A proof has exactly one sibling for each level on which the node is not carried.
    error WrongSiblingCount(uint256 given, uint256 needed);
    /// @notice A computed hash is not the committed one.
    error WrongHash(bytes32 computed, bytes32 needed);
    /// @notice A sum on the path leaves 128 bits.
    error SumOverflow(uint256 sum);

    /// @notice Commits to a proof. Reverts with `CommitmentKnown`.
    function commit(bytes32 commitment) external;

    /// @notice NodeSum: the last node of the chain states another sum than its children's, or these overflow.
    function proveNodeSum(Accusation calldata accusation, Branch[] calldata chain, uint256 path) external;

    /// @notice LeafSum: the sum that the tree states for an interval is not its `ibmMicro`.
    function proveLeafSum(Accusation calldata accusation, Interval calldata leaf, ChainEvidence calldata chain) external;

    /// @notice UnitCost, at the root: its count is not `unitCount`, or its sum not `cost`.
    function proveUnitsRoot(Accusation calldata accusation, LeafEvidence calldata leaf, SumTop calldata units) external;

    /// @notice UnitCost, at a node: it states another sum than its children's, or these overflow.
    function proveUnitNodeSum(
        Accusation calldata accusation,
        LeafEvidence calldata leaf,
        SumTop calldata units,
        ChainEvidence calldata chain
    ) external;

    /// @notice UnitCost, at a unit: its cost is not the sum that the tree states for it.
    function proveUnitSum(
        Accusation calldata accusation,
        LeafEvidence calldata leaf,
        SumTop calldata units,
        Unit calldata unit,
        ChainEvidence calldata chain
    ) external;

    /// @notice LeafArithmetic: `ibmMicro`, the cost or the times of an interval contradict each other or its task.
    /// @param task The preimage of the leaf's `taskId`.
    function proveLeafArithmetic(Accusation calldata accusation, LeafEvidence calldata leaf, Task calldata task)
        external;

    /// @notice LeafArithmetic, at a unit: its cost is above the task's `maxCost`, or its status is none.
    function proveUnitAboveMaxCost(
        Accusation calldata accusation,
        LeafEvidence calldata leaf,
        Task calldata task,
        UnitEvidence calldata unit
    ) external;

    /// @notice TaskNotInOrder: the leaf's `taskIndex` is outside of the line's cursor range.
    function proveTaskOutsideCursor(Accusation calldata accusation, LeafEvidence calldata leaf) external;

    /// @notice TaskNotInOrder: the task that is listed at the leaf's `taskIndex` is another, or its job is.
    function proveTaskNotInOrder(
        Accusation calldata accusation,
        LeafEvidence calldata leaf,
        WorkOrder calldata order,
        TaskEvidence calldata listed
    ) external;

    /// @notice UnitsNotTask: the interval has no units, or some that are not the task's.
    /// @param task The preimage of the leaf's `taskId`.
    function proveUnitsNotTask(Accusation calldata accusation, LeafEvidence calldata leaf, Task calldata task) external;

    /// @notice UnitsNotTask, at a unit: the `k`-th unit of the interval is not `firstUnit + k`.
    function proveUnitMisplaced(Accusation calldata accusation, LeafEvidence calldata leaf, UnitEvidence calldata unit)
        external;

    /// @notice UnitsRepeated: two leaves of the claim have one task and share a unit.
    /// @param otherLineIndex The line of the second leaf.
    function proveUnitsRepeated(
        Accusation calldata accusation,
        LeafEvidence calldata leaf,
        uint256 otherLineIndex,
        LeafEvidence calldata other
    ) external;

    /// @notice ForeignDevice: the leaf is of another device than the claim.
    function proveForeignDevice(Accusation calldata accusation, LeafEvidence calldata leaf) external;

    /// @notice Returns the block of a commitment; zero if there is none.
    function committedBlock(bytes32 commitment) external view returns (uint256);
}
