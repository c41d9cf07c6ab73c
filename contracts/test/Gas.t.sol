// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IDemands} from "../src/interfaces/IDemands.sol";
import {IFraudProofs} from "../src/interfaces/IFraudProofs.sol";
import {INodeRegistry, Permit} from "../src/interfaces/INodeRegistry.sol";
import {LeafEvidence, LineRef, TaskEvidence, UnitEvidence} from "../src/libraries/Evidence.sol";
import {SumTop} from "../src/libraries/SumTree.sol";
import {Lie, LieBase, Place} from "./Lies.t.sol";
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
            _extend(s);
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
            Story memory s = _tellSparse(i, i == 17 ? 6000 : 2, 1);
            if (i != 17) _extend(s);
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
            _extend(s);
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
}

/// @notice Gas of every fraud predicate, void and demand, at 60 and at 6,000 leaves.
contract RefuteGas is LieBase {
    using Trees for Tree;

    uint256 private constant UNITS = 64;

    string[13] private NAMES = [
        "NodeSum",
        "LeafSum",
        "UnitCost root",
        "UnitCost node",
        "UnitCost unit",
        "LeafArithmetic",
        "LeafArithmetic unit",
        "TaskNotInOrder cursor",
        "TaskNotInOrder",
        "UnitsNotTask",
        "UnitsNotTask unit",
        "UnitsRepeated",
        "ForeignDevice"
    ];

    function test_gas_fraud_60() public {
        _measure(60, "fraud_60");
    }

    function test_gas_fraud_6000() public {
        _measure(6000, "fraud_6000");
    }

    function test_gas_commit() public {
        vm.prank(VERIFIER);
        c.frauds.commit(keccak256("commitment"));
        vm.snapshotGasLastCall("refute", "commit");
    }

    function test_gas_void() public {
        _void(60, "60");
        setUp();
        _void(6000, "6000");
    }

    function test_gas_demand_60() public {
        _demandAndServe(60, "60");
    }

    function test_gas_demand_6000() public {
        _demandAndServe(6000, "6000");
    }

    function _measure(uint256 leafCount, string memory group) private {
        _settleIn();
        _pass(1 days);
        _refute(Lie.ForeignDevice, 60, group, "first of a prover");
        uint256 dearest = 0;
        uint256 snapshot = vm.snapshotState();
        for (uint256 lie = 0; lie < NAMES.length; ++lie) {
            uint256 free = _freeMemory();
            uint256 gas = _refute(Lie(lie), leafCount, group, NAMES[lie]);
            if (gas > dearest) dearest = gas;
            vm.revertToState(snapshot);
            _setFreeMemory(free);
        }
        vm.snapshotValue(group, "dearest", dearest);
    }

    function _refute(Lie lie, uint256 leafCount, string memory group, string memory name)
        private
        returns (uint256 gas)
    {
        _pass(30 days);
        Story memory s = _tellSparse(uint256(lie), leafCount, UNITS);
        _extend(s);
        Place memory spot = Place({i: 0, j: 1, k: 37, level: 1, index: 0});
        _lie(s, lie, spot, 7);
        LineRef memory target = _post(s);
        bytes memory call = _proofOf(s, lie, spot, _accuse(target));
        (bool ok,) = address(c.frauds).call(call);
        gas = vm.snapshotGasLastCall(group, name);
        _true(ok, name);
    }

    /// @dev The stories of 6,000 leaves would not fit in memory one behind the other.
    function _freeMemory() private pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
        }
    }

    function _setFreeMemory(uint256 free) private pure {
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }

    function _void(uint256 leafCount, string memory size) private {
        _settleIn();
        _pass(30 days);
        Story memory s = _tellSparse(1, leafCount, 1);
        s.leaves[0].checkpointIndex = 9;
        _growLeaves(s);
        LineRef memory target = _post(s);
        LeafEvidence memory leaf = _leaf(s, 0);
        c.voids.voidCheckpoint(target, leaf);
        vm.snapshotGasLastCall("refute", string.concat("void_", size, " checkpoint"));
        _pass(p.window);
        _finalize(target);
        vm.snapshotGasLastCall("refute", string.concat("finalize of a voided claim ", size));
    }

    function _demandAndServe(uint256 leafCount, string memory size) private {
        _settleIn();
        _pass(30 days);
        Story memory s = _tellSparse(1, leafCount, UNITS);
        LineRef memory target = _post(s);
        IDemands.Demand memory leafDemand = _demand(target, IDemands.DemandKind.Interval);
        IDemands.Demand memory nodesDemand = _demand(target, IDemands.DemandKind.Nodes);
        nodesDemand.level = uint8(s.leafTree.hashes.length - 1);
        LeafEvidence memory leaf = _leaf(s, 0);
        IDemands.NodesEvidence memory nodes = IDemands.NodesEvidence({
            nodes: s.leafTree.below(nodesDemand.level, 0), siblings: s.leafTree.proof(nodesDemand.level, 0)
        });

        vm.prank(VERIFIER);
        c.demands.open(target, leafDemand);
        vm.snapshotGasLastCall("refute", string.concat("demand_", size, " first of a claim"));
        vm.prank(VERIFIER);
        c.demands.open(target, nodesDemand);
        vm.snapshotGasLastCall("refute", string.concat("demand_", size));
        c.demands.serveInterval(target, leafDemand, leaf, WORKER);
        vm.snapshotGasLastCall("refute", string.concat("serve_", size, " interval"));
        c.demands.serveNodes(target, nodesDemand, nodes, WORKER);
        vm.snapshotGasLastCall("refute", string.concat("serve_", size, " nodes"));
    }
}

/// @notice Sizes of deployed code, of which the chain takes 24,576 bytes.
contract SizeGas is StoryBase {
    function test_gas_sizes() public {
        _size("IFX", address(c.token));
        _size("NodeRegistry", address(c.registry));
        _size("BuilderAccounts", address(c.accounts));
        _size("ProgramRegistry", address(c.programs));
        _size("Checkpoints", address(c.checkpoints));
        _size("WorkClaims", address(c.claims));
        _size("FraudProofs", address(c.frauds));
        _size("Voids", address(c.voids));
        _size("ManagerFrauds", address(c.managerFrauds));
        _size("Demands", address(c.demands));
        _size("ExecutionProof", address(c.proofs));
        _size("DisputeGame", address(c.disputes));
    }

    function _size(string memory name, address account) private {
        vm.snapshotValue("size", name, account.code.length);
        _true(account.code.length <= 24_576, name);
    }
}
