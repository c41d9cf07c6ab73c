// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {BuilderAccounts} from "../src/BuilderAccounts.sol";
import {Checkpoints} from "../src/Checkpoints.sol";
import {Demands} from "../src/Demands.sol";
import {DisputeGame} from "../src/DisputeGame.sol";
import {ExecutionProof} from "../src/ExecutionProof.sol";
import {FraudProofs} from "../src/FraudProofs.sol";
import {IFX} from "../src/IFX.sol";
import {ManagerFrauds} from "../src/ManagerFrauds.sol";
import {NodeRegistry} from "../src/NodeRegistry.sol";
import {ProgramRegistry} from "../src/ProgramRegistry.sol";
import {Voids} from "../src/Voids.sol";
import {WorkClaims} from "../src/WorkClaims.sol";
import {GameTerms} from "../src/interfaces/IDisputeGame.sol";
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
    ExecutionProof proofs;
    DisputeGame disputes;
}

/// @notice What is fixed at deployment.
struct Terms {
    Parameters parameters;
    GameTerms games;
}

/// @title Deployment
/// @notice The order of deployment, which is part of what a deployment means.
/// @dev Contracts know each other by immutable addresses, some of which lie ahead: an address follows from the deployer
/// and its nonce, so the twelve creations must be the deployer's next twelve transactions, in this order:
/// IFX, ProgramRegistry, NodeRegistry, BuilderAccounts, Checkpoints, WorkClaims, FraudProofs, Voids,
/// ManagerFrauds, Demands, ExecutionProof, DisputeGame.
library Deployment {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice A contract did not come to lie where the others expect it.
    error WrongAddress(address deployed, address expected);

    function deploy(address deployer, Roles memory roles, uint256 initialWei, Terms memory terms)
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
        c.claims = new WorkClaims(_wiring(deployer, nonce, c, roles), terms.parameters);
        c.frauds = new FraudProofs(claims);
        c.voids = new Voids(claims, c.checkpoints, c.programs);
        c.managerFrauds = new ManagerFrauds(claims, c.registry);
        c.demands = new Demands(c.token, claims, c.registry, c.programs);
        c.proofs = new ExecutionProof(c.programs);
        c.disputes = new DisputeGame(c.token, claims, c.registry, c.programs, c.proofs, terms.games);

        _requireAt(address(c.accounts), address(accounts));
        _requireAt(address(c.claims), address(claims));
        _requireAt(address(c.frauds), claims.FRAUD_PROOFS());
        _requireAt(address(c.voids), claims.VOIDS());
        _requireAt(address(c.managerFrauds), claims.MANAGER_FRAUDS());
        _requireAt(address(c.demands), claims.DEMANDS());
        _requireAt(address(c.disputes), claims.DISPUTES());
    }

    /// @notice Returns what holds in production (PROTOCOL.md, Parameters).
    function production() internal pure returns (Terms memory terms) {
        terms.parameters = Parameters({
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
            minLockWei: 25 ether,
            bountyWei: 3 ether,
            demandFeeWei: 1 ether
        });
        terms.games = GameTerms({
            clock: 2 days,
            floor: 2 hours,
            revealWindow: 1 days,
            trial: 30 days,
            minBondWei: 15 ether,
            moveRefundWei: 0.5 ether
        });
    }

    /// @notice Returns what holds on a devnet (PROTOCOL.md, Parameters).
    function devnet() internal pure returns (Terms memory terms) {
        terms = production();
        (terms.games.clock, terms.games.floor, terms.games.revealWindow, terms.games.trial) = (60, 5, 60, 0);
        Parameters memory p = terms.parameters;
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
            disputes: vm.computeCreateAddress(deployer, nonce + 11),
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
            guardian: vm.envOr("INFERIX_GUARDIAN", msg.sender)
        });
        uint256 initialWei = vm.envOr("INFERIX_INITIAL_WEI", uint256(1e27));

        vm.startBroadcast();
        contracts = Deployment.deploy(msg.sender, roles, initialWei, Deployment.production());
        vm.stopBroadcast();
    }

    /// @notice Deploys from this contract: tests and forks.
    function deploy(Roles memory roles, uint256 initialWei, Terms memory terms) external returns (Contracts memory) {
        return Deployment.deploy(address(this), roles, initialWei, terms);
    }
}
