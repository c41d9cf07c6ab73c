// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IFraudProofs} from "./interfaces/IFraudProofs.sol";
import {IWorkClaims} from "./interfaces/IWorkClaims.sol";
import {Line} from "./libraries/Claims.sol";
import {ChainEvidence, Evidence, LeafEvidence, LineRef, TaskEvidence, UnitEvidence} from "./libraries/Evidence.sol";
import {Interval, IntervalHash, Task, Unit} from "./libraries/Interval.sol";
import {Branch, SumTop, SumTree} from "./libraries/SumTree.sol";
import {WorkOrder} from "./libraries/TypedData.sol";

/// @title FraudProofs
/// @notice The lies that a claim can contain, each proven in one transaction.
/// @dev Holds no money, only commitments. That header and lines are the claim's, and that it can still be rejected,
/// is checked by `WorkClaims.reject`, which every proof ends in.
contract FraudProofs is IFraudProofs {
    using Evidence for LineRef;
    using Evidence for Line;
    using Evidence for Interval;
    using Evidence for WorkOrder;

    /* CONSTANTS */

    /// @dev Statuses of a unit: done and capped.
    uint8 private constant MAX_UNIT_STATUS = 1;

    /// @notice The contract that keeps the claims.
    IWorkClaims public immutable WORK_CLAIMS;

    /* STORAGE */

    /// @dev The block of a commitment; cleared by the proof that uses it.
    mapping(bytes32 commitment => uint256) private _committedBlock;

    /// @param workClaims The contract that keeps the claims.
    constructor(IWorkClaims workClaims) {
        WORK_CLAIMS = workClaims;
    }

    /* VERIFIERS */

    /// @inheritdoc IFraudProofs
    function commit(bytes32 commitment) external {
        require(_committedBlock[commitment] == 0, CommitmentKnown(commitment));

        _committedBlock[commitment] = block.number;

        emit Committed(commitment, uint64(block.number));
    }

    /// @inheritdoc IFraudProofs
    function proveNodeSum(Accusation calldata accusation, Branch[] calldata chain, uint256 path) external {
        Line calldata line = accusation.target.line();
        require(_isNodeSumWrong(line.topHash, line.sumIbmMicro, chain, path), NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveLeafSum(Accusation calldata accusation, Interval calldata leaf, ChainEvidence calldata chain)
        external
    {
        Line calldata line = accusation.target.line();
        (bytes32 hash, uint256 sum) = SumTree.descend(line.topHash, line.sumIbmMicro, chain.chain, chain.path);
        _requireHash(IntervalHash.hashInterval(leaf), hash);
        require(sum != leaf.ibmMicro, NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveUnitsRoot(Accusation calldata accusation, LeafEvidence calldata leaf, SumTop calldata units)
        external
    {
        accusation.target.line().requireLeaf(leaf);
        leaf.leaf.requireUnits(units);
        require(units.leafCount != leaf.leaf.unitCount || units.sum != leaf.leaf.cost, NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveUnitNodeSum(
        Accusation calldata accusation,
        LeafEvidence calldata leaf,
        SumTop calldata units,
        ChainEvidence calldata chain
    ) external {
        accusation.target.line().requireLeaf(leaf);
        leaf.leaf.requireUnits(units);
        require(_isNodeSumWrong(units.hash, units.sum, chain.chain, chain.path), NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveUnitSum(
        Accusation calldata accusation,
        LeafEvidence calldata leaf,
        SumTop calldata units,
        Unit calldata unit,
        ChainEvidence calldata chain
    ) external {
        accusation.target.line().requireLeaf(leaf);
        leaf.leaf.requireUnits(units);
        (bytes32 hash, uint256 sum) = SumTree.descend(units.hash, units.sum, chain.chain, chain.path);
        _requireHash(IntervalHash.hashUnit(unit), hash);
        require(sum != unit.cost, NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveLeafArithmetic(Accusation calldata accusation, LeafEvidence calldata leaf, Task calldata task)
        external
    {
        accusation.target.line().requireLeaf(leaf);
        leaf.leaf.requireTask(task);
        require(_isArithmeticWrong(leaf.leaf, task, accusation.target.header.ibMicro), NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveUnitAboveMaxCost(
        Accusation calldata accusation,
        LeafEvidence calldata leaf,
        Task calldata task,
        UnitEvidence calldata unit
    ) external {
        accusation.target.line().requireLeaf(leaf);
        leaf.leaf.requireTask(task);
        leaf.leaf.requireUnit(unit);
        require(unit.unit.cost > task.maxCost || unit.unit.status > MAX_UNIT_STATUS, NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveTaskOutsideCursor(Accusation calldata accusation, LeafEvidence calldata leaf) external {
        Line calldata line = accusation.target.line();
        line.requireLeaf(leaf);
        uint32 taskIndex = leaf.leaf.taskIndex;
        require(taskIndex < line.cursorFrom || taskIndex >= line.cursorTo, NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveTaskNotInOrder(
        Accusation calldata accusation,
        LeafEvidence calldata leaf,
        WorkOrder calldata order,
        TaskEvidence calldata listed
    ) external {
        Line calldata line = accusation.target.line();
        line.requireLeaf(leaf);
        line.requireOrder(order);
        order.requireListed(listed);
        // Evidence about another place of the list shows nothing about this leaf.
        require(listed.index == leaf.leaf.taskIndex, NotFraud());
        bool isListed = IntervalHash.hashTask(listed.task) == leaf.leaf.taskId && listed.task.jobId == leaf.leaf.jobId;
        require(!isListed, NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveUnitsNotTask(Accusation calldata accusation, LeafEvidence calldata leaf, Task calldata task)
        external
    {
        accusation.target.line().requireLeaf(leaf);
        leaf.leaf.requireTask(task);
        uint256 first = leaf.leaf.firstUnit;
        uint256 end = first + leaf.leaf.unitCount;
        require(first == end || first < task.firstUnit || end > uint256(task.firstUnit) + task.unitCount, NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveUnitMisplaced(Accusation calldata accusation, LeafEvidence calldata leaf, UnitEvidence calldata unit)
        external
    {
        accusation.target.line().requireLeaf(leaf);
        leaf.leaf.requireUnit(unit);
        require(unit.unit.unitIndex != uint256(leaf.leaf.firstUnit) + unit.position, NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveUnitsRepeated(
        Accusation calldata accusation,
        LeafEvidence calldata leaf,
        uint256 otherLineIndex,
        LeafEvidence calldata other
    ) external {
        uint256 lineIndex = accusation.target.lineIndex;
        require(lineIndex != otherLineIndex || leaf.index != other.index, SameLeaf(lineIndex, leaf.index));
        accusation.target.line().requireLeaf(leaf);
        accusation.target.line(otherLineIndex).requireLeaf(other);
        require(leaf.leaf.taskId == other.leaf.taskId && _shareUnit(leaf.leaf, other.leaf), NotFraud());

        _reject(accusation);
    }

    /// @inheritdoc IFraudProofs
    function proveForeignDevice(Accusation calldata accusation, LeafEvidence calldata leaf) external {
        accusation.target.line().requireLeaf(leaf);
        require(leaf.leaf.deviceId != accusation.target.header.deviceId, NotFraud());

        _reject(accusation);
    }

    /* VIEWS */

    /// @inheritdoc IFraudProofs
    function committedBlock(bytes32 commitment) external view returns (uint256) {
        return _committedBlock[commitment];
    }

    /* INTERNAL */

    /// @dev The end of every proof. The predicate's name in the event is the selector of the call.
    function _reject(Accusation calldata accusation) private {
        bytes32 claimId = accusation.target.claimId();
        bytes32 commitment = keccak256(abi.encodePacked(claimId, accusation.prover, accusation.salt));
        uint256 blockNumber = _committedBlock[commitment];
        require(blockNumber != 0, CommitmentUnknown(commitment));
        // INVARIANT: who copies a proof from the mempool has not committed before it was seen.
        require(blockNumber < block.number, CommitmentTooYoung(block.number, blockNumber));

        delete _committedBlock[commitment];

        emit FraudProven(claimId, accusation.prover, msg.sig, accusation.target.lineIndex);

        WORK_CLAIMS.reject(
            accusation.target.header, accusation.target.lines, accusation.target.lineIndex, accusation.prover
        );
    }

    /// @dev Follows the chain to its last node and compares what is stated there with the children's sums.
    function _isNodeSumWrong(bytes32 hash, uint256 sum, Branch[] calldata chain, uint256 path)
        private
        pure
        returns (bool)
    {
        uint256 last = chain.length;
        require(last != 0, NotFraud());
        (hash, sum) = SumTree.descend(hash, sum, chain[:last - 1], path);
        SumTree.step(hash, chain[last - 1], false);
        uint256 childrenSum = uint256(chain[last - 1].leftSum) + chain[last - 1].rightSum;
        // An overflow needs no case of its own: a stated sum has 128 bits, so it differs.
        return childrenSum != sum;
    }

    function _isArithmeticWrong(Interval calldata leaf, Task calldata task, uint64 ibMicro)
        private
        pure
        returns (bool)
    {
        if (leaf.endMs < leaf.startMs) return true;
        if (leaf.activeMs > leaf.endMs - leaf.startMs) return true;
        if (leaf.cost > uint256(leaf.unitCount) * task.maxCost) return true;
        return leaf.ibmMicro != IntervalHash.payableMicro(leaf, task.referenceRate, ibMicro);
    }

    function _shareUnit(Interval calldata a, Interval calldata b) private pure returns (bool) {
        return a.firstUnit < uint256(b.firstUnit) + b.unitCount && b.firstUnit < uint256(a.firstUnit) + a.unitCount;
    }

    function _requireHash(bytes32 computed, bytes32 needed) private pure {
        require(computed == needed, WrongPreimage(computed, needed));
    }
}
