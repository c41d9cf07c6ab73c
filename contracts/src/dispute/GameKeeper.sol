// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IDisputeGame, GameTerms} from "../interfaces/IDisputeGame.sol";
import {IExecutionProof} from "../interfaces/IExecutionProof.sol";
import {IIFX} from "../interfaces/IIFX.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IProgramRegistry} from "../interfaces/IProgramRegistry.sol";
import {IWorkClaims} from "../interfaces/IWorkClaims.sol";
import {GameChain, Parties} from "../libraries/GameChain.sol";
import {GameWord, GameWords} from "../libraries/GameWord.sol";
import {TypedData} from "../libraries/TypedData.sol";

/// @title GameKeeper
/// @notice The one hash that is kept of a game, who may move, and how long.
abstract contract GameKeeper is IDisputeGame {
    using GameChain for Parties;

    /* CONSTANTS */

    /// @dev Open games against a worker that lengthen the floor of the next one by one floor, and how far that goes: a
    /// flood of challenges must not make it miss one, and must not stretch a game for ever either. A worker that always
    /// moves where the deadline is nearest then has time for all.
    uint256 private constant GAMES_PER_FLOOR = 32;
    uint256 private constant MAX_FLOORS = 8;

    /// @dev The longest clock: a move fits its word, and the claim's money is not held for longer.
    uint256 private constant MAX_CLOCK_SECONDS = 30 days;

    /// @notice The token that bonds are paid in.
    IIFX public immutable TOKEN;

    /// @notice The contract that keeps the claims.
    IWorkClaims public immutable WORK_CLAIMS;

    /// @notice Where operators and delegates are known.
    INodeRegistry public immutable REGISTRY;

    /// @notice Where programs are known.
    IProgramRegistry public immutable PROGRAMS;

    /// @notice What decides the last move.
    IExecutionProof public immutable PROOFS;

    uint256 internal immutable TERMS_CLOCK;
    uint256 internal immutable TERMS_FLOOR;
    uint256 internal immutable TERMS_REVEAL_WINDOW;
    uint256 internal immutable TERMS_TRIAL;
    uint256 internal immutable TERMS_MIN_BOND_WEI;
    uint256 internal immutable TERMS_MOVE_REFUND_WEI;

    /* STORAGE */

    /// @dev The hash of a game's state; after its end a `Verdict`, for ever.
    mapping(bytes32 gameId => bytes32) private _kept;

    mapping(address worker => uint256) private _liveCount;

    constructor(
        IIFX token,
        IWorkClaims workClaims,
        INodeRegistry registry,
        IProgramRegistry programs,
        IExecutionProof proofs,
        GameTerms memory terms_
    ) {
        TOKEN = token;
        WORK_CLAIMS = workClaims;
        REGISTRY = registry;
        PROGRAMS = programs;
        PROOFS = proofs;
        _requireTerm("clock", terms_.clock, 1, MAX_CLOCK_SECONDS);
        _requireTerm("floor", terms_.floor, 1, type(uint24).max / MAX_FLOORS);
        _requireTerm("moveRefundWei", terms_.moveRefundWei, 1, terms_.minBondWei);
        TERMS_CLOCK = terms_.clock;
        TERMS_FLOOR = terms_.floor;
        TERMS_REVEAL_WINDOW = terms_.revealWindow;
        TERMS_TRIAL = terms_.trial;
        TERMS_MIN_BOND_WEI = terms_.minBondWei;
        TERMS_MOVE_REFUND_WEI = terms_.moveRefundWei;
    }

    /* VIEWS */

    /// @inheritdoc IDisputeGame
    function gameState(bytes32 gameId) external view returns (bytes32) {
        return _kept[gameId];
    }

    /// @inheritdoc IDisputeGame
    function liveCount(address worker) external view returns (uint256) {
        return _liveCount[worker];
    }

    /// @inheritdoc IDisputeGame
    function terms() external view returns (GameTerms memory) {
        // They were taken from a struct of these widths.
        return GameTerms({
            clock: uint32(TERMS_CLOCK),
            floor: uint24(TERMS_FLOOR),
            revealWindow: uint32(TERMS_REVEAL_WINDOW),
            trial: uint32(TERMS_TRIAL),
            minBondWei: uint96(TERMS_MIN_BOND_WEI),
            moveRefundWei: uint96(TERMS_MOVE_REFUND_WEI)
        });
    }

    /// @inheritdoc IDisputeGame
    function domainSeparator() external view returns (bytes32) {
        return _separator();
    }

    /* INTERNAL */

    /// @dev A game of parties and subject is begun once.
    function _keepFirst(bytes32 gameId, address worker, uint256 phase, uint256 rounds)
        internal
        returns (GameWord word)
    {
        bytes32 kept = _kept[gameId];
        require(kept == 0, WrongState(gameId, 0, kept));

        uint256 liveCount_ = ++_liveCount[worker];
        word = _turn(GameWords.first(phase, rounds, _floorAt(liveCount_), TERMS_CLOCK));
        _kept[gameId] = GameChain.hashGame(0, word);
    }

    function _keep(Parties calldata parties, bytes32 chain, GameWord word) internal returns (bytes32 gameId) {
        gameId = parties.gameId();
        _kept[gameId] = GameChain.hashGame(chain, word);
    }

    /// @dev INVARIANT: a verdict stays: it is no hash, so no move names it.
    function _keepVerdict(Parties calldata parties, Verdict verdict) internal returns (bytes32 gameId) {
        gameId = parties.gameId();
        _kept[gameId] = bytes32(uint256(verdict));
        --_liveCount[parties.worker];
    }

    function _requireKept(Parties calldata parties, bytes32 chain, GameWord word)
        internal
        view
        returns (bytes32 gameId)
    {
        gameId = parties.gameId();
        (bytes32 given, bytes32 kept) = (GameChain.hashGame(chain, word), _kept[gameId]);
        // INVARIANT: a move answers the state that its sender saw.
        require(given == kept, WrongState(gameId, given, kept));
    }

    function _requireSide(address side) internal view {
        require(_mayMove(side, msg.sender), NotAllowed(msg.sender, side));
    }

    function _mayMove(address side, address who) internal view returns (bool) {
        return who == side || REGISTRY.mayMove(side, who);
    }

    function _turn(GameWord word) internal view returns (GameWord) {
        return word.withTurn(block.timestamp);
    }

    /// @dev What a turn may take before it costs clock, in a game that is the worker's so-and-so-many-th.
    function _floorAt(uint256 liveCount_) private view returns (uint256) {
        uint256 floors = 1 + liveCount_ / GAMES_PER_FLOOR;
        return TERMS_FLOOR * (floors < MAX_FLOORS ? floors : MAX_FLOORS);
    }

    function _separator() internal view returns (bytes32) {
        return TypedData.domainSeparator(address(this));
    }

    function _requireTerm(bytes32 name, uint256 value, uint256 min, uint256 max) private pure {
        require(value >= min && value <= max, WrongTerms(name, value, min, max));
    }
}
