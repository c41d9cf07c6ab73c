// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {GameEnds} from "./dispute/GameEnds.sol";
import {IDisputeGame, GameTerms} from "./interfaces/IDisputeGame.sol";
import {IExecutionProof} from "./interfaces/IExecutionProof.sol";
import {IIFX} from "./interfaces/IIFX.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IProgramRegistry} from "./interfaces/IProgramRegistry.sol";
import {IWorkClaims} from "./interfaces/IWorkClaims.sol";
import {Boundaries} from "./libraries/Boundaries.sol";
import {ClaimHeader} from "./libraries/Claims.sol";
import {Subject, Target, TargetKind} from "./libraries/Execution.sol";
import {Game, GameChain, Parties} from "./libraries/GameChain.sol";
import {GameWord} from "./libraries/GameWord.sol";
import {NodeList} from "./libraries/NodeList.sol";
import {Signature, TypedData} from "./libraries/TypedData.sol";

/// @title DisputeGame
/// @notice The moves of a game, from a unit to one instruction.
contract DisputeGame is GameEnds {
    using GameChain for Parties;

    /* CONSTANTS */

    /// @dev Levels of the highest tree of parts: 2^30 sub-units.
    uint256 private constant MAX_LEVELS = 6;

    /// @dev Children of a node, and segments of an execution.
    uint256 private constant ARITY = 32;

    /// @dev More moves than any game has: `refine`, six picks and five descents, six lists and six picks.
    uint256 private constant MAX_MOVES = 32;

    bytes32 private constant GAME_STATE_TYPEHASH = keccak256("GameState(bytes32 gameId,bytes32 chain,uint256 word)");

    constructor(
        IIFX token,
        IWorkClaims workClaims,
        INodeRegistry registry,
        IProgramRegistry programs,
        IExecutionProof proofs,
        GameTerms memory terms_
    ) GameEnds(token, workClaims, registry, programs, proofs, terms_) {}

    /* CHALLENGERS */

    /// @inheritdoc IDisputeGame
    function pickPart(
        Parties calldata parties,
        GameWord word,
        uint256 child,
        bytes32 node,
        bytes32[5] calldata siblings
    ) external {
        require(child < ARITY, WrongPick(child, ARITY));
        // GAS: the node above follows from the children, so nobody supplies it.
        word = _challengerMoves(parties, NodeList.rootOf(node, child, siblings), word, Phase.PickPart);

        uint256 level = word.level() - 1;
        uint256 index = word.position() * ARITY + child;
        if (level == 0) {
            // A tree has at most 2^30 parts.
            _execute(parties, word, Target(TargetKind.Part, uint64(index), 0, node));
            return;
        }
        word = word.withPhase(uint256(Phase.Descend)).withLevel(level).withPosition(index);
        _pick(parties, node, word);
    }

    /// @inheritdoc IDisputeGame
    function pickBeyond(Parties calldata parties, Game calldata game, uint64 index) external {
        GameWord word = _challengerMoves(parties, game.chain, game.word, Phase.PickPart);
        _requireFirstPick(word);
        uint256 partCount = ARITY ** word.level();
        require(index >= partCount, WrongPick(index, partCount));

        _execute(parties, word, Target(TargetKind.Beyond, index, 0, 0));
    }

    /// @inheritdoc IDisputeGame
    function pickAssembly(Parties calldata parties, Game calldata game) external {
        GameWord word = _challengerMoves(parties, game.chain, game.word, Phase.PickPart);
        _requireFirstPick(word);

        // At most six.
        _execute(parties, word, Target(TargetKind.Assembly, 0, uint8(word.level()), game.chain));
    }

    /// @inheritdoc IDisputeGame
    function pickSegment(Parties calldata parties, Game calldata game, uint256 segment) external {
        GameWord word = _challengerMoves(parties, game.chain, game.word, Phase.PickSegment);
        require(segment < ARITY, WrongPick(segment, ARITY));

        uint256 round = word.round() - 1;
        Phase next = round == 0 ? Phase.Prove : Phase.Bisect;
        word = word.withPhase(uint256(next)).withRound(round).withPosition(word.position() * ARITY + segment);
        _pick(parties, game.chain, word);
    }

    /* WORKERS */

    /// @inheritdoc IDisputeGame
    function refine(Parties calldata parties, GameWord word, uint256 levels, bytes32[32] calldata nodes) external {
        word = _workerMoves(parties, 0, word, Phase.Refine);
        require(levels != 0 && levels <= MAX_LEVELS, WrongLevels(levels, MAX_LEVELS));

        _show(parties, NodeList.rootOf(nodes), word.withLevel(levels), nodes);
    }

    /// @inheritdoc IDisputeGame
    function descend(Parties calldata parties, GameWord word, bytes32[32] calldata nodes) external {
        // GAS: as for `pickPart`: other nodes lead to a state that is not the game's.
        bytes32 root = NodeList.rootOf(nodes);
        word = _workerMoves(parties, root, word, Phase.Descend);

        _show(parties, root, word, nodes);
    }

    /// @inheritdoc IDisputeGame
    function bisect(Parties calldata parties, Game calldata game, bytes calldata boundaries) external {
        GameWord word = _workerMoves(parties, game.chain, game.word, Phase.Bisect);
        bytes32 chain = GameChain.withList(game.chain, Boundaries.rootOf(boundaries));
        word = _turn(word.withPhase(uint256(Phase.PickSegment)));
        bytes32 gameId = _keep(parties, chain, word);

        emit BoundariesPosted(gameId, chain, word, boundaries);
    }

    /// @inheritdoc IDisputeGame
    function prove(
        ClaimHeader calldata header,
        Parties calldata parties,
        Game calldata game,
        Subject calldata subject,
        IExecutionProof.Proof calldata proof
    ) external {
        GameWord word = _workerMoves(parties, game.chain, game.word, Phase.Prove);
        _requireSubject(header, parties, subject);
        PROOFS.requireProven(subject, game.chain, word.position(), proof);

        _endForWorker(header, parties, subject, word.workerMoves());
    }

    /* BOTH */

    /// @inheritdoc IDisputeGame
    function agree(
        Parties calldata parties,
        Game calldata kept,
        Game calldata next,
        bool isCallerWorker,
        Signature calldata signature
    ) external {
        bytes32 gameId = _requireKept(parties, kept.chain, kept.word);
        _requireSide(isCallerWorker ? parties.worker : parties.challenger);
        uint256 moves = next.word.moves();
        // INVARIANT: a game ends, whatever its sides agree on: they have a bounded number of moves.
        require(moves > kept.word.moves() && moves <= MAX_MOVES, WrongMoves(moves, kept.word.moves(), MAX_MOVES));
        uint256 phase = next.word.phase();
        require(phase != 0 && phase <= uint256(type(Phase).max), WrongPick(phase, uint256(type(Phase).max)));
        bytes32 structHash = keccak256(abi.encode(GAME_STATE_TYPEHASH, gameId, next.chain, next.word));
        address signer = TypedData.signerOf(_separator(), structHash, signature);
        address other = isCallerWorker ? parties.challenger : parties.worker;
        require(signer != address(0) && _mayMove(other, signer), WrongSigner(signer, other));

        GameWord word = _turn(next.word.withClocksOf(kept.word));
        _keep(parties, next.chain, word);

        emit Picked(gameId, next.chain, word);
    }

    /* INTERNAL */

    /// @dev From here on the game is about one execution.
    function _execute(Parties calldata parties, GameWord word, Target memory target) private {
        word = word.withPhase(uint256(Phase.Bisect)).withRound(word.rounds()).withLevel(0).withPosition(0);
        _pick(parties, GameChain.ofTarget(target), word);
    }

    function _pick(Parties calldata parties, bytes32 chain, GameWord word) private {
        word = _turn(word);
        bytes32 gameId = _keep(parties, chain, word);

        emit Picked(gameId, chain, word);
    }

    function _show(Parties calldata parties, bytes32 chain, GameWord word, bytes32[32] calldata nodes) private {
        word = _turn(word.withPhase(uint256(Phase.PickPart)));
        bytes32 gameId = _keep(parties, chain, word);

        emit NodesShown(gameId, chain, word, nodes);
    }

    function _challengerMoves(Parties calldata parties, bytes32 chain, GameWord word, Phase needed)
        private
        view
        returns (GameWord)
    {
        _requireTurn(parties, chain, word, needed);
        _requireSide(parties.challenger);
        return _moved(word, false);
    }

    function _workerMoves(Parties calldata parties, bytes32 chain, GameWord word, Phase needed)
        private
        view
        returns (GameWord)
    {
        _requireTurn(parties, chain, word, needed);
        _requireSide(parties.worker);
        return _moved(word, true);
    }

    function _requireTurn(Parties calldata parties, bytes32 chain, GameWord word, Phase needed) private view {
        _requireKept(parties, chain, word);
        Phase phase = Phase(word.phase());
        require(phase == needed, WrongPhase(phase, needed));
    }

    /// @dev Checks that a side has time, and counts its move.
    function _moved(GameWord word, bool isWorker) private view returns (GameWord) {
        uint256 deadlineAt = word.deadlineAt(isWorker);
        require(block.timestamp <= deadlineAt, ClockExpired(uint64(block.timestamp), uint64(deadlineAt)));
        return word.withMove(block.timestamp, isWorker);
    }

    /// @dev Nothing was picked yet: the position is still zero, and so is what was shown the root's children.
    function _requireFirstPick(GameWord word) private pure {
        // `refine` is the game's first move.
        require(word.moves() == 2, WrongPick(word.moves(), 2));
    }
}
