// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IDemands} from "../src/interfaces/IDemands.sol";
import {IFraudProofs} from "../src/interfaces/IFraudProofs.sol";
import {INodeRegistry, Permit} from "../src/interfaces/INodeRegistry.sol";
import {IWorkClaims} from "../src/interfaces/IWorkClaims.sol";
import {LineRef} from "../src/libraries/Evidence.sol";
import {StoryBase, Story} from "./Story.t.sol";
import {Tree, Trees} from "./Trees.sol";

/// @notice Gas of whole transactions: onboarding, claims, finalizing, withdrawing.
/// @dev Meant for `FOUNDRY_PROFILE=gas`, where each call is a transaction of its own.
contract LifeGas is StoryBase {
    function test_gas_onboarding() public {
        _register(MANAGER, MANAGER_OPERATOR_KEY, 2, 0, STAKE_WEI);
        INodeRegistry.Registration memory registration =
            _registration(WORKER, WORKER_OPERATOR_KEY, 1, IB_MICRO, 1000 ether);
        Permit memory permit = _permit(WORKER_KEY, address(c.registry), 1000 ether);

        vm.prank(WORKER);
        c.registry.register(registration, permit);
        vm.snapshotGasLastCall("life", "onboarding");
    }

    function test_gas_claims_60() public {
        _settleIn();
        c.checkpoints.checkpoint();
        for (uint256 i = 0; i < 18; ++i) {
            _pass(2 hours);
            Story memory s = _tell(i, 60, 1);
            _extend(s, i);
            LineRef memory target = _post(s);
            if (i == 0) vm.snapshotGasLastCall("life", "claim_60 first of a worker");
            if (i == 1) vm.snapshotGasLastCall("life", "claim_60 second, fresh ring slot");
            if (i == 17) vm.snapshotGasLastCall("life", "claim_60");
            _pass(p.window);
            c.claims.finalize(target.header, target.lines);
            if (i == 0) vm.snapshotGasLastCall("life", "finalize first of a worker");
            if (i == 17) vm.snapshotGasLastCall("life", "finalize");
            if (i != 0 && i != 17) continue;
            vm.prank(WORKER_OPERATOR);
            c.accounts.withdraw(WORKER);
            vm.snapshotGasLastCall("life", i == 0 ? "withdraw first of a worker" : "withdraw");
        }
    }

    function test_gas_claim_6000() public {
        _settleIn();
        for (uint256 i = 0; i < 18; ++i) {
            _pass(i == 17 ? 10 days : 2 hours);
            Story memory s = _tellSparse(i, i == 17 ? 6000 : 1);
            _extend(s, i);
            LineRef memory target = _post(s);
            if (i == 17) vm.snapshotGasLastCall("life", "claim_6000");
            _pass(p.window);
            c.claims.finalize(target.header, target.lines);
        }
    }

    function test_gas_withdraw_byOwner() public {
        _settleIn();
        for (uint256 i = 0; i < 2; ++i) {
            _pass(2 hours);
            Story memory s = _tell(i, 2, 1);
            _extend(s, i);
            LineRef memory target = _post(s);
            _pass(p.window);
            c.claims.finalize(target.header, target.lines);
            vm.prank(WORKER);
            c.accounts.withdraw(WORKER);
        }
        vm.snapshotGasLastCall("life", "withdraw by owner");
    }

    function test_gas_checkpoint() public {
        c.checkpoints.checkpoint();
        vm.snapshotGasLastCall("life", "checkpoint first");
        _pass(p.checkpointPeriod);
        c.checkpoints.checkpoint();
        vm.snapshotGasLastCall("life", "checkpoint");
    }

    function test_gas_builder() public {
        _register(MANAGER, MANAGER_OPERATOR_KEY, 2, 0, STAKE_WEI);
        Permit memory permit = _permit(BUILDER_KEY, address(c.accounts), ALLOCATION_WEI);
        vm.prank(BUILDER);
        c.accounts.depositAndAllocate(MANAGER, ALLOCATION_WEI, permit);
        vm.snapshotGasLastCall("life", "deposit and allocate first");
    }

    /// @dev The `i`-th order of a list that grows: its tasks stand behind those that were claimed.
    function _extend(Story memory s, uint256 i) private view {
        (uint32 cursor,,) = c.claims.cursorOf(WORKER, MANAGER, BUILDER);
        s.order.taskCount = cursor + uint32(s.tasks.length);
        s.cursorTo = s.order.taskCount;
        s.order.capIbmMicro += uint96(i);
    }
}
