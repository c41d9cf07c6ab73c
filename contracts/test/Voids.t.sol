// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {ICheckpoints} from "../src/interfaces/ICheckpoints.sol";
import {IVoids} from "../src/interfaces/IVoids.sol";
import {IWorkClaims} from "../src/interfaces/IWorkClaims.sol";
import {LeafEvidence, LineRef} from "../src/libraries/Evidence.sol";
import {Job} from "../src/libraries/TypedData.sol";
import {Story, StoryBase} from "./Story.t.sol";

contract VoidsTest is StoryBase {
    function setUp() public override {
        super.setUp();
        _settleIn();
        c.checkpoints.checkpoint();
        _pass(1 days);
    }

    function test_void_reverts_whenLeafIsHonest() public {
        Story memory s = _tell(1, 3, 2);
        LineRef memory target = _post(s);
        (LeafEvidence memory a, LeafEvidence memory b) = (_leaf(s, 0), _leaf(s, 1));
        bytes memory refusal = abi.encodeWithSelector(IVoids.NotVoid.selector);
        vm.expectRevert(refusal);
        c.voids.voidCheckpoint(target, a);
        vm.expectRevert(refusal);
        c.voids.voidOutsideSpan(target, a);
        vm.expectRevert(refusal);
        c.voids.voidOverlap(target, a, 0, b);
        vm.expectRevert(refusal);
        c.voids.voidSuspended(target, a, s.tasks[0], s.job);
    }

    function test_voidCheckpoint_voids_whenUnknown() public {
        Story memory s = _tell(1, 3, 2);
        s.leaves[1].checkpointIndex = 2;
        _growLeaves(s);
        _voidAndSettle(s, 1);
    }

    /// @dev One second of drift more or less decides.
    function test_voidCheckpoint_voids_whenLaterThanTheStart() public {
        c.checkpoints.checkpoint();
        (, uint64 recordedAt) = c.checkpoints.latest();
        _pass(1 hours);
        Story memory s = _tell(1, 2, 2);
        (s.leaves[0].checkpointIndex, s.leaves[1].checkpointIndex) = (2, 2);
        s.leaves[0].startMs = (recordedAt - p.drift) * 1000;
        s.leaves[1].startMs = (recordedAt - p.drift) * 1000 - 1;
        _growLeaves(s);
        LineRef memory target = _post(s);
        (LeafEvidence memory a, LeafEvidence memory b) = (_leaf(s, 0), _leaf(s, 1));
        vm.expectRevert(abi.encodeWithSelector(IVoids.NotVoid.selector));
        c.voids.voidCheckpoint(target, a);
        c.voids.voidCheckpoint(target, b);
        _equal(c.claims.voidedMicro(_claimIdOf(target), 0), s.leaves[1].ibmMicro, "voided");
    }

    function test_voidOutsideSpan_voids() public {
        Story memory s = _tell(1, 3, 2);
        IWorkClaims.ClaimInput memory input = _claimInput(s);
        input.startMs += 1;
        input.endMs -= 1;
        LineRef memory target = _submit(input, _inputs(s));
        LeafEvidence[3] memory leaves = [_leaf(s, 0), _leaf(s, 1), _leaf(s, 2)];
        c.voids.voidOutsideSpan(target, leaves[0]);
        c.voids.voidOutsideSpan(target, leaves[2]);
        vm.expectRevert(abi.encodeWithSelector(IVoids.NotVoid.selector));
        c.voids.voidOutsideSpan(target, leaves[1]);
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.LeafAlreadyVoid.selector, 0, 0));
        c.voids.voidOutsideSpan(target, leaves[0]);
    }

    function test_voidOverlap_voidsTheLater() public {
        Story memory s = _tell(1, 3, 2);
        s.leaves[1].startMs = s.leaves[0].endMs - 1;
        s.leaves[2].startMs = s.leaves[1].startMs;
        _growLeaves(s);
        LineRef memory target = _post(s);
        LeafEvidence[3] memory leaves = [_leaf(s, 0), _leaf(s, 1), _leaf(s, 2)];

        vm.expectEmit(address(c.claims));
        emit IWorkClaims.LeafVoided(_claimIdOf(target), 0, 1, s.leaves[1].ibmMicro);
        c.voids.voidOverlap(target, leaves[1], 0, leaves[0]);
        vm.expectEmit(address(c.claims));
        emit IWorkClaims.LeafVoided(_claimIdOf(target), 0, 2, s.leaves[2].ibmMicro);
        c.voids.voidOverlap(target, leaves[2], 0, leaves[1]);
        vm.expectRevert(abi.encodeWithSelector(IVoids.SameLeaf.selector, 0, 1));
        c.voids.voidOverlap(target, leaves[1], 0, leaves[1]);
    }

    function test_voidSuspended_voids() public {
        Story memory s = _tell(1, 3, 2);
        LineRef memory target = _post(s);
        LeafEvidence memory leaf = _leaf(s, 0);
        vm.prank(GUARDIAN);
        c.programs.suspend(PROGRAM);
        Job memory other = s.job;
        c.voids.voidSuspended(target, leaf, s.tasks[0], other);
        _equal(c.claims.voidedMicro(_claimIdOf(target), 0), s.leaves[0].ibmMicro, "voided");
    }

    function test_void_reverts_whenDeadlinePassed() public {
        Story memory s = _tell(1, 3, 2);
        s.leaves[1].checkpointIndex = 2;
        _growLeaves(s);
        LineRef memory target = _post(s);
        LeafEvidence memory leaf = _leaf(s, 1);
        vm.warp(target.header.deadlineAt);
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.DeadlinePassed.selector, _now(), _now()));
        c.voids.voidCheckpoint(target, leaf);
    }

    /// @dev The voided part goes back, first to the manager what it put in; nobody is slashed.
    function test_void_repaysTheManagerFirst() public {
        vm.prank(BUILDER);
        c.accounts.requestDeallocation(MANAGER, ALLOCATION_WEI);
        _pass(p.maxLease + p.leaseGrace);
        vm.prank(BUILDER);
        c.accounts.deallocate(MANAGER);
        vm.prank(BUILDER);
        c.accounts.allocate(MANAGER, 1 ether);
        Story memory s = _tell(1, 4, 2);
        s.leaves[1].checkpointIndex = 2;
        _growLeaves(s);
        LineRef memory target = _post(s);
        uint256 stakeWei = c.registry.node(MANAGER).stakeWei;
        c.voids.voidCheckpoint(target, _leaf(s, 1));
        _pass(p.window);
        _finalize(target);

        uint256 voidedWei = target.lines[0].amountWei - _paidWei(target, s.leaves[1].ibmMicro);
        _true(voidedWei < target.lines[0].shortfallWei, "all of it was the manager's");
        _equal(c.registry.node(MANAGER).stakeWei, stakeWei + voidedWei, "manager");
        _equal(c.accounts.allocation(BUILDER, MANAGER).freeWei, 0, "builder");
        _equal(c.registry.node(WORKER).stakeWei, STAKE_WEI, "worker's stake");
    }

    function _voidAndSettle(Story memory s, uint256 i) private {
        LineRef memory target = _post(s);
        c.voids.voidCheckpoint(target, _leaf(s, i));
        _pass(p.window);
        _finalize(target);
        uint256 paidWei = _paidWei(target, s.leaves[i].ibmMicro);
        (uint128 workerWei,) = c.accounts.credits(WORKER);
        _equal(workerWei, paidWei * 8 / 10, "worker");
        _equal(c.accounts.allocation(BUILDER, MANAGER).freeWei, ALLOCATION_WEI - paidWei, "allocation");
    }

    function _paidWei(LineRef memory target, uint256 voidedMicro) private pure returns (uint256) {
        uint256 sum = target.lines[0].sumIbmMicro;
        return uint256(target.lines[0].amountWei) * (sum - voidedMicro) / sum;
    }
}

contract CheckpointTest is StoryBase {
    function test_checkpoint_recordsOnceAPeriod() public {
        uint256 number = vm.getBlockNumber() - p.checkpointDepthBlocks;
        vm.expectEmit(address(c.checkpoints));
        emit ICheckpoints.CheckpointRecorded(1, uint64(number), blockhash(number), _now());
        c.checkpoints.checkpoint();
        uint64 neededAt = _now() + p.checkpointPeriod;
        vm.warp(neededAt - 1);
        vm.expectRevert(abi.encodeWithSelector(ICheckpoints.CheckpointTooEarly.selector, neededAt - 1, neededAt));
        c.checkpoints.checkpoint();
        vm.warp(neededAt);
        _equal(c.checkpoints.checkpoint(), 2, "index");
        (bytes27 blockHash, uint64 recordedAt) = c.checkpoints.checkpointAt(1);
        _equal(recordedAt, neededAt - p.checkpointPeriod, "time");
        _equal(bytes32(blockHash), bytes32(bytes27(blockhash(number))), "hash");
    }

    function test_checkpoint_reverts_whenChainIsShort() public {
        vm.roll(p.checkpointDepthBlocks);
        vm.expectRevert(abi.encodeWithSelector(ICheckpoints.ChainTooShort.selector, 2, 3));
        c.checkpoints.checkpoint();
    }
}
