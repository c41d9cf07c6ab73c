// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IManagerFrauds} from "../src/interfaces/IManagerFrauds.sol";
import {IWorkClaims} from "../src/interfaces/IWorkClaims.sol";
import {Claims} from "../src/libraries/Claims.sol";
import {LineRef, TaskEvidence} from "../src/libraries/Evidence.sol";
import {Signature, TypedData, WorkOrder} from "../src/libraries/TypedData.sol";
import {Story, StoryBase} from "./Story.t.sol";

contract ManagerFraudsTest is StoryBase {
    uint256 private constant CONTRADICTIONS = 7;

    function setUp() public override {
        super.setUp();
        _settleIn();
        _pass(1 days);
    }

    /// @dev The job that the list hashes says something else than the list.
    function testFuzz_proveTaskContradictsJob_repaysTheBuilder(uint256 seed) public {
        Story memory s = _tell(seed, 5, 2);
        _contradict(s, _draw(seed, "kind", CONTRADICTIONS));
        LineRef memory target = _post(s);
        uint256 amountWei = target.lines[0].amountWei;

        c.managerFrauds.proveTaskContradictsJob(target, s.order, _listed(s, 1), s.job);
        _equal(c.accounts.balanceWei(BUILDER), amountWei, "builder");
        _equal(c.registry.node(MANAGER).stakeWei, STAKE_WEI - amountWei, "manager");
        _pass(p.window);
        _finalize(target);
        (uint128 workerWei,) = c.accounts.credits(WORKER);
        _equal(workerWei, amountWei * 8 / 10, "the worker stays paid");
    }

    function test_proveTaskContradictsJob_reverts_whenHonest() public {
        Story memory s = _tell(1, 5, 2);
        LineRef memory target = _post(s);
        TaskEvidence memory listed = _listed(s, 1);
        vm.expectRevert(abi.encodeWithSelector(IManagerFrauds.NotFraud.selector));
        c.managerFrauds.proveTaskContradictsJob(target, s.order, listed, s.job);
    }

    function test_proveTaskContradictsJob_reverts_whenRepeated() public {
        Story memory s = _tell(1, 5, 2);
        _contradict(s, 0);
        LineRef memory target = _post(s);
        TaskEvidence memory listed = _listed(s, 1);
        c.managerFrauds.proveTaskContradictsJob(target, s.order, listed, s.job);
        vm.expectRevert(abi.encodeWithSelector(IManagerFrauds.AlreadyPenalized.selector, _claimIdOf(target), 0));
        c.managerFrauds.proveTaskContradictsJob(target, s.order, listed, s.job);
    }

    /// @dev The line leaves the wrong task unclaimed.
    function test_proveTaskContradictsJob_reverts_whenNotConsumed() public {
        Story memory s = _tell(1, 5, 2);
        s.tasks[1].maxCost += 1;
        _grow(s);
        s.cursorTo = 1;
        LineRef memory target = _post(s);
        TaskEvidence memory listed = _listed(s, 1);
        vm.expectRevert(abi.encodeWithSelector(IManagerFrauds.NotFraud.selector));
        c.managerFrauds.proveTaskContradictsJob(target, s.order, listed, s.job);
    }

    /* DOUBLE LEASES */

    function test_proveDoubleLease_costsTheLeaf() public {
        (Story memory s, LineRef memory target, WorkOrder memory other, TaskEvidence memory listed) = _leaseTwice();
        Signature memory signature = _signOrder(other);
        c.managerFrauds.proveDoubleLease(target, _leaf(s, 1), s.tasks[0], other, signature, listed);

        uint256 leafWei = uint256(target.lines[0].amountWei) * s.leaves[1].ibmMicro / target.lines[0].sumIbmMicro;
        _equal(c.accounts.balanceWei(BUILDER), leafWei, "builder");
        _equal(c.registry.node(MANAGER).stakeWei, STAKE_WEI - leafWei, "manager");
    }

    /// @dev A manager can't disown an order by replacing its operator.
    function test_proveDoubleLease_holds_whenTheOperatorWasReplaced() public {
        (Story memory s, LineRef memory target, WorkOrder memory other, TaskEvidence memory listed) = _leaseTwice();
        Signature memory signature = _signOrder(other);
        Signature memory consent = _consent(MANAGER, STRANGER_KEY);
        vm.prank(MANAGER);
        c.registry.setOperator(STRANGER, consent);
        c.managerFrauds.proveDoubleLease(target, _leaf(s, 1), s.tasks[0], other, signature, listed);
    }

    function test_proveDoubleLease_reverts_whenNotSigned() public {
        (Story memory s, LineRef memory target, WorkOrder memory other, TaskEvidence memory listed) = _leaseTwice();
        Signature memory signature = _sign(STRANGER_KEY, c.claims.domainSeparator(), TypedData.hashWorkOrder(other));
        vm.expectRevert(abi.encodeWithSelector(IManagerFrauds.WrongSigner.selector, STRANGER, MANAGER));
        c.managerFrauds.proveDoubleLease(target, _leaf(s, 1), s.tasks[0], other, signature, listed);
    }

    /// @dev The first lease was over when the claim landed: the second may well have begun after it.
    function test_proveDoubleLease_reverts_whenLeasesMayFollow() public {
        Story memory s = _tell(1, 4, 2);
        Story memory first = _tell(1, 4, 2);
        first.order.deviceId = Claims.deviceId(STRANGER, 0);
        first.tasks[0].leaseEndsAt = _now();
        _grow(first);
        LineRef memory target = _post(s);
        Signature memory signature = _signOrder(first.order);
        TaskEvidence memory listed = _listed(first, 0);
        vm.expectRevert(abi.encodeWithSelector(IManagerFrauds.NotFraud.selector));
        c.managerFrauds.proveDoubleLease(target, _leaf(s, 1), s.tasks[0], first.order, signature, listed);
    }

    /// @dev A newer order repeats the list of the one before.
    function test_proveDoubleLease_reverts_whenItIsTheSameLease() public {
        Story memory s = _tell(1, 4, 2);
        LineRef memory target = _post(s);
        Signature memory signature = _signOrder(s.order);
        TaskEvidence memory listed = _listed(s, 0);
        vm.expectRevert(abi.encodeWithSelector(IManagerFrauds.NotFraud.selector));
        c.managerFrauds.proveDoubleLease(target, _leaf(s, 1), s.tasks[0], s.order, signature, listed);
    }

    function test_prove_reverts_whenDeadlinePassed() public {
        Story memory s = _tell(1, 5, 2);
        _contradict(s, 0);
        LineRef memory target = _post(s);
        TaskEvidence memory listed = _listed(s, 1);
        vm.warp(target.header.deadlineAt);
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.DeadlinePassed.selector, _now(), _now()));
        c.managerFrauds.proveTaskContradictsJob(target, s.order, listed, s.job);
    }

    /* INTERNAL */

    function _contradict(Story memory s, uint256 kind) private pure {
        if (kind == 0) s.tasks[1].maxCost += 1;
        if (kind == 1) s.tasks[1].referenceRate += 1;
        if (kind == 2) s.tasks[1].unitCount += 1;
        if (kind == 3) s.job.priceCapWei = PRICE_WEI - 1;
        if (kind == 4) s.job.deadlineAt = s.tasks[1].leaseEndsAt - 1;
        if (kind == 5) s.job.builder = STRANGERS_JOB;
        if (kind == 6) s.job.manager = STRANGERS_JOB;
        s.tasks[1].jobId = TypedData.hashJob(s.job);
        s.leaves[4].jobId = s.tasks[1].jobId;
        _grow(s);
    }

    address private constant STRANGERS_JOB = address(0x57);

    function _leaseTwice()
        private
        returns (Story memory s, LineRef memory target, WorkOrder memory other, TaskEvidence memory listed)
    {
        s = _tell(1, 4, 2);
        Story memory second = _tell(1, 4, 2);
        second.order.deviceId = Claims.deviceId(STRANGER, 0);
        second.tasks[0].leaseEndsAt -= 1;
        _grow(second);
        (other, listed) = (second.order, _listed(second, 0));
        target = _post(s);
    }

    function _signOrder(WorkOrder memory order) private view returns (Signature memory) {
        return _sign(MANAGER_OPERATOR_KEY, c.claims.domainSeparator(), TypedData.hashWorkOrder(order));
    }
}
