// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {ClaimKeeper} from "./claims/ClaimKeeper.sol";
import {ClaimPosting} from "./claims/ClaimPosting.sol";
import {ParameterKeeper} from "./claims/ParameterKeeper.sol";
import {IBuilderAccounts} from "./interfaces/IBuilderAccounts.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IWorkClaims} from "./interfaces/IWorkClaims.sol";
import {ClaimWord, ClaimWordFields} from "./libraries/ClaimWord.sol";
import {ClaimHeader, Claims, Line} from "./libraries/Claims.sol";
import {HotWord, ParameterSet, Parameters} from "./libraries/ParameterSet.sol";

/// @title WorkClaims
/// @notice Claims from posting to payment or rejection.
/// @dev Holds no tokens. The contracts that may hold, reject and void are fixed at deployment.
contract WorkClaims is ClaimPosting {
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

    /* CONSTANTS */

    /// @notice The contracts that may hold, release, reject and void.
    address public immutable FRAUD_PROOFS;
    address public immutable VOIDS;
    address public immutable MANAGER_FRAUDS;
    address public immutable DEMANDS;
    address public immutable DISPUTES;

    /* STORAGE */

    /// @dev Voided work of a line in micro-IBM; only claims that left their ring have any.
    mapping(bytes32 claimId => mapping(uint256 lineIndex => uint96)) private _voidedMicro;

    /// @dev Voided leaves, 256 to a slot.
    mapping(bytes32 claimId => mapping(uint256 lineIndex => mapping(uint256 page => uint256))) private _voidedLeaves;

    /// @param wiring The contracts around this one.
    /// @param first The first parameters; governance can't go far from them.
    constructor(Wiring memory wiring, Parameters memory first)
        ParameterKeeper(wiring.timelock, first)
        ClaimPosting(wiring.registry, wiring.accounts)
    {
        FRAUD_PROOFS = wiring.fraudProofs;
        VOIDS = wiring.voids;
        MANAGER_FRAUDS = wiring.managerFrauds;
        DEMANDS = wiring.demands;
        DISPUTES = wiring.disputes;
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
        address worker = Claims.ownerOf(header.deviceId);
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

        _unlock(worker, lockWei);

        emit ClaimFinalized(found.claimId, worker, uint96(paidWei));

        ACCOUNTS.settle(worker, paidWei, hot.workerBps());
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
        address worker = Claims.ownerOf(header.deviceId);
        HotWord hot = _hotAt(header.paramsVersion);
        uint256 forfeitWei = hot.lockWei(lines[lineIndex].amountWei);

        emit ClaimRejected(found.claimId, worker, prover, lineIndex, uint96(forfeitWei));

        uint256 bountyWei = ParameterSet.bountyWei(_coldAt(header.paramsVersion));
        if (msg.sender == DISPUTES) bountyWei *= ParameterSet.DISPUTE_BOUNTIES;
        REGISTRY.slash(worker, forfeitWei);
        uint256 builderWei = ACCOUNTS.shareForfeit(prover, lines[lineIndex].builder, forfeitWei, bountyWei);
        uint256 lockWei = 0;
        // INVARIANT: of a rejected claim nothing is paid: every reservation goes back to where it came from.
        for (uint256 i = 0; i < lines.length; ++i) {
            lockWei += hot.lockWei(lines[i].amountWei);
            _refund(lines[i], lines[i].amountWei, i == lineIndex ? builderWei : 0);
        }
        _unlock(worker, lockWei);
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

    /* VIEWS */

    /// @inheritdoc IWorkClaims
    function voidedMicro(bytes32 claimId, uint256 lineIndex) external view returns (uint96) {
        return _voidedMicro[claimId][lineIndex];
    }

    /// @inheritdoc IWorkClaims
    function lineLockWei(uint32 version, uint256 amountWei) external view returns (uint256) {
        return _hotAt(version).lockWei(amountWei);
    }

    /* INTERNAL */

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
}
