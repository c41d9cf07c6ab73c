// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice What of a game changes besides its hash, in one word.
/// @dev From the top: phase 8, level 8, round 8, rounds 8, workerMoves 16, moves 16, position 64, turnAt 40, floor 24,
/// workerLeft 32, challengerLeft 32. Instants in seconds since 1970, spans in seconds.
type GameWord is uint256;

using {
    GameWords.phase,
    GameWords.level,
    GameWords.round,
    GameWords.rounds,
    GameWords.workerMoves,
    GameWords.moves,
    GameWords.position,
    GameWords.turnAt,
    GameWords.floor,
    GameWords.left,
    GameWords.withPhase,
    GameWords.withLevel,
    GameWords.withRound,
    GameWords.withPosition,
    GameWords.withTurn,
    GameWords.withMove,
    GameWords.withClocksOf,
    GameWords.deadlineAt
} for GameWord global;

/// @title GameWords
/// @notice Reads and writes the parts of a `GameWord`. The twin of `prover/src/dispute/word.rs`.
library GameWords {
    uint256 private constant PHASE_AT = 248;
    uint256 private constant LEVEL_AT = 240;
    uint256 private constant ROUND_AT = 232;
    uint256 private constant ROUNDS_AT = 224;
    uint256 private constant WORKER_MOVES_AT = 208;
    uint256 private constant MOVES_AT = 192;
    uint256 private constant POSITION_AT = 128;
    uint256 private constant TURN_AT = 88;
    uint256 private constant FLOOR_AT = 64;
    uint256 private constant WORKER_LEFT_AT = 32;

    function phase(GameWord word) internal pure returns (uint256) {
        return uint8(GameWord.unwrap(word) >> PHASE_AT);
    }

    function level(GameWord word) internal pure returns (uint256) {
        return uint8(GameWord.unwrap(word) >> LEVEL_AT);
    }

    function round(GameWord word) internal pure returns (uint256) {
        return uint8(GameWord.unwrap(word) >> ROUND_AT);
    }

    function rounds(GameWord word) internal pure returns (uint256) {
        return uint8(GameWord.unwrap(word) >> ROUNDS_AT);
    }

    function workerMoves(GameWord word) internal pure returns (uint256) {
        return uint16(GameWord.unwrap(word) >> WORKER_MOVES_AT);
    }

    function moves(GameWord word) internal pure returns (uint256) {
        return uint16(GameWord.unwrap(word) >> MOVES_AT);
    }

    function position(GameWord word) internal pure returns (uint256) {
        return uint64(GameWord.unwrap(word) >> POSITION_AT);
    }

    function turnAt(GameWord word) internal pure returns (uint256) {
        return uint40(GameWord.unwrap(word) >> TURN_AT);
    }

    function floor(GameWord word) internal pure returns (uint256) {
        return uint24(GameWord.unwrap(word) >> FLOOR_AT);
    }

    /// @notice Returns what a side's clock has left.
    function left(GameWord word, bool isWorker) internal pure returns (uint256) {
        return uint32(GameWord.unwrap(word) >> (isWorker ? WORKER_LEFT_AT : 0));
    }

    /// @notice Returns the last instant at which the side to move may move.
    function deadlineAt(GameWord word, bool isWorker) internal pure returns (uint256) {
        // At most 42 bits.
        unchecked {
            return word.turnAt() + word.floor() + word.left(isWorker);
        }
    }

    function withPhase(GameWord word, uint256 value) internal pure returns (GameWord) {
        return _with(word, PHASE_AT, type(uint8).max, value);
    }

    function withLevel(GameWord word, uint256 value) internal pure returns (GameWord) {
        return _with(word, LEVEL_AT, type(uint8).max, value);
    }

    function withRound(GameWord word, uint256 value) internal pure returns (GameWord) {
        return _with(word, ROUND_AT, type(uint8).max, value);
    }

    function withPosition(GameWord word, uint256 value) internal pure returns (GameWord) {
        return _with(word, POSITION_AT, type(uint64).max, value);
    }

    /// @notice Starts a turn.
    function withTurn(GameWord word, uint256 nowAt) internal pure returns (GameWord) {
        return _with(word, TURN_AT, type(uint40).max, nowAt);
    }

    /// @notice Counts a side's move, and takes from its clock what the turn took beyond its floor.
    /// @dev The caller has seen that the deadline has not passed.
    function withMove(GameWord word, uint256 nowAt, bool isWorker) internal pure returns (GameWord) {
        uint256 usedSeconds = nowAt - word.turnAt();
        uint256 overSeconds = usedSeconds > word.floor() ? usedSeconds - word.floor() : 0;
        word = _with(word, isWorker ? WORKER_LEFT_AT : 0, type(uint32).max, word.left(isWorker) - overSeconds);
        word = _with(word, MOVES_AT, type(uint16).max, word.moves() + 1);
        if (isWorker) word = _with(word, WORKER_MOVES_AT, type(uint16).max, word.workerMoves() + 1);
        return word;
    }

    /// @notice Takes clocks, floor and the count of a worker's own moves from another word.
    function withClocksOf(GameWord word, GameWord other) internal pure returns (GameWord) {
        uint256 clocks = uint88(GameWord.unwrap(other));
        word = _with(word, WORKER_MOVES_AT, type(uint16).max, other.workerMoves());
        return _with(word, 0, type(uint88).max, clocks);
    }

    /// @notice Returns the word of a game that begins: its phase, its rounds, and for both sides how long a turn may take
    /// before it costs clock, and the clock.
    function first(uint256 phase_, uint256 rounds_, uint256 floorSeconds, uint256 clockSeconds)
        internal
        pure
        returns (GameWord)
    {
        uint256 clocks = floorSeconds << FLOOR_AT | clockSeconds << WORKER_LEFT_AT | clockSeconds;
        return GameWord.wrap(phase_ << PHASE_AT | rounds_ << ROUNDS_AT | clocks);
    }

    function _with(GameWord word, uint256 place, uint256 mask, uint256 value) private pure returns (GameWord) {
        return GameWord.wrap((GameWord.unwrap(word) & ~(mask << place)) | (value & mask) << place);
    }
}
