// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IDisputeGame, GameTerms} from "../interfaces/IDisputeGame.sol";
import {IExecutionProof} from "../interfaces/IExecutionProof.sol";
import {IIFX} from "../interfaces/IIFX.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IProgramRegistry} from "../interfaces/IProgramRegistry.sol";
import {IWorkClaims} from "../interfaces/IWorkClaims.sol";
import {ClaimHeader, Claims} from "../libraries/Claims.sol";
import {LineRef} from "../libraries/Evidence.sol";
import {Subject} from "../libraries/Execution.sol";
import {Game, GameChain, Parties} from "../libraries/GameChain.sol";
import {GameWord} from "../libraries/GameWord.sol";
import {GameKeeper} from "./GameKeeper.sol";
import {GameOpening} from "./GameOpening.sol";

/// @title GameEnds
/// @notice How a game ends, and who gets the money.
abstract contract GameEnds is GameOpening {
    using SafeERC20 for IIFX;

    constructor(
        IIFX token,
        IWorkClaims workClaims,
        INodeRegistry registry,
        IProgramRegistry programs,
        IExecutionProof proofs,
        GameTerms memory terms_
    ) GameKeeper(token, workClaims, registry, programs, proofs, terms_) {}

    /* ANYONE */

    /// @inheritdoc IDisputeGame
    function expire(LineRef calldata target, Parties calldata parties, Game calldata game, Subject calldata subject)
        external
    {
        _requireKept(parties, game.chain, game.word);
        _requireLine(target, parties, subject);
        Phase phase = Phase(game.word.phase());
        bool isWorkersTurn = phase != Phase.PickPart && phase != Phase.PickSegment;
        uint256 deadlineAt = game.word.deadlineAt(isWorkersTurn);
        require(block.timestamp > deadlineAt, ClockNotExpired(uint64(block.timestamp), uint64(deadlineAt)));

        if (isWorkersTurn) _endForChallenger(target, parties, subject);
        else _endForWorker(target.header, parties, subject, game.word.workerMoves());
    }

    /// @inheritdoc IDisputeGame
    function close(LineRef calldata target, Parties calldata parties, Game calldata game, Subject calldata subject)
        external
    {
        _requireKept(parties, game.chain, game.word);
        _requireLine(target, parties, subject);
        require(_isRejected(target), ClaimStands(subject.claimId));

        _end(parties, subject, Verdict.Closed);
        TOKEN.safeTransfer(parties.challenger, subject.bondWei);
    }

    /* INTERNAL */

    /// @dev Ties what a caller supplies to the game. That the header is the claim's is checked by `WorkClaims`.
    function _requireSubject(ClaimHeader calldata header, Parties calldata parties, Subject calldata subject)
        internal
        pure
    {
        bytes32 computed = GameChain.hashSubject(subject);
        require(computed == parties.subjectHash, WrongPreimage(computed, parties.subjectHash));
        bytes32 claimId = Claims.claimId(header.deviceId, header.seq);
        require(claimId == subject.claimId, WrongClaim(claimId, subject.claimId));
    }

    function _requireLine(LineRef calldata target, Parties calldata parties, Subject calldata subject) private pure {
        _requireSubject(target.header, parties, subject);
        require(target.lineIndex == subject.lineIndex, LineUnknown(target.lineIndex, subject.lineIndex));
    }

    /// @dev The bond pays for the worker's moves; of the rest half is burnt, so that challenging oneself is never free.
    function _endForWorker(
        ClaimHeader calldata header,
        Parties calldata parties,
        Subject calldata subject,
        uint256 workerMoves
    ) internal {
        _end(parties, subject, Verdict.WorkerWon);
        WORK_CLAIMS.release(header, 0);

        uint256 refundWei = workerMoves * TERMS_MOVE_REFUND_WEI;
        if (refundWei > subject.bondWei) refundWei = subject.bondWei;
        uint256 burnWei = (subject.bondWei - refundWei) / 2;
        TOKEN.safeTransfer(parties.worker, subject.bondWei - burnWei);
        TOKEN.burn(burnWei);
    }

    /// @dev The bond goes back whole, and the claim is rejected, which pays the challenger's account. What a suspended
    /// program computed is void and slashes nobody, and so is what a new one did, which may be false itself.
    function _endForChallenger(LineRef calldata target, Parties calldata parties, Subject calldata subject) private {
        _end(parties, subject, Verdict.ChallengerWon);
        // INVARIANT: a lost game never saves a claim, and a claim is rejected once.
        if (!_isRejected(target)) {
            if (_isSlashable(target, subject.programId)) {
                WORK_CLAIMS.reject(target.header, target.lines, target.lineIndex, parties.challenger);
            } else {
                _void(target, subject);
                WORK_CLAIMS.release(target.header, 0);
            }
        }
        TOKEN.safeTransfer(parties.challenger, subject.bondWei);
    }

    function _end(Parties calldata parties, Subject calldata subject, Verdict verdict) private {
        bytes32 gameId = _keepVerdict(parties, verdict);

        emit GameEnded(gameId, subject.claimId, verdict);
    }

    /// @dev A leaf that is void already stays so; the game ends all the same.
    function _void(LineRef calldata target, Subject calldata subject) private {
        try WORK_CLAIMS.voidLeaf(target.header, target.lines, target.lineIndex, subject.leafIndex, subject.ibmMicro) {}
            catch {}
    }

    function _isRejected(LineRef calldata target) private view returns (bool) {
        (IWorkClaims.ClaimStatus status,,) = WORK_CLAIMS.claimState(target.header);
        return status == IWorkClaims.ClaimStatus.Rejected;
    }

    function _isSlashable(LineRef calldata target, bytes32 programId) private view returns (bool) {
        IProgramRegistry.Program memory program = PROGRAMS.program(programId);
        return !program.isSuspended && program.registeredAt + TERMS_TRIAL <= target.header.postedAt;
    }
}
