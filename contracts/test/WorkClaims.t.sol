// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {IWorkClaims} from "../src/interfaces/IWorkClaims.sol";
import {Claims} from "../src/libraries/Claims.sol";
import {LineRef} from "../src/libraries/Evidence.sol";
import {Parameters} from "../src/libraries/ParameterSet.sol";
import {Signature, TypedData} from "../src/libraries/TypedData.sol";
import {Story, StoryBase} from "./Story.t.sol";
import {Tree, Trees} from "./Trees.sol";

contract SubmitTest is StoryBase {
    using Trees for Tree;

    uint256 private constant WINDOW_PARTS = 12;

    function setUp() public override {
        super.setUp();
        _settleIn();
        _pass(1 days);
    }

    function test_submit_emitsHeaderAndLines() public {
        Story memory s = _tell(1, 5, 2);
        (IWorkClaims.ClaimInput memory input, IWorkClaims.LineInput[] memory inputs) = (_claimInput(s), _inputs(s));
        LineRef memory target = _expected(input, inputs);

        vm.expectEmit(address(c.claims));
        emit IWorkClaims.ClaimPosted(_claimIdOf(target), WORKER, target.header, target.lines);
        vm.prank(WORKER_OPERATOR);
        c.claims.submit(input, inputs);

        _equal(uint8(_statusOf(target)), uint8(IWorkClaims.ClaimStatus.Posted), "status");
        _equal(c.accounts.allocation(BUILDER, MANAGER).freeWei, ALLOCATION_WEI - target.lines[0].amountWei, "reserve");
        _equal(c.registry.node(WORKER).lockedWei, _lockWei(target), "lock");
        (uint32 cursor, uint96 ibmMicro, uint96 amountWei) = c.claims.cursorOf(s.order.deviceId, MANAGER, BUILDER);
        _equal(cursor, s.cursorTo, "cursor");
        _equal(ibmMicro, target.lines[0].sumIbmMicro, "work");
        _equal(amountWei, target.lines[0].amountWei, "money");
    }

    function test_submit_posts_whenSpanIsLegal(uint256 seed) public {
        LineRef memory target = _post(_tell(seed, 1 + _draw(seed, "n", 9), 1 + _draw(seed, "m", 4)));
        _equal(target.header.seq, 1, "first claim");
    }

    function test_submit_posts_whenTwoLinesShareAnAllocation() public {
        Story memory a = _tell(1, 2, 2);
        Story memory b = _tell(2, 2, 2);
        b.order.taskCount = a.order.taskCount + b.order.taskCount;
        b.cursorTo = b.order.taskCount;
        IWorkClaims.LineInput[] memory inputs = new IWorkClaims.LineInput[](2);
        (inputs[0], inputs[1]) = (_lineInput(a), _lineInput(b));

        LineRef memory target = _submit(_claimInput(a), inputs);
        _equal(target.lines[1].cursorFrom, target.lines[0].cursorTo, "the second line goes on");
        _equal(c.registry.node(WORKER).lockedWei, _lockWei(target), "locks of both");
        _pass(p.window);
        _finalize(target);
        (uint128 earnedWei,) = c.accounts.credits(WORKER);
        uint256 paidWei = uint256(target.lines[0].amountWei) + target.lines[1].amountWei;
        _equal(earnedWei, paidWei * 8000 / 10_000, "both are paid");
    }

    function test_submit_posts_fromAnotherDevice() public {
        uint40[] memory speeds = new uint40[](2);
        (speeds[0], speeds[1]) = (700_000, 900_000);
        vm.prank(WORKER);
        c.registry.addDevices(speeds);
        Story memory s = _tell(1, 2, 2);
        s.order.deviceId = Claims.deviceId(WORKER, 2);
        LineRef memory target = _post(s);

        _equal(target.header.ibMicro, 900_000, "its own speed");
        _equal(c.registry.node(WORKER).lockedWei, _lockWei(target), "the account's lock");
        _pass(p.window);
        _finalize(target);
        _equal(c.registry.node(WORKER).lockedWei, 0, "the account's lock is free");
    }

    /// @dev Two devices under one manager and one builder: what one claims must not pass the other's tasks.
    function test_submit_keepsACursorForEachDevice() public {
        uint40[] memory speeds = new uint40[](1);
        speeds[0] = 700_000;
        vm.prank(WORKER);
        c.registry.addDevices(speeds);
        Story memory first = _tell(1, 9, 2);
        Story memory second = _tell(2, 2, 2);
        second.order.deviceId = Claims.deviceId(WORKER, 1);

        LineRef memory a = _post(first);
        LineRef memory b = _post(second);
        _equal(a.lines[0].cursorTo, 3, "three tasks of the one");
        _equal(b.lines[0].cursorFrom, 0, "the other starts at its own");
        (uint32 cursor, uint96 ibmMicro,) = c.claims.cursorOf(second.order.deviceId, MANAGER, BUILDER);
        _equal(cursor, 1, "cursor of the other");
        _equal(ibmMicro, b.lines[0].sumIbmMicro, "work of the other");
    }

    function test_submit_reverts_whenLinesAreOfTwoDevices() public {
        Story memory s = _tell(1, 2, 2);
        Story memory other = _tell(2, 2, 2);
        other.order.deviceId = Claims.deviceId(WORKER, 1);
        IWorkClaims.LineInput[] memory inputs = new IWorkClaims.LineInput[](2);
        (inputs[0], inputs[1]) = (_lineInput(s), _lineInput(other));
        bytes memory refusal =
            abi.encodeWithSelector(IWorkClaims.WrongDevice.selector, other.order.deviceId, s.order.deviceId);
        _refuse(_claimInput(s), inputs, refusal);
    }

    /* SHORTFALL */

    function test_submit_takesTheShortfallFromTheManager() public {
        uint256 leftWei = _drainAllocation();
        Story memory s = _tell(2, 4, 2);
        _extend(s);
        uint256 stakeWei = c.registry.node(MANAGER).stakeWei;
        LineRef memory target = _post(s);

        _equal(target.lines[0].shortfallWei, target.lines[0].amountWei - leftWei, "shortfall");
        _equal(c.registry.node(MANAGER).stakeWei, stakeWei - target.lines[0].shortfallWei, "stake");
        _equal(c.accounts.allocation(BUILDER, MANAGER).freeWei, 0, "allocation");
        _pass(p.window);
        _finalize(target);
    }

    function test_submit_reverts_whenTheManagerLacksTheShortfall() public {
        _drainAllocation();
        Story memory s = _tell(2, 4, 2);
        s.order.priceWei = PRICE_WEI;
        s.leafTree.sums[s.leafTree.sums.length - 1][0] = 150_000e6;
        _extend(s);
        (IWorkClaims.ClaimInput memory input, IWorkClaims.LineInput[] memory inputs) = (_claimInput(s), _inputs(s));
        vm.prank(WORKER);
        c.token.approve(address(c.registry), type(uint256).max);
        vm.prank(WORKER);
        c.registry.addStake(WORKER, 500_000 ether, _noPermit());
        uint256 freeWei = c.registry.node(MANAGER).stakeWei;
        uint256 shortfallWei = 150_000 ether - c.accounts.allocation(BUILDER, MANAGER).freeWei;

        vm.prank(WORKER_OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.FreeStakeTooLow.selector, freeWei, shortfallWei));
        c.claims.submit(input, inputs);
    }

    /* REFUSALS */

    function test_submit_reverts_whenReplayed() public {
        Story memory s = _tell(1, 5, 2);
        _post(s);
        _pass(1 hours);
        IWorkClaims.ClaimInput memory input = _claimInput(s);
        input.startMs = input.endMs;
        s.order.leaseEndsAt = _now();
        _refuse(input, _inputs(s), abi.encodeWithSelector(IWorkClaims.WrongCursor.selector, s.cursorTo, s.cursorTo, 2));
    }

    function test_submit_reverts_whenCursorIsBeyondTheList() public {
        Story memory s = _tell(1, 5, 2);
        s.cursorTo = 3;
        _refuse(s, abi.encodeWithSelector(IWorkClaims.WrongCursor.selector, 3, 0, 2));
    }

    function test_submit_reverts_whenClaimOverlapsTheLast() public {
        LineRef memory target = _post(_tell(1, 2, 2));
        _pass(p.window);
        Story memory s = _tell(2, 2, 2);
        _extend(s);
        IWorkClaims.ClaimInput memory input = _claimInput(s);
        input.startMs = target.header.endMs - 1;
        _refuse(
            input,
            _inputs(s),
            abi.encodeWithSelector(IWorkClaims.StartTooEarly.selector, input.startMs, target.header.endMs)
        );
    }

    function test_submit_reverts_whenEndIsBeforeStart() public {
        Story memory s = _tell(1, 2, 2);
        IWorkClaims.ClaimInput memory input = _claimInput(s);
        input.endMs = input.startMs - 1;
        _refuse(
            input, _inputs(s), abi.encodeWithSelector(IWorkClaims.EndBeforeStart.selector, input.endMs, input.startMs)
        );
    }

    function test_submit_reverts_whenEndIsInTheFuture() public {
        Story memory s = _tell(1, 2, 2);
        IWorkClaims.ClaimInput memory input = _claimInput(s);
        uint64 maxMs = (_now() + p.drift) * 1000;
        input.endMs = maxMs + 1;
        _refuse(input, _inputs(s), abi.encodeWithSelector(IWorkClaims.EndTooLate.selector, maxMs + 1, maxMs));
        input.endMs = maxMs;
        _submit(input, _inputs(s));
    }

    function test_submit_reverts_whenLastClaimIsTooYoung() public {
        _postShort(1);
        uint64 neededAt = _now() + p.window / uint64(WINDOW_PARTS);
        vm.warp(neededAt - 1);
        Story memory s = _tell(2, 1, 2);
        _extend(s);
        IWorkClaims.ClaimInput memory input = _claimInput(s);
        input.startMs = input.endMs = _now() * 1000;
        _refuse(input, _inputs(s), abi.encodeWithSelector(IWorkClaims.ClaimTooEarly.selector, neededAt - 1, neededAt));
        vm.warp(neededAt);
        _postShort(2);
    }

    function test_submit_reverts_whenTheRingIsFull() public {
        LineRef[] memory posted = new LineRef[](17);
        for (uint256 i = 0; i < 16; ++i) {
            posted[i] = _postShort(i);
            _pass(p.window / WINDOW_PARTS);
        }
        Story memory s = _tell(99, 1, 2);
        _extend(s);
        IWorkClaims.ClaimInput memory input = _claimInput(s);
        input.startMs = input.endMs = _now() * 1000;
        _refuse(input, _inputs(s), abi.encodeWithSelector(IWorkClaims.RingFull.selector, 1));

        _finalize(posted[0]);
        posted[16] = _postShort(99);
        _pass(p.window);
        for (uint256 i = 1; i < 17; ++i) {
            _finalize(posted[i]);
        }
        _equal(c.registry.node(WORKER).lockedWei, 0, "every lock is free");
    }

    function test_submit_reverts_whenOrderIsForAnother() public {
        Story memory s = _tell(1, 2, 2);
        s.order.deviceId = Claims.deviceId(STRANGER, 0);
        _refuse(s, abi.encodeWithSelector(INodeRegistry.NodeUnknown.selector, STRANGER));
    }

    function test_submit_reverts_whenOrderIsNotSigned() public {
        Story memory s = _tell(1, 2, 2);
        IWorkClaims.LineInput[] memory inputs = _inputs(s);
        inputs[0].signature = _sign(STRANGER_KEY, c.claims.domainSeparator(), TypedData.hashWorkOrder(s.order));
        _refuse(
            _claimInput(s), inputs, abi.encodeWithSelector(IWorkClaims.WrongSigner.selector, STRANGER, MANAGER_OPERATOR)
        );
        inputs[0].signature = Signature(0, 0);
        _refuse(
            _claimInput(s),
            inputs,
            abi.encodeWithSelector(IWorkClaims.WrongSigner.selector, address(0), MANAGER_OPERATOR)
        );
    }

    function test_submit_reverts_whenPriceIsAboveTheWorkers() public {
        Story memory s = _tell(1, 2, 2);
        s.order.priceWei = PRICE_WEI + 1;
        _refuse(s, abi.encodeWithSelector(IWorkClaims.PriceTooHigh.selector, PRICE_WEI + 1, PRICE_WEI));
    }

    function test_submit_reverts_whenOrderExpired() public {
        Story memory s = _tell(1, 2, 2);
        s.order.leaseEndsAt = _now() - p.leaseGrace;
        _refuse(s, abi.encodeWithSelector(IWorkClaims.OrderExpired.selector, _now(), _now()));
        s.order.leaseEndsAt += 1;
        _post(s);
    }

    function test_submit_reverts_whenLeaseIsTooLong() public {
        Story memory s = _tell(1, 2, 2);
        uint64 maxAt = _now() + p.maxLease;
        s.order.leaseEndsAt = maxAt + 1;
        _refuse(s, abi.encodeWithSelector(IWorkClaims.LeaseTooLong.selector, maxAt + 1, maxAt));
        s.order.leaseEndsAt = maxAt;
        _post(s);
    }

    function test_submit_reverts_whenCapsAreExceeded() public {
        Story memory s = _tell(1, 2, 2);
        uint256 sum = s.leafTree.top().sum;
        s.order.capIbmMicro = uint96(sum - 1);
        _refuse(s, abi.encodeWithSelector(IWorkClaims.WorkCapExceeded.selector, sum, sum - 1));
        s.order.capIbmMicro = uint96(sum);
        s.order.capWei = uint96(sum * 1e12 - 1);
        _refuse(s, abi.encodeWithSelector(IWorkClaims.MoneyCapExceeded.selector, sum * 1e12, sum * 1e12 - 1));
        s.order.capWei += 1;
        _post(s);
    }

    /// @dev Caps hold over the whole list, not for each claim.
    function test_submit_reverts_whenCapsAreExceededOverTwoClaims() public {
        Story memory s = _tell(1, 2, 2);
        uint256 first = s.leafTree.top().sum;
        _post(s);
        _pass(1 days);
        s = _tell(2, 2, 2);
        _extend(s);
        uint256 total = first + s.leafTree.top().sum;
        s.order.capIbmMicro = uint96(total - 1);
        _refuse(s, abi.encodeWithSelector(IWorkClaims.WorkCapExceeded.selector, total, total - 1));
    }

    function test_submit_reverts_whenStakeIsLocked() public {
        Story memory s = _tell(1, 2, 2);
        s.leafTree.sums[s.leafTree.sums.length - 1][0] = 60_000e6;
        _refuse(s, abi.encodeWithSelector(IWorkClaims.FreeStakeTooLow.selector, STAKE_WEI, 120_000 ether));
    }

    function test_submit_reverts_whenSenderIsNotTheOperator() public {
        Story memory s = _tell(1, 2, 2);
        (IWorkClaims.ClaimInput memory input, IWorkClaims.LineInput[] memory inputs) = (_claimInput(s), _inputs(s));
        vm.prank(WORKER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotAllowed.selector, WORKER, WORKER_OPERATOR));
        c.claims.submit(input, inputs);
    }

    function test_submit_reverts_whenDeviceIsUnknown() public {
        Story memory s = _tell(1, 2, 2);
        s.order.deviceId = Claims.deviceId(WORKER, 1);
        _refuse(s, abi.encodeWithSelector(INodeRegistry.DeviceUnknown.selector, 1, 1));
    }

    function test_submit_reverts_whenLinesAreNoneOrNine() public {
        Story memory s = _tell(1, 2, 2);
        _refuse(
            _claimInput(s),
            new IWorkClaims.LineInput[](0),
            abi.encodeWithSelector(IWorkClaims.WrongLineCount.selector, 0, 8)
        );
        _refuse(
            _claimInput(s),
            new IWorkClaims.LineInput[](9),
            abi.encodeWithSelector(IWorkClaims.WrongLineCount.selector, 9, 8)
        );
    }

    function test_submit_reverts_whenTreeIsEmpty() public {
        Story memory s = _tell(1, 2, 2);
        IWorkClaims.LineInput[] memory inputs = _inputs(s);
        inputs[0].leafCount = 0;
        _refuse(_claimInput(s), inputs, abi.encodeWithSelector(IWorkClaims.TreeEmpty.selector));
        (inputs[0].leafCount, inputs[0].topHash) = (2, 0);
        _refuse(_claimInput(s), inputs, abi.encodeWithSelector(IWorkClaims.TreeEmpty.selector));
    }

    /* MANAGERS THAT GO */

    /// @dev Else a manager that is its own builder could have work done and replace its operator instead of paying.
    function test_submit_posts_whenTheOperatorWasReplaced() public {
        Story memory s = _tell(1, 2, 2);
        Signature memory consent = _consent(MANAGER, STRANGER_KEY);
        vm.prank(MANAGER);
        c.registry.setOperator(STRANGER, consent);
        uint256 retiredAt = _now();
        vm.warp(retiredAt + p.maxLease + p.leaseGrace + 1);
        s.order.leaseEndsAt = _now();
        _refuse(s, abi.encodeWithSelector(IWorkClaims.WrongSigner.selector, MANAGER_OPERATOR, STRANGER));
        vm.warp(retiredAt + p.maxLease + p.leaseGrace);
        _post(s);
    }

    function test_submit_reverts_whenTheManagersStakeLeavesTooSoon() public {
        vm.prank(MANAGER);
        c.registry.requestExit();
        uint64 exitAt = _now() + p.unbonding;
        vm.warp(exitAt - 3 * p.window + 1);
        Story memory s = _tell(1, 2, 2);
        _refuse(s, abi.encodeWithSelector(IWorkClaims.ManagerExiting.selector, exitAt + 1, exitAt));
        vm.warp(exitAt - 3 * p.window);
        _post(s);
    }

    /// @dev Who is worker and manager at once can't put in stake that the claim has just locked.
    function test_submit_reverts_whenOneStakeIsUsedTwice() public {
        _register(STRANGER, STRANGER_KEY, 3, IB_MICRO, 100 ether);
        Story memory s = _tell(1, 2, 2);
        (s.order.manager, s.order.deviceId) = (STRANGER, Claims.deviceId(STRANGER, 0));
        s.leafTree.sums[s.leafTree.sums.length - 1][0] = 45e6;
        IWorkClaims.ClaimInput memory input = _claimInput(s);
        IWorkClaims.LineInput[] memory inputs = _inputs(s);
        inputs[0].signature = _sign(STRANGER_KEY, c.claims.domainSeparator(), TypedData.hashWorkOrder(s.order));

        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.FreeStakeTooLow.selector, 10 ether, 45 ether));
        c.claims.submit(input, inputs);
    }

    /* INTERNAL */

    function _lockWei(LineRef memory target) private view returns (uint256 lockWei) {
        for (uint256 i = 0; i < target.lines.length; ++i) {
            lockWei += c.claims.lineLockWei(target.header.paramsVersion, target.lines[i].amountWei);
        }
    }

    /// @dev Leaves one IFX of the allocation.
    function _drainAllocation() private returns (uint256 leftWei) {
        leftWei = 1 ether;
        vm.prank(BUILDER);
        c.accounts.requestDeallocation(MANAGER, uint96(ALLOCATION_WEI - leftWei));
        _pass(p.maxLease + p.leaseGrace);
        vm.prank(BUILDER);
        c.accounts.deallocate(MANAGER);
    }

    function _refuse(Story memory s, bytes memory refusal) private {
        _refuse(_claimInput(s), _inputs(s), refusal);
    }

    function _refuse(IWorkClaims.ClaimInput memory input, IWorkClaims.LineInput[] memory inputs, bytes memory refusal)
        private
    {
        vm.prank(WORKER_OPERATOR);
        vm.expectRevert(refusal);
        c.claims.submit(input, inputs);
    }
}

contract FinalizeTest is StoryBase {
    LineRef private _target;

    function setUp() public override {
        super.setUp();
        _settleIn();
        _pass(1 days);
    }

    function test_finalize_paysWorkerAndTreasury() public {
        LineRef memory target = _post(_tell(1, 3, 2));
        uint96 amountWei = target.lines[0].amountWei;
        vm.warp(target.header.deadlineAt);

        vm.expectEmit(address(c.claims));
        emit IWorkClaims.ClaimFinalized(_claimIdOf(target), WORKER, amountWei);
        vm.prank(STRANGER);
        c.claims.finalize(target.header, target.lines);

        (uint128 workerWei,) = c.accounts.credits(WORKER);
        (uint128 treasuryWei,) = c.accounts.credits(TREASURY);
        _equal(workerWei, uint256(amountWei) * 8 / 10, "worker");
        _equal(workerWei + treasuryWei, amountWei, "both");
        _equal(c.registry.node(WORKER).lockedWei, 0, "lock");
        _equal(uint8(_statusOf(target)), uint8(IWorkClaims.ClaimStatus.Final), "status");
    }

    function test_finalize_reverts_oneSecondBeforeTheDeadline() public {
        LineRef memory target = _post(_tell(1, 3, 2));
        uint64 deadlineAt = target.header.deadlineAt;
        vm.warp(deadlineAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.DeadlineNotPassed.selector, deadlineAt - 1, deadlineAt));
        c.claims.finalize(target.header, target.lines);
    }

    function test_finalize_reverts_whenFinal() public {
        LineRef memory target = _post(_tell(1, 3, 2));
        _pass(p.window);
        _finalize(target);
        vm.expectRevert(
            abi.encodeWithSelector(
                IWorkClaims.WrongStatus.selector,
                _claimIdOf(target),
                IWorkClaims.ClaimStatus.Final,
                IWorkClaims.ClaimStatus.Posted
            )
        );
        c.claims.finalize(target.header, target.lines);
    }

    function testFuzz_finalize_reverts_whenHeaderIsAnother(uint256 seed) public {
        LineRef memory target = _post(_tell(1, 3, 2));
        _pass(p.window);
        bytes memory call = abi.encodeCall(c.claims.finalize, (target.header, target.lines));
        // The array's offset and length bind nothing of their own, and stand apart.
        uint256 position = 4 + _draw(seed, "position", 352);
        call[position] = bytes1(uint8(call[position]) ^ uint8(1 + _draw(seed, "bits", 255)));
        (bool ok,) = address(c.claims).call(call);
        _true(!ok, "another header");
    }

    function test_finalize_reverts_whenLinesAreOthers() public {
        LineRef memory target = _post(_tell(1, 3, 2));
        _pass(p.window);
        target.lines[0].amountWei += 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                IWorkClaims.WrongLines.selector, keccak256(abi.encode(target.lines)), target.header.linesHash
            )
        );
        c.claims.finalize(target.header, target.lines);
    }

    function test_finalize_reverts_whenLive() public {
        LineRef memory target = _post(_tell(1, 3, 2));
        vm.prank(address(c.disputes));
        c.claims.hold(target.header);
        _pass(p.window);
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.ClaimLive.selector, 1));
        c.claims.finalize(target.header, target.lines);

        vm.prank(address(c.disputes));
        c.claims.release(target.header, _now() + 7);
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.DeadlineNotPassed.selector, _now(), _now() + 7));
        c.claims.finalize(target.header, target.lines);
        _pass(7);
        _finalize(target);
    }

    /// @dev A claim that left the ring blocks no slot, and is still one claim.
    function test_finalize_pays_whenMovedOutOfTheRing() public {
        LineRef memory moved = _postShort(0);
        vm.prank(address(c.disputes));
        c.claims.hold(moved.header);
        for (uint256 i = 1; i <= 16; ++i) {
            _pass(p.window / 12);
            LineRef memory target = _postShort(i);
            if (i == 4) _target = target;
        }
        vm.prank(address(c.disputes));
        c.claims.release(moved.header, 0);
        _pass(p.window);
        _finalize(moved);
        _finalize(_target);
        vm.expectRevert();
        c.claims.finalize(moved.header, moved.lines);
    }

    /// @dev A claim keeps the parameters that it was posted under.
    function test_finalize_usesTheParametersOfItsVersion() public {
        LineRef memory target = _post(_tell(1, 3, 2));
        Parameters memory next = p;
        (next.workerBps, next.minLockWei) = (5000, 30 ether);
        vm.prank(TIMELOCK);
        c.claims.setParameters(next);
        _pass(p.window);
        _finalize(target);
        (uint128 workerWei,) = c.accounts.credits(WORKER);
        _equal(workerWei, uint256(target.lines[0].amountWei) * 8 / 10, "the old share");
        _equal(c.registry.node(WORKER).lockedWei, 0, "the old lock");
    }

    function test_hooks_revert_whenCallerIsNotOfTheProtocol() public {
        LineRef memory target = _post(_tell(1, 3, 2));
        bytes memory refusal = abi.encodeWithSelector(IWorkClaims.NotProtocol.selector, address(this));
        vm.expectRevert(refusal);
        c.claims.hold(target.header);
        vm.expectRevert(refusal);
        c.claims.release(target.header, 0);
        vm.expectRevert(refusal);
        c.claims.reject(target.header, target.lines, 0, address(this));
        vm.expectRevert(refusal);
        c.claims.voidLeaf(target.header, target.lines, 0, 0, 1);
        vm.expectRevert(refusal);
        c.claims.penalizeManager(0, MANAGER, BUILDER, 1);
        vm.expectRevert(refusal);
        c.claims.lockManager(MANAGER, 1);
        vm.expectRevert(refusal);
        c.claims.unlockManager(MANAGER, 1);
        vm.expectRevert(refusal);
        c.claims.addAllocation(BUILDER, MANAGER, 1);
        vm.expectRevert(refusal);
        c.claims.removeAllocation(BUILDER, MANAGER, 1);
    }

    function test_reject_paysBack_byTheDisputeGame() public {
        LineRef memory target = _post(_tell(1, 3, 2));
        vm.prank(address(c.disputes));
        c.claims.hold(target.header);
        _pass(p.window);
        vm.prank(address(c.disputes));
        c.claims.reject(target.header, target.lines, 0, VERIFIER);
        vm.prank(address(c.disputes));
        c.claims.release(target.header, 0);
        _equal(uint8(_statusOf(target)), uint8(IWorkClaims.ClaimStatus.Rejected), "status");
        _equal(
            c.accounts.allocation(BUILDER, MANAGER).freeWei,
            ALLOCATION_WEI + (25 ether - 7 * p.bountyWei) / 4,
            "allocation"
        );
    }
}

contract SetParametersTest is StoryBase {
    function test_setParameters_reverts_whenNotTimelock() public {
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.NotTimelock.selector, address(this), TIMELOCK));
        c.claims.setParameters(p);
    }

    function test_setParameters_startsAVersion() public {
        Parameters memory next = p;
        next.window = 120;
        next.unbonding = 4300;
        vm.prank(TIMELOCK);
        c.claims.setParameters(next);
        (uint32 version, Parameters memory got) = c.claims.parameters();
        _equal(version, 2, "version");
        _equal(keccak256(abi.encode(got)), keccak256(abi.encode(next)), "present");
        _equal(keccak256(abi.encode(c.claims.parametersAt(1))), keccak256(abi.encode(p)), "past");
    }

    function test_setParameters_reverts_whenFarFromTheFirst() public {
        Parameters memory next = p;
        next.window = 14;
        next.demandWindow = 7;
        _refuse(next, "window", 14, 15, 240);
        next = p;
        next.workerBps = 1999;
        _refuse(next, "workerBps", 1999, 2000, 32_000);
        next = p;
        next.demandFeeWei = 4 ether + 1 gwei;
        _refuse(next, "demandFeeWei", 4 ether + 1 gwei, 0.25 ether, 4 ether);
    }

    function test_setParameters_reverts_whenUnsound() public {
        Parameters memory next = p;
        next.unbonding = 3600 + 60 + 180 - 1;
        _refuse(next, "unbonding", 3839, 3840, type(uint32).max);
        next = p;
        next.bountyWei = 4 ether;
        _refuse(next, "minLockWei", 25 ether, 28 ether, uint256(type(uint64).max) * 1 gwei);
        next = p;
        next.bountyWei = 3 ether + 1;
        _refuse(next, "bountyWei", 3 ether + 1, 3 ether, 3 ether);
        next = p;
        next.workerBps = 10_001;
        _refuse(next, "workerBps", 10_001, 1, 10_000);
    }

    function _refuse(Parameters memory next, bytes32 name, uint256 value, uint256 min, uint256 max) private {
        vm.prank(TIMELOCK);
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.ParameterOutOfBounds.selector, name, value, min, max));
        c.claims.setParameters(next);
    }
}
