// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IDemands} from "./interfaces/IDemands.sol";
import {IIFX} from "./interfaces/IIFX.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IProgramRegistry} from "./interfaces/IProgramRegistry.sol";
import {IWorkClaims} from "./interfaces/IWorkClaims.sol";
import {Line} from "./libraries/Claims.sol";
import {Evidence, LeafEvidence, LineRef, TaskEvidence, UnitEvidence} from "./libraries/Evidence.sol";
import {Interval} from "./libraries/Interval.sol";
import {OutputTree} from "./libraries/OutputTree.sol";
import {Parameters} from "./libraries/ParameterSet.sol";
import {Sibling, SumTop, SumTree} from "./libraries/SumTree.sol";
import {Job, Receipt, Signature, TypedData, WorkOrder} from "./libraries/TypedData.sol";

/// @title Demands
/// @notice Asks on chain that something hidden be shown; what stays hidden counts as a lost dispute.
/// @dev Holds exactly the fees of open demands. What a server shows must be of an honest tree: who built a tree that
/// lies can't show what is below the lie, and loses either way.
contract Demands is IDemands {
    using SafeERC20 for IIFX;
    using Evidence for LineRef;
    using Evidence for Line;
    using Evidence for Interval;
    using Evidence for WorkOrder;

    /* CONSTANTS */

    /// @dev Levels of a descent: 32 nodes.
    uint256 private constant DESCENT_LEVELS = 5;

    /// @notice The token that fees are paid in.
    IIFX public immutable TOKEN;

    /// @notice The contract that keeps the claims.
    IWorkClaims public immutable WORK_CLAIMS;

    /// @notice Where operators are known.
    INodeRegistry public immutable REGISTRY;

    /// @notice Where the size of a program's output is known.
    IProgramRegistry public immutable PROGRAMS;

    /* STORAGE */

    /// @dev Two slots; the second is written only for demands that a manager must serve.
    struct Entry {
        address demander;
        uint40 deadlineAt;
        DemandStatus status;
        uint96 managerLockWei;
    }

    mapping(bytes32 demandId => Entry) private _entries;

    /// @dev Lines for which the manager paid a lost demand.
    mapping(bytes32 claimId => mapping(uint256 lineIndex => bool)) private _isPenalized;

    /// @param token The token that fees are paid in.
    /// @param workClaims The contract that keeps the claims.
    /// @param registry Where operators are known.
    /// @param programs Where the size of a program's output is known.
    constructor(IIFX token, IWorkClaims workClaims, INodeRegistry registry, IProgramRegistry programs) {
        TOKEN = token;
        WORK_CLAIMS = workClaims;
        REGISTRY = registry;
        PROGRAMS = programs;
    }

    /* DEMANDERS */

    /// @inheritdoc IDemands
    function open(LineRef calldata target, Demand calldata demand) external returns (bytes32 demandId) {
        demandId = demandIdOf(demand);
        Entry storage entry = _entries[demandId];
        // INVARIANT: a place is asked for once, so that nobody can be made to show it for ever.
        require(entry.status == DemandStatus.None, DemandKnown(demandId, entry.status));
        Line calldata line = _lineOf(target, demand);
        _requirePlace(line, demand);
        if (demand.kind == DemandKind.Output) _requireParty(line);

        Parameters memory parameters = WORK_CLAIMS.parametersAt(target.header.paramsVersion);
        uint64 endAt = target.header.deadlineAt + parameters.window;
        // INVARIANT: demands can delay a claim by one more window, and not for ever.
        require(block.timestamp < endAt, DemandsOver(uint64(block.timestamp), endAt));
        uint64 deadlineAt = uint64(block.timestamp) + parameters.demandWindow;
        bool isManagers = demand.kind == DemandKind.Job;
        entry.demander = msg.sender;
        entry.deadlineAt = uint40(deadlineAt);
        entry.status = isManagers ? DemandStatus.OpenToManager : DemandStatus.OpenToWorker;

        emit DemandOpened(demandId, demand.claimId, msg.sender, demand, deadlineAt);

        WORK_CLAIMS.hold(target.header);
        if (isManagers) entry.managerLockWei = uint96(WORK_CLAIMS.lockManager(line.manager, line.amountWei));
        TOKEN.safeTransferFrom(msg.sender, address(this), parameters.demandFeeWei);
    }

    /* SERVERS */

    /// @inheritdoc IDemands
    function serveInterval(LineRef calldata target, Demand calldata demand, LeafEvidence calldata leaf, address payee)
        external
    {
        Line calldata line = _openLine(target, demand, DemandKind.Interval);
        _requireAt(leaf.index, demand.leafIndex);
        line.requireLeaf(leaf);

        _serve(target, demand, payee);
    }

    /// @inheritdoc IDemands
    function serveNodes(LineRef calldata target, Demand calldata demand, NodesEvidence calldata shown, address payee)
        external
    {
        Line calldata line = _openLine(target, demand, DemandKind.Nodes);
        _requireNodes(line.topHash, line.leafCount, demand, shown);

        _serve(target, demand, payee);
    }

    /// @inheritdoc IDemands
    function serveUnit(
        LineRef calldata target,
        Demand calldata demand,
        LeafEvidence calldata leaf,
        UnitEvidence calldata unit,
        address payee
    ) external {
        Line calldata line = _openLine(target, demand, DemandKind.Unit);
        _requireAt(leaf.index, demand.leafIndex);
        line.requireLeaf(leaf);
        if (demand.position < leaf.leaf.unitCount) {
            _requireAt(unit.position, demand.position);
            leaf.leaf.requireUnit(unit);
        }

        _serve(target, demand, payee);
    }

    /// @inheritdoc IDemands
    function serveUnitNodes(
        LineRef calldata target,
        Demand calldata demand,
        LeafEvidence calldata leaf,
        SumTop calldata units,
        NodesEvidence calldata shown,
        address payee
    ) external {
        Line calldata line = _openLine(target, demand, DemandKind.UnitNodes);
        _requireAt(leaf.index, demand.leafIndex);
        line.requireLeaf(leaf);
        leaf.leaf.requireUnits(units);
        if (_isNode(units.leafCount, demand.level, demand.position)) {
            _requireNodes(units.hash, units.leafCount, demand, shown);
        }

        _serve(target, demand, payee);
    }

    /// @inheritdoc IDemands
    function serveTask(
        LineRef calldata target,
        Demand calldata demand,
        WorkOrder calldata order,
        TaskEvidence calldata listed,
        address payee
    ) external {
        Line calldata line = _openLine(target, demand, DemandKind.Task);
        _requireListed(line, demand, order, listed);

        _serve(target, demand, payee);
    }

    /// @inheritdoc IDemands
    function serveJob(
        LineRef calldata target,
        Demand calldata demand,
        WorkOrder calldata order,
        TaskEvidence calldata listed,
        Job calldata job,
        Signature calldata signature,
        address payee
    ) external {
        Line calldata line = _openLine(target, demand, DemandKind.Job);
        _requireListed(line, demand, order, listed);
        bytes32 jobId = TypedData.hashJob(job);
        require(jobId == listed.task.jobId, WrongPreimage(jobId, listed.task.jobId));
        // INVARIANT: a builder's money is spent only on a job that the builder signed.
        address signer = TypedData.signerOf(WORK_CLAIMS.domainSeparator(), jobId, signature);
        require(signer == line.builder, WrongSigner(signer, line.builder));

        _serve(target, demand, payee);
    }

    /// @inheritdoc IDemands
    function serveOutput(
        LineRef calldata target,
        Demand calldata demand,
        LeafEvidence calldata leaf,
        UnitEvidence calldata unit,
        Job calldata job,
        ChunkEvidence calldata chunk,
        address payee
    ) external {
        Line calldata line = _openLine(target, demand, DemandKind.Output);
        _requireAt(leaf.index, demand.leafIndex);
        line.requireLeaf(leaf);
        if (demand.position < leaf.leaf.unitCount) {
            _requireAt(unit.position, demand.position);
            leaf.leaf.requireUnit(unit);
            _requireChunk(leaf.leaf.jobId, demand.chunkIndex, unit.unit.outputRoot, job, chunk);
        }

        _serve(target, demand, payee);
    }

    /// @inheritdoc IDemands
    function shiftToManager(
        LineRef calldata target,
        Demand calldata demand,
        LeafEvidence calldata leaf,
        Receipt calldata receipt,
        Signature calldata signature
    ) external {
        Line calldata line = _openLine(target, demand, DemandKind.Output);
        // Nothing below calls `WorkClaims` with the header: a forged one could name another manager.
        WORK_CLAIMS.requireOpen(target.header, target.lines, demand.lineIndex);
        bytes32 demandId = demandIdOf(demand);
        Entry storage entry = _entries[demandId];
        require(entry.status == DemandStatus.OpenToWorker, DemandNotOpen(demandId, entry.status));
        _requireAt(leaf.index, demand.leafIndex);
        line.requireLeaf(leaf);
        _requireReceipt(line.manager, target.worker(), leaf.leaf, receipt);
        address signer = TypedData.signerOf(WORK_CLAIMS.domainSeparator(), TypedData.hashReceipt(receipt), signature);
        uint64 untilAt = signer == address(0) ? 0 : REGISTRY.operatorUntil(line.manager, signer);
        require(untilAt != 0, WrongSigner(signer, line.manager));

        uint64 deadlineAt = _windowFromNow(target);
        entry.status = DemandStatus.OpenToManager;
        entry.deadlineAt = uint40(deadlineAt);

        emit DemandShifted(demandId, line.manager, deadlineAt);

        entry.managerLockWei = uint96(WORK_CLAIMS.lockManager(line.manager, line.amountWei));
    }

    /* ANYONE */

    /// @inheritdoc IDemands
    function expire(LineRef calldata target, Demand calldata demand) external {
        bytes32 demandId = demandIdOf(demand);
        Entry storage entry = _entries[demandId];
        DemandStatus status = entry.status;
        _requireStillOpen(demandId, status);
        require(block.timestamp > entry.deadlineAt, DemandNotExpired(uint64(block.timestamp), entry.deadlineAt));
        Line calldata line = _lineOf(target, demand);

        entry.status = DemandStatus.Lost;
        bool isManagers = status == DemandStatus.OpenToManager;

        emit DemandLost(demandId, demand.claimId, isManagers ? line.manager : target.worker());

        if (isManagers) _loseManager(target, demand, entry.managerLockWei);
        else WORK_CLAIMS.reject(target.header, target.lines, demand.lineIndex, entry.demander);
        TOKEN.safeTransfer(entry.demander, _feeWei(target));
    }

    /// @inheritdoc IDemands
    function close(LineRef calldata target, Demand calldata demand) external {
        bytes32 demandId = demandIdOf(demand);
        Entry storage entry = _entries[demandId];
        _requireStillOpen(demandId, entry.status);
        Line calldata line = _lineOf(target, demand);
        (IWorkClaims.ClaimStatus status,,) = WORK_CLAIMS.claimState(target.header);
        require(status == IWorkClaims.ClaimStatus.Rejected, ClaimStands(demand.claimId));

        entry.status = DemandStatus.Closed;

        emit DemandClosed(demandId, demand.claimId);

        if (entry.managerLockWei != 0) WORK_CLAIMS.unlockManager(line.manager, entry.managerLockWei);
        TOKEN.safeTransfer(entry.demander, _feeWei(target));
    }

    /* VIEWS */

    /// @inheritdoc IDemands
    function demandState(bytes32 demandId)
        external
        view
        returns (DemandStatus status, address demander, uint64 deadlineAt)
    {
        Entry storage entry = _entries[demandId];
        return (entry.status, entry.demander, entry.deadlineAt);
    }

    /// @inheritdoc IDemands
    function demandIdOf(Demand calldata demand) public pure returns (bytes32) {
        return keccak256(abi.encode(demand));
    }

    /* INTERNAL */

    /// @dev Ends a demand that was served: the claim goes on, with time to act on what was shown.
    function _serve(LineRef calldata target, Demand calldata demand, address payee) private {
        bytes32 demandId = demandIdOf(demand);
        Entry storage entry = _entries[demandId];
        uint256 feeWei = _feeWei(target);
        uint256 managerLockWei = entry.managerLockWei;

        entry.status = DemandStatus.Served;

        emit DemandServed(demandId, demand.claimId, payee);

        WORK_CLAIMS.release(target.header, _windowFromNow(target));
        if (managerLockWei != 0) {
            WORK_CLAIMS.unlockManager(target.lines[demand.lineIndex].manager, managerLockWei);
        }
        TOKEN.safeTransfer(payee, feeWei / 2);
        TOKEN.burn(feeWei - feeWei / 2);
    }

    /// @dev The worker is covered by its order: the manager repays the line, and the claim goes on.
    function _loseManager(LineRef calldata target, Demand calldata demand, uint256 managerLockWei) private {
        Line calldata line = target.lines[demand.lineIndex];
        WORK_CLAIMS.release(target.header, 0);
        (IWorkClaims.ClaimStatus status,,) = WORK_CLAIMS.claimState(target.header);
        bool isRejected = status == IWorkClaims.ClaimStatus.Rejected;
        if (managerLockWei != 0) WORK_CLAIMS.unlockManager(line.manager, managerLockWei);
        // INVARIANT: a manager repays a line once, and only one that was not repaid by a rejection.
        if (isRejected || _isPenalized[demand.claimId][demand.lineIndex]) return;

        _isPenalized[demand.claimId][demand.lineIndex] = true;
        WORK_CLAIMS.penalizeManager(demand.claimId, line.manager, line.builder, line.amountWei);
    }

    function _lineOf(LineRef calldata target, Demand calldata demand) private pure returns (Line calldata) {
        bytes32 claimId = target.claimId();
        require(claimId == demand.claimId, WrongClaim(claimId, demand.claimId));
        target.requireLines();
        return target.line(demand.lineIndex);
    }

    /// @dev That the header is the claim's is checked by every call to `WorkClaims` that follows.
    function _openLine(LineRef calldata target, Demand calldata demand, DemandKind kind)
        private
        view
        returns (Line calldata)
    {
        bytes32 demandId = demandIdOf(demand);
        Entry storage entry = _entries[demandId];
        _requireStillOpen(demandId, entry.status);
        require(demand.kind == kind, WrongKind(demand.kind, kind));
        require(block.timestamp <= entry.deadlineAt, DemandExpired(uint64(block.timestamp), entry.deadlineAt));
        return _lineOf(target, demand);
    }

    function _requireStillOpen(bytes32 demandId, DemandStatus status) private pure {
        require(
            status == DemandStatus.OpenToWorker || status == DemandStatus.OpenToManager, DemandNotOpen(demandId, status)
        );
    }

    /// @dev What is asked for must be there to be shown, as far as the line says.
    function _requirePlace(Line calldata line, Demand calldata demand) private pure {
        DemandKind kind = demand.kind;
        bool isOfOrder = kind == DemandKind.Task || kind == DemandKind.Job;
        bool isOfLeaf = !isOfOrder && kind != DemandKind.Nodes;
        bool hasLevel = kind == DemandKind.Nodes || kind == DemandKind.UnitNodes;
        bool isThere = isOfLeaf ? demand.leafIndex < line.leafCount : demand.leafIndex == 0;
        isThere = isThere && (hasLevel || demand.level == 0);
        isThere = isThere && (kind == DemandKind.Output || demand.chunkIndex == 0);
        isThere = isThere && (kind != DemandKind.Interval || demand.position == 0);
        if (isOfOrder) isThere = isThere && demand.position >= line.cursorFrom && demand.position < line.cursorTo;
        if (kind == DemandKind.Nodes) isThere = isThere && _isNode(line.leafCount, demand.level, demand.position);
        // INVARIANT: nobody can be made to lose by being asked for what there is not.
        require(isThere, NoSuchPlace());
    }

    function _requireParty(Line calldata line) private view {
        bool isParty = msg.sender == line.builder || REGISTRY.isOwnerOrOperator(line.manager, msg.sender);
        require(isParty, NotAllowed(msg.sender));
    }

    function _requireListed(
        Line calldata line,
        Demand calldata demand,
        WorkOrder calldata order,
        TaskEvidence calldata listed
    ) private pure {
        line.requireOrder(order);
        _requireAt(listed.index, demand.position);
        order.requireListed(listed);
    }

    /// @dev The nodes must be all that there are below, and fold into the node that was asked for, which must hang at
    /// its place under the top.
    function _requireNodes(bytes32 top, uint256 leafCount, Demand calldata demand, NodesEvidence calldata shown)
        private
        pure
    {
        uint256 levels = demand.level < DESCENT_LEVELS ? demand.level : DESCENT_LEVELS;
        uint256 count = SumTree.width(leafCount, demand.level - levels);
        uint256 first = uint256(demand.position) << levels;
        uint256 end = first + (1 << levels);
        _requireAt(shown.nodes.length, (end < count ? end : count) - first);

        Sibling[] memory nodes = shown.nodes;
        (bytes32 hash, uint256 sum) = SumTree.fold(nodes, first, count, levels);
        SumTree.requireNode(top, leafCount, demand.level, demand.position, hash, sum, shown.siblings);
    }

    function _requireChunk(
        bytes32 jobId,
        uint256 chunkIndex,
        bytes32 outputRoot,
        Job calldata job,
        ChunkEvidence calldata chunk
    ) private view {
        bytes32 computed = TypedData.hashJob(job);
        require(computed == jobId, WrongPreimage(computed, jobId));
        uint256 depth = PROGRAMS.program(job.programId).outputDepth;
        // An unknown program has no output; its leaves are void.
        if (depth == 0 || chunkIndex >= 1 << (depth - OutputTree.CHUNK_LEVELS)) return;

        bytes32 root = OutputTree.rootOf(chunk.data, chunkIndex, depth, chunk.siblings);
        require(root == outputRoot, WrongPreimage(root, outputRoot));
    }

    function _requireReceipt(address manager, address worker, Interval calldata leaf, Receipt calldata receipt)
        private
        pure
    {
        Receipt memory needed = Receipt({
            manager: manager,
            worker: worker,
            jobId: leaf.jobId,
            taskId: leaf.taskId,
            firstUnit: leaf.firstUnit,
            unitCount: leaf.unitCount,
            unitsRoot: leaf.unitsRoot
        });
        (bytes32 given, bytes32 wanted) = (TypedData.hashReceipt(receipt), TypedData.hashReceipt(needed));
        require(given == wanted, WrongPreimage(given, wanted));
    }

    function _requireAt(uint256 shown, uint256 needed) private pure {
        require(shown == needed, WrongPlace(shown, needed));
    }

    /// @dev Levels end with the top: the one above it has one node too.
    function _isNode(uint256 leafCount, uint256 level, uint256 position) private pure returns (bool) {
        if (leafCount == 0 || position >= SumTree.width(leafCount, level)) return false;
        return level == 0 || SumTree.width(leafCount, level - 1) > 1;
    }

    function _feeWei(LineRef calldata target) private view returns (uint256) {
        return WORK_CLAIMS.parametersAt(target.header.paramsVersion).demandFeeWei;
    }

    function _windowFromNow(LineRef calldata target) private view returns (uint64) {
        return uint64(block.timestamp) + WORK_CLAIMS.parametersAt(target.header.paramsVersion).demandWindow;
    }
}
