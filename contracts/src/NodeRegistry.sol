// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IIFX} from "./interfaces/IIFX.sol";
import {INodeRegistry, Permit} from "./interfaces/INodeRegistry.sol";
import {IWorkClaims} from "./interfaces/IWorkClaims.sol";
import {Claims} from "./libraries/Claims.sol";
import {Parameters} from "./libraries/ParameterSet.sol";
import {Signature, TypedData} from "./libraries/TypedData.sol";

/// @title NodeRegistry
/// @notice Node accounts and their stake.
/// @dev Holds exactly the stake of all nodes. Nobody owns it; it obeys `WorkClaims` in locking and taking stake, and
/// that contract is fixed at deployment.
contract NodeRegistry is INodeRegistry {
    using SafeERC20 for IIFX;

    /* CONSTANTS */

    /// @dev Executes tasks and claims.
    uint8 private constant ROLE_WORKER = 1;

    /// @dev Splits jobs and signs work orders.
    uint8 private constant ROLE_MANAGER = 2;

    /// @dev All roles: worker 1, manager 2, verifier 4.
    uint8 private constant ALL_ROLES = 7;

    /// @dev The index of a device is one byte of the record.
    uint256 private constant MAX_DEVICES = 255;

    /// @dev Prices are stored in gwei per IBM.
    uint256 private constant PRICE_STEP_WEI = 1 gwei;

    /// @notice The token that is staked.
    IIFX public immutable TOKEN;

    /// @notice The contract that locks and takes stake.
    IWorkClaims public immutable WORK_CLAIMS;

    /// @notice Where taken stake goes.
    address public immutable ACCOUNTS;

    /* STORAGE */

    /// @dev Two slots. A claim reads both of the worker, and the first of the manager. How much of the stake is locked
    /// is kept by `WorkClaims`, in a slot that a claim writes anyway.
    struct Record {
        address operator;
        uint8 roles;
        uint8 deviceCount;
        uint40 ibMicro;
        uint40 exitAt;
        uint96 stakeWei;
        uint64 priceGwei;
    }

    mapping(address account => Record) private _records;

    /// @dev Speeds of devices other than device 0, by device id; only claims of those devices read it.
    mapping(bytes32 deviceId => uint40) private _ibMicro;

    /// @dev Sum of the speeds of an account's devices other than device 0.
    mapping(address account => uint64) private _otherIbMicro;

    mapping(address account => mapping(address delegate => bool)) private _isDelegate;

    /// @dev When an account ceased to be the operator; an order that it signed may still have to land.
    mapping(address account => mapping(address operator => uint64)) private _retiredAt;

    /// @param token The token that is staked.
    /// @param workClaims The contract that locks and takes stake.
    /// @param accounts The contract that gets what is taken.
    constructor(IIFX token, IWorkClaims workClaims, address accounts) {
        TOKEN = token;
        WORK_CLAIMS = workClaims;
        ACCOUNTS = accounts;
    }

    /// @dev INVARIANT: only `WorkClaims` takes stake.
    modifier onlyWorkClaims() {
        require(msg.sender == address(WORK_CLAIMS), NotAllowed(msg.sender, address(WORK_CLAIMS)));
        _;
    }

    /* OWNERS */

    /// @inheritdoc INodeRegistry
    function register(Registration calldata registration, Permit calldata permit) external {
        Record storage record = _records[msg.sender];
        uint8 roles = registration.roles;
        require(record.roles == 0, NodeKnown(msg.sender));
        require(roles != 0 && roles <= ALL_ROLES, WrongRoles(roles));
        _requireConsent(registration.operator, registration.consent);
        uint64 priceGwei = _priceGwei(registration.priceWei);
        if (roles & ROLE_WORKER != 0) {
            require(registration.ibMicro != 0, SpeedZero());
            _requireStake(registration.stakeWei, registration.ibMicro, registration.priceWei);
        }

        record.operator = registration.operator;
        record.roles = roles;
        record.deviceCount = registration.ibMicro == 0 ? 0 : 1;
        record.ibMicro = registration.ibMicro;
        // A shortfall may have come back after an earlier record of the account was closed.
        record.stakeWei += registration.stakeWei;
        record.priceGwei = priceGwei;

        emit NodeRegistered(
            msg.sender,
            registration.operator,
            roles,
            registration.ibMicro,
            registration.priceWei,
            registration.stakeWei,
            registration.endpoint
        );

        _pull(registration.stakeWei, permit);
    }

    /// @inheritdoc INodeRegistry
    function addDevices(uint40[] calldata ibMicro) external {
        Record storage record = _known(msg.sender);
        require(record.roles & ROLE_WORKER != 0, RoleMissing(record.roles, ROLE_WORKER));
        require(record.exitAt == 0, Exiting(record.exitAt));
        uint256 first = record.deviceCount;
        require(first + ibMicro.length <= MAX_DEVICES, TooManyDevices(first + ibMicro.length, MAX_DEVICES));

        uint64 otherIbMicro = _otherIbMicro[msg.sender];
        for (uint256 i = 0; i < ibMicro.length; ++i) {
            require(ibMicro[i] != 0, SpeedZero());
            otherIbMicro += ibMicro[i];
            _ibMicro[Claims.deviceId(msg.sender, first + i)] = ibMicro[i];
            emit DeviceAdded(msg.sender, uint96(first + i), ibMicro[i]);
        }
        _otherIbMicro[msg.sender] = otherIbMicro;
        record.deviceCount = uint8(first + ibMicro.length);

        _requireStake(record.stakeWei, uint256(record.ibMicro) + otherIbMicro, record.priceGwei * PRICE_STEP_WEI);
    }

    /// @inheritdoc INodeRegistry
    function setOperator(address operator, Signature calldata consent) external {
        Record storage record = _known(msg.sender);
        _requireConsent(operator, consent);

        _retiredAt[msg.sender][record.operator] = uint64(block.timestamp);
        record.operator = operator;

        emit OperatorChanged(msg.sender, operator);
    }

    /// @inheritdoc INodeRegistry
    function setDelegate(address delegate, bool isDelegate) external {
        _known(msg.sender);

        _isDelegate[msg.sender][delegate] = isDelegate;

        emit DelegateChanged(msg.sender, delegate, isDelegate);
    }

    /// @inheritdoc INodeRegistry
    function setPrice(uint96 priceWei) external {
        Record storage record = _known(msg.sender);
        uint64 priceGwei = _priceGwei(priceWei);
        if (record.roles & ROLE_WORKER != 0) {
            _requireStake(record.stakeWei, uint256(record.ibMicro) + _otherIbMicro[msg.sender], priceWei);
        }

        record.priceGwei = priceGwei;

        emit PriceChanged(msg.sender, priceWei);
    }

    /// @inheritdoc INodeRegistry
    function requestExit() external {
        Record storage record = _known(msg.sender);
        require(record.exitAt == 0, Exiting(record.exitAt));

        (, Parameters memory parameters) = WORK_CLAIMS.parameters();
        uint64 exitAt = uint64(block.timestamp) + parameters.unbonding;
        record.exitAt = uint40(exitAt);

        emit ExitRequested(msg.sender, exitAt);
    }

    /* OWNERS AND OPERATORS */

    /// @inheritdoc INodeRegistry
    function setEndpoint(address account, string calldata endpoint) external {
        _requireOwnerOrOperator(account, _known(account));

        emit EndpointChanged(account, endpoint);
    }

    /// @inheritdoc INodeRegistry
    function withdrawStake(address account) external {
        Record storage record = _known(account);
        _requireOwnerOrOperator(account, record);
        uint40 exitAt = record.exitAt;
        require(exitAt != 0 && block.timestamp >= exitAt, ExitTooEarly(uint64(block.timestamp), exitAt));
        // INVARIANT: stake that a claim or a demand may forfeit never leaves.
        uint96 lockedWei = WORK_CLAIMS.lockedWei(account);
        require(lockedWei == 0, StakeStillLocked(lockedWei));

        uint96 stakeWei = record.stakeWei;
        _retiredAt[account][record.operator] = uint64(block.timestamp);
        delete _records[account];
        delete _otherIbMicro[account];

        emit StakeWithdrawn(account, stakeWei);

        TOKEN.safeTransfer(account, stakeWei);
    }

    /* ANYONE */

    /// @inheritdoc INodeRegistry
    function addStake(address account, uint96 amountWei, Permit calldata permit) external {
        Record storage record = _known(account);

        record.stakeWei += amountWei;

        emit StakeAdded(account, msg.sender, amountWei);

        _pull(amountWei, permit);
    }

    /* THE PROTOCOL */

    /// @inheritdoc INodeRegistry
    function slash(address account, uint256 forfeitWei) external onlyWorkClaims {
        // INVARIANT: what is forfeited was locked, and locked stake is stake; the subtraction reverts.
        _records[account].stakeWei -= uint96(forfeitWei);

        emit StakeTaken(account, uint96(forfeitWei));

        TOKEN.safeTransfer(ACCOUNTS, forfeitWei);
    }

    /// @inheritdoc INodeRegistry
    function take(address manager, uint256 amountWei, uint256 lockedWei, bool isWhole)
        external
        onlyWorkClaims
        returns (uint256 takenWei)
    {
        Record storage record = _records[manager];
        // INVARIANT: locked stake is never taken for anything but what it was locked for.
        uint256 freeWei = record.stakeWei - lockedWei;
        require(!isWhole || amountWei <= freeWei, FreeStakeTooLow(freeWei, amountWei));

        takenWei = amountWei < freeWei ? amountWei : freeWei;
        record.stakeWei -= uint96(takenWei);

        emit StakeTaken(manager, uint96(takenWei));

        TOKEN.safeTransfer(ACCOUNTS, takenWei);
    }

    /// @inheritdoc INodeRegistry
    function restore(address manager, uint256 amountWei) external onlyWorkClaims {
        _records[manager].stakeWei += uint96(amountWei);

        emit StakeRestored(manager, uint96(amountWei));
    }

    /* VIEWS */

    /// @inheritdoc INodeRegistry
    function node(address account) external view returns (Node memory) {
        Record memory record = _records[account];
        return Node({
            operator: record.operator,
            roles: record.roles,
            deviceCount: record.deviceCount,
            ibMicro: record.ibMicro,
            exitAt: record.exitAt,
            stakeWei: record.stakeWei,
            lockedWei: WORK_CLAIMS.lockedWei(account),
            priceWei: uint96(record.priceGwei * PRICE_STEP_WEI)
        });
    }

    /// @inheritdoc INodeRegistry
    function deviceIbMicro(address account, uint96 deviceIndex) external view returns (uint40) {
        Record storage record = _records[account];
        if (deviceIndex >= record.deviceCount) return 0;
        return deviceIndex == 0 ? record.ibMicro : _ibMicro[Claims.deviceId(account, deviceIndex)];
    }

    /// @inheritdoc INodeRegistry
    function isOwnerOrOperator(address account, address who) external view returns (bool) {
        return who == account || who == _records[account].operator;
    }

    /// @inheritdoc INodeRegistry
    function mayMove(address account, address who) external view returns (bool) {
        return who == account || who == _records[account].operator || _isDelegate[account][who];
    }

    /// @inheritdoc INodeRegistry
    function claimParties(bytes32 deviceId, address sender, address manager)
        external
        view
        returns (uint64 ibMicro, uint256 priceWei, uint256 stakeWei, address operator, uint64 exitAt)
    {
        (ibMicro, priceWei, stakeWei) = _claimant(deviceId, sender);
        (operator, exitAt) = managerOperator(manager);
    }

    /// @inheritdoc INodeRegistry
    function managerOperator(address manager) public view returns (address operator, uint64 exitAt) {
        Record storage record = _records[manager];
        require(record.roles & ROLE_MANAGER != 0, RoleMissing(record.roles, ROLE_MANAGER));
        return (record.operator, record.exitAt);
    }

    /// @inheritdoc INodeRegistry
    function operatorUntil(address account, address who) external view returns (uint64) {
        if (who != address(0) && _records[account].operator == who) return type(uint64).max;
        return _retiredAt[account][who];
    }

    /// @inheritdoc INodeRegistry
    /// @dev Twice what the devices can earn in an epoch: `m` of PROTOCOL.md, Penalties.
    function minStakeWei(uint256 totalIbMicro, uint256 priceWei) public view returns (uint256) {
        (, Parameters memory parameters) = WORK_CLAIMS.parameters();
        return 2 * parameters.epochMinutes * totalIbMicro * priceWei / 1e6;
    }

    /// @inheritdoc INodeRegistry
    function domainSeparator() public view returns (bytes32) {
        return TypedData.domainSeparator(address(this));
    }

    /* INTERNAL */

    function _claimant(bytes32 deviceId, address sender)
        private
        view
        returns (uint64 ibMicro, uint256 priceWei, uint256 stakeWei)
    {
        address worker = Claims.ownerOf(deviceId);
        uint96 deviceIndex = Claims.deviceIndexOf(deviceId);
        Record storage record = _records[worker];
        uint8 roles = record.roles;
        address operator = record.operator;
        uint256 deviceCount = record.deviceCount;
        ibMicro = record.ibMicro;
        require(roles != 0, NodeUnknown(worker));
        require(roles & ROLE_WORKER != 0, RoleMissing(roles, ROLE_WORKER));
        require(operator == sender, NotAllowed(sender, operator));
        require(deviceIndex < deviceCount, DeviceUnknown(deviceIndex, deviceCount));

        if (deviceIndex != 0) ibMicro = _ibMicro[deviceId];
        priceWei = record.priceGwei * PRICE_STEP_WEI;
        stakeWei = record.stakeWei;
    }

    function _known(address account) private view returns (Record storage record) {
        record = _records[account];
        require(record.roles != 0, NodeUnknown(account));
    }

    function _requireOwnerOrOperator(address account, Record storage record) private view {
        require(msg.sender == account || msg.sender == record.operator, NotAllowed(msg.sender, account));
    }

    function _requireConsent(address operator, Signature calldata consent) private view {
        bytes32 structHash = TypedData.hashOperatorConsent(msg.sender, operator);
        address signer = TypedData.signerOf(domainSeparator(), structHash, consent);
        require(signer == operator && operator != address(0), WrongConsent(signer, operator));
    }

    function _requireStake(uint256 stakeWei, uint256 totalIbMicro, uint256 priceWei) private view {
        uint256 neededWei = minStakeWei(totalIbMicro, priceWei);
        // INVARIANT: a worker's stake covers what its devices can claim in two epochs at its price.
        require(stakeWei >= neededWei, StakeTooLow(stakeWei, neededWei));
    }

    function _priceGwei(uint96 priceWei) private pure returns (uint64) {
        uint256 priceGwei = priceWei / PRICE_STEP_WEI;
        require(
            priceWei % PRICE_STEP_WEI == 0 && priceGwei <= type(uint64).max,
            WrongPrice(priceWei, uint96(PRICE_STEP_WEI))
        );
        return uint64(priceGwei);
    }

    /// @dev Whoever spends a permit first only spares the caller the work: the allowance stands either way.
    function _pull(uint256 amountWei, Permit calldata permit) private {
        if (permit.deadlineAt != 0) {
            try TOKEN.permit(msg.sender, address(this), amountWei, permit.deadlineAt, permit.v, permit.r, permit.s) {}
                catch {}
        }
        if (amountWei != 0) TOKEN.safeTransferFrom(msg.sender, address(this), amountWei);
    }
}
