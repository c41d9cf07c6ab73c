// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IWorkClaims} from "../interfaces/IWorkClaims.sol";
import {ClaimWord, ClaimWordFields, DeviceWord, DeviceWordFields} from "../libraries/ClaimWord.sol";
import {ClaimHeader, Claims, Line} from "../libraries/Claims.sol";
import {ParameterKeeper} from "./ParameterKeeper.sol";

/// @title ClaimKeeper
/// @notice The words of devices and claims, and the locks of accounts.
/// @dev Keeps one word for each of a device's last sixteen claims, and for each claim that was ever demanded,
/// challenged or voided in part.
abstract contract ClaimKeeper is ParameterKeeper {
    /* TYPES */

    /// @dev A device's word and its ring of `RING_SLOTS` claims: 17 slots, two of which a claim reads and writes.
    struct Device {
        DeviceWord word;
        ClaimWord[16] ring;
    }

    /// @dev Where a claim's word lies.
    struct Found {
        bytes32 claimId;
        ClaimWord word;
        bool isMoved;
    }

    /* CONSTANTS */

    /// @dev Claims of a device that can be open at once. Claims are a twelfth of a window apart, so sixteen slots
    /// never block a device whose claims are finalized in time.
    uint256 private constant RING_SLOTS = 16;

    /// @dev Status of a ring slot whose claim moved out of the ring.
    uint8 private constant MOVED = 4;

    /* STORAGE */

    mapping(bytes32 deviceId => Device) internal _devices;

    /// @dev Claims that left their ring.
    mapping(bytes32 claimId => ClaimWord) internal _moved;

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

    /* INTERNAL */

    function _post(Device storage device, uint256 hash200, uint32 seq) internal {
        uint256 slot = seq % RING_SLOTS;
        ClaimWord old = device.ring[slot];
        // INVARIANT: a claim leaves its slot only when it is final, rejected or moved.
        require(old.status() != uint8(ClaimStatus.Posted), RingFull(old.seqOrDeadline()));

        device.ring[slot] = ClaimWordFields.pack(hash200, seq, 0, uint8(ClaimStatus.Posted));
    }

    function _lookUp(ClaimHeader calldata header) internal view returns (Found memory found) {
        found.claimId = Claims.claimId(header.deviceId, header.seq);
        found.word = _devices[header.deviceId].ring[header.seq % RING_SLOTS];
        if (found.word.seqOrDeadline() == header.seq && found.word.status() != MOVED) return found;
        found.word = _moved[found.claimId];
        found.isMoved = true;
    }

    function _find(ClaimHeader calldata header) internal view returns (Found memory found) {
        found = _lookUp(header);
        // INVARIANT: nothing is done to a claim on the word of another header than the one that was posted.
        require(found.word.hash200() == Claims.hash200(header), HeaderUnknown(found.claimId));
    }

    function _requireOpen(ClaimHeader calldata header) internal view returns (Found memory found) {
        found = _find(header);
        _requireStatus(found, ClaimStatus.Posted);
        uint64 deadlineAt = _deadlineAt(found, header);
        // INVARIANT: payment and challenge read one deadline; an open demand keeps the claim open past it.
        require(
            block.timestamp < deadlineAt || found.word.live() != 0, DeadlinePassed(uint64(block.timestamp), deadlineAt)
        );
    }

    function _requireStatus(Found memory found, ClaimStatus needed) internal pure {
        ClaimStatus status = ClaimStatus(found.word.status());
        require(status == needed, WrongStatus(found.claimId, status, needed));
    }

    function _requireLines(ClaimHeader calldata header, Line[] calldata lines) internal pure {
        bytes32 linesHash = Claims.hashLines(lines);
        require(linesHash == header.linesHash, WrongLines(linesHash, header.linesHash));
    }

    function _requireLine(ClaimHeader calldata header, Line[] calldata lines, uint256 lineIndex) internal pure {
        _requireLines(header, lines);
        require(lineIndex < lines.length, LineUnknown(lineIndex, lines.length));
    }

    function _deadlineAt(Found memory found, ClaimHeader calldata header) internal pure returns (uint64) {
        return found.isMoved ? found.word.seqOrDeadline() : header.deadlineAt;
    }

    function _setStatus(Found memory found, ClaimHeader calldata header, ClaimStatus status) internal {
        ClaimWord word = ClaimWord.wrap(ClaimWord.unwrap(found.word) & ~uint256(0xff) | uint256(status));
        if (found.isMoved) {
            _moved[found.claimId] = word;
            return;
        }
        _devices[header.deviceId].ring[header.seq % RING_SLOTS] = word;
    }

    /// @dev Writes a claim's word outside of the ring, and frees its slot if it had one.
    function _move(Found memory found, ClaimHeader calldata header, uint64 deadlineAt, uint16 live) internal {
        _moved[found.claimId] = ClaimWordFields.pack(found.word.hash200(), deadlineAt, live, found.word.status());
        if (found.isMoved) return;
        _devices[header.deviceId].ring[header.seq % RING_SLOTS] =
            ClaimWordFields.pack(found.word.hash200(), header.seq, 0, MOVED);
    }

    function _unlock(address account, uint256 amountWei) internal {
        // INVARIANT: nothing is freed twice; the subtraction reverts.
        _setLocked(account, lockedWei(account) - amountWei);
    }

    function _setLocked(address account, uint256 lockedWei_) internal {
        Device storage device = _devices[Claims.deviceId(account, 0)];
        device.word = DeviceWordFields.withLocked(device.word, lockedWei_);
    }
}
