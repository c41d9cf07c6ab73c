// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IBuilderAccounts} from "../src/interfaces/IBuilderAccounts.sol";
import {IIFX} from "../src/interfaces/IIFX.sol";
import {INodeRegistry, Permit} from "../src/interfaces/INodeRegistry.sol";
import {IProgramRegistry} from "../src/interfaces/IProgramRegistry.sol";
import {Image} from "../src/libraries/Image.sol";
import {LineRef} from "../src/libraries/Evidence.sol";
import {Signature} from "../src/libraries/TypedData.sol";
import {Machine} from "./Machine.sol";
import {StoryBase} from "./Story.t.sol";

contract RegisterTest is StoryBase {
    function test_register_takesStakeInOneTransaction() public {
        INodeRegistry.Registration memory r = _registration(WORKER, WORKER_OPERATOR_KEY, 1, IB_MICRO, 1000 ether);
        Permit memory permit = _permit(WORKER_KEY, address(c.registry), 1000 ether);
        vm.expectEmit(address(c.registry));
        emit INodeRegistry.NodeRegistered(WORKER, WORKER_OPERATOR, 1, IB_MICRO, PRICE_WEI, 1000 ether, "");
        vm.prank(WORKER);
        c.registry.register(r, permit);
        INodeRegistry.Node memory node = c.registry.node(WORKER);
        _equal(node.stakeWei, 1000 ether, "stake");
        _equal(node.priceWei, PRICE_WEI, "price");
        _equal(node.deviceCount, 1, "devices");
        _equal(c.token.balanceOf(address(c.registry)), 1000 ether, "tokens");
    }

    /// @dev Whoever sees the permit may spend it first: the allowance stands, and registering goes on.
    function test_register_works_whenThePermitWasSpent() public {
        INodeRegistry.Registration memory r = _registration(WORKER, WORKER_OPERATOR_KEY, 1, IB_MICRO, 1000 ether);
        Permit memory permit = _permit(WORKER_KEY, address(c.registry), 1000 ether);
        vm.prank(STRANGER);
        c.token.permit(WORKER, address(c.registry), 1000 ether, permit.deadlineAt, permit.v, permit.r, permit.s);
        vm.prank(WORKER);
        c.registry.register(r, permit);
        _equal(c.registry.node(WORKER).stakeWei, 1000 ether, "stake");
    }

    function test_register_reverts_whenOperatorDidNotConsent() public {
        INodeRegistry.Registration memory r = _registration(WORKER, WORKER_OPERATOR_KEY, 1, IB_MICRO, 1000 ether);
        r.consent = _consent(STRANGER, WORKER_OPERATOR_KEY);
        vm.prank(WORKER);
        (bool ok,) = address(c.registry).call(abi.encodeCall(c.registry.register, (r, _noPermit())));
        _true(!ok, "a consent to another owner");
        r.consent = Signature(0, 0);
        vm.prank(WORKER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.WrongConsent.selector, address(0), WORKER_OPERATOR));
        c.registry.register(r, _noPermit());
    }

    function test_register_reverts_whenKnown() public {
        _settleIn();
        INodeRegistry.Registration memory r = _registration(WORKER, WORKER_OPERATOR_KEY, 1, IB_MICRO, 1000 ether);
        _refuse(r, abi.encodeWithSelector(INodeRegistry.NodeKnown.selector, WORKER));
    }

    function test_register_reverts_whenFieldsAreWrong() public {
        INodeRegistry.Registration memory r = _registration(WORKER, WORKER_OPERATOR_KEY, 1, IB_MICRO, 1000 ether);
        r.roles = 8;
        _refuse(r, abi.encodeWithSelector(INodeRegistry.WrongRoles.selector, 8));
        (r.roles, r.priceWei) = (1, 1 gwei + 1);
        _refuse(r, abi.encodeWithSelector(INodeRegistry.WrongPrice.selector, 1 gwei + 1, 1 gwei));
        (r.priceWei, r.ibMicro) = (PRICE_WEI, 0);
        _refuse(r, abi.encodeWithSelector(INodeRegistry.SpeedZero.selector));
        // 2 x 2 minutes x 0.5 IB x 1 IFX.
        (r.ibMicro, r.stakeWei) = (IB_MICRO, 2 ether - 1);
        _refuse(r, abi.encodeWithSelector(INodeRegistry.StakeTooLow.selector, 2 ether - 1, 2 ether));
    }

    function _refuse(INodeRegistry.Registration memory r, bytes memory refusal) private {
        vm.prank(WORKER);
        vm.expectRevert(refusal);
        c.registry.register(r, _noPermit());
    }
}

contract NodeTest is StoryBase {
    function setUp() public override {
        super.setUp();
        _settleIn();
    }

    function test_setPrice_reverts_whenStakeIsTooLow() public {
        uint96 maxWei = STAKE_WEI / 2 * 1;
        vm.prank(WORKER);
        c.registry.setPrice(maxWei);
        vm.prank(WORKER);
        vm.expectRevert(
            abi.encodeWithSelector(INodeRegistry.StakeTooLow.selector, STAKE_WEI, uint256(STAKE_WEI) + 2 gwei)
        );
        c.registry.setPrice(maxWei + 1 gwei);
    }

    function test_addDevices_reverts_whenTooManyOrTooFast() public {
        uint40[] memory many = new uint40[](255);
        vm.prank(WORKER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.TooManyDevices.selector, 256, 255));
        c.registry.addDevices(many);
        uint40[] memory fast = new uint40[](1);
        fast[0] = type(uint40).max;
        uint256 neededWei = 2 * 2 * (uint256(IB_MICRO) + fast[0]) * PRICE_WEI / 1e6;
        vm.prank(WORKER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.StakeTooLow.selector, STAKE_WEI, neededWei));
        c.registry.addDevices(fast);
        vm.prank(MANAGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.RoleMissing.selector, 2, 1));
        c.registry.addDevices(fast);
    }

    function test_withdrawStake_paysTheOwnerAfterUnbonding() public {
        vm.prank(WORKER);
        c.registry.requestExit();
        uint64 exitAt = _now() + p.unbonding;
        vm.warp(exitAt - 1);
        vm.prank(WORKER_OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.ExitTooEarly.selector, exitAt - 1, exitAt));
        c.registry.withdrawStake(WORKER);
        vm.warp(exitAt);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.NotAllowed.selector, STRANGER, WORKER));
        c.registry.withdrawStake(WORKER);
        vm.prank(WORKER_OPERATOR);
        c.registry.withdrawStake(WORKER);
        _equal(c.token.balanceOf(WORKER), PURSE_WEI, "the owner has it back");
        _equal(c.registry.node(WORKER).roles, 0, "closed");
        _register(WORKER, WORKER_OPERATOR_KEY, 1, IB_MICRO, STAKE_WEI);
    }

    /// @dev One claim that is not yet final keeps the stake.
    function test_withdrawStake_reverts_whenLocked() public {
        _pass(1 days);
        vm.prank(WORKER);
        c.registry.requestExit();
        vm.warp(_now() + p.unbonding);
        LineRef memory target = _postShort(1);
        vm.prank(WORKER);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.StakeStillLocked.selector, 25 ether));
        c.registry.withdrawStake(WORKER);
        _pass(p.window);
        _finalize(target);
        vm.prank(WORKER);
        c.registry.withdrawStake(WORKER);
    }

    function test_setters_revert_whenUnknown() public {
        bytes memory refusal = abi.encodeWithSelector(INodeRegistry.NodeUnknown.selector, STRANGER);
        vm.startPrank(STRANGER);
        vm.expectRevert(refusal);
        c.registry.setPrice(1 gwei);
        vm.expectRevert(refusal);
        c.registry.requestExit();
        vm.expectRevert(refusal);
        c.registry.setDelegate(WORKER, true);
        vm.expectRevert(refusal);
        c.registry.addDevices(new uint40[](0));
        vm.expectRevert(refusal);
        c.registry.addStake(STRANGER, 1, _noPermit());
        vm.stopPrank();
    }

    function test_mayMove_followsOwnerOperatorAndDelegates() public {
        _true(c.registry.mayMove(WORKER, WORKER_OPERATOR), "operator");
        _true(!c.registry.mayMove(WORKER, STRANGER), "stranger");
        vm.prank(WORKER);
        c.registry.setDelegate(STRANGER, true);
        _true(c.registry.mayMove(WORKER, STRANGER), "delegate");
        _true(!c.registry.isOwnerOrOperator(WORKER, STRANGER), "a delegate is no operator");
    }

    function test_hooks_revert_whenCallerIsNotWorkClaims() public {
        bytes memory refusal =
            abi.encodeWithSelector(INodeRegistry.NotAllowed.selector, address(this), address(c.claims));
        vm.expectRevert(refusal);
        c.registry.slash(WORKER, 1);
        vm.expectRevert(refusal);
        c.registry.take(WORKER, 1, 0, true);
        vm.expectRevert(refusal);
        c.registry.restore(WORKER, 1);
        refusal = abi.encodeWithSelector(IBuilderAccounts.NotWorkClaims.selector, address(this), address(c.claims));
        vm.expectRevert(refusal);
        c.accounts.settle(WORKER, 1, 1);
        vm.expectRevert(refusal);
        c.accounts.returnShortfall(1);
        vm.expectRevert(refusal);
        c.accounts.shareForfeit(WORKER, BUILDER, 1, 1);
        vm.expectRevert(refusal);
        c.accounts.compensate(WORKER, 1);
    }
}

contract BuilderTest is StoryBase {
    function setUp() public override {
        super.setUp();
        _settleIn();
    }

    function test_allocate_reverts_whenTheManagersStakeIsTooLow() public {
        _register(STRANGER, STRANGER_KEY, 2, 0, 10 ether);
        vm.startPrank(BUILDER);
        c.accounts.depositAndAllocate(STRANGER, 100 ether, _noPermit());
        vm.expectRevert(abi.encodeWithSelector(IBuilderAccounts.ManagerStakeTooLow.selector, 10 ether, 10 ether + 1));
        c.accounts.depositAndAllocate(STRANGER, 10, _noPermit());
        vm.stopPrank();
    }

    function test_allocate_reverts_whenTheManagerLeaves() public {
        vm.prank(MANAGER);
        c.registry.requestExit();
        uint64 exitAt = _now() + p.unbonding;
        vm.startPrank(BUILDER);
        c.accounts.deposit(BUILDER, 1 ether, _noPermit());
        vm.expectRevert(abi.encodeWithSelector(IBuilderAccounts.ManagerExiting.selector, exitAt));
        c.accounts.allocate(MANAGER, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(INodeRegistry.RoleMissing.selector, 1, 2));
        c.accounts.allocate(WORKER, 1 ether);
        vm.stopPrank();
    }

    function test_deallocate_waitsOutLeases() public {
        vm.startPrank(BUILDER);
        vm.expectRevert(abi.encodeWithSelector(IBuilderAccounts.DeallocationTooEarly.selector, _now(), 0));
        c.accounts.deallocate(MANAGER);
        c.accounts.requestDeallocation(MANAGER, 5 ether);
        uint64 availableAt = _now() + p.maxLease + p.leaseGrace;
        vm.warp(availableAt - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IBuilderAccounts.DeallocationTooEarly.selector, availableAt - 1, availableAt)
        );
        c.accounts.deallocate(MANAGER);
        vm.warp(availableAt);
        c.accounts.deallocate(MANAGER);
        _equal(c.accounts.balanceWei(BUILDER), 5 ether, "balance");
        _equal(c.accounts.managedWei(MANAGER), ALLOCATION_WEI - 5 ether, "the manager's stake covers less");
        c.accounts.withdrawBalance(5 ether);
        vm.expectRevert(abi.encodeWithSelector(IBuilderAccounts.BalanceTooLow.selector, 0, 1));
        c.accounts.withdrawBalance(1);
        vm.stopPrank();
    }

    function test_syncManager_countsWhatClaimsSpent() public {
        _pass(1 days);
        LineRef memory target = _post(_tell(1, 5, 2));
        c.accounts.syncManager(BUILDER, MANAGER);
        _equal(c.accounts.managedWei(MANAGER), ALLOCATION_WEI - target.lines[0].amountWei, "spent");
    }

    function test_withdraw_paysOwnerOnce() public {
        _pass(1 days);
        LineRef memory target = _post(_tell(1, 5, 2));
        _pass(p.window);
        _finalize(target);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IBuilderAccounts.NotAllowed.selector, STRANGER, WORKER));
        c.accounts.withdraw(WORKER);
        vm.prank(WORKER_OPERATOR);
        c.accounts.withdraw(WORKER);
        uint256 earnedWei = uint256(target.lines[0].amountWei) * 8 / 10;
        _equal(c.token.balanceOf(WORKER), PURSE_WEI - STAKE_WEI + earnedWei, "owner");
        vm.prank(WORKER);
        vm.expectRevert(abi.encodeWithSelector(IBuilderAccounts.NothingEarned.selector, WORKER));
        c.accounts.withdraw(WORKER);
        vm.prank(TREASURY);
        c.accounts.withdraw(TREASURY);
    }

    function test_deposit_works_forAnotherAndBySpentPermit() public {
        Permit memory permit = _permit(STRANGER_KEY, address(c.accounts), 3 ether);
        c.token.permit(STRANGER, address(c.accounts), 3 ether, permit.deadlineAt, permit.v, permit.r, permit.s);
        vm.prank(STRANGER);
        c.accounts.deposit(BUILDER, 3 ether, permit);
        _equal(c.accounts.balanceWei(BUILDER), 3 ether, "balance");
    }
}

contract TokenAndProgramsTest is StoryBase {
    function test_mint_staysUnderTheCap() public {
        vm.expectRevert(abi.encodeWithSelector(IIFX.NotMinter.selector, address(this), MINTER));
        c.token.mint(WORKER, 1);
        uint256 leftWei = c.token.CAP_WEI() - c.token.totalSupply();
        vm.prank(MINTER);
        vm.expectRevert(abi.encodeWithSelector(IIFX.CapExceeded.selector, leftWei + 1, leftWei));
        c.token.mint(WORKER, leftWei + 1);
        vm.prank(MINTER);
        c.token.mint(WORKER, leftWei);
    }

    function test_programs_areImmutableAndSuspendable() public {
        Image memory image = Machine.image();
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.NotAllowed.selector, address(this), TIMELOCK));
        c.programs.register(image, 8);
        vm.startPrank(TIMELOCK);
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.ProgramKnown.selector, PROGRAM));
        c.programs.register(image, 8);
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.WrongOutputDepth.selector, 4, 5, 27));
        c.programs.register(image, 4);
        image.entry = 2;
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.WrongImage.selector, bytes32("entry"), 2, 0, 0));
        c.programs.register(image, 8);
        image.maxSteps = (1 << 30) + 1;
        image.entry = 0;
        vm.expectRevert(
            abi.encodeWithSelector(
                IProgramRegistry.WrongImage.selector, bytes32("maxSteps"), image.maxSteps, 1, 1 << 30
            )
        );
        c.programs.register(image, 8);
        image.log2Params = 21;
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.WrongImage.selector, bytes32("log2Params"), 21, 5, 20));
        c.programs.register(image, 8);
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.NotAllowed.selector, TIMELOCK, GUARDIAN));
        c.programs.suspend(PROGRAM);
        vm.stopPrank();
        vm.startPrank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.ProgramUnknown.selector, bytes32("p")));
        c.programs.suspend("p");
        c.programs.suspend(PROGRAM);
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.AlreadySo.selector, PROGRAM, true));
        c.programs.suspend(PROGRAM);
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.NotAllowed.selector, GUARDIAN, TIMELOCK));
        c.programs.resume(PROGRAM);
        vm.stopPrank();
        _true(!c.programs.isLive(PROGRAM), "suspended");
        vm.prank(TIMELOCK);
        c.programs.resume(PROGRAM);
        _true(c.programs.isLive(PROGRAM), "live again");
    }
}
