// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IExecutionProof} from "./interfaces/IExecutionProof.sol";
import {IProgramRegistry} from "./interfaces/IProgramRegistry.sol";
import {Boundaries, BoundaryEvidence} from "./libraries/Boundaries.sol";
import {Execution, Subject, Target, TargetKind} from "./libraries/Execution.sol";
import {GameChain} from "./libraries/GameChain.sol";
import {Image} from "./libraries/Image.sol";
import {RiscvStep, StepProgram} from "./libraries/RiscvStep.sol";

/// @title ExecutionProof
/// @notice Decides the last move of a game: whether one instruction leads from one boundary to the next.
/// @dev Stateless. What the worker posted before was taken as it came; here the ends of the one segment that is left are
/// tied to it: to boundaries of its lists, to the first state that follows from the job, or to the output of the unit.
contract ExecutionProof is IExecutionProof {
    /* CONSTANTS */

    /// @dev log2 of the segments that a round leaves.
    uint256 private constant LOG2_ARITY = 5;
    uint256 private constant LAST_SEGMENT = 31;

    /// @dev log2 of the bytes of a leaf of an output.
    uint256 private constant LOG2_LEAF = 5;

    /// @dev The status of a state that has halted.
    uint8 private constant HALTED = 1;

    /// @dev Places in a witness, which begins with a state: memoryRoot 32, step 8, pc 4, status 1, x1 to x31, 4 each.
    uint256 private constant STATUS_AT = 44;
    uint256 private constant A0_AT = 45 + 4 * 9;

    /// @notice Where programs are known.
    IProgramRegistry public immutable PROGRAMS;

    /// @param programs Where programs are known.
    constructor(IProgramRegistry programs) {
        PROGRAMS = programs;
    }

    /* VIEWS */

    /// @inheritdoc IExecutionProof
    function requireProven(Subject calldata subject, bytes32 chain, uint256 position, Proof calldata proof)
        external
        view
    {
        _requireChain(chain, proof);
        Image memory image = PROGRAMS.imageOf(subject.programId);
        (bytes32 before, bytes32 afterwards) = RiscvStep.step(
            StepProgram(subject.programId, image.codeRoot, image.log2Code, image.log2Memory), proof.witness
        );

        if (position == 0) _requireFirst(subject, proof.target, image, before);
        else _requireBoundary(subject.salt, proof, position, before, proof.before);
        uint256 next = position + 1;
        bool isLast = next >> LOG2_ARITY * proof.listRoots.length != 0;
        if (isLast) _requireLast(subject, image, proof);
        else _requireBoundary(subject.salt, proof, next, afterwards, proof.afterwards);
    }

    /* INTERNAL */

    function _requireChain(bytes32 chain, Proof calldata proof) private pure {
        bytes32 computed = GameChain.ofTarget(proof.target);
        for (uint256 i = 0; i < proof.listRoots.length; ++i) {
            computed = GameChain.withList(computed, proof.listRoots[i]);
        }
        require(computed == chain, WrongChain(computed, chain));
    }

    /// @dev The state with number `index` stands in the list of the round that chose the last digit, base 32, of `index`
    /// that is not zero.
    function _requireBoundary(
        bytes32 salt,
        Proof calldata proof,
        uint256 index,
        bytes32 state,
        BoundaryEvidence calldata shown
    ) private pure {
        uint256 round = proof.listRoots.length - 1;
        while (index & LAST_SEGMENT == 0) {
            index >>= LOG2_ARITY;
            --round;
        }
        bytes24 boundary = Boundaries.boundaryOf(salt, state);
        require(shown.boundary == boundary, WrongBoundary(boundary, shown.boundary));
        Boundaries.requireListed(proof.listRoots[round], (index & LAST_SEGMENT) - 1, shown);
    }

    function _requireFirst(Subject calldata subject, Target calldata target, Image memory image, bytes32 state)
        private
        pure
    {
        bytes32 needed = Execution.firstState(subject, target, image);
        require(state == needed, WrongFirstState(state, needed));
    }

    /// @dev A state that has halted stays: the one before the last shows what the last is.
    function _requireLast(Subject calldata subject, Image memory image, Proof calldata proof) private view {
        bytes calldata state = proof.witness;
        uint8 status = uint8(state[STATUS_AT]);
        require(status == HALTED, NotHalted(status));
        uint256 log2UnitOutput = LOG2_LEAF + PROGRAMS.program(subject.programId).outputDepth;
        (bytes32 output, uint256 log2Output) = Execution.outputOf(subject, proof.target, image, log2UnitOutput);
        bytes32 needed = Execution.lastMemoryRoot(subject, image, output, log2Output, proof.workRoot);
        require(bytes32(state) == needed, WrongOutput(bytes32(state), needed));
        // A sub-unit's cost stands in its output.
        if (proof.target.kind == TargetKind.Assembly) _requireCost(subject, state[A0_AT:]);
    }

    /// @dev Registers are big-endian in a state; x10 has the low word of the cost, x11 the high one, x12 the status.
    function _requireCost(Subject calldata subject, bytes calldata arguments) private pure {
        uint256 words = uint96(bytes12(arguments));
        uint64 cost = uint64(uint32(words >> 32)) << 32 | uint64(words >> 64);
        uint32 status = uint32(words);
        require(cost == subject.cost && status == subject.status, WrongCost(cost, subject.cost, status, subject.status));
    }
}
