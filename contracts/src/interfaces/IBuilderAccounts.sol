// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Permit} from "./INodeRegistry.sol";

/// @title IBuilderAccounts
/// @notice Builders' prepaid money, its allocation to managers, and what everyone has earned.
/// @dev A builder's money is in its balance, in an allocation to a manager, or reserved by a claim. Earned money
/// is one growing number for each account.
interface IBuilderAccounts {
    /* TYPES */

    /// @notice What a manager may spend of a builder. `pendingWei` of it leaves at `availableAt`.
    struct Allocation {
        uint96 freeWei;
        uint96 pendingWei;
        uint64 availableAt;
    }

    /* EVENTS */

    /// @notice Money came into a builder's balance, from whomever.
    event Deposited(address indexed builder, address indexed payer, uint96 amountWei);
    /// @notice Unallocated money went back to the builder.
    event BalanceWithdrawn(address indexed builder, uint96 amountWei);
    /// @notice A manager may spend more of a builder's money.
    event Allocated(address indexed builder, address indexed manager, uint96 amountWei);
    /// @notice A builder takes back an allocation; managers should sign no more against that part.
    event DeallocationRequested(address indexed builder, address indexed manager, uint96 amountWei, uint64 availableAt);
    /// @notice Allocated money came back into the builder's balance.
    event Deallocated(address indexed builder, address indexed manager, uint96 amountWei);
    /// @notice A builder got stake: of a worker into the allocation of the line that lied, of a manager into its balance.
    event Compensated(address indexed builder, uint96 amountWei);
    /// @notice Earned money was paid out.
    event Withdrawn(address indexed account, uint128 amountWei);

    /* ERRORS */

    /// @notice Only `WorkClaims` may call this.
    error NotWorkClaims(address caller, address needed);
    /// @notice The caller is neither the account nor its operator.
    error NotAllowed(address caller, address needed);
    /// @notice The builder's balance is too small.
    error BalanceTooLow(uint256 balanceWei, uint256 neededWei);
    /// @notice The allocation is too small.
    error AllocationTooLow(uint256 freeWei, uint256 neededWei);
    /// @notice The manager's stake does not cover what would be allocated to it.
    error ManagerStakeTooLow(uint256 stakeWei, uint256 neededWei);
    /// @notice A manager that is leaving takes no more allocations.
    error ManagerExiting(uint64 exitAt);
    /// @notice Orders against the allocation may still be claimed; zero says that nothing was requested.
    error DeallocationTooEarly(uint64 nowAt, uint64 availableAt);
    /// @notice There is nothing to pay out.
    error NothingEarned(address account);

    /* BUILDERS */

    /// @notice Puts the caller's tokens into a builder's balance, its own or another's.
    /// @dev A failing permit is ignored. Reverts with the token's errors.
    function deposit(address builder, uint96 amountWei, Permit calldata permit) external;

    /// @notice Lets a manager spend a part of the caller's balance.
    /// @dev Reverts with `BalanceTooLow`, `ManagerExiting`, `ManagerStakeTooLow` and the registry's `RoleMissing`.
    function allocate(address manager, uint96 amountWei) external;

    /// @notice Puts the caller's tokens into its balance and allocates them, in one transaction.
    function depositAndAllocate(address manager, uint96 amountWei, Permit calldata permit) external;

    /// @notice Begins to take back allocated money; a new request replaces the one before it.
    /// @dev Reverts with `AllocationTooLow`. Claims may spend it until it has left.
    function requestDeallocation(address manager, uint96 amountWei) external;

    /// @notice Moves what was requested, or what is left of it, into the caller's balance.
    /// @dev Reverts with `DeallocationTooEarly`.
    function deallocate(address manager) external;

    /// @notice Pays unallocated money back to the caller. Reverts with `BalanceTooLow`.
    function withdrawBalance(uint96 amountWei) external;

    /* EARNERS */

    /// @notice Pays what an account has earned to the account itself.
    /// @dev By the account or, for a node account, its operator. Reverts with `NotAllowed` and `NothingEarned`.
    function withdraw(address account) external;

    /* ANYONE */

    /// @notice Counts what a manager has spent of an allocation, so that its stake covers others again.
    function syncManager(address builder, address manager) external;

    /* THE PROTOCOL */

    /// @notice Sends a reserved shortfall back to the registry. Only `WorkClaims`.
    function returnShortfall(uint256 amountWei) external;

    /// @notice Pays reserved money out by the policy. Only `WorkClaims`.
    function settle(address worker, uint256 amountWei, uint256 workerBps) external;

    /// @notice Shares forfeited stake that has just arrived: the bounty to the prover, half of the rest burnt, a
    /// quarter to the penalty pool, a quarter to the builder. Only `WorkClaims`.
    /// @return builderWei The builder's part, for its allocation.
    function shareForfeit(address prover, address builder, uint256 forfeitWei, uint256 bountyWei)
        external
        returns (uint256 builderWei);

    /// @notice Books a manager's stake that has just arrived as the builder's. Only `WorkClaims`.
    function compensate(address builder, uint256 amountWei) external;

    /* VIEWS */

    /// @notice Returns a builder's unallocated balance in wei.
    function balanceWei(address builder) external view returns (uint96);

    /// @notice Returns what a manager may spend of a builder.
    function allocation(address builder, address manager) external view returns (Allocation memory);

    /// @notice Returns what counts as allocated to a manager over all builders, in wei.
    function managedWei(address manager) external view returns (uint256);

    /// @notice Returns what an account has earned and been paid since ever, in wei.
    function credits(address account) external view returns (uint128 earnedWei, uint128 withdrawnWei);

    /// @notice The account that gets what of a claim is not the worker's.
    function TREASURY() external view returns (address);

    /// @notice The account that gets a quarter of forfeits.
    function PENALTY_POOL() external view returns (address);
}
