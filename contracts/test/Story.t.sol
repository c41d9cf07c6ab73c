// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IDemands} from "../src/interfaces/IDemands.sol";
import {IFraudProofs} from "../src/interfaces/IFraudProofs.sol";
import {IWorkClaims} from "../src/interfaces/IWorkClaims.sol";
import {ClaimHeader, Claims, Line} from "../src/libraries/Claims.sol";
import {ChainEvidence, LeafEvidence, LineRef, TaskEvidence, UnitEvidence} from "../src/libraries/Evidence.sol";
import {Interval, Task, Unit} from "../src/libraries/Interval.sol";
import {Branch} from "../src/libraries/SumTree.sol";
import {Job, TypedData, WorkOrder} from "../src/libraries/TypedData.sol";
import {Base} from "./Base.t.sol";
import {Tree, Trees} from "./Trees.sol";

/// @notice A line as a worker knows it: the job, the order's list, the intervals and their units.
/// @dev Fillers stand behind the real leaves and tasks and are known by their hashes only: they make trees large.
struct Story {
    Job job;
    WorkOrder order;
    Task[] tasks;
    Interval[] leaves;
    Unit[][] units;
    Tree leafTree;
    Tree taskTree;
    Tree[] unitTrees;
    uint32 cursorTo;
    uint256 leafFillers;
    uint256 taskFillers;
}

/// @title StoryBase
/// @notice Tells honest stories, spoils them, posts them as claims, and shows evidence from them.
abstract contract StoryBase is Base {
    using Trees for Tree;

    /// @dev Intervals of a task.
    uint256 internal constant LEAVES_A_TASK = 4;

    /// @dev A minute a leaf, in milliseconds, and a second between.
    uint64 internal constant LEAF_MS = 60_000;
    uint64 internal constant STEP_MS = 61_000;

    /// @dev 10^12: one work unit is one micro-IBM.
    uint64 internal constant RATE = 1e12;
    uint64 internal constant MAX_COST = 1e6;

    uint256 internal constant MAX_LEAVES = 12;
    uint256 internal constant MAX_UNITS = 5;
    uint128 internal constant NO_LIE = type(uint128).max;

    /* TELLING */

    /// @notice Tells a story of as many leaves, each of as many units, that a claim can be posted of right now.
    function _tell(uint256 seed, uint256 leafCount, uint256 unitCount) internal view returns (Story memory s) {
        s.job = Job({
            builder: BUILDER,
            manager: MANAGER,
            programId: PROGRAM,
            inputRoot: keccak256(abi.encode("input", seed)),
            paramsRoot: keccak256(abi.encode("params", seed)),
            unitCount: uint64(leafCount * unitCount),
            maxCost: MAX_COST,
            referenceRate: RATE,
            priceCapWei: PRICE_WEI,
            minIbMicro: 0,
            deadlineAt: _now() + 50 days,
            salt: uint64(seed)
        });
        _tellTasks(s, leafCount, unitCount);
        _tellLeaves(s, seed, leafCount, unitCount);
        _grow(s);
    }

    /// @notice Tells a story of two real leaves among so many that proofs are as long as in a large claim.
    function _tellSparse(uint256 seed, uint256 leafCount, uint256 unitCount) internal view returns (Story memory s) {
        s = _tell(seed, 2, unitCount);
        s.leafFillers = leafCount - 2;
        s.taskFillers = leafCount - 1;
        _growTasks(s);
        s.cursorTo = s.order.taskCount;
        _growLeaves(s);
    }

    function _tellTasks(Story memory s, uint256 leafCount, uint256 unitCount) private view {
        uint256 taskCount = (leafCount + LEAVES_A_TASK - 1) / LEAVES_A_TASK;
        bytes32 jobId = TypedData.hashJob(s.job);
        s.tasks = new Task[](taskCount);
        for (uint256 i = 0; i < taskCount; ++i) {
            uint256 leaves = leafCount - i * LEAVES_A_TASK;
            if (leaves > LEAVES_A_TASK) leaves = LEAVES_A_TASK;
            s.tasks[i] = Task({
                jobId: jobId,
                firstUnit: uint64(i * LEAVES_A_TASK * unitCount),
                unitCount: uint32(leaves * unitCount),
                maxCost: MAX_COST,
                referenceRate: RATE,
                leaseEndsAt: _now() + 30
            });
        }
        s.cursorTo = uint32(taskCount);
        s.order.manager = MANAGER;
        s.order.deviceId = Claims.deviceId(WORKER, 0);
        s.order.builder = BUILDER;
        s.order.capIbmMicro = 1e16;
        s.order.capWei = 1e24;
        s.order.priceWei = PRICE_WEI;
        s.order.leaseEndsAt = _now() + 30;
    }

    function _tellLeaves(Story memory s, uint256 seed, uint256 leafCount, uint256 unitCount) private view {
        s.leaves = new Interval[](leafCount);
        s.units = new Unit[][](leafCount);
        uint64 startMs = _now() * 1000 - uint64(leafCount) * STEP_MS;
        bytes32 jobId = TypedData.hashJob(s.job);
        for (uint256 i = 0; i < leafCount; ++i) {
            Interval memory leaf = s.leaves[i];
            uint64 firstUnit = uint64(i * unitCount);
            s.units[i] = _tellUnits(seed, firstUnit, unitCount);
            leaf.seq = uint32(i);
            leaf.jobId = jobId;
            leaf.deviceId = Claims.deviceId(WORKER, 0);
            leaf.taskIndex = uint32(i / LEAVES_A_TASK);
            leaf.checkpointIndex = 1;
            leaf.startMs = startMs + uint64(i) * STEP_MS;
            leaf.endMs = leaf.startMs + LEAF_MS;
            leaf.activeMs = uint32(LEAF_MS - _draw(seed, "idle", i, 1000));
            leaf.firstUnit = firstUnit;
            leaf.unitCount = uint32(unitCount);
            leaf.telemetryDigest = keccak256(abi.encode("telemetry", seed, i));
        }
    }

    function _tellUnits(uint256 seed, uint64 firstUnit, uint256 count) private pure returns (Unit[] memory units) {
        units = new Unit[](count);
        for (uint256 k = 0; k < count; ++k) {
            uint64 unitIndex = firstUnit + uint64(k);
            units[k].unitIndex = unitIndex;
            units[k].outputRoot = keccak256(abi.encode("output", seed, unitIndex));
            units[k].cost = uint64(600_000 / count + _draw(seed, "cost", unitIndex, 1000));
            if (units[k].cost > MAX_COST) units[k].cost = MAX_COST;
            units[k].cost = uint64(units[k].cost * (60 + _draw(seed, "share", unitIndex, 40)) / 100);
        }
    }

    /* GROWING */

    /// @notice Fills in whatever follows from units and tasks, and grows all trees.
    function _grow(Story memory s) internal pure {
        _growTasks(s);
        s.unitTrees = new Tree[](s.leaves.length);
        for (uint256 i = 0; i < s.leaves.length; ++i) {
            Interval memory leaf = s.leaves[i];
            leaf.taskId = _hash(s.tasks[leaf.taskIndex]);
            s.unitTrees[i] = _unitTree(s.units[i]);
            leaf.unitsRoot = s.unitTrees[i].root();
            leaf.cost = s.unitTrees[i].top().sum;
            leaf.ibmMicro = uint96(_payable(leaf));
        }
        _growLeaves(s);
    }

    function _growTasks(Story memory s) internal pure {
        (bytes32[] memory hashes, uint256[] memory sums) = _fill(s.tasks.length, s.taskFillers);
        for (uint256 i = 0; i < s.tasks.length; ++i) {
            (hashes[i], sums[i]) = (_hash(s.tasks[i]), s.tasks[i].unitCount);
        }
        s.taskTree = Trees.build(hashes, sums);
        s.order.tasksRoot = s.taskTree.root();
        s.order.taskCount = uint32(hashes.length);
    }

    /// @notice Grows the line's tree over the leaves as they are.
    function _growLeaves(Story memory s) internal pure {
        _growLying(s, type(uint256).max, 0, 0);
    }

    /// @notice Grows the line's tree with a node that is said to have another sum.
    function _growLying(Story memory s, uint256 level, uint256 index, uint256 sum) internal pure {
        (bytes32[] memory hashes, uint256[] memory sums) = _fill(s.leaves.length, s.leafFillers);
        for (uint256 i = 0; i < s.leaves.length; ++i) {
            (hashes[i], sums[i]) = (_hash(s.leaves[i]), s.leaves[i].ibmMicro);
        }
        s.leafTree = Trees.buildLying(hashes, sums, level, index, sum);
    }

    function _fill(uint256 count, uint256 fillers)
        private
        pure
        returns (bytes32[] memory hashes, uint256[] memory sums)
    {
        (hashes, sums) = (new bytes32[](count + fillers), new uint256[](count + fillers));
        for (uint256 i = count; i < hashes.length; ++i) {
            (hashes[i], sums[i]) = (keccak256(abi.encode("filler", i)), 400_000);
        }
    }

    function _unitTree(Unit[] memory units) internal pure returns (Tree memory) {
        return _unitTreeLying(units, type(uint256).max, 0, 0);
    }

    function _unitTreeLying(Unit[] memory units, uint256 level, uint256 index, uint256 sum)
        internal
        pure
        returns (Tree memory)
    {
        bytes32[] memory hashes = new bytes32[](units.length);
        uint256[] memory sums = new uint256[](units.length);
        for (uint256 i = 0; i < units.length; ++i) {
            (hashes[i], sums[i]) = (_hash(units[i]), units[i].cost);
        }
        return Trees.buildLying(hashes, sums, level, index, sum);
    }

    /// @dev The rule of PROTOCOL.md, written a second time.
    function _payable(Interval memory leaf) internal pure returns (uint256) {
        uint256 proved = uint256(leaf.cost) * RATE / 1e12;
        uint256 timed = uint256(IB_MICRO) * leaf.activeMs / 60_000;
        return proved < timed ? proved : timed;
    }

    function _hash(Interval memory l) internal pure returns (bytes32) {
        bytes memory head = abi.encodePacked(
            hex"0001", l.seq, l.jobId, l.taskId, l.deviceId, l.taskIndex, l.checkpointIndex, l.startMs, l.endMs
        );
        bytes memory tail =
            abi.encodePacked(l.activeMs, l.firstUnit, l.unitCount, l.unitsRoot, l.cost, l.ibmMicro, l.telemetryDigest);
        return keccak256(bytes.concat(head, tail));
    }

    function _hash(Unit memory u) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"0002", u.unitIndex, u.status, u.outputRoot, u.cost));
    }

    function _hash(Task memory t) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(hex"0003", t.jobId, t.firstUnit, t.unitCount, t.maxCost, t.referenceRate, t.leaseEndsAt)
        );
    }

    /* POSTING */

    function _lineInput(Story memory s) internal view returns (IWorkClaims.LineInput memory) {
        return IWorkClaims.LineInput({
            order: s.order,
            signature: _sign(MANAGER_OPERATOR_KEY, c.claims.domainSeparator(), TypedData.hashWorkOrder(s.order)),
            cursorTo: s.cursorTo,
            topHash: s.leafTree.top().hash,
            leafCount: s.leafTree.top().leafCount,
            sumIbmMicro: uint96(s.leafTree.top().sum)
        });
    }

    function _claimInput(Story memory s) internal pure returns (IWorkClaims.ClaimInput memory) {
        return IWorkClaims.ClaimInput({
            startMs: s.leaves[0].startMs, endMs: s.leaves[s.leaves.length - 1].endMs, blobHash: keccak256("blob")
        });
    }

    function _inputs(Story memory s) internal view returns (IWorkClaims.LineInput[] memory inputs) {
        inputs = new IWorkClaims.LineInput[](1);
        inputs[0] = _lineInput(s);
    }

    function _post(Story memory s) internal returns (LineRef memory) {
        return _submit(_claimInput(s), _inputs(s));
    }

    /// @notice Posts a claim and returns what its event says.
    function _submit(IWorkClaims.ClaimInput memory input, IWorkClaims.LineInput[] memory inputs)
        internal
        returns (LineRef memory target)
    {
        target = _expected(input, inputs);
        vm.prank(WORKER_OPERATOR);
        bytes32 claimId = c.claims.submit(input, inputs);
        _equal(claimId, _claimIdOf(target), "claim id");
    }

    /// @notice Returns the header and the lines that a claim will have.
    function _expected(IWorkClaims.ClaimInput memory input, IWorkClaims.LineInput[] memory inputs)
        internal
        view
        returns (LineRef memory target)
    {
        target.lines = new Line[](inputs.length);
        for (uint256 i = 0; i < inputs.length; ++i) {
            target.lines[i] = _expectedLine(target.lines, i, inputs[i]);
        }
        bytes32 deviceId = inputs[0].order.deviceId;
        (uint32 seq,,) = c.claims.lastClaim(deviceId);
        (uint32 version,) = c.claims.parameters();
        target.header = ClaimHeader({
            deviceId: deviceId,
            seq: seq + 1,
            paramsVersion: version,
            ibMicro: c.registry.deviceIbMicro(Claims.ownerOf(deviceId), Claims.deviceIndexOf(deviceId)),
            startMs: input.startMs,
            endMs: input.endMs,
            postedAt: _now(),
            deadlineAt: _now() + p.window,
            blobHash: input.blobHash,
            linesHash: keccak256(abi.encode(target.lines))
        });
    }

    function _expectedLine(Line[] memory before, uint256 i, IWorkClaims.LineInput memory input)
        private
        view
        returns (Line memory line)
    {
        WorkOrder memory order = input.order;
        line.builder = order.builder;
        line.manager = order.manager;
        line.orderHash = TypedData.hashWorkOrder(order);
        (line.cursorFrom,,) = c.claims.cursorOf(order.deviceId, order.manager, order.builder);
        line.cursorTo = input.cursorTo;
        line.topHash = input.topHash;
        line.leafCount = input.leafCount;
        line.sumIbmMicro = input.sumIbmMicro;
        line.amountWei = uint96(uint256(input.sumIbmMicro) * order.priceWei / 1e6);
        uint256 freeWei = c.accounts.allocation(order.builder, order.manager).freeWei;
        for (uint256 k = 0; k < i; ++k) {
            if (before[k].builder != order.builder || before[k].manager != order.manager) continue;
            line.cursorFrom = before[k].cursorTo;
            freeWei = freeWei < before[k].amountWei ? 0 : freeWei - before[k].amountWei;
        }
        line.shortfallWei = line.amountWei > freeWei ? line.amountWei - uint96(freeWei) : 0;
    }

    function _claimIdOf(LineRef memory target) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(target.header.deviceId, target.header.seq));
    }

    /// @notice Makes a story the next part of a list that grows: its tasks stand behind those that were claimed.
    function _extend(Story memory s) internal view {
        (uint32 cursor,,) = c.claims.cursorOf(s.order.deviceId, s.order.manager, s.order.builder);
        s.order.taskCount = cursor + uint32(s.tasks.length);
        s.cursorTo = s.order.taskCount;
    }

    /// @notice Posts a claim of no length right now: any number of them fit in a row.
    function _postShort(uint256 seed) internal returns (LineRef memory) {
        Story memory s = _tell(seed, 1, 2);
        _extend(s);
        IWorkClaims.ClaimInput memory input = _claimInput(s);
        input.startMs = _now() * 1000;
        input.endMs = input.startMs;
        return _submit(input, _inputs(s));
    }

    function _statusOf(LineRef memory target) internal view returns (IWorkClaims.ClaimStatus status) {
        (status,,) = c.claims.claimState(target.header);
    }

    function _finalize(LineRef memory target) internal {
        c.claims.finalize(target.header, target.lines);
    }

    /* SHOWING */

    function _leaf(Story memory s, uint256 i) internal pure returns (LeafEvidence memory) {
        return LeafEvidence(s.leaves[i], uint64(i), s.leafTree.proof(0, i));
    }

    function _unit(Story memory s, uint256 i, uint256 k) internal pure returns (UnitEvidence memory) {
        return UnitEvidence(s.units[i][k], uint32(k), s.unitTrees[i].top(), s.unitTrees[i].proof(0, k));
    }

    function _listed(Story memory s, uint256 i) internal pure returns (TaskEvidence memory) {
        return TaskEvidence(s.tasks[i], uint32(i), s.taskTree.top(), s.taskTree.proof(0, i));
    }

    function _chainTo(Tree memory tree, uint256 level, uint256 index) internal pure returns (ChainEvidence memory e) {
        (e.chain, e.path) = tree.chain(level, index);
    }

    /// @notice Returns the preimages from the top to a node, its own included.
    function _chainThrough(Tree memory tree, uint256 level, uint256 index)
        internal
        pure
        returns (Branch[] memory chain, uint256 path)
    {
        Branch[] memory above;
        (above, path) = tree.chain(level, index);
        chain = new Branch[](above.length + 1);
        for (uint256 i = 0; i < above.length; ++i) {
            chain[i] = above[i];
        }
        chain[above.length] = tree.branch(level, index);
    }

    function _chainWith(Tree memory tree, uint256 level, uint256 index) internal pure returns (ChainEvidence memory e) {
        (e.chain, e.path) = _chainThrough(tree, level, index);
    }

    /// @notice Commits to a proof against a claim, and lets a block pass.
    function _accuse(LineRef memory target) internal returns (IFraudProofs.Accusation memory a) {
        a = IFraudProofs.Accusation(target, VERIFIER, keccak256("salt"));
        vm.prank(VERIFIER);
        c.frauds.commit(keccak256(abi.encodePacked(_claimIdOf(target), VERIFIER, a.salt)));
        vm.roll(vm.getBlockNumber() + 1);
    }

    function _demand(LineRef memory target, IDemands.DemandKind kind) internal pure returns (IDemands.Demand memory d) {
        d.claimId = _claimIdOf(target);
        d.kind = kind;
        d.lineIndex = uint8(target.lineIndex);
    }
}
