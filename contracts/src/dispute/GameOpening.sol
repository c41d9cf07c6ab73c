// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IIFX} from "../interfaces/IIFX.sol";
import {Line} from "../libraries/Claims.sol";
import {Evidence, LineRef} from "../libraries/Evidence.sol";
import {Subject} from "../libraries/Execution.sol";
import {GameChain, Parties} from "../libraries/GameChain.sol";
import {GameWord} from "../libraries/GameWord.sol";
import {Interval} from "../libraries/Interval.sol";
import {Job, TypedData} from "../libraries/TypedData.sol";
import {GameKeeper} from "./GameKeeper.sol";

/// @title GameOpening
/// @notice How a challenge begins: a commitment with a bond, then the unit that is false.
abstract contract GameOpening is GameKeeper {
    using SafeERC20 for IIFX;
    using Evidence for LineRef;
    using Evidence for Line;
    using Evidence for Interval;

    /* CONSTANTS */

    /// @dev A bond is at least this part of what the line asks for.
    uint256 private constant LINE_PER_BOND = 100;

    /// @dev log2 of the segments of a round.
    uint256 private constant LOG2_ARITY = 5;

    /* STORAGE */

    /// @dev One slot.
    struct Commitment {
        address payer;
        uint40 committedAt;
        uint48 committedBlock;
    }

    mapping(bytes32 commitment => Commitment) private _commitments;

    /* CHALLENGERS */

    /// @inheritdoc IDisputeGame
    function commit(bytes32 commitment) external {
        require(_commitments[commitment].payer == address(0), CommitmentKnown(commitment));

        _commitments[commitment] = Commitment(msg.sender, uint40(block.timestamp), uint48(block.number));

        // The terms fit in 96 bits.
        emit ChallengeCommitted(commitment, msg.sender, uint96(TERMS_MIN_BOND_WEI));

        TOKEN.safeTransferFrom(msg.sender, address(this), TERMS_MIN_BOND_WEI);
    }

    /// @inheritdoc IDisputeGame
    function open(Opening calldata opening) external returns (bytes32 gameId) {
        LineRef calldata target = opening.target;
        Line calldata line = target.line();
        _consume(opening);
        _requireUnit(opening, line);

        Subject memory subject = _subject(opening, line.amountWei);
        Parties memory parties = Parties(target.worker(), opening.challenger, GameChain.hashSubject(subject));
        gameId = keccak256(abi.encode(parties));
        uint256 rounds = _rounds(PROGRAMS.program(subject.programId).maxSteps);
        GameWord word = _keepFirst(gameId, parties.worker, uint256(Phase.Refine), rounds);

        emit GameOpened(gameId, subject.claimId, parties.worker, parties, subject, 0, word);

        WORK_CLAIMS.requireOpen(target.header, target.lines, target.lineIndex);
        WORK_CLAIMS.hold(target.header);
        uint256 restWei = subject.bondWei - TERMS_MIN_BOND_WEI;
        if (restWei != 0) TOKEN.safeTransferFrom(msg.sender, address(this), restWei);
    }

    /* ANYONE */

    /// @inheritdoc IDisputeGame
    function forfeit(bytes32 commitment) external {
        uint256 endAt = _requireCommitted(commitment).committedAt + TERMS_REVEAL_WINDOW;
        require(block.timestamp > endAt, RevealWindow(uint64(block.timestamp), uint64(endAt)));

        delete _commitments[commitment];

        emit ChallengeForfeited(commitment);

        TOKEN.burn(TERMS_MIN_BOND_WEI);
    }

    /* INTERNAL */

    /// @dev Uses up the commitment to this claim, challenger and salt.
    function _consume(Opening calldata opening) private {
        bytes32 commitment = keccak256(abi.encodePacked(opening.target.claimId(), opening.challenger, opening.salt));
        Commitment memory entry = _requireCommitted(commitment);
        // INVARIANT: who copies an opening out of the mempool has committed to nothing.
        require(block.number > entry.committedBlock, CommitmentTooYoung(block.number, entry.committedBlock));
        uint256 endAt = entry.committedAt + TERMS_REVEAL_WINDOW;
        require(block.timestamp <= endAt, RevealWindow(uint64(block.timestamp), uint64(endAt)));

        delete _commitments[commitment];
    }

    function _requireCommitted(bytes32 commitment) private view returns (Commitment memory entry) {
        entry = _commitments[commitment];
        require(entry.payer != address(0), CommitmentUnknown(commitment));
    }

    /// @dev Ties the unit, and the job that it is of, to the line.
    function _requireUnit(Opening calldata opening, Line calldata line) private view {
        Interval calldata leaf = opening.leaf.leaf;
        line.requireLeaf(opening.leaf);
        leaf.requireUnit(opening.unit);
        leaf.requireTask(opening.task);
        bytes32 jobId = TypedData.hashJob(opening.job);
        require(jobId == opening.task.jobId, WrongPreimage(jobId, opening.task.jobId));
        require(PROGRAMS.isLive(opening.job.programId), ProgramNotLive(opening.job.programId));
    }

    function _subject(Opening calldata opening, uint256 amountWei) private view returns (Subject memory subject) {
        uint256 bondWei = amountWei / LINE_PER_BOND;
        if (bondWei < TERMS_MIN_BOND_WEI) bondWei = TERMS_MIN_BOND_WEI;
        subject.claimId = opening.target.claimId();
        // A claim has at most eight lines, and an amount 96 bits.
        subject.lineIndex = uint32(opening.target.lineIndex);
        subject.leafIndex = opening.leaf.index;
        subject.ibmMicro = opening.leaf.leaf.ibmMicro;
        subject.bondWei = uint96(bondWei);
        subject.salt = keccak256(abi.encodePacked(blockhash(block.number - 1), opening.salt));
        subject.programId = opening.job.programId;
        subject.inputRoot = opening.job.inputRoot;
        subject.paramsRoot = opening.job.paramsRoot;
        subject.unitIndex = opening.unit.unit.unitIndex;
        subject.maxCost = opening.task.maxCost;
        subject.outputRoot = opening.unit.unit.outputRoot;
        subject.cost = opening.unit.unit.cost;
        subject.status = opening.unit.unit.status;
    }

    /// @dev Rounds until one instruction is left.
    function _rounds(uint256 maxSteps) private pure returns (uint256 rounds) {
        while (maxSteps > 1 << LOG2_ARITY * rounds) ++rounds;
        if (rounds == 0) rounds = 1;
    }
}
