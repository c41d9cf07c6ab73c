// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Contracts, Deploy, Deployment, Roles, Terms} from "../script/Deploy.s.sol";
import {Vm} from "../script/Vm.sol";
import {INodeRegistry, Permit} from "../src/interfaces/INodeRegistry.sol";
import {Images} from "../src/libraries/Image.sol";
import {Parameters} from "../src/libraries/ParameterSet.sol";
import {Signature, TypedData} from "../src/libraries/TypedData.sol";
import {Machine} from "./Machine.sol";

/// @title Base
/// @notice Cheatcodes, assertions, actors, and a deployment with the devnet's parameters.
abstract contract Base {
    error AssertionFailed(string what, uint256 got, uint256 needed);

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant WORKER_KEY = 0xA1;
    uint256 internal constant WORKER_OPERATOR_KEY = 0xA2;
    uint256 internal constant MANAGER_KEY = 0xB1;
    uint256 internal constant MANAGER_OPERATOR_KEY = 0xB2;
    uint256 internal constant BUILDER_KEY = 0xC1;
    uint256 internal constant STRANGER_KEY = 0xD1;

    address internal immutable WORKER = vm.addr(WORKER_KEY);
    address internal immutable WORKER_OPERATOR = vm.addr(WORKER_OPERATOR_KEY);
    address internal immutable MANAGER = vm.addr(MANAGER_KEY);
    address internal immutable MANAGER_OPERATOR = vm.addr(MANAGER_OPERATOR_KEY);
    address internal immutable BUILDER = vm.addr(BUILDER_KEY);
    address internal immutable STRANGER = vm.addr(STRANGER_KEY);

    address internal constant VERIFIER = address(0xE1);
    address internal constant TREASURY = address(0xE2);
    address internal constant PENALTY_POOL = address(0xE3);
    address internal constant TIMELOCK = address(0xE4);
    address internal constant GUARDIAN = address(0xE5);
    address internal constant HOLDER = address(0xE6);
    address internal constant MINTER = address(0xE7);

    uint64 internal constant GENESIS_AT = 1_700_000_000;
    uint40 internal constant IB_MICRO = 500_000;
    uint96 internal constant PRICE_WEI = 1 ether;
    uint96 internal constant STAKE_WEI = 100_000 ether;
    uint96 internal constant PURSE_WEI = 1_000_000 ether;
    uint96 internal constant ALLOCATION_WEI = 200_000 ether;
    /// @dev A program of three instructions (`Machine.sol`).
    bytes32 internal immutable PROGRAM = Images.programId(Machine.image());
    uint8 internal constant OUTPUT_DEPTH = 8;

    Contracts internal c;
    Parameters internal p;

    function setUp() public virtual {
        vm.warp(GENESIS_AT);
        vm.roll(1_000_000);
        _deploy(Deployment.devnet());
    }

    /* WORLD */

    function _deploy(Terms memory terms) internal {
        p = terms.parameters;
        Roles memory roles = Roles({
            minter: MINTER,
            holder: HOLDER,
            treasury: TREASURY,
            penaltyPool: PENALTY_POOL,
            timelock: TIMELOCK,
            guardian: GUARDIAN
        });
        Deploy deployer = Deploy(vm.deployCode("Deploy.s.sol:Deploy"));
        c = deployer.deploy(roles, 1e26, terms);
        vm.prank(TIMELOCK);
        bytes32 program = c.programs.register(Machine.image(), OUTPUT_DEPTH);
        _equal(program, PROGRAM, "the test's program");
        address[5] memory rich = [WORKER, MANAGER, BUILDER, VERIFIER, STRANGER];
        for (uint256 i = 0; i < rich.length; ++i) {
            vm.prank(HOLDER);
            c.token.transfer(rich[i], PURSE_WEI);
        }
    }

    /// @notice Registers worker and manager, and lets the builder allocate money to the manager.
    function _settleIn() internal {
        _register(WORKER, WORKER_OPERATOR_KEY, 1, IB_MICRO, STAKE_WEI);
        _register(MANAGER, MANAGER_OPERATOR_KEY, 2, 0, STAKE_WEI);
        vm.startPrank(BUILDER);
        c.token.approve(address(c.accounts), type(uint256).max);
        c.accounts.depositAndAllocate(MANAGER, ALLOCATION_WEI, _noPermit());
        vm.stopPrank();
        vm.prank(VERIFIER);
        c.token.approve(address(c.demands), type(uint256).max);
    }

    function _registration(address owner, uint256 operatorKey, uint8 roles, uint40 ibMicro, uint96 stakeWei)
        internal
        view
        returns (INodeRegistry.Registration memory)
    {
        return INodeRegistry.Registration({
            operator: vm.addr(operatorKey),
            roles: roles,
            ibMicro: ibMicro,
            priceWei: PRICE_WEI,
            stakeWei: stakeWei,
            consent: _consent(owner, operatorKey),
            endpoint: roles & 2 == 0 ? "" : "https://manager.example/inferix/v1"
        });
    }

    function _register(address owner, uint256 operatorKey, uint8 roles, uint40 ibMicro, uint96 stakeWei) internal {
        INodeRegistry.Registration memory registration = _registration(owner, operatorKey, roles, ibMicro, stakeWei);
        vm.startPrank(owner);
        c.token.approve(address(c.registry), stakeWei);
        c.registry.register(registration, _noPermit());
        vm.stopPrank();
    }

    /* SIGNATURES */

    function _noPermit() internal pure returns (Permit memory none) {}

    function _permit(uint256 ownerKey, address spender, uint256 valueWei) internal view returns (Permit memory) {
        address owner = vm.addr(ownerKey);
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        uint256 deadlineAt = _now() + 1 hours;
        bytes32 structHash =
            keccak256(abi.encode(typeHash, owner, spender, valueWei, c.token.nonces(owner), deadlineAt));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ownerKey, _digest(c.token.DOMAIN_SEPARATOR(), structHash));
        return Permit(deadlineAt, v, r, s);
    }

    function _consent(address owner, uint256 operatorKey) internal view returns (Signature memory) {
        bytes32 structHash = TypedData.hashOperatorConsent(owner, vm.addr(operatorKey));
        return _sign(operatorKey, c.registry.domainSeparator(), structHash);
    }

    function _sign(uint256 key, bytes32 separator, bytes32 structHash) internal pure returns (Signature memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(separator, structHash));
        return Signature(r, bytes32(uint256(s) | uint256(v - 27) << 255));
    }

    function _digest(bytes32 separator, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    /* TIME AND CHANCE */

    function _pass(uint256 span) internal {
        vm.warp(_now() + span);
        vm.roll(vm.getBlockNumber() + 1 + span / 12);
    }

    /// @dev The optimizer takes `block.timestamp` for a constant of the transaction, which a test's is not.
    function _now() internal view returns (uint64) {
        return uint64(vm.getBlockTimestamp());
    }

    /// @notice Returns a number that follows from a seed and a name, below a bound.
    function _draw(uint256 seed, string memory name, uint256 bound) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, name))) % bound;
    }

    function _draw(uint256 seed, string memory name, uint256 i, uint256 bound) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, name, i))) % bound;
    }

    /* ASSERTIONS */

    function _equal(uint256 got, uint256 needed, string memory what) internal pure {
        require(got == needed, AssertionFailed(what, got, needed));
    }

    function _equal(address got, address needed, string memory what) internal pure {
        _equal(uint160(got), uint160(needed), what);
    }

    function _equal(bytes32 got, bytes32 needed, string memory what) internal pure {
        _equal(uint256(got), uint256(needed), what);
    }

    function _true(bool condition, string memory what) internal pure {
        require(condition, AssertionFailed(what, 0, 1));
    }
}
