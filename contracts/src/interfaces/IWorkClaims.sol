// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {ClaimHeader, Line} from "../libraries/Claims.sol";
import {Parameters} from "../libraries/ParameterSet.sol";
import {Signature, WorkOrder} from "../libraries/TypedData.sol";

/// @title IWorkClaims
/// @notice Claims from posting to payment or rejection, and the parameters that they are posted under.
/// @dev Header and lines of a claim stand in its `ClaimPosted` event; every later call supplies them again.
interface IWorkClaims {
    /* TYPES */

    /// @notice Where a claim stands. A claim only moves down this list.
    enum ClaimStatus {
        None,
        Posted,
        Final,
        Rejected
    }

    /// @notice What a worker says of its claim as a whole; the orders name the device. Times in milliseconds since 1970.
    struct ClaimInput {
        uint64 startMs;
        uint64 endMs;
        bytes32 blobHash;
    }

    /// @notice What a worker says of one line: the order that it consumes up to `cursorTo`, and its tree's top.
    struct LineInput {
        WorkOrder order;
        Signature signature;
        uint32 cursorTo;
        bytes32 topHash;
        uint64 leafCount;
        uint96 sumIbmMicro;
    }

    /* EVENTS */

    /// @notice A claim was posted. Header and lines are what every later call about it needs.
    event ClaimPosted(bytes32 indexed claimId, address indexed worker, ClaimHeader header, Line[] lines);
    /// @notice A claim was paid: the worker and the treasury share `paidWei`, and the claim's locks are free.
    event ClaimFinalized(bytes32 indexed claimId, address indexed worker, uint96 paidWei);
    /// @notice A claim was rejected for a fraud in one of its lines.
    event ClaimRejected(
        bytes32 indexed claimId, address indexed worker, address indexed prover, uint256 lineIndex, uint96 forfeitWei
    );
    /// @notice A demand or a dispute opened on a claim; it is final only after as many closed.
    event ClaimHeld(bytes32 indexed claimId, uint16 liveCount);
    /// @notice A demand or a dispute on a claim closed; the claim's deadline is `deadlineAt` from here on.
    event ClaimReleased(bytes32 indexed claimId, uint16 liveCount, uint64 deadlineAt);
    /// @notice A leaf of a claim will not be paid.
    event LeafVoided(bytes32 indexed claimId, uint256 lineIndex, uint64 leafIndex, uint96 ibmMicro);
    /// @notice A manager paid a builder for its own fraud, out of its stake.
    event ManagerPenalized(bytes32 indexed claimId, address indexed manager, address indexed builder, uint96 takenWei);
    /// @notice Reserved money came back into an allocation: leaves were voided, or the claim was rejected. In the
    /// line that lied, the builder's part of the forfeit (`Compensated`) is in it.
    event Refunded(address indexed builder, address indexed manager, uint96 amountWei);
    /// @notice The locked stake of a manager changed, because a demand against it opened or closed.
    event ManagerLocked(address indexed manager, uint96 lockedWei);
    /// @notice New claims are posted under new parameters.
    event ParametersChanged(uint32 indexed version, Parameters parameters);

    /* ERRORS */

    /// @notice A claim has one to eight lines.
    error WrongLineCount(uint256 lineCount, uint256 maxCount);
    /// @notice The order is for another device than the claim's first.
    error WrongDevice(bytes32 deviceId, bytes32 needed);
    /// @notice The claim starts before the device's last claim ended.
    error StartTooEarly(uint64 startMs, uint64 neededMs);
    /// @notice The claim ends before it starts.
    error EndBeforeStart(uint64 endMs, uint64 startMs);
    /// @notice The claim ends in the future.
    error EndTooLate(uint64 endMs, uint64 maxMs);
    /// @notice The device's last claim is too young.
    error ClaimTooEarly(uint64 nowAt, uint64 neededAt);
    /// @notice The claim that holds the ring's slot must be finalized first.
    error RingFull(uint32 seq);
    /// @notice The order is not signed by the manager's operator.
    error WrongSigner(address signer, address needed);
    /// @notice The worker's free stake does not cover what the claim locks.
    error FreeStakeTooLow(uint256 freeWei, uint256 neededWei);
    /// @notice The order asks for more per IBM than the worker's stake was sized by.
    error PriceTooHigh(uint256 priceWei, uint256 maxWei);
    /// @notice The order's lease and grace are over.
    error OrderExpired(uint64 nowAt, uint64 expiredAt);
    /// @notice The order's lease ends too far ahead.
    error LeaseTooLong(uint64 leaseEndsAt, uint64 maxAt);
    /// @notice The manager's stake may leave before the slowest claim would be settled.
    error ManagerExiting(uint64 settledAt, uint64 exitAt);
    /// @notice The line's cursor must grow, and stay within the order's list.
    error WrongCursor(uint32 cursorTo, uint32 cursorFrom, uint32 taskCount);
    /// @notice The work claimed under the order's list exceeds its cap, in micro-IBM.
    error WorkCapExceeded(uint256 totalIbmMicro, uint256 capIbmMicro);
    /// @notice The money claimed under the order's list exceeds its cap.
    error MoneyCapExceeded(uint256 totalWei, uint256 capWei);
    /// @notice A tree has at least one leaf and a top.
    error TreeEmpty();
    /// @notice The contract keeps no claim with this header.
    error HeaderUnknown(bytes32 claimId);
    /// @notice The lines are not the header's.
    error WrongLines(bytes32 linesHash, bytes32 needed);
    /// @notice The claim has no such line.
    error LineUnknown(uint256 lineIndex, uint256 lineCount);
    /// @notice The claim is not in the state that the call needs.
    error WrongStatus(bytes32 claimId, ClaimStatus status, ClaimStatus needed);
    /// @notice The claim's deadline has not passed.
    error DeadlineNotPassed(uint64 nowAt, uint64 deadlineAt);
    /// @notice The claim's deadline has passed.
    error DeadlinePassed(uint64 nowAt, uint64 deadlineAt);
    /// @notice A demand or a dispute is open on the claim.
    error ClaimLive(uint16 liveCount);
    /// @notice The claim has as many open demands and disputes as can be counted.
    error TooManyLive(uint16 liveCount);
    /// @notice The leaf was voided before.
    error LeafAlreadyVoid(uint256 lineIndex, uint64 leafIndex);
    /// @notice A claim can't void more than it asks for.
    error VoidExceedsLine(uint256 voidedMicro, uint256 sumIbmMicro);
    /// @notice The caller is no contract of the protocol.
    error NotProtocol(address caller);
    /// @notice A parameter is outside of what governance may set. `name` is the parameter's, in ASCII.
    error ParameterOutOfBounds(bytes32 name, uint256 value, uint256 min, uint256 max);
    /// @notice Only the timelock may change parameters.
    error NotTimelock(address caller, address needed);

    /* WORKERS */

    /// @notice Posts the next claim of a device.
    /// @dev By the worker's operator. Reverts with the errors above `TreeEmpty` inclusive, and the registry's.
    /// @return claimId The new claim's id.
    function submit(ClaimInput calldata input, LineInput[] calldata lines) external returns (bytes32 claimId);

    /* ANYONE */

    /// @notice Pays a claim whose deadline has passed.
    /// @dev Reverts with `HeaderUnknown`, `WrongLines`, `WrongStatus`, `DeadlineNotPassed` and `ClaimLive`.
    function finalize(ClaimHeader calldata header, Line[] calldata lines) external;

    /* THE PROTOCOL */

    /// @notice Counts one more demand or dispute on a claim, and moves the claim out of its ring.
    /// @dev Only protocol contracts. Reverts with `HeaderUnknown`, `WrongStatus`, `DeadlinePassed`, `TooManyLive`.
    function hold(ClaimHeader calldata header) external;

    /// @notice Counts one demand or dispute less, and lets the claim's deadline be no earlier than given.
    function release(ClaimHeader calldata header, uint64 deadlineAt) external;

    /// @notice Rejects a claim for a fraud in one line; the line's lock is forfeited. A won dispute is paid seven
    /// bounties of it, any other proof one.
    /// @dev Reverts with `HeaderUnknown`, `WrongLines`, `LineUnknown`, `WrongStatus` and `DeadlinePassed`.
    function reject(ClaimHeader calldata header, Line[] calldata lines, uint256 lineIndex, address prover) external;

    /// @notice Takes a leaf out of what a claim is paid for.
    /// @dev Reverts like `reject`, and with `LeafAlreadyVoid` and `VoidExceedsLine`.
    function voidLeaf(
        ClaimHeader calldata header,
        Line[] calldata lines,
        uint256 lineIndex,
        uint64 leafIndex,
        uint96 ibmMicro
    ) external;

    /// @notice Repays a builder out of a manager's stake, as far as that goes.
    function penalizeManager(bytes32 claimId, address manager, address builder, uint256 amountWei) external;

    /// @notice Locks a manager's free stake up to an amount while a demand is open against it.
    function lockManager(address manager, uint256 amountWei) external returns (uint256 lockedWei);

    /// @notice Frees what `lockManager` locked.
    function unlockManager(address manager, uint256 amountWei) external;

    /* BUILDERS' MONEY */

    /// @notice Lets a manager spend more of a builder's money. Only `BuilderAccounts`, which has the tokens.
    /// @return freeWei The whole allocation.
    function addAllocation(address builder, address manager, uint256 amountWei) external returns (uint256 freeWei);

    /// @notice Takes back an allocation, as much as there is up to an amount. Only `BuilderAccounts`.
    function removeAllocation(address builder, address manager, uint256 amountWei) external returns (uint256 removedWei);

    /* GOVERNANCE */

    /// @notice Sets the parameters of claims that are posted from now on.
    /// @dev Only the timelock. Reverts with `NotTimelock` and `ParameterOutOfBounds`.
    function setParameters(Parameters calldata parameters) external;

    /* VIEWS */

    /// @notice Returns a claim's state by its header; `deadlineAt` counts extensions.
    function claimState(ClaimHeader calldata header)
        external
        view
        returns (ClaimStatus status, uint16 liveCount, uint64 deadlineAt);

    /// @notice Checks that a claim can still be challenged, and that the lines are its.
    /// @dev Reverts like `reject`.
    function requireOpen(ClaimHeader calldata header, Line[] calldata lines, uint256 lineIndex) external view;

    /// @notice Returns a device's last claim: its number, its end, and when it was posted. Zeros if there is none.
    function lastClaim(bytes32 deviceId) external view returns (uint32 seq, uint64 endMs, uint64 postedAt);

    /// @notice Returns the locked stake of an account in wei: for its posted claims and the demands against it.
    function lockedWei(address account) external view returns (uint96);

    /// @notice Returns what a manager may still spend of a builder, in wei.
    function allocatedWei(address builder, address manager) external view returns (uint256);

    /// @notice Returns how far the orders of a manager for a device and a builder have been claimed.
    function cursorOf(bytes32 deviceId, address manager, address builder)
        external
        view
        returns (uint32 cursor, uint96 ibmMicro, uint96 amountWei);

    /// @notice Returns the voided work of a claim's line in micro-IBM.
    function voidedMicro(bytes32 claimId, uint256 lineIndex) external view returns (uint96);

    /// @notice Returns the stake that a line locks, under a version of the parameters.
    function lineLockWei(uint32 version, uint256 amountWei) external view returns (uint256);

    /// @notice Returns the present parameters and their version.
    function parameters() external view returns (uint32 version, Parameters memory);

    /// @notice Returns the parameters of a version; all zero if there is none.
    function parametersAt(uint32 version) external view returns (Parameters memory);

    /// @notice Returns the domain separator of jobs, orders and receipts.
    function domainSeparator() external view returns (bytes32);
}
