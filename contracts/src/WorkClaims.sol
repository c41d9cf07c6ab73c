// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IBuilderAccounts} from "./interfaces/IBuilderAccounts.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IWorkClaims} from "./interfaces/IWorkClaims.sol";
import {ClaimWord, ClaimWordFields, DeviceWord, DeviceWordFields} from "./libraries/ClaimWord.sol";
import {ClaimHeader, Claims, Line} from "./libraries/Claims.sol";
import {ColdWord, HotWord, ParameterSet, Parameters} from "./libraries/ParameterSet.sol";
import {TypedData, WorkOrder} from "./libraries/TypedData.sol";

/// @title WorkClaims
/// @notice Claims from posting to payment or rejection.
/// @dev Keeps one word for each of a device's last sixteen claims, and for each claim that was ever demanded,
/// challenged or voided in part. Holds no tokens. The contracts that may hold, reject and void are fixed at deployment.
contract WorkClaims is IWorkClaims {
    /* TYPES */

    /// @notice The contracts around this one.
    /// @dev `disputes` may be zero: no dispute game.
    struct Wiring {
        INodeRegistry registry;
        IBuilderAccounts accounts;
        address fraudProofs;
        address voids;
        address managerFrauds;
        address demands;
        address disputes;
        address timelock;
    }

    /// @dev A device's word and its ring of `RING_SLOTS` claims: 17 slots, two of which a claim reads and writes.
    struct Device {
        DeviceWord word;
        ClaimWord[16] ring;
    }

    /// @dev One slot: how far the orders of a manager for a worker and a builder have been claimed.
    struct Cursor {
        uint32 taskCount;
        uint96 ibmMicro;
        uint96 amountWei;
    }

    /// @dev Two slots. Posting and finalizing read the first.
    struct Words {
        HotWord hot;
        ColdWord cold;
    }

    /// @dev Where a claim's word lies.
    struct Found {
        bytes32 claimId;
        bytes32 deviceId;
        ClaimWord word;
        bool isMoved;
    }

    /* CONSTANTS */

    /// @dev Claims of a device that can be open at once. Claims are a twelfth of a window apart, so sixteen slots
    /// never block a device whose claims are finalized in time.
    uint256 private constant RING_SLOTS = 16;

    /// @dev How many claims of a device fit in a window.
    uint256 private constant CLAIMS_PER_WINDOW = 12;

    /// @dev Lines of a claim: a rejected claim with all of them must fit a transaction easily.
    uint256 private constant MAX_LINES = 8;

    /// @dev Status of a ring slot whose claim moved out of the ring.
    uint8 private constant MOVED = 4;

    /// @dev Micro-IBM in an IBM.
    uint256 private constant MICRO = 1e6;

    /// @dev Milliseconds in a second.
    uint256 private constant MS = 1000;

    /// @notice Node accounts and their stake.
    INodeRegistry public immutable REGISTRY;

    /// @notice Builders' money and everyone's credits.
    IBuilderAccounts public immutable ACCOUNTS;

    /// @notice Who may change the parameters of future claims.
    address public immutable TIMELOCK;

    /// @notice The contracts that may hold, release, reject and void.
    address public immutable FRAUD_PROOFS;
    address public immutable VOIDS;
    address public immutable MANAGER_FRAUDS;
    address public immutable DEMANDS;
    address public immutable DISPUTES;

    bytes32 private immutable _SEPARATOR;
    uint256 private immutable _CHAIN_ID;

    /* STORAGE */

    Words private _current;
    mapping(uint32 version => Words) private _past;
    mapping(bytes32 deviceId => Device) private _devices;
    /// @dev The key is the hash of worker, manager and builder.
    mapping(bytes32 key => Cursor) private _cursors;

    /// @dev What a manager may still spend of a builder. `BuilderAccounts` has the tokens; the number stands here
    /// because every claim writes it.
    mapping(address builder => mapping(address manager => uint256)) private _allocatedWei;

    /// @dev Claims that left their ring.
    mapping(bytes32 claimId => ClaimWord) private _moved;

    /// @dev Voided work of a line in micro-IBM; only claims that left their ring have any.
    mapping(bytes32 claimId => mapping(uint256 lineIndex => uint96)) private _voidedMicro;

    /// @dev Voided leaves, 256 to a slot.
    mapping(bytes32 claimId => mapping(uint256 lineIndex => mapping(uint256 page => uint256))) private _voidedLeaves;

    /// @param wiring The contracts around this one.
    /// @param first The first parameters; governance can't go far from them.
    constructor(Wiring memory wiring, Parameters memory first) {
        REGISTRY = wiring.registry;
        ACCOUNTS = wiring.accounts;
        FRAUD_PROOFS = wiring.fraudProofs;
        VOIDS = wiring.voids;
        MANAGER_FRAUDS = wiring.managerFrauds;
        DEMANDS = wiring.demands;
        DISPUTES = wiring.disputes;
        TIMELOCK = wiring.timelock;
        _SEPARATOR = TypedData.domainSeparator(address(this));
        _CHAIN_ID = block.chainid;

        ParameterSet.requireSound(first);
        _setParameters(first, 1);
    }

    /// @dev INVARIANT: nobody but the protocol's own contracts touches a posted claim.
    modifier onlyProtocol() {
        require(
            msg.sender == FRAUD_PROOFS || msg.sender == DEMANDS || msg.sender == VOIDS || msg.sender == MANAGER_FRAUDS
                || msg.sender == DISPUTES,
            NotProtocol(msg.sender)
        );
        _;
    }

    /// @dev INVARIANT: an allocation grows and shrinks only with tokens that `BuilderAccounts` holds.
    modifier onlyAccounts() {
        require(msg.sender == address(ACCOUNTS), NotProtocol(msg.sender));
        _;
    }

    /* WORKERS */

    /// @inheritdoc IWorkClaims
    /// @dev The allocation is taken before the claim is written, because the lines keep what it lacked; the contracts
    /// that are called are the protocol's own and call nobody back.
    function submit(ClaimInput calldata input, LineInput[] calldata inputs) external returns (bytes32 claimId) {
        require(inputs.length != 0 && inputs.length <= MAX_LINES, WrongLineCount(inputs.length, MAX_LINES));
        HotWord hot = _current.hot;
        Device storage device = _devices[Claims.deviceId(input.worker, input.deviceIndex)];
        DeviceWord last = device.word;
        _requireTimely(input, last, hot);

        bytes memory encoded = Claims.blank(inputs.length);
        (uint256 lockWei, uint256 maxPriceWei) = _consume(input.worker, inputs, hot, encoded);
        (uint64 ibMicro, uint256 priceWei, uint256 stakeWei) =
            REGISTRY.claimant(input.worker, input.deviceIndex, msg.sender);
        // INVARIANT: nothing is claimed at a price that the worker's stake was not sized by.
        require(maxPriceWei <= priceWei, PriceTooHigh(maxPriceWei, priceWei));
        uint256 lockedWei_ = _lock(input, last, stakeWei, lockWei);

        uint32 seq = last.seq() + 1;
        // Written first: who is worker and manager at once must not put in stake that was just locked.
        device.word = DeviceWordFields.pack(lockedWei_, block.timestamp, input.endMs, seq);
        _reserve(inputs, encoded);
        _encodeHeader(encoded, input, hot, ibMicro, seq);
        _post(device, Claims.seal(encoded), seq);

        claimId = Claims.claimId(input.worker, input.deviceIndex, seq);
        _emitPosted(claimId, input.worker, encoded);
    }

    /* ANYONE */

    /// @inheritdoc IWorkClaims
    function finalize(ClaimHeader calldata header, Line[] calldata lines) external {
        Found memory found = _find(header);
        _requireLines(header, lines);
        _requireStatus(found, ClaimStatus.Posted);
        uint64 deadlineAt = _deadlineAt(found, header);
        // INVARIANT: a claim is final only after its whole window, and with nothing open against it.
        require(block.timestamp >= deadlineAt, DeadlineNotPassed(uint64(block.timestamp), deadlineAt));
        require(found.word.live() == 0, ClaimLive(found.word.live()));

        _setStatus(found, header, ClaimStatus.Final);
        HotWord hot = _hotAt(header.paramsVersion);
        (uint256 lockWei, uint256 paidWei) = (0, 0);
        for (uint256 i = 0; i < lines.length; ++i) {
            uint256 amountWei = lines[i].amountWei;
            uint256 lineWei = found.isMoved ? _settleVoided(found.claimId, lines[i], i) : amountWei;
            // At most eight amounts of 96 bits.
            unchecked {
                lockWei += hot.lockWei(amountWei);
                paidWei += lineWei;
            }
        }

        _unlock(header.worker, lockWei);

        emit ClaimFinalized(found.claimId, header.worker, uint96(paidWei));

        ACCOUNTS.settle(header.worker, paidWei, hot.workerBps());
    }

    /* THE PROTOCOL */

    /// @inheritdoc IWorkClaims
    function hold(ClaimHeader calldata header) external onlyProtocol {
        Found memory found = _requireOpen(header);
        uint16 live = found.word.live();
        require(live != type(uint16).max, TooManyLive(live));

        _move(found, header, _deadlineAt(found, header), live + 1);

        emit ClaimHeld(found.claimId, live + 1);
    }

    /// @inheritdoc IWorkClaims
    function release(ClaimHeader calldata header, uint64 deadlineAt) external onlyProtocol {
        Found memory found = _find(header);
        uint64 currentAt = _deadlineAt(found, header);
        if (deadlineAt < currentAt) deadlineAt = currentAt;
        // INVARIANT: nothing is released that was not held; the subtraction reverts.
        uint16 live = found.word.live() - 1;

        _moved[found.claimId] = ClaimWordFields.pack(found.word.hash200(), deadlineAt, live, found.word.status());

        emit ClaimReleased(found.claimId, live, deadlineAt);
    }

    /// @inheritdoc IWorkClaims
    function reject(ClaimHeader calldata header, Line[] calldata lines, uint256 lineIndex, address prover)
        external
        onlyProtocol
    {
        Found memory found = _requireOpen(header);
        _requireLine(header, lines, lineIndex);

        _setStatus(found, header, ClaimStatus.Rejected);
        HotWord hot = _hotAt(header.paramsVersion);
        uint256 forfeitWei = hot.lockWei(lines[lineIndex].amountWei);

        emit ClaimRejected(found.claimId, header.worker, prover, lineIndex, uint96(forfeitWei));

        uint256 bountyWei = ParameterSet.bountyWei(_coldAt(header.paramsVersion));
        REGISTRY.slash(header.worker, forfeitWei);
        uint256 builderWei = ACCOUNTS.shareForfeit(prover, lines[lineIndex].builder, forfeitWei, bountyWei);
        uint256 lockWei = 0;
        // INVARIANT: of a rejected claim nothing is paid: every reservation goes back to where it came from.
        for (uint256 i = 0; i < lines.length; ++i) {
            lockWei += hot.lockWei(lines[i].amountWei);
            _refund(lines[i], lines[i].amountWei, i == lineIndex ? builderWei : 0);
        }
        _unlock(header.worker, lockWei);
    }

    /// @inheritdoc IWorkClaims
    function voidLeaf(
        ClaimHeader calldata header,
        Line[] calldata lines,
        uint256 lineIndex,
        uint64 leafIndex,
        uint96 ibmMicro
    ) external onlyProtocol {
        Found memory found = _requireOpen(header);
        _requireLine(header, lines, lineIndex);
        mapping(uint256 => uint256) storage pages = _voidedLeaves[found.claimId][lineIndex];
        uint256 bit = 1 << (leafIndex & 0xff);
        uint256 page = pages[leafIndex >> 8];
        // INVARIANT: a leaf is voided once.
        require(page & bit == 0, LeafAlreadyVoid(lineIndex, leafIndex));
        uint256 voided = uint256(_voidedMicro[found.claimId][lineIndex]) + ibmMicro;
        uint96 sumIbmMicro = lines[lineIndex].sumIbmMicro;
        require(voided <= sumIbmMicro, VoidExceedsLine(voided, sumIbmMicro));

        pages[leafIndex >> 8] = page | bit;
        _voidedMicro[found.claimId][lineIndex] = uint96(voided);
        if (!found.isMoved) _move(found, header, header.deadlineAt, 0);

        emit LeafVoided(found.claimId, lineIndex, leafIndex, ibmMicro);
    }

    /// @inheritdoc IWorkClaims
    function penalizeManager(bytes32 claimId, address manager, address builder, uint256 amountWei)
        external
        onlyProtocol
    {
        uint256 takenWei = REGISTRY.take(manager, amountWei, lockedWei(manager), false);
        ACCOUNTS.compensate(builder, takenWei);

        emit ManagerPenalized(claimId, manager, builder, uint96(takenWei));
    }

    /// @inheritdoc IWorkClaims
    function lockManager(address manager, uint256 amountWei) external onlyProtocol returns (uint256) {
        uint256 lockedWei_ = lockedWei(manager);
        uint256 freeWei = REGISTRY.node(manager).stakeWei - lockedWei_;
        if (freeWei < amountWei) amountWei = freeWei;
        _setLocked(manager, lockedWei_ + amountWei);

        emit ManagerLocked(manager, uint96(lockedWei_ + amountWei));

        return amountWei;
    }

    /// @inheritdoc IWorkClaims
    function unlockManager(address manager, uint256 amountWei) external onlyProtocol {
        _unlock(manager, amountWei);

        emit ManagerLocked(manager, lockedWei(manager));
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

    /* GOVERNANCE */

    /// @inheritdoc IWorkClaims
    function setParameters(Parameters calldata next) external {
        require(msg.sender == TIMELOCK, NotTimelock(msg.sender, TIMELOCK));
        uint32 version = _current.hot.version();
        ParameterSet.requireSound(next);
        ParameterSet.requireNear(next, parametersAt(1));

        _past[version] = _current;
        _setParameters(next, version + 1);
    }

    /* VIEWS */

    /// @inheritdoc IWorkClaims
    function claimState(ClaimHeader calldata header)
        external
        view
        returns (ClaimStatus status, uint16 liveCount, uint64 deadlineAt)
    {
        Found memory found = _lookUp(header);
        if (found.word.hash200() != Claims.hash200(header)) return (ClaimStatus.None, 0, 0);
        return (ClaimStatus(found.word.status()), found.word.live(), _deadlineAt(found, header));
    }

    /// @inheritdoc IWorkClaims
    function requireOpen(ClaimHeader calldata header, Line[] calldata lines, uint256 lineIndex) external view {
        _requireOpen(header);
        _requireLine(header, lines, lineIndex);
    }

    /// @inheritdoc IWorkClaims
    function lastClaim(bytes32 deviceId) external view returns (uint32 seq, uint64 endMs, uint64 postedAt) {
        DeviceWord word = _devices[deviceId].word;
        return (word.seq(), word.endMs(), word.postedAt());
    }

    /// @inheritdoc IWorkClaims
    function lockedWei(address account) public view returns (uint96) {
        return uint96(_devices[Claims.deviceId(account, 0)].word.lockedWei());
    }

    /// @inheritdoc IWorkClaims
    function allocatedWei(address builder, address manager) external view returns (uint256) {
        return _allocatedWei[builder][manager];
    }

    /// @inheritdoc IWorkClaims
    function cursorOf(address worker, address manager, address builder)
        external
        view
        returns (uint32 cursor, uint96 ibmMicro, uint96 amountWei)
    {
        Cursor storage entry = _cursors[_cursorKey(worker, manager, builder)];
        return (entry.taskCount, entry.ibmMicro, entry.amountWei);
    }

    /// @inheritdoc IWorkClaims
    function voidedMicro(bytes32 claimId, uint256 lineIndex) external view returns (uint96) {
        return _voidedMicro[claimId][lineIndex];
    }

    /// @inheritdoc IWorkClaims
    function lineLockWei(uint32 version, uint256 amountWei) external view returns (uint256) {
        return _hotAt(version).lockWei(amountWei);
    }

    /// @inheritdoc IWorkClaims
    function parameters() external view returns (uint32 version, Parameters memory) {
        HotWord hot = _current.hot;
        return (hot.version(), ParameterSet.unpack(hot, _current.cold));
    }

    /// @inheritdoc IWorkClaims
    function parametersAt(uint32 version) public view returns (Parameters memory) {
        return ParameterSet.unpack(_hotAt(version), _coldAt(version));
    }

    /// @inheritdoc IWorkClaims
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == _CHAIN_ID ? _SEPARATOR : TypedData.domainSeparator(address(this));
    }

    /* INTERNAL: POSTING */

    function _requireTimely(ClaimInput calldata input, DeviceWord last, HotWord hot) private view {
        // INVARIANT: claims of a device never overlap in time.
        require(input.startMs >= last.endMs(), StartTooEarly(input.startMs, last.endMs()));
        require(input.endMs >= input.startMs, EndBeforeStart(input.endMs, input.startMs));
        uint256 maxMs = (block.timestamp + hot.drift()) * MS;
        require(input.endMs <= maxMs, EndTooLate(input.endMs, uint64(maxMs)));
        uint256 neededAt = last.seq() == 0 ? 0 : last.postedAt() + hot.window() / CLAIMS_PER_WINDOW;
        require(block.timestamp >= neededAt, ClaimTooEarly(uint64(block.timestamp), uint64(neededAt)));
    }

    /// @dev Checks each line's order, moves its cursor, and encodes the line.
    function _consume(address worker, LineInput[] calldata inputs, HotWord hot, bytes memory encoded)
        private
        returns (uint256 lockWei, uint256 maxPriceWei)
    {
        for (uint256 i = 0; i < inputs.length; ++i) {
            LineInput calldata input = inputs[i];
            WorkOrder calldata order = input.order;
            require(order.worker == worker, WrongWorker(order.worker, worker));
            require(input.leafCount != 0 && input.topHash != 0, TreeEmpty());
            bytes32 orderHash = TypedData.hashWorkOrderCalldata(order);
            _requireOrder(input, orderHash, hot);

            uint256 priceWei = order.priceWei;
            uint256 amountWei = _amountWei(input.sumIbmMicro, priceWei);
            uint256 line = Claims.lineOf(encoded, i);
            Claims.put(line, Claims.LINE_CURSOR_FROM, _advance(input, amountWei));
            Claims.put(line, Claims.LINE_ORDER_HASH, uint256(orderHash));
            Claims.put(line, Claims.LINE_AMOUNT_WEI, amountWei);
            _encodeLine(line, input);
            lockWei += hot.lockWei(amountWei);
            if (priceWei > maxPriceWei) maxPriceWei = priceWei;
        }
    }

    function _amountWei(uint256 sumIbmMicro, uint256 priceWei) private pure returns (uint256) {
        // Two factors of 96 bits.
        unchecked {
            return sumIbmMicro * priceWei / MICRO;
        }
    }

    function _encodeLine(uint256 line, LineInput calldata input) private pure {
        Claims.put(line, Claims.LINE_BUILDER, uint160(input.order.builder));
        Claims.put(line, Claims.LINE_MANAGER, uint160(input.order.manager));
        Claims.put(line, Claims.LINE_CURSOR_TO, input.cursorTo);
        Claims.put(line, Claims.LINE_TOP_HASH, uint256(input.topHash));
        Claims.put(line, Claims.LINE_LEAF_COUNT, input.leafCount);
        Claims.put(line, Claims.LINE_SUM_IBM_MICRO, input.sumIbmMicro);
    }

    function _encodeHeader(bytes memory encoded, ClaimInput calldata input, HotWord hot, uint64 ibMicro, uint32 seq)
        private
        view
    {
        uint256 header = Claims.headerOf(encoded);
        Claims.put(header, Claims.HEADER_WORKER, uint160(input.worker));
        Claims.put(header, Claims.HEADER_DEVICE_INDEX, input.deviceIndex);
        Claims.put(header, Claims.HEADER_SEQ, seq);
        Claims.put(header, Claims.HEADER_PARAMS_VERSION, hot.version());
        Claims.put(header, Claims.HEADER_IB_MICRO, ibMicro);
        Claims.put(header, Claims.HEADER_START_MS, input.startMs);
        Claims.put(header, Claims.HEADER_END_MS, input.endMs);
        Claims.put(header, Claims.HEADER_POSTED_AT, block.timestamp);
        Claims.put(header, Claims.HEADER_DEADLINE_AT, block.timestamp + hot.window());
        Claims.put(header, Claims.HEADER_BLOB_HASH, uint256(input.blobHash));
    }

    function _requireOrder(LineInput calldata input, bytes32 orderHash, HotWord hot) private view {
        WorkOrder calldata order = input.order;
        uint256 leaseEndsAt = order.leaseEndsAt;
        uint256 expiredAt;
        uint256 maxAt;
        // Sums of 64 bits.
        unchecked {
            expiredAt = leaseEndsAt + hot.leaseGrace();
            maxAt = block.timestamp + hot.maxLease();
        }
        require(block.timestamp < expiredAt, OrderExpired(uint64(block.timestamp), uint64(expiredAt)));
        require(leaseEndsAt <= maxAt, LeaseTooLong(uint64(leaseEndsAt), uint64(maxAt)));

        (address operator, uint64 exitAt) = REGISTRY.managerOperator(order.manager);
        uint256 settledAt = block.timestamp + ParameterSet.LONGEST_WINDOWS * hot.window();
        // INVARIANT: a manager's stake outlives every claim under its orders.
        require(exitAt == 0 || settledAt <= exitAt, ManagerExiting(uint64(settledAt), exitAt));
        address signer = TypedData.signerOf(domainSeparator(), orderHash, input.signature);
        if (signer != operator) _requireRetired(order.manager, signer, operator, hot);
    }

    /// @dev An operator's orders outlive it by the longest lease, or a manager could end its debts by replacing it.
    function _requireRetired(address manager, address signer, address operator, HotWord hot) private view {
        uint256 untilAt = signer == address(0) ? 0 : REGISTRY.operatorUntil(manager, signer);
        require(
            untilAt != 0 && block.timestamp <= untilAt + hot.maxLease() + hot.leaseGrace(),
            WrongSigner(signer, operator)
        );
    }

    function _advance(LineInput calldata input, uint256 amountWei) private returns (uint32 cursorFrom) {
        WorkOrder calldata order = input.order;
        bytes32 key = _cursorKey(order.worker, order.manager, order.builder);
        Cursor memory cursor = _cursors[key];
        cursorFrom = cursor.taskCount;
        // INVARIANT: a cursor only grows, so no task is claimed twice.
        require(
            input.cursorTo > cursorFrom && input.cursorTo <= order.taskCount,
            WrongCursor(input.cursorTo, cursorFrom, order.taskCount)
        );
        // INVARIANT: what is claimed under a list stays within its caps, over all claims.
        uint256 totalMicro = uint256(cursor.ibmMicro) + input.sumIbmMicro;
        require(totalMicro <= order.capIbmMicro, WorkCapExceeded(totalMicro, order.capIbmMicro));
        uint256 totalWei = cursor.amountWei + amountWei;
        require(totalWei <= order.capWei, MoneyCapExceeded(totalWei, order.capWei));

        // Both totals are within caps of 96 bits.
        _cursors[key] = Cursor(input.cursorTo, uint96(totalMicro), uint96(totalWei));
    }

    function _reserve(LineInput[] calldata inputs, bytes memory encoded) private {
        for (uint256 i = 0; i < inputs.length; ++i) {
            WorkOrder calldata order = inputs[i].order;
            mapping(address => uint256) storage allocations = _allocatedWei[order.builder];
            uint256 amountWei = _amountWei(inputs[i].sumIbmMicro, order.priceWei);
            uint256 freeWei = allocations[order.manager];
            if (amountWei <= freeWei) {
                allocations[order.manager] = freeWei - amountWei;
                continue;
            }

            allocations[order.manager] = 0;
            uint256 shortfallWei = amountWei - freeWei;
            Claims.put(Claims.lineOf(encoded, i), Claims.LINE_SHORTFALL_WEI, shortfallWei);
            // INVARIANT: an accepted claim's money is there, whoever over-signed.
            REGISTRY.take(order.manager, shortfallWei, lockedWei(order.manager), true);
        }
    }

    /// @dev Returns what the device's word keeps as locked: the account's total in the word of device 0.
    function _lock(ClaimInput calldata input, DeviceWord last, uint256 stakeWei, uint256 lockWei)
        private
        returns (uint256)
    {
        bool isFirst = input.deviceIndex == 0;
        uint256 beforeWei = isFirst ? last.lockedWei() : lockedWei(input.worker);
        // INVARIANT: locked stake never exceeds stake.
        require(beforeWei + lockWei <= stakeWei, FreeStakeTooLow(stakeWei - beforeWei, lockWei));

        if (isFirst) return beforeWei + lockWei;
        _setLocked(input.worker, beforeWei + lockWei);
        return 0;
    }

    /// @dev Emits `ClaimPosted` with the encoding that was hashed.
    function _emitPosted(bytes32 claimId, address worker, bytes memory encoded) private {
        bytes32 topic = ClaimPosted.selector;
        // GAS: budget of posting; a second encoding costs as much as a slot.
        assembly ("memory-safe") {
            log3(add(encoded, 32), mload(encoded), topic, claimId, worker)
        }
    }

    function _post(Device storage device, uint256 hash200, uint32 seq) private {
        uint256 slot = seq % RING_SLOTS;
        ClaimWord old = device.ring[slot];
        // INVARIANT: a claim leaves its slot only when it is final, rejected or moved.
        require(old.status() != uint8(ClaimStatus.Posted), RingFull(old.seqOrDeadline()));

        device.ring[slot] = ClaimWordFields.pack(hash200, seq, 0, uint8(ClaimStatus.Posted));
    }

    /* INTERNAL: CLAIMS */

    function _lookUp(ClaimHeader calldata header) private view returns (Found memory found) {
        found.deviceId = Claims.deviceId(header.worker, header.deviceIndex);
        found.claimId = Claims.claimId(header.worker, header.deviceIndex, header.seq);
        found.word = _devices[found.deviceId].ring[header.seq % RING_SLOTS];
        if (found.word.seqOrDeadline() == header.seq && found.word.status() != MOVED) return found;
        found.word = _moved[found.claimId];
        found.isMoved = true;
    }

    function _find(ClaimHeader calldata header) private view returns (Found memory found) {
        found = _lookUp(header);
        // INVARIANT: nothing is done to a claim on the word of another header than the one that was posted.
        require(found.word.hash200() == Claims.hash200(header), HeaderUnknown(found.claimId));
    }

    function _requireOpen(ClaimHeader calldata header) private view returns (Found memory found) {
        found = _find(header);
        _requireStatus(found, ClaimStatus.Posted);
        uint64 deadlineAt = _deadlineAt(found, header);
        // INVARIANT: payment and challenge read one deadline; an open demand keeps the claim open past it.
        require(
            block.timestamp < deadlineAt || found.word.live() != 0, DeadlinePassed(uint64(block.timestamp), deadlineAt)
        );
    }

    function _requireStatus(Found memory found, ClaimStatus needed) private pure {
        ClaimStatus status = ClaimStatus(found.word.status());
        require(status == needed, WrongStatus(found.claimId, status, needed));
    }

    function _requireLines(ClaimHeader calldata header, Line[] calldata lines) private pure {
        bytes32 linesHash = Claims.hashLines(lines);
        require(linesHash == header.linesHash, WrongLines(linesHash, header.linesHash));
    }

    function _requireLine(ClaimHeader calldata header, Line[] calldata lines, uint256 lineIndex) private pure {
        _requireLines(header, lines);
        require(lineIndex < lines.length, LineUnknown(lineIndex, lines.length));
    }

    function _deadlineAt(Found memory found, ClaimHeader calldata header) private pure returns (uint64) {
        return found.isMoved ? found.word.seqOrDeadline() : header.deadlineAt;
    }

    function _setStatus(Found memory found, ClaimHeader calldata header, ClaimStatus status) private {
        ClaimWord word = ClaimWord.wrap(ClaimWord.unwrap(found.word) & ~uint256(0xff) | uint256(status));
        if (found.isMoved) {
            _moved[found.claimId] = word;
            return;
        }
        _devices[found.deviceId].ring[header.seq % RING_SLOTS] = word;
    }

    /// @dev Writes a claim's word outside of the ring, and frees its slot if it had one.
    function _move(Found memory found, ClaimHeader calldata header, uint64 deadlineAt, uint16 live) private {
        _moved[found.claimId] = ClaimWordFields.pack(found.word.hash200(), deadlineAt, live, found.word.status());
        if (found.isMoved) return;
        _devices[found.deviceId].ring[header.seq % RING_SLOTS] =
            ClaimWordFields.pack(found.word.hash200(), header.seq, 0, MOVED);
    }

    /// @dev Gives back what the voided leaves of a line asked for, and returns what it still pays.
    function _settleVoided(bytes32 claimId, Line calldata line, uint256 lineIndex) private returns (uint256 paidWei) {
        uint256 voided = _voidedMicro[claimId][lineIndex];
        if (voided == 0) return line.amountWei;
        // Not zero: voided work is at most the sum.
        paidWei = uint256(line.amountWei) * (line.sumIbmMicro - voided) / line.sumIbmMicro;
        _refund(line, line.amountWei - paidWei, 0);
    }

    /// @dev Gives back a part of what a line reserved: first to the manager what it put in, as if the line had asked
    /// for that much less, then to the builder's allocation, with what else the builder gets.
    function _refund(Line calldata line, uint256 amountWei, uint256 extraWei) private {
        uint256 managerWei = amountWei < line.shortfallWei ? amountWei : line.shortfallWei;
        if (managerWei != 0) {
            ACCOUNTS.returnShortfall(managerWei);
            REGISTRY.restore(line.manager, managerWei);
        }
        uint256 builderWei = amountWei - managerWei + extraWei;
        if (builderWei == 0) return;
        _allocatedWei[line.builder][line.manager] += builderWei;

        emit Refunded(line.builder, line.manager, uint96(builderWei));
    }

    function _cursorKey(address worker, address manager, address builder) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(worker, manager, builder));
    }

    function _unlock(address account, uint256 amountWei) private {
        // INVARIANT: nothing is freed twice; the subtraction reverts.
        _setLocked(account, lockedWei(account) - amountWei);
    }

    function _setLocked(address account, uint256 lockedWei_) private {
        Device storage device = _devices[Claims.deviceId(account, 0)];
        device.word = DeviceWordFields.withLocked(device.word, lockedWei_);
    }

    /* INTERNAL: PARAMETERS */

    function _setParameters(Parameters memory next, uint32 version) private {
        (_current.hot, _current.cold) = ParameterSet.pack(next, version);

        emit ParametersChanged(version, next);
    }

    function _hotAt(uint32 version) private view returns (HotWord hot) {
        hot = _current.hot;
        return hot.version() == version ? hot : _past[version].hot;
    }

    function _coldAt(uint32 version) private view returns (ColdWord) {
        return _current.hot.version() == version ? _current.cold : _past[version].cold;
    }
}
