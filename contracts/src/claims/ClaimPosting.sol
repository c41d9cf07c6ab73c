// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IBuilderAccounts} from "../interfaces/IBuilderAccounts.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IWorkClaims} from "../interfaces/IWorkClaims.sol";
import {DeviceWord, DeviceWordFields} from "../libraries/ClaimWord.sol";
import {Claims} from "../libraries/Claims.sol";
import {CursorWord, CursorWordFields} from "../libraries/CursorWord.sol";
import {HotWord, ParameterSet} from "../libraries/ParameterSet.sol";
import {TypedData, WorkOrder} from "../libraries/TypedData.sol";
import {ClaimKeeper} from "./ClaimKeeper.sol";

/// @title ClaimPosting
/// @notice How a claim gets in: its orders, their cursors, the builders' money that it reserves, the stake that it locks.
abstract contract ClaimPosting is ClaimKeeper {
    /* TYPES */

    /// @dev What the registry knows of those that a claim's line is between.
    struct Parties {
        uint256 ibMicro;
        uint256 priceWei;
        uint256 stakeWei;
        address manager;
        address operator;
        uint256 exitAt;
    }

    /// @dev What the lines of a claim add up to.
    struct Totals {
        uint256 lockWei;
        uint256 shortfallWei;
    }

    /* CONSTANTS */

    /// @dev How many claims of a device fit in a window.
    uint256 private constant CLAIMS_PER_WINDOW = 12;

    /// @dev Lines of a claim: a rejected claim with all of them must fit a transaction easily.
    uint256 private constant MAX_LINES = 8;

    /// @dev Micro-IBM in an IBM.
    uint256 private constant MICRO = 1e6;

    /// @dev Milliseconds in a second.
    uint256 private constant MS = 1000;

    /// @notice Node accounts and their stake.
    INodeRegistry public immutable REGISTRY;

    /// @notice Builders' money and everyone's credits.
    IBuilderAccounts public immutable ACCOUNTS;

    bytes32 private immutable _SEPARATOR;
    uint256 private immutable _CHAIN_ID;

    /* STORAGE */

    /// @dev The key is the hash of device, manager and builder.
    mapping(bytes32 key => CursorWord) private _cursors;

    /// @dev What a manager may still spend of a builder. `BuilderAccounts` has the tokens; the number stands here
    /// because every claim writes it.
    mapping(address builder => mapping(address manager => uint256)) internal _allocatedWei;

    constructor(INodeRegistry registry, IBuilderAccounts accounts) {
        REGISTRY = registry;
        ACCOUNTS = accounts;
        _SEPARATOR = TypedData.domainSeparator(address(this));
        _CHAIN_ID = block.chainid;
    }

    /// @dev INVARIANT: an allocation grows and shrinks only with tokens that `BuilderAccounts` holds.
    modifier onlyAccounts() {
        require(msg.sender == address(ACCOUNTS), NotProtocol(msg.sender));
        _;
    }

    /* WORKERS */

    /// @inheritdoc IWorkClaims
    /// @dev Allocations are taken before the claim is written, because the lines keep what they lacked; the contracts
    /// that are called are the protocol's own and call nobody back.
    function submit(ClaimInput calldata input, LineInput[] calldata inputs) external returns (bytes32 claimId) {
        require(inputs.length != 0 && inputs.length <= MAX_LINES, WrongLineCount(inputs.length, MAX_LINES));
        HotWord hot = _current.hot;
        bytes32 deviceId = inputs[0].order.deviceId;
        Device storage device = _devices[deviceId];
        DeviceWord last = device.word;
        _requireTimely(input, last, hot);

        bytes memory encoded = Claims.blank(inputs.length);
        Parties memory parties = _parties(deviceId, inputs[0].order.manager);
        Totals memory totals;
        for (uint256 i = 0; i < inputs.length; ++i) {
            WorkOrder calldata order = inputs[i].order;
            require(order.deviceId == deviceId, WrongDevice(order.deviceId, deviceId));
            if (order.manager != parties.manager) _changeManager(parties, order.manager);
            _consume(inputs[i], hot, Claims.lineOf(encoded, i), parties, totals);
        }
        uint256 lockedWei_ = _lock(deviceId, last, parties.stakeWei, totals.lockWei);
        uint32 seq = last.seq() + 1;
        // Written first: who is worker and manager at once must not put in stake that was just locked.
        device.word = DeviceWordFields.pack(lockedWei_, block.timestamp, input.endMs, seq);
        if (totals.shortfallWei != 0) _takeShortfalls(inputs, encoded);
        _encodeHeader(encoded, input, hot);
        uint256 header = Claims.headerOf(encoded);
        Claims.put(header, Claims.HEADER_DEVICE_ID, uint256(deviceId));
        Claims.put(header, Claims.HEADER_SEQ, seq);
        Claims.put(header, Claims.HEADER_IB_MICRO, parties.ibMicro);
        _post(device, Claims.seal(encoded), seq);

        claimId = Claims.claimId(deviceId, seq);
        _emitPosted(claimId, Claims.ownerOf(deviceId), encoded);
    }

    /* BUILDERS' MONEY */

    /// @inheritdoc IWorkClaims
    function addAllocation(address builder, address manager, uint256 amountWei)
        external
        onlyAccounts
        returns (uint256 freeWei)
    {
        freeWei = _allocatedWei[builder][manager] + amountWei;
        _allocatedWei[builder][manager] = freeWei;
    }

    /// @inheritdoc IWorkClaims
    function removeAllocation(address builder, address manager, uint256 amountWei)
        external
        onlyAccounts
        returns (uint256 removedWei)
    {
        uint256 freeWei = _allocatedWei[builder][manager];
        removedWei = amountWei < freeWei ? amountWei : freeWei;
        _allocatedWei[builder][manager] = freeWei - removedWei;
    }

    /* VIEWS */

    /// @inheritdoc IWorkClaims
    function allocatedWei(address builder, address manager) external view returns (uint256) {
        return _allocatedWei[builder][manager];
    }

    /// @inheritdoc IWorkClaims
    function cursorOf(bytes32 deviceId, address manager, address builder)
        external
        view
        returns (uint32 cursor, uint96 ibmMicro, uint96 amountWei)
    {
        CursorWord word = _cursors[_cursorKey(deviceId, manager, builder)];
        return (word.taskCount(), word.ibmMicro(), word.amountWei());
    }

    /// @inheritdoc IWorkClaims
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == _CHAIN_ID ? _SEPARATOR : TypedData.domainSeparator(address(this));
    }

    /* INTERNAL */

    function _requireTimely(ClaimInput calldata input, DeviceWord last, HotWord hot) private view {
        // INVARIANT: claims of a device never overlap in time.
        require(input.startMs >= last.endMs(), StartTooEarly(input.startMs, last.endMs()));
        require(input.endMs >= input.startMs, EndBeforeStart(input.endMs, input.startMs));
        uint256 maxMs;
        uint256 neededAt;
        // Sums of 64 bits, times a thousand.
        unchecked {
            maxMs = (block.timestamp + hot.drift()) * MS;
            neededAt = last.seq() == 0 ? 0 : last.postedAt() + hot.window() / CLAIMS_PER_WINDOW;
        }
        require(input.endMs <= maxMs, EndTooLate(input.endMs, uint64(maxMs)));
        require(block.timestamp >= neededAt, ClaimTooEarly(uint64(block.timestamp), uint64(neededAt)));
    }

    function _parties(bytes32 deviceId, address manager) private view returns (Parties memory parties) {
        parties.manager = manager;
        (parties.ibMicro, parties.priceWei, parties.stakeWei, parties.operator, parties.exitAt) =
            REGISTRY.claimParties(deviceId, msg.sender, manager);
    }

    function _changeManager(Parties memory parties, address manager) private view {
        parties.manager = manager;
        (parties.operator, parties.exitAt) = REGISTRY.managerOperator(manager);
    }

    /// @dev Checks a line's order, moves its cursor, takes its money from the allocation, and encodes the line.
    function _consume(LineInput calldata input, HotWord hot, uint256 line, Parties memory parties, Totals memory totals)
        private
    {
        WorkOrder calldata order = input.order;
        require(input.leafCount != 0 && input.topHash != 0, TreeEmpty());
        uint256 priceWei = order.priceWei;
        // INVARIANT: nothing is claimed at a price that the worker's stake was not sized by.
        require(priceWei <= parties.priceWei, PriceTooHigh(priceWei, parties.priceWei));
        bytes32 orderHash = TypedData.hashWorkOrderCalldata(order);
        _requireOrder(input, orderHash, hot, parties);

        uint256 amountWei;
        // Two factors of 96 bits.
        unchecked {
            amountWei = input.sumIbmMicro * priceWei / MICRO;
        }
        uint256 cursorFrom = _advance(input, amountWei);
        uint256 shortfallWei = _reserve(order, amountWei);
        // At most eight of 104 bits.
        unchecked {
            totals.lockWei += hot.lockWei(amountWei);
            totals.shortfallWei += shortfallWei;
        }

        Claims.put(line, Claims.LINE_BUILDER, uint160(order.builder));
        Claims.put(line, Claims.LINE_MANAGER, uint160(order.manager));
        Claims.put(line, Claims.LINE_ORDER_HASH, uint256(orderHash));
        Claims.put(line, Claims.LINE_CURSOR_FROM, cursorFrom);
        Claims.put(line, Claims.LINE_CURSOR_TO, input.cursorTo);
        Claims.put(line, Claims.LINE_TOP_HASH, uint256(input.topHash));
        Claims.put(line, Claims.LINE_LEAF_COUNT, input.leafCount);
        Claims.put(line, Claims.LINE_SUM_IBM_MICRO, input.sumIbmMicro);
        Claims.put(line, Claims.LINE_AMOUNT_WEI, amountWei);
        Claims.put(line, Claims.LINE_SHORTFALL_WEI, shortfallWei);
    }

    function _requireOrder(LineInput calldata input, bytes32 orderHash, HotWord hot, Parties memory parties)
        private
        view
    {
        uint256 leaseEndsAt = input.order.leaseEndsAt;
        uint256 expiredAt;
        uint256 maxAt;
        uint256 settledAt;
        // Sums of 64 bits.
        unchecked {
            expiredAt = leaseEndsAt + hot.leaseGrace();
            maxAt = block.timestamp + hot.maxLease();
            settledAt = block.timestamp + ParameterSet.LONGEST_WINDOWS * hot.window();
        }
        require(block.timestamp < expiredAt, OrderExpired(uint64(block.timestamp), uint64(expiredAt)));
        require(leaseEndsAt <= maxAt, LeaseTooLong(uint64(leaseEndsAt), uint64(maxAt)));
        uint256 exitAt = parties.exitAt;
        // INVARIANT: a manager's stake outlives every claim under its orders.
        require(exitAt == 0 || settledAt <= exitAt, ManagerExiting(uint64(settledAt), uint64(exitAt)));

        address signer = TypedData.signerOf(domainSeparator(), orderHash, input.signature);
        if (signer != parties.operator) _requireRetired(parties, signer, hot);
    }

    /// @dev An operator's orders outlive it by the longest lease, or a manager could end its debts by replacing it.
    function _requireRetired(Parties memory parties, address signer, HotWord hot) private view {
        uint256 untilAt = signer == address(0) ? 0 : REGISTRY.operatorUntil(parties.manager, signer);
        require(
            untilAt != 0 && block.timestamp <= untilAt + hot.maxLease() + hot.leaseGrace(),
            WrongSigner(signer, parties.operator)
        );
    }

    function _advance(LineInput calldata input, uint256 amountWei) private returns (uint256 cursorFrom) {
        WorkOrder calldata order = input.order;
        bytes32 key = _cursorKey(order.deviceId, order.manager, order.builder);
        CursorWord word = _cursors[key];
        uint256 cursorTo = input.cursorTo;
        cursorFrom = word.taskCount();
        // INVARIANT: a cursor only grows, so no task is claimed twice.
        require(
            cursorTo > cursorFrom && cursorTo <= order.taskCount,
            WrongCursor(uint32(cursorTo), uint32(cursorFrom), order.taskCount)
        );
        uint256 totalMicro;
        uint256 totalWei;
        // Sums of 96 and of 192 bits.
        unchecked {
            totalMicro = uint256(word.ibmMicro()) + input.sumIbmMicro;
            totalWei = word.amountWei() + amountWei;
        }
        // INVARIANT: what is claimed under a list stays within its caps, over all claims.
        require(totalMicro <= order.capIbmMicro, WorkCapExceeded(totalMicro, order.capIbmMicro));
        require(totalWei <= order.capWei, MoneyCapExceeded(totalWei, order.capWei));

        // Both totals are within caps of 96 bits.
        _cursors[key] = CursorWordFields.pack(totalWei, totalMicro, cursorTo);
    }

    /// @dev Takes an amount from the allocation, and returns what that lacked.
    function _reserve(WorkOrder calldata order, uint256 amountWei) private returns (uint256 shortfallWei) {
        mapping(address => uint256) storage allocations = _allocatedWei[order.builder];
        uint256 freeWei = allocations[order.manager];
        // One of the two is subtracted from the larger.
        unchecked {
            if (amountWei > freeWei) (shortfallWei, amountWei) = (amountWei - freeWei, freeWei);
            allocations[order.manager] = freeWei - amountWei;
        }
    }

    /// @dev INVARIANT: an accepted claim's money is there, whoever over-signed.
    function _takeShortfalls(LineInput[] calldata inputs, bytes memory encoded) private {
        for (uint256 i = 0; i < inputs.length; ++i) {
            uint256 shortfallWei = Claims.get(Claims.lineOf(encoded, i), Claims.LINE_SHORTFALL_WEI);
            if (shortfallWei == 0) continue;
            address manager = inputs[i].order.manager;
            REGISTRY.take(manager, shortfallWei, lockedWei(manager), true);
        }
    }

    /// @dev Returns what the device's word keeps as locked: the account's total in the word of device 0.
    function _lock(bytes32 deviceId, DeviceWord last, uint256 stakeWei, uint256 lockWei) private returns (uint256) {
        bool isFirst = Claims.deviceIndexOf(deviceId) == 0;
        address worker = Claims.ownerOf(deviceId);
        uint256 beforeWei = isFirst ? last.lockedWei() : lockedWei(worker);
        // INVARIANT: locked stake never exceeds stake.
        require(beforeWei + lockWei <= stakeWei, FreeStakeTooLow(stakeWei - beforeWei, lockWei));

        if (isFirst) return beforeWei + lockWei;
        _setLocked(worker, beforeWei + lockWei);
        return 0;
    }

    function _encodeHeader(bytes memory encoded, ClaimInput calldata input, HotWord hot) private view {
        uint256 header = Claims.headerOf(encoded);
        Claims.put(header, Claims.HEADER_PARAMS_VERSION, hot.version());
        Claims.put(header, Claims.HEADER_START_MS, input.startMs);
        Claims.put(header, Claims.HEADER_END_MS, input.endMs);
        Claims.put(header, Claims.HEADER_POSTED_AT, block.timestamp);
        Claims.put(header, Claims.HEADER_DEADLINE_AT, block.timestamp + hot.window());
        Claims.put(header, Claims.HEADER_BLOB_HASH, uint256(input.blobHash));
    }

    /// @dev Emits `ClaimPosted` with the encoding that was hashed.
    function _emitPosted(bytes32 claimId, address worker, bytes memory encoded) private {
        bytes32 topic = ClaimPosted.selector;
        // GAS: budget of posting; a second encoding costs as much as a slot.
        assembly ("memory-safe") {
            log3(add(encoded, 32), mload(encoded), topic, claimId, worker)
        }
    }

    function _cursorKey(bytes32 deviceId, address manager, address builder) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(deviceId, manager, builder));
    }
}
