// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Image} from "../libraries/Image.sol";

/// @title IProgramRegistry
/// @notice The programs that jobs may name. An id is immutable; a guardian can only suspend.
interface IProgramRegistry {
    /// @notice What the protocol must know of a program.
    /// @dev `outputDepth` is log2 of the 32-byte leaves in a unit's output region; `maxSteps` bounds the VM
    /// steps of a sub-unit.
    struct Program {
        uint64 registeredAt;
        uint8 outputDepth;
        bool isSuspended;
        uint64 maxSteps;
    }

    /// @notice A program may be named by jobs.
    event ProgramRegistered(bytes32 indexed programId, uint8 outputDepth, uint64 maxSteps);
    /// @notice A program was suspended: leaves of live claims that ran it can be voided.
    event ProgramSuspended(bytes32 indexed programId);
    /// @notice A suspended program may be used again.
    event ProgramResumed(bytes32 indexed programId);

    /// @notice The caller may not do this.
    error NotAllowed(address caller, address needed);
    /// @notice The program is registered already.
    error ProgramKnown(bytes32 programId);
    /// @notice There is no such program.
    error ProgramUnknown(bytes32 programId);
    /// @notice A size or place of an image is outside of its bounds. `name` is the field's, in ASCII.
    error WrongImage(bytes32 name, uint256 value, uint256 min, uint256 max);
    /// @notice An output has between 2^5 and 2^27 leaves.
    error WrongOutputDepth(uint8 outputDepth, uint8 minDepth, uint8 maxDepth);
    /// @notice The program is suspended, or is not, already.
    error AlreadySo(bytes32 programId, bool isSuspended);

    /// @notice Admits a program for ever. Only the timelock.
    /// @dev Reverts with `NotAllowed`, `ProgramKnown`, `WrongImage` and `WrongOutputDepth`.
    /// @param image What the dispute VM runs.
    /// @param outputDepth log2 of the 32-byte leaves in a unit's output.
    /// @return programId The hash of the image.
    function register(Image calldata image, uint8 outputDepth) external returns (bytes32 programId);

    /// @notice Suspends a program. Only the guardian. Reverts with `NotAllowed`, `ProgramUnknown`, `AlreadySo`.
    function suspend(bytes32 programId) external;

    /// @notice Lifts a suspension. Only the timelock. Reverts with `NotAllowed`, `ProgramUnknown`, `AlreadySo`.
    function resume(bytes32 programId) external;

    /// @notice Returns a program; all zero if there is none.
    function program(bytes32 programId) external view returns (Program memory);

    /// @notice Returns what the dispute VM runs; all zero if there is no such program.
    function imageOf(bytes32 programId) external view returns (Image memory);

    /// @notice Returns whether a program is registered and not suspended.
    function isLive(bytes32 programId) external view returns (bool);

    /// @notice The account that registers and resumes.
    function TIMELOCK() external view returns (address);

    /// @notice The account that suspends.
    function GUARDIAN() external view returns (address);
}
