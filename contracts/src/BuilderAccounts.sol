// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {FeeSplit} from "./economics/FeeSplit.sol";
import {IBuilderAccounts} from "./interfaces/IBuilderAccounts.sol";
import {IIFX} from "./interfaces/IIFX.sol";
import {INodeRegistry, Permit} from "./interfaces/INodeRegistry.sol";
import {IWorkClaims} from "./interfaces/IWorkClaims.sol";
import {Parameters} from "./libraries/ParameterSet.sol";

/// @title BuilderAccounts
/// @notice Builders' prepaid money, and what everyone has earned.
/// @dev Holds exactly: balances, allocations, what live claims reserved, and what was earned and not withdrawn. How much
/// of an allocation is left is kept by `WorkClaims`, because every claim writes it.
contract BuilderAccounts is IBuilderAccounts {
    using SafeERC20 for IIFX;

    /* CONSTANTS */

    /// @dev Basis points in a whole.
    uint256 private constant WHOLE_BPS = 10_000;

    /// @notice The token that is paid with.
    IIFX public immutable TOKEN;

    /// @notice Where managers and operators are looked up, and where shortfalls go back to.
    INodeRegistry public immutable REGISTRY;

    /// @notice The contract that reserves, settles and refunds.
    IWorkClaims public immutable WORK_CLAIMS;

    /// @inheritdoc IBuilderAccounts
    address public immutable TREASURY;

    /// @inheritdoc IBuilderAccounts
    address public immutable PENALTY_POOL;

    /* STORAGE */

    /// @dev One slot. `countedWei` is the part of the allocation that `_managedWei` counts.
    struct Share {
        uint96 countedWei;
        uint96 pendingWei;
        uint64 availableAt;
    }

    /// @dev One slot: settling and withdrawing write it, however many claims there were.
    struct Credit {
        uint128 earnedWei;
        uint128 withdrawnWei;
    }

    mapping(address builder => uint96) private _balanceWei;
    mapping(address builder => mapping(address manager => Share)) private _shares;
    mapping(address manager => uint256) private _managedWei;
    mapping(address account => Credit) private _credits;

    /// @param token The token that is paid with.
    /// @param registry The registry of nodes.
    /// @param workClaims The contract that reserves, settles and refunds.
    /// @param treasury Who gets what is not the worker's.
    /// @param penaltyPool Who gets a quarter of forfeits.
    constructor(IIFX token, INodeRegistry registry, IWorkClaims workClaims, address treasury, address penaltyPool) {
        TOKEN = token;
        REGISTRY = registry;
        WORK_CLAIMS = workClaims;
        TREASURY = treasury;
        PENALTY_POOL = penaltyPool;
    }

    /// @dev INVARIANT: only `WorkClaims` moves money that builders allocated.
    modifier onlyWorkClaims() {
        require(msg.sender == address(WORK_CLAIMS), NotWorkClaims(msg.sender, address(WORK_CLAIMS)));
        _;
    }

    /* BUILDERS */

    /// @inheritdoc IBuilderAccounts
    function deposit(address builder, uint96 amountWei, Permit calldata permit) external {
        _deposit(builder, amountWei);

        _pull(amountWei, permit);
    }

    /// @inheritdoc IBuilderAccounts
    function allocate(address manager, uint96 amountWei) external {
        _allocate(manager, amountWei);
    }

    /// @inheritdoc IBuilderAccounts
    function depositAndAllocate(address manager, uint96 amountWei, Permit calldata permit) external {
        _deposit(msg.sender, amountWei);
        _allocate(manager, amountWei);

        _pull(amountWei, permit);
    }

    /// @inheritdoc IBuilderAccounts
    function requestDeallocation(address manager, uint96 amountWei) external {
        Share storage share = _shares[msg.sender][manager];
        uint256 freeWei = WORK_CLAIMS.allocatedWei(msg.sender, manager);
        require(amountWei <= freeWei, AllocationTooLow(freeWei, amountWei));

        (, Parameters memory parameters) = WORK_CLAIMS.parameters();
        // INVARIANT: money stays until every order that was signed against it can no longer be claimed.
        uint64 availableAt = uint64(block.timestamp) + parameters.maxLease + parameters.leaseGrace;
        share.pendingWei = amountWei;
        share.availableAt = availableAt;

        emit DeallocationRequested(msg.sender, manager, amountWei, availableAt);
    }

    /// @inheritdoc IBuilderAccounts
    function deallocate(address manager) external {
        Share storage share = _shares[msg.sender][manager];
        uint64 availableAt = share.availableAt;
        require(
            availableAt != 0 && block.timestamp >= availableAt,
            DeallocationTooEarly(uint64(block.timestamp), availableAt)
        );

        // An allocation is a part of the supply, which fits.
        uint96 amountWei = uint96(WORK_CLAIMS.removeAllocation(msg.sender, manager, share.pendingWei));
        (share.pendingWei, share.availableAt) = (0, 0);
        _count(share, manager, WORK_CLAIMS.allocatedWei(msg.sender, manager));
        _balanceWei[msg.sender] += amountWei;

        emit Deallocated(msg.sender, manager, amountWei);
    }

    /// @inheritdoc IBuilderAccounts
    function withdrawBalance(uint96 amountWei) external {
        _spend(amountWei);

        emit BalanceWithdrawn(msg.sender, amountWei);

        TOKEN.safeTransfer(msg.sender, amountWei);
    }

    /* EARNERS */

    /// @inheritdoc IBuilderAccounts
    function withdraw(address account) external {
        require(
            msg.sender == account || REGISTRY.isOwnerOrOperator(account, msg.sender), NotAllowed(msg.sender, account)
        );
        Credit storage credit = _credits[account];
        uint128 earnedWei = credit.earnedWei;
        uint128 amountWei = earnedWei - credit.withdrawnWei;
        require(amountWei != 0, NothingEarned(account));

        // INVARIANT: an account is never paid more than it earned.
        credit.withdrawnWei = earnedWei;

        emit Withdrawn(account, amountWei);

        TOKEN.safeTransfer(account, amountWei);
    }

    /* ANYONE */

    /// @inheritdoc IBuilderAccounts
    function syncManager(address builder, address manager) external {
        _count(_shares[builder][manager], manager, WORK_CLAIMS.allocatedWei(builder, manager));
    }

    /* THE PROTOCOL */

    /// @inheritdoc IBuilderAccounts
    function returnShortfall(uint256 amountWei) external onlyWorkClaims {
        TOKEN.safeTransfer(address(REGISTRY), amountWei);
    }

    /// @inheritdoc IBuilderAccounts
    /// @dev No event: the claim's own says what is shared, and its parameters say how.
    function settle(address worker, uint256 amountWei, uint256 workerBps) external onlyWorkClaims {
        uint256 workerWei = FeeSplit.workerShareWei(amountWei, workerBps);

        // INVARIANT: a claim pays out what it reserved: the two parts are the whole.
        _credits[worker].earnedWei += uint128(workerWei);
        _credits[TREASURY].earnedWei += uint128(amountWei - workerWei);
    }

    /// @inheritdoc IBuilderAccounts
    /// @dev `ClaimRejected` says what is forfeited, and its parameters what of it is bounty and burnt.
    function shareForfeit(address prover, address builder, uint256 forfeitWei, uint256 bountyWei)
        external
        onlyWorkClaims
        returns (uint256 builderWei)
    {
        uint256 restWei = forfeitWei - bountyWei;
        uint256 burnWei = restWei / 2;
        builderWei = restWei / 4;

        // INVARIANT: the parts are the whole: what rounding leaves goes to the penalty pool.
        _credits[prover].earnedWei += uint128(bountyWei);
        _credits[PENALTY_POOL].earnedWei += uint128(restWei - burnWei - builderWei);

        emit Compensated(builder, uint96(builderWei));

        TOKEN.burn(burnWei);
    }

    /// @inheritdoc IBuilderAccounts
    function compensate(address builder, uint256 amountWei) external onlyWorkClaims {
        _balanceWei[builder] += uint96(amountWei);

        emit Compensated(builder, uint96(amountWei));
    }

    /* VIEWS */

    /// @inheritdoc IBuilderAccounts
    function balanceWei(address builder) external view returns (uint96) {
        return _balanceWei[builder];
    }

    /// @inheritdoc IBuilderAccounts
    function allocation(address builder, address manager) external view returns (Allocation memory) {
        Share storage share = _shares[builder][manager];
        return Allocation(uint96(WORK_CLAIMS.allocatedWei(builder, manager)), share.pendingWei, share.availableAt);
    }

    /// @inheritdoc IBuilderAccounts
    function managedWei(address manager) external view returns (uint256) {
        return _managedWei[manager];
    }

    /// @inheritdoc IBuilderAccounts
    function credits(address account) external view returns (uint128 earnedWei, uint128 withdrawnWei) {
        return (_credits[account].earnedWei, _credits[account].withdrawnWei);
    }

    /* INTERNAL */

    function _deposit(address builder, uint96 amountWei) private {
        _balanceWei[builder] += amountWei;

        emit Deposited(builder, msg.sender, amountWei);
    }

    function _spend(uint96 amountWei) private {
        uint96 balance = _balanceWei[msg.sender];
        require(amountWei <= balance, BalanceTooLow(balance, amountWei));

        _balanceWei[msg.sender] = balance - amountWei;
    }

    function _allocate(address manager, uint96 amountWei) private {
        (, uint64 exitAt) = REGISTRY.managerOperator(manager);
        require(exitAt == 0, ManagerExiting(exitAt));
        _spend(amountWei);

        uint256 freeWei = WORK_CLAIMS.addAllocation(msg.sender, manager, amountWei);
        _count(_shares[msg.sender][manager], manager, freeWei);
        _requireManagerStake(manager);

        emit Allocated(msg.sender, manager, amountWei);
    }

    function _requireManagerStake(address manager) private view {
        (, Parameters memory parameters) = WORK_CLAIMS.parameters();
        uint256 stakeWei = REGISTRY.node(manager).stakeWei;
        uint256 neededWei = _managedWei[manager] * parameters.managerStakeBps / WHOLE_BPS;
        // INVARIANT: a manager's stake covers its part of what it may sign away.
        require(stakeWei >= neededWei, ManagerStakeTooLow(stakeWei, neededWei));
    }

    /// @dev Claims spend an allocation without writing the manager's total; it is put right here.
    function _count(Share storage share, address manager, uint256 freeWei) private {
        _managedWei[manager] = _managedWei[manager] + freeWei - share.countedWei;
        share.countedWei = uint96(freeWei);
    }

    /// @dev Whoever spends a permit first only spares the caller the work: the allowance stands either way.
    function _pull(uint256 amountWei, Permit calldata permit) private {
        if (permit.deadlineAt != 0) {
            try TOKEN.permit(msg.sender, address(this), amountWei, permit.deadlineAt, permit.v, permit.r, permit.s) {}
                catch {}
        }
        TOKEN.safeTransferFrom(msg.sender, address(this), amountWei);
    }
}
