// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {BoundaryEvidence} from "../libraries/Boundaries.sol";
import {Subject, Target} from "../libraries/Execution.sol";

/// @title IExecutionProof
/// @notice Decides the last move of a game: whether one instruction leads from one boundary to the next.
interface IExecutionProof {
    /// @notice What shows that an instruction is right.
    /// @dev `listRoots` of all rounds, first round first. `before` and `afterwards` are read where the instruction has a
    /// boundary on that side; `workRoot` where it is the last of all.
    struct Proof {
        Target target;
        bytes32[] listRoots;
        BoundaryEvidence before;
        BoundaryEvidence afterwards;
        bytes32 workRoot;
        bytes witness;
    }

    /// @notice What is shown does not hash to the game's chain of moves.
    error WrongChain(bytes32 computed, bytes32 needed);
    /// @notice The instruction does not begin in the execution's first state.
    error WrongFirstState(bytes32 got, bytes32 needed);
    /// @notice The execution did not end before its last instruction.
    error NotHalted(uint8 status);
    /// @notice The execution did not put out what the unit says.
    error WrongOutput(bytes32 memoryRoot, bytes32 needed);
    /// @notice The execution did not count or end as the unit says.
    error WrongCost(uint64 cost, uint64 neededCost, uint32 status, uint8 neededStatus);

    /// @notice A list has 31 boundaries of 24 bytes.
    error WrongListLength(uint256 sizeBytes, uint256 neededBytes);
    /// @notice The list has no such boundary.
    error WrongBoundary(bytes32 computed, bytes32 needed);
    /// @notice The worker's tree of parts is larger than the program's region.
    error PartsTooLarge(uint256 log2Bytes, uint256 maxLog2Bytes);
    /// @notice The witness is longer or shorter than what the state needs.
    error WrongWitnessLength(uint256 got, uint256 needed);
    /// @notice The code's path does not lead to the program's root.
    error WrongCode(bytes32 got, bytes32 needed);
    /// @notice The memory's path does not lead to the state's root.
    error WrongMemory(bytes32 got, bytes32 needed);

    /// @notice Reverts unless the instruction at `position` is shown to be right.
    /// @param subject What the game is about.
    /// @param chain The chain of the game's moves.
    /// @param position The instruction, counted from 0.
    function requireProven(Subject calldata subject, bytes32 chain, uint256 position, Proof calldata proof)
        external
        view;
}
