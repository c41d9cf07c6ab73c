// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IProgramRegistry} from "./interfaces/IProgramRegistry.sol";
import {Image, Images} from "./libraries/Image.sol";

/// @title ProgramRegistry
/// @notice The programs that jobs may name.
contract ProgramRegistry is IProgramRegistry {
    /* CONSTANTS */

    /// @dev log2 of the 32-byte leaves in the smallest output: one chunk of a demand.
    uint8 private constant MIN_OUTPUT_DEPTH = 5;

    /// @dev log2 of the 32-byte leaves in the largest output: the VM's memory is 32-bit.
    uint8 private constant MAX_OUTPUT_DEPTH = 27;

    /// @inheritdoc IProgramRegistry
    address public immutable TIMELOCK;

    /// @inheritdoc IProgramRegistry
    address public immutable GUARDIAN;

    /* STORAGE */

    /// @dev One slot each.
    mapping(bytes32 programId => Program) private _programs;

    /// @dev Three slots each; only disputes read them.
    mapping(bytes32 programId => Image) private _images;

    /// @param timelock Who registers programs and lifts suspensions.
    /// @param guardian Who suspends programs, and can do nothing else.
    constructor(address timelock, address guardian) {
        TIMELOCK = timelock;
        GUARDIAN = guardian;
    }

    /* GOVERNANCE */

    /// @inheritdoc IProgramRegistry
    function register(Image calldata image, uint8 outputDepth) external returns (bytes32 programId) {
        require(msg.sender == TIMELOCK, NotAllowed(msg.sender, TIMELOCK));
        Images.requireSound(image);
        require(
            outputDepth >= MIN_OUTPUT_DEPTH && outputDepth <= MAX_OUTPUT_DEPTH,
            WrongOutputDepth(outputDepth, MIN_OUTPUT_DEPTH, MAX_OUTPUT_DEPTH)
        );
        programId = Images.programId(image);
        // INVARIANT: what is known of a program never changes, save its suspension.
        require(_programs[programId].registeredAt == 0, ProgramKnown(programId));

        _programs[programId] = Program(uint64(block.timestamp), outputDepth, false, image.maxSteps);
        _images[programId] = image;

        emit ProgramRegistered(programId, outputDepth, image.maxSteps);
    }

    /// @inheritdoc IProgramRegistry
    function suspend(bytes32 programId) external {
        require(msg.sender == GUARDIAN, NotAllowed(msg.sender, GUARDIAN));

        _setSuspended(programId, true);

        emit ProgramSuspended(programId);
    }

    /// @inheritdoc IProgramRegistry
    function resume(bytes32 programId) external {
        require(msg.sender == TIMELOCK, NotAllowed(msg.sender, TIMELOCK));

        _setSuspended(programId, false);

        emit ProgramResumed(programId);
    }

    /* VIEWS */

    /// @inheritdoc IProgramRegistry
    function program(bytes32 programId) external view returns (Program memory) {
        return _programs[programId];
    }

    /// @inheritdoc IProgramRegistry
    function imageOf(bytes32 programId) external view returns (Image memory) {
        return _images[programId];
    }

    /// @inheritdoc IProgramRegistry
    function isLive(bytes32 programId) external view returns (bool) {
        Program storage entry = _programs[programId];
        return entry.registeredAt != 0 && !entry.isSuspended;
    }

    /* INTERNAL */

    function _setSuspended(bytes32 programId, bool isSuspended) private {
        Program storage entry = _programs[programId];
        require(entry.registeredAt != 0, ProgramUnknown(programId));
        require(entry.isSuspended != isSuspended, AlreadySo(programId, isSuspended));

        entry.isSuspended = isSuspended;
    }
}
