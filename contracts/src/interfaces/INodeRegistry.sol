// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Signature} from "../libraries/TypedData.sol";

/// @notice An EIP-2612 permit for exactly the tokens that the call moves. A zero `deadlineAt` means that there
/// is none, because an allowance stands already.
struct Permit {
    uint256 deadlineAt;
    uint8 v;
    bytes32 r;
    bytes32 s;
}

/// @title INodeRegistry
/// @notice Node accounts: owner, operator, roles, devices and stake. The account is the owner's address.
/// @dev Roles are a bitmask: worker 1, manager 2, verifier 4. Stake is only ever paid to the owner; only
/// `WorkClaims` takes it, and what that contract has locked can't leave.
interface INodeRegistry {
    /* TYPES */

    /// @notice What a node says of itself when it registers.
    /// @dev `ibMicro` in micro-IB, of device 0: above zero for a worker; `priceWei` in wei per IBM, a multiple of
    /// 1 gwei; `endpoint` is where a manager is reached.
    struct Registration {
        address operator;
        uint8 roles;
        uint40 ibMicro;
        uint96 priceWei;
        uint96 stakeWei;
        Signature consent;
        string endpoint;
    }

    /// @notice A node account as it stands. `exitAt` is zero, or the instant from which the stake may leave.
    struct Node {
        address operator;
        uint8 roles;
        uint8 deviceCount;
        uint40 ibMicro;
        uint40 exitAt;
        uint96 stakeWei;
        uint96 lockedWei;
        uint96 priceWei;
    }

    /* EVENTS */

    /// @notice A node registered, with device 0.
    event NodeRegistered(
        address indexed node,
        address indexed operator,
        uint8 roles,
        uint40 ibMicro,
        uint96 priceWei,
        uint96 stakeWei,
        string endpoint
    );
    /// @notice A node declared another device.
    event DeviceAdded(address indexed node, uint96 indexed deviceIndex, uint40 ibMicro);
    /// @notice A node's operator was replaced.
    event OperatorChanged(address indexed node, address indexed operator);
    /// @notice An account may, or may no longer, make a node's moves in disputes.
    event DelegateChanged(address indexed node, address indexed delegate, bool isDelegate);
    /// @notice A worker asks for another price, in wei per IBM.
    event PriceChanged(address indexed node, uint96 priceWei);
    /// @notice A manager is reached elsewhere.
    event EndpointChanged(address indexed node, string endpoint);
    /// @notice Stake was added, by whomever.
    event StakeAdded(address indexed node, address indexed payer, uint96 amountWei);
    /// @notice A node leaves; its stake may from `exitAt` on.
    event ExitRequested(address indexed node, uint64 exitAt);
    /// @notice A node's stake went to its owner, and its record was closed.
    event StakeWithdrawn(address indexed node, uint96 amountWei);
    /// @notice Stake was taken from a node: forfeited, or to cover what a manager owed.
    event StakeTaken(address indexed node, uint96 amountWei);
    /// @notice A manager got stake back that it had put in for a shortfall.
    event StakeRestored(address indexed node, uint96 amountWei);

    /* ERRORS */

    /// @notice There is no such node account.
    error NodeUnknown(address node);
    /// @notice The account is registered already.
    error NodeKnown(address node);
    /// @notice The node lacks a role that the call needs.
    error RoleMissing(uint8 roles, uint8 needed);
    /// @notice Roles are a bitmask of 1, 2 and 4, and not empty.
    error WrongRoles(uint8 roles);
    /// @notice The operator's signature under `OperatorConsent` is another account's.
    error WrongConsent(address signer, address needed);
    /// @notice The caller may not do this for the node.
    error NotAllowed(address caller, address needed);
    /// @notice A price is a multiple of 1 gwei and below 2^64 gwei.
    error WrongPrice(uint96 priceWei, uint96 stepWei);
    /// @notice The stake is below the least for the node's devices and price.
    error StakeTooLow(uint256 stakeWei, uint256 neededWei);
    /// @notice The node's free stake does not cover what must be locked or taken.
    error FreeStakeTooLow(uint256 freeWei, uint256 neededWei);
    /// @notice A speed is above zero.
    error SpeedZero();
    /// @notice A node has at most 255 devices.
    error TooManyDevices(uint256 deviceCount, uint256 maxCount);
    /// @notice The node has no such device.
    error DeviceUnknown(uint96 deviceIndex, uint256 deviceCount);
    /// @notice The node is leaving already.
    error Exiting(uint64 exitAt);
    /// @notice The stake can't leave yet: zero `exitAt` says that leaving was never requested.
    error ExitTooEarly(uint64 nowAt, uint64 exitAt);
    /// @notice The stake can't leave while a part of it is locked.
    error StakeStillLocked(uint96 lockedWei);

    /* OWNERS */

    /// @notice Registers the caller as a node, and takes its stake.
    /// @dev The permit is tried and its failure ignored: whoever spends it first only spares the caller the work.
    /// Reverts with `NodeKnown`, `WrongRoles`, `WrongConsent`, `WrongPrice`, `SpeedZero` (workers), `StakeTooLow`
    /// and the token's errors.
    function register(Registration calldata registration, Permit calldata permit) external;

    /// @notice Declares more devices of the caller's node, one for each speed in micro-IB.
    /// @dev Reverts with `NodeUnknown`, `RoleMissing`, `Exiting`, `SpeedZero`, `TooManyDevices` and `StakeTooLow`.
    function addDevices(uint40[] calldata ibMicro) external;

    /// @notice Replaces the operator of the caller's node. Reverts with `NodeUnknown` and `WrongConsent`.
    function setOperator(address operator, Signature calldata consent) external;

    /// @notice Lets an account make the node's moves in disputes, or no longer. Reverts with `NodeUnknown`.
    function setDelegate(address delegate, bool isDelegate) external;

    /// @notice Asks for another price per IBM. Reverts with `NodeUnknown`, `WrongPrice` and `StakeTooLow`.
    function setPrice(uint96 priceWei) external;

    /// @notice Begins to leave. Reverts with `NodeUnknown` and `Exiting`.
    function requestExit() external;

    /* OWNERS AND OPERATORS */

    /// @notice Says where a manager is reached. Reverts with `NodeUnknown` and `NotAllowed`.
    function setEndpoint(address node, string calldata endpoint) external;

    /// @notice Pays a leaving node's whole stake to its owner, and closes the record.
    /// @dev Reverts with `NodeUnknown`, `NotAllowed`, `ExitTooEarly` and `StakeStillLocked`.
    function withdrawStake(address node) external;

    /* ANYONE */

    /// @notice Adds stake to a node, out of the caller's tokens. Reverts with `NodeUnknown`.
    function addStake(address node, uint96 amountWei, Permit calldata permit) external;

    /* THE PROTOCOL */

    /// @notice Sends forfeited stake to `BuilderAccounts`. Only `WorkClaims`.
    function slash(address account, uint256 forfeitWei) external;

    /// @notice Sends stake of a manager to `BuilderAccounts`: all of an amount, or as much as there is beyond what is
    /// locked.
    /// @dev Only `WorkClaims`. Reverts with `FreeStakeTooLow` if the whole amount is needed and missing.
    function take(address manager, uint256 amountWei, uint256 lockedWei, bool isWhole)
        external
        returns (uint256 takenWei);

    /// @notice Books tokens as a manager's stake that `BuilderAccounts` has just sent back. Only `WorkClaims`.
    function restore(address manager, uint256 amountWei) external;

    /* VIEWS */

    /// @notice Returns a node account; all zero if there is none.
    function node(address account) external view returns (Node memory);

    /// @notice Returns the speed of a node's device in micro-IB; zero if there is none.
    function deviceIbMicro(address account, uint96 deviceIndex) external view returns (uint40);

    /// @notice Returns whether an account is the owner of a node, or its operator.
    function isOwnerOrOperator(address account, address who) external view returns (bool);

    /// @notice Returns whether an account may make a node's moves: its owner, its operator, or a delegate.
    function mayMove(address account, address who) external view returns (bool);

    /// @notice Returns what a claim needs to know of its worker, and of the manager of its first line.
    /// @dev One call for both, because every claim pays for it. Reverts with `NodeUnknown`, `RoleMissing` (of either),
    /// `DeviceUnknown` and, unless `sender` is the operator, `NotAllowed`.
    /// @return ibMicro The device's speed.
    /// @return priceWei The worker's price per IBM.
    /// @return stakeWei The worker's stake, locked or not.
    /// @return operator The manager's operator.
    /// @return exitAt When the manager's stake may leave; zero if it stays.
    function claimParties(bytes32 deviceId, address sender, address manager)
        external
        view
        returns (uint64 ibMicro, uint256 priceWei, uint256 stakeWei, address operator, uint64 exitAt);

    /// @notice Returns a manager's operator, and when its stake may leave (zero: it stays).
    /// @dev Reverts with `RoleMissing` if the account is no registered manager.
    function managerOperator(address manager) external view returns (address operator, uint64 exitAt);

    /// @notice Returns until when an account was a node's operator: the largest value if it still is, zero if it
    /// never was.
    function operatorUntil(address account, address who) external view returns (uint64);

    /// @notice Returns the least stake of a worker, in wei, with the present parameters.
    function minStakeWei(uint256 totalIbMicro, uint256 priceWei) external view returns (uint256);

    /// @notice Returns the domain separator of `OperatorConsent`.
    function domainSeparator() external view returns (bytes32);
}
