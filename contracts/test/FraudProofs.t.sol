// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IFraudProofs} from "../src/interfaces/IFraudProofs.sol";
import {IWorkClaims} from "../src/interfaces/IWorkClaims.sol";
import {ChainEvidence, LeafEvidence, LineRef} from "../src/libraries/Evidence.sol";
import {Interval} from "../src/libraries/Interval.sol";
import {Branch} from "../src/libraries/SumTree.sol";
import {Lie, LieBase, Place} from "./Lies.t.sol";
import {Story} from "./Story.t.sol";
import {Tree, Trees} from "./Trees.sol";

/// @notice Every predicate rejects every claim that violates it, and no honest one.
contract FraudProofsTest is LieBase {
    using Trees for Tree;

    function setUp() public override {
        super.setUp();
        _settleIn();
        _pass(1 days);
    }

    function testFuzz_prove_rejectsNodeSum(uint256 seed) public {
        _lieAndProve(Lie.NodeSum, seed);
    }

    function testFuzz_prove_rejectsLeafSum(uint256 seed) public {
        _lieAndProve(Lie.LeafSum, seed);
    }

    function testFuzz_prove_rejectsUnitsRoot(uint256 seed) public {
        _lieAndProve(Lie.UnitsRoot, seed);
    }

    function testFuzz_prove_rejectsUnitNodeSum(uint256 seed) public {
        _lieAndProve(Lie.UnitNodeSum, seed);
    }

    function testFuzz_prove_rejectsUnitSum(uint256 seed) public {
        _lieAndProve(Lie.UnitSum, seed);
    }

    function testFuzz_prove_rejectsArithmetic(uint256 seed) public {
        _lieAndProve(Lie.Arithmetic, seed);
    }

    function testFuzz_prove_rejectsUnitAboveMaxCost(uint256 seed) public {
        _lieAndProve(Lie.UnitAboveMaxCost, seed);
    }

    function testFuzz_prove_rejectsTaskOutsideCursor(uint256 seed) public {
        _lieAndProve(Lie.TaskOutsideCursor, seed);
    }

    function testFuzz_prove_rejectsTaskNotInOrder(uint256 seed) public {
        _lieAndProve(Lie.TaskNotInOrder, seed);
    }

    function testFuzz_prove_rejectsUnitsNotTask(uint256 seed) public {
        _lieAndProve(Lie.UnitsNotTask, seed);
    }

    function testFuzz_prove_rejectsUnitMisplaced(uint256 seed) public {
        _lieAndProve(Lie.UnitMisplaced, seed);
    }

    function testFuzz_prove_rejectsUnitsRepeated(uint256 seed) public {
        _lieAndProve(Lie.UnitsRepeated, seed);
    }

    function testFuzz_prove_rejectsForeignDevice(uint256 seed) public {
        _lieAndProve(Lie.ForeignDevice, seed);
    }

    /// @dev Whatever place of an honest claim is accused of whatever, the evidence is sound and shows nothing.
    function testFuzz_prove_reverts_whenClaimIsHonest(uint256 seed) public {
        Story memory s = _draw(seed);
        IFraudProofs.Accusation memory a = _accuse(_post(s));
        for (uint256 lie = 0; lie < LIES; ++lie) {
            bytes memory call = _proofOf(s, Lie(lie), _anywhere(s, seed ^ lie), a);
            _expectRefusal(call, abi.encodeWithSelector(IFraudProofs.NotFraud.selector));
        }
    }

    /// @dev Evidence of another claim, or with one byte changed, never rejects an honest claim.
    function testFuzz_prove_reverts_whenEvidenceIsSpoiled(uint256 seed) public {
        Story memory s = _draw(seed);
        IFraudProofs.Accusation memory a = _accuse(_post(s));
        Lie lie = Lie(_draw(seed, "lie", LIES));
        Place memory spot = _anywhere(s, seed);
        _lie(s, lie, spot, seed);
        bytes memory call = _proofOf(s, lie, spot, a);
        (bool ok,) = address(c.frauds).call(call);
        _true(!ok, "evidence that the claim does not commit to");

        uint256 position = 4 + _draw(seed, "position", call.length - 4);
        call[position] = bytes1(uint8(call[position]) ^ uint8(1 + _draw(seed, "bits", 255)));
        (ok,) = address(c.frauds).call(call);
        _true(!ok, "a flipped byte");
    }

    function test_proveNodeSum_rejects_whenChildrenOverflow() public {
        Story memory s = _tell(1, 2, 2);
        // Sums of 128 bits each: their total has 129.
        s.leafTree.sums[0][0] = type(uint128).max;
        s.leafTree.sums[0][1] = 2;
        bytes32 left = s.leafTree.hashes[0][0];
        bytes32 right = s.leafTree.hashes[0][1];
        s.leafTree.hashes[1][0] = keccak256(abi.encodePacked(uint8(1), left, type(uint128).max, right, uint128(2)));
        s.leafTree.sums[1][0] = 1;
        LineRef memory target = _post(s);
        IFraudProofs.Accusation memory a = _accuse(target);
        Branch[] memory chain = new Branch[](1);
        chain[0] = Branch(left, type(uint128).max, right, 2);

        c.frauds.proveNodeSum(a, chain, 0);
        _equal(uint8(_statusOf(target)), uint8(IWorkClaims.ClaimStatus.Rejected), "status");
    }

    function test_proveLeafSum_rejects_whenTheOnlyLeafIsTheTop() public {
        Story memory s = _tell(1, 1, 2);
        _growLying(s, 0, 0, s.leaves[0].ibmMicro + 1);
        LineRef memory target = _post(s);
        IFraudProofs.Accusation memory a = _accuse(target);
        ChainEvidence memory none;

        c.frauds.proveLeafSum(a, s.leaves[0], none);
        _equal(uint8(_statusOf(target)), uint8(IWorkClaims.ClaimStatus.Rejected), "status");
    }

    function test_proveNodeSum_reverts_whenChainIsEmpty() public {
        Story memory s = _tell(1, 2, 2);
        IFraudProofs.Accusation memory a = _accuse(_post(s));

        vm.expectRevert(abi.encodeWithSelector(IFraudProofs.NotFraud.selector));
        c.frauds.proveNodeSum(a, new Branch[](0), 0);
    }

    function test_proveUnitsRepeated_reverts_whenLeafIsItself() public {
        Story memory s = _tell(1, 3, 2);
        IFraudProofs.Accusation memory a = _accuse(_post(s));
        LeafEvidence memory leaf = _leaf(s, 2);

        vm.expectRevert(abi.encodeWithSelector(IFraudProofs.SameLeaf.selector, 0, 2));
        c.frauds.proveUnitsRepeated(a, leaf, 0, leaf);
    }

    /* COMMITMENTS */

    function test_commit_reverts_whenItStands() public {
        c.frauds.commit("x");
        vm.expectRevert(abi.encodeWithSelector(IFraudProofs.CommitmentKnown.selector, bytes32("x")));
        c.frauds.commit("x");
    }

    function test_prove_reverts_whenNotCommitted() public {
        (Story memory s, LineRef memory target) = _foreign();
        IFraudProofs.Accusation memory a = IFraudProofs.Accusation(target, STRANGER, "salt");
        bytes32 commitment = keccak256(abi.encodePacked(_claimIdOf(target), STRANGER, bytes32("salt")));
        LeafEvidence memory leaf = _leaf(s, 0);

        vm.expectRevert(abi.encodeWithSelector(IFraudProofs.CommitmentUnknown.selector, commitment));
        c.frauds.proveForeignDevice(a, leaf);
    }

    function test_prove_reverts_whenCommittedInTheSameBlock() public {
        (Story memory s, LineRef memory target) = _foreign();
        IFraudProofs.Accusation memory a = IFraudProofs.Accusation(target, STRANGER, "salt");
        LeafEvidence memory leaf = _leaf(s, 0);
        c.frauds.commit(keccak256(abi.encodePacked(_claimIdOf(target), STRANGER, bytes32("salt"))));

        uint256 number = vm.getBlockNumber();
        vm.expectRevert(abi.encodeWithSelector(IFraudProofs.CommitmentTooYoung.selector, number, number));
        c.frauds.proveForeignDevice(a, leaf);
    }

    /// @dev Who copies the transaction pays the gas and earns nothing: the bounty is the committer's.
    function test_prove_paysTheCommitter_whenCopied() public {
        (Story memory s, LineRef memory target) = _foreign();
        IFraudProofs.Accusation memory a = _accuse(target);
        LeafEvidence memory leaf = _leaf(s, 0);

        vm.prank(STRANGER);
        c.frauds.proveForeignDevice(a, leaf);
        (uint128 verifierWei,) = c.accounts.credits(VERIFIER);
        (uint128 strangerWei,) = c.accounts.credits(STRANGER);
        _equal(verifierWei, p.bountyWei, "committer");
        _equal(strangerWei, 0, "copier");
    }

    /* DEADLINES */

    function test_prove_rejects_oneSecondBeforeTheDeadline() public {
        (Story memory s, LineRef memory target) = _foreign();
        IFraudProofs.Accusation memory a = _accuse(target);
        LeafEvidence memory leaf = _leaf(s, 0);
        vm.warp(target.header.deadlineAt - 1);

        c.frauds.proveForeignDevice(a, leaf);
        _equal(uint8(_statusOf(target)), uint8(IWorkClaims.ClaimStatus.Rejected), "status");
    }

    function test_prove_reverts_atTheDeadline() public {
        (Story memory s, LineRef memory target) = _foreign();
        IFraudProofs.Accusation memory a = _accuse(target);
        LeafEvidence memory leaf = _leaf(s, 0);
        uint64 deadlineAt = target.header.deadlineAt;
        vm.warp(deadlineAt);

        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.DeadlinePassed.selector, deadlineAt, deadlineAt));
        c.frauds.proveForeignDevice(a, leaf);
    }

    function test_prove_reverts_whenClaimIsRejectedAlready() public {
        (Story memory s, LineRef memory target) = _foreign();
        IFraudProofs.Accusation memory a = _accuse(target);
        LeafEvidence memory leaf = _leaf(s, 0);
        c.frauds.proveForeignDevice(a, leaf);
        a = _accuse(target);

        vm.expectRevert(
            abi.encodeWithSelector(
                IWorkClaims.WrongStatus.selector,
                _claimIdOf(target),
                IWorkClaims.ClaimStatus.Rejected,
                IWorkClaims.ClaimStatus.Posted
            )
        );
        c.frauds.proveForeignDevice(a, leaf);
    }

    function test_prove_reverts_whenHeaderOrLinesAreOthers() public {
        (Story memory s, LineRef memory target) = _foreign();
        IFraudProofs.Accusation memory a = _accuse(target);
        LeafEvidence memory leaf = _leaf(s, 0);

        a.target.header.ibMicro += 1;
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.HeaderUnknown.selector, _claimIdOf(target)));
        c.frauds.proveForeignDevice(a, leaf);

        a.target.header.ibMicro -= 1;
        a.target.lines[0].amountWei += 1;
        bytes32 linesHash = keccak256(abi.encode(a.target.lines));
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.WrongLines.selector, linesHash, a.target.header.linesHash));
        c.frauds.proveForeignDevice(a, leaf);
    }

    /* INTERNAL */

    function _draw(uint256 seed) private view returns (Story memory) {
        uint256 leafCount = 2 + _draw(seed, "leaves", MAX_LEAVES - 1);
        uint256 unitCount = 2 + _draw(seed, "units", MAX_UNITS - 1);
        return _tell(seed, leafCount, unitCount);
    }

    function _foreign() private returns (Story memory s, LineRef memory target) {
        s = _tell(1, 2, 2);
        s.leaves[0].deviceId = "another";
        _growLeaves(s);
        target = _post(s);
    }

    function _lieAndProve(Lie lie, uint256 seed) private {
        Story memory s = _draw(seed);
        Place memory spot = _anywhere(s, seed);
        _lie(s, lie, spot, seed);
        LineRef memory target = _post(s);
        bytes memory call = _proofOf(s, lie, spot, _accuse(target));
        uint256 supplyWei = c.token.totalSupply();

        (bool ok,) = address(c.frauds).call(call);
        _true(ok, "the proof is accepted");
        _requireRejected(target, supplyWei);
    }

    /// @dev The worker loses the line's lock, and every wei of it is accounted for.
    function _requireRejected(LineRef memory target, uint256 supplyWei) private view {
        _equal(uint8(_statusOf(target)), uint8(IWorkClaims.ClaimStatus.Rejected), "status");
        uint256 forfeitWei = 2 * uint256(target.lines[0].amountWei);
        if (forfeitWei < p.minLockWei) forfeitWei = p.minLockWei;
        uint256 restWei = forfeitWei - p.bountyWei;
        _equal(c.registry.node(WORKER).stakeWei, STAKE_WEI - forfeitWei, "stake");
        _equal(c.registry.node(WORKER).lockedWei, 0, "locks");
        _equal(c.accounts.allocation(BUILDER, MANAGER).freeWei, ALLOCATION_WEI + restWei / 4, "allocation");
        (uint128 bountyWei,) = c.accounts.credits(VERIFIER);
        _equal(bountyWei, p.bountyWei, "bounty");
        _equal(supplyWei - c.token.totalSupply(), restWei / 2, "burn");
        (uint128 poolWei,) = c.accounts.credits(PENALTY_POOL);
        _equal(poolWei, restWei - restWei / 2 - restWei / 4, "penalty pool");
        _equal(c.token.balanceOf(address(c.registry)), uint256(STAKE_WEI) * 2 - forfeitWei, "registry's tokens");
    }

    function _expectRefusal(bytes memory call, bytes memory refusal) private {
        (bool ok, bytes memory data) = address(c.frauds).call(call);
        _true(!ok, "an honest claim was refuted");
        _equal(keccak256(data), keccak256(refusal), "refusal");
    }
}
