// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {BuilderAccounts} from "../src/BuilderAccounts.sol";
import {Checkpoints} from "../src/Checkpoints.sol";
import {Demands} from "../src/Demands.sol";
import {FraudProofs} from "../src/FraudProofs.sol";
import {IFX} from "../src/IFX.sol";
import {ManagerFrauds} from "../src/ManagerFrauds.sol";
import {NodeRegistry} from "../src/NodeRegistry.sol";
import {ProgramRegistry} from "../src/ProgramRegistry.sol";
import {Voids} from "../src/Voids.sol";
import {WorkClaims} from "../src/WorkClaims.sol";
import {Parameters} from "../src/libraries/ParameterSet.sol";
import {Vm} from "./Vm.sol";

/// @notice Who does what in a deployment.
struct Roles {
    address minter;
    address holder;
    address treasury;
    address penaltyPool;
    address timelock;
    address guardian;
    address disputes;
}

/// @notice All contracts of a deployment.
struct Contracts {
    IFX token;
    ProgramRegistry programs;
    NodeRegistry registry;
    BuilderAccounts accounts;
    Checkpoints checkpoints;
    WorkClaims claims;
    FraudProofs frauds;
    Voids voids;
    ManagerFrauds managerFrauds;
    Demands demands;
}

/// @title Deployment
/// @notice The order of deployment, which is part of what a deployment means.
/// @dev Contracts know each other by immutable addresses, some of which lie ahead: an address follows from the deployer
/// and its nonce, so the ten creations must be the deployer's next ten transactions, in this order:
/// IFX, ProgramRegistry, NodeRegistry, BuilderAccounts, Checkpoints, WorkClaims, FraudProofs, Voids,
/// ManagerFrauds, Demands.
library Deployment {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice A contract did not come to lie where the others expect it.
    error WrongAddress(address deployed, address expected);

    function deploy(address deployer, Roles memory roles, uint256 initialWei, Parameters memory parameters)
        internal
        returns (Contracts memory c)
    {
        uint256 nonce = vm.getNonce(deployer);
        BuilderAccounts accounts = BuilderAccounts(vm.computeCreateAddress(deployer, nonce + 3));
        WorkClaims claims = WorkClaims(vm.computeCreateAddress(deployer, nonce + 5));

        c.token = new IFX(roles.minter, roles.holder, initialWei);
        c.programs = new ProgramRegistry(roles.timelock, roles.guardian);
        c.registry = new NodeRegistry(c.token, claims, address(accounts));
        c.accounts = new BuilderAccounts(c.token, c.registry, claims, roles.treasury, roles.penaltyPool);
        c.checkpoints = new Checkpoints(claims);
        c.claims = new WorkClaims(_wiring(deployer, nonce, c, roles), parameters);
        c.frauds = new FraudProofs(claims);
        c.voids = new Voids(claims, c.checkpoints, c.programs);
        c.managerFrauds = new ManagerFrauds(claims, c.registry);
        c.demands = new Demands(c.token, claims, c.registry, c.programs);

        _requireAt(address(c.accounts), address(accounts));
        _requireAt(address(c.claims), address(claims));
        _requireAt(address(c.frauds), claims.FRAUD_PROOFS());
        _requireAt(address(c.voids), claims.VOIDS());
        _requireAt(address(c.managerFrauds), claims.MANAGER_FRAUDS());
        _requireAt(address(c.demands), claims.DEMANDS());
    }

    /// @notice Returns the parameters of production (PROTOCOL.md, Parameters).
    function production() internal pure returns (Parameters memory) {
        return Parameters({
            window: 3 days,
            demandWindow: 1 days,
            leaseGrace: 2 days,
            maxLease: 3 days,
            drift: 120,
            checkpointPeriod: 300,
            checkpointDepthBlocks: 64,
            penaltyMultiplier: 2,
            workerBps: 8000,
            managerStakeBps: 1000,
            epochMinutes: 4320,
            unbonding: 14 days,
            minLockWei: 10 ether,
            bountyWei: 3 ether,
            demandFeeWei: 1 ether
        });
    }

    /// @notice Returns the parameters of a devnet (PROTOCOL.md, Parameters).
    function devnet() internal pure returns (Parameters memory p) {
        p = production();
        (p.window, p.demandWindow, p.leaseGrace, p.maxLease) = (60, 20, 60, 3600);
        (p.drift, p.checkpointPeriod, p.checkpointDepthBlocks) = (5, 5, 2);
        (p.epochMinutes, p.unbonding) = (2, 4200);
    }

    function _wiring(address deployer, uint256 nonce, Contracts memory c, Roles memory roles)
        private
        pure
        returns (WorkClaims.Wiring memory)
    {
        return WorkClaims.Wiring({
            registry: c.registry,
            accounts: c.accounts,
            fraudProofs: vm.computeCreateAddress(deployer, nonce + 6),
            voids: vm.computeCreateAddress(deployer, nonce + 7),
            managerFrauds: vm.computeCreateAddress(deployer, nonce + 8),
            demands: vm.computeCreateAddress(deployer, nonce + 9),
            disputes: roles.disputes,
            timelock: roles.timelock
        });
    }

    function _requireAt(address deployed, address expected) private pure {
        require(deployed == expected, WrongAddress(deployed, expected));
    }
}

/// @title Deploy
/// @notice Deploys everything with the production parameters; roles come from `INFERIX_*` variables.
contract Deploy {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Deploys from the script's sender, who holds every role that no variable gives away.
    function run() external returns (Contracts memory contracts) {
        Roles memory roles = Roles({
            minter: vm.envOr("INFERIX_MINTER", address(0)),
            holder: vm.envOr("INFERIX_HOLDER", msg.sender),
            treasury: vm.envOr("INFERIX_TREASURY", msg.sender),
            penaltyPool: vm.envOr("INFERIX_PENALTY_POOL", msg.sender),
            timelock: vm.envOr("INFERIX_TIMELOCK", msg.sender),
            guardian: vm.envOr("INFERIX_GUARDIAN", msg.sender),
            disputes: vm.envOr("INFERIX_DISPUTES", address(0))
        });
        uint256 initialWei = vm.envOr("INFERIX_INITIAL_WEI", uint256(1e27));

        vm.startBroadcast();
        contracts = Deployment.deploy(msg.sender, roles, initialWei, Deployment.production());
        vm.stopBroadcast();
    }

    /// @notice Deploys from this contract: tests and forks.
    function deploy(Roles memory roles, uint256 initialWei, Parameters memory parameters)
        external
        returns (Contracts memory)
    {
        return Deployment.deploy(address(this), roles, initialWei, parameters);
    }
}
