// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {ClaimHeader} from "../libraries/Claims.sol";
import {LeafEvidence, LineRef, UnitEvidence} from "../libraries/Evidence.sol";
import {Subject} from "../libraries/Execution.sol";
import {Game, Parties} from "../libraries/GameChain.sol";
import {GameWord} from "../libraries/GameWord.sol";
import {Task} from "../libraries/Interval.sol";
import {Job, Signature} from "../libraries/TypedData.sol";
import {IExecutionProof} from "./IExecutionProof.sol";

/// @notice What holds for all games of a deployment. Spans in seconds, money in wei.
struct GameTerms {
    uint32 clock;
    uint24 floor;
    uint32 revealWindow;
    uint32 trial;
    uint96 minBondWei;
    uint96 moveRefundWei;
}

/// @title IDisputeGame
/// @notice A worker's result against a challenger's, down to one instruction (PROTOCOL.md, Disputes).
/// @dev The worker asserts, the challenger only picks. Of a game one hash is kept; each move supplies what it hashes, so
/// it names the state that it answers, and a move that a reorganization overtook reverts.
interface IDisputeGame {
    /* TYPES */

    /// @notice Where a game stands. The worker moves in `Refine`, `Descend`, `Bisect` and `Prove`, the challenger in the
    /// others.
    enum Phase {
        None,
        Refine,
        PickPart,
        Descend,
        Bisect,
        PickSegment,
        Prove
    }

    /// @notice How a game ended.
    enum Verdict {
        None,
        WorkerWon,
        ChallengerWon,
        Closed
    }

    /// @notice The unit that is challenged, and who opened the commitment.
    struct Opening {
        LineRef target;
        LeafEvidence leaf;
        UnitEvidence unit;
        Task task;
        Job job;
        address challenger;
        bytes32 salt;
    }

    /* EVENTS */

    /// @notice Someone will challenge something, with this bond.
    event ChallengeCommitted(bytes32 indexed commitment, address indexed payer, uint96 bondWei);
    /// @notice A commitment was not opened in time; its bond is burnt.
    event ChallengeForfeited(bytes32 indexed commitment);
    /// @notice A game began. `chain` and `word` are the game's state, here and below.
    event GameOpened(
        bytes32 indexed gameId,
        bytes32 indexed claimId,
        address indexed worker,
        Parties parties,
        Subject subject,
        bytes32 chain,
        GameWord word
    );
    /// @notice The worker showed nodes of its tree of parts.
    event NodesShown(bytes32 indexed gameId, bytes32 chain, GameWord word, bytes32[32] nodes);
    /// @notice The worker posted a list of boundaries.
    event BoundariesPosted(bytes32 indexed gameId, bytes32 chain, GameWord word, bytes boundaries);
    /// @notice The challenger picked, or both agreed on a state.
    event Picked(bytes32 indexed gameId, bytes32 chain, GameWord word);
    /// @notice A game ended.
    event GameEnded(bytes32 indexed gameId, bytes32 indexed claimId, Verdict verdict);

    /* ERRORS */

    /// @notice The commitment stands already.
    error CommitmentKnown(bytes32 commitment);
    /// @notice Nobody committed to this claim, challenger and salt.
    error CommitmentUnknown(bytes32 commitment);
    /// @notice The commitment must be of an earlier block.
    error CommitmentTooYoung(uint256 blockNumber, uint256 committedBlock);
    /// @notice The commitment can still be opened, or no longer.
    error RevealWindow(uint64 nowAt, uint64 endAt);
    /// @notice The preimage is not what was committed to.
    error WrongPreimage(bytes32 computed, bytes32 needed);
    /// @notice The claim has no such line.
    error LineUnknown(uint256 lineIndex, uint256 lineCount);
    /// @notice The program is suspended or was never registered: its leaves are void, not false.
    error ProgramNotLive(bytes32 programId);
    /// @notice There is no game in the state that the call names. Of `descend` and `pickPart`: or the nodes do not fold to
    /// the node that was picked.
    error WrongState(bytes32 gameId, bytes32 given, bytes32 kept);
    /// @notice The game is in another phase than the move is for.
    error WrongPhase(Phase phase, Phase needed);
    /// @notice The caller may not move for this side.
    error NotAllowed(address caller, address side);
    /// @notice The side's clock has run out.
    error ClockExpired(uint64 nowAt, uint64 deadlineAt);
    /// @notice The side to move still has time.
    error ClockNotExpired(uint64 nowAt, uint64 deadlineAt);
    /// @notice A tree of parts has one to six levels of 32.
    error WrongLevels(uint256 levels, uint256 maxLevels);
    /// @notice There is no such child, segment or sub-unit to pick.
    error WrongPick(uint256 picked, uint256 needed);
    /// @notice An agreed state has more moves than the kept one, and not too many.
    error WrongMoves(uint256 moves, uint256 keptMoves, uint256 maxMoves);
    /// @notice The other side did not sign the state.
    error WrongSigner(address signer, address needed);
    /// @notice The subject or the header is of another claim.
    error WrongClaim(bytes32 claimId, bytes32 needed);
    /// @notice The claim was not rejected: the game goes on.
    error ClaimStands(bytes32 claimId);
    /// @notice Terms that no game can keep. `name` is the term's, in ASCII.
    error WrongTerms(bytes32 name, uint256 value, uint256 min, uint256 max);

    /* CHALLENGERS */

    /// @notice Commits to a challenge, `keccak256(claimId ‖ challenger ‖ salt)`, and pays the least bond out of the
    /// caller's tokens (an allowance to this contract).
    function commit(bytes32 commitment) external;

    /// @notice Opens a commitment: names the unit that is false. What the bond lacks is paid by the caller.
    /// @dev Reverts with `CommitmentUnknown`, `CommitmentTooYoung`, `RevealWindow`, `WrongPreimage`, `LineUnknown`,
    /// `ProgramNotLive`, the tree's errors and what `IWorkClaims.requireOpen` reverts with.
    function open(Opening calldata opening) external returns (bytes32 gameId);

    /// @notice Picks a child of the nodes that were shown: a sub-unit on the last level, else the nodes below it.
    function pickPart(
        Parties calldata parties,
        GameWord word,
        uint256 child,
        bytes32 node,
        bytes32[5] calldata siblings
    ) external;

    /// @notice Picks a sub-unit behind the worker's tree of parts, which is said to put out zeros. First pick only.
    function pickBeyond(Parties calldata parties, Game calldata game, uint64 index) external;

    /// @notice Picks the unit's assembly: the parts are right. First pick only.
    function pickAssembly(Parties calldata parties, Game calldata game) external;

    /// @notice Picks a segment of an execution: its begin is right, its end is not.
    function pickSegment(Parties calldata parties, Game calldata game, uint256 segment) external;

    /* WORKERS */

    /// @notice Shows the 32 nodes below the root of the worker's tree of parts, which is `levels` levels of 32 high.
    function refine(Parties calldata parties, GameWord word, uint256 levels, bytes32[32] calldata nodes) external;

    /// @notice Shows the 32 nodes below the one that was picked.
    function descend(Parties calldata parties, GameWord word, bytes32[32] calldata nodes) external;

    /// @notice Posts the 31 states between the 32 segments of what was picked, 24 bytes each.
    function bisect(Parties calldata parties, Game calldata game, bytes calldata boundaries) external;

    /// @notice Shows that the instruction that was picked is right, and wins.
    function prove(
        ClaimHeader calldata header,
        Parties calldata parties,
        Game calldata game,
        Subject calldata subject,
        IExecutionProof.Proof calldata proof
    ) external;

    /* BOTH */

    /// @notice Jumps to a state that both sides agree on: the caller's side by calling, the other by signing
    /// `GameState(bytes32 gameId,bytes32 chain,uint256 word)`. Clocks stay as they are; a new turn begins.
    function agree(
        Parties calldata parties,
        Game calldata kept,
        Game calldata next,
        bool isCallerWorker,
        Signature calldata signature
    ) external;

    /* ANYONE */

    /// @notice Ends a game whose side to move let its clock run out: the other wins.
    function expire(LineRef calldata target, Parties calldata parties, Game calldata game, Subject calldata subject)
        external;

    /// @notice Ends a game on a claim that was rejected meanwhile, and gives the bond back.
    function close(LineRef calldata target, Parties calldata parties, Game calldata game, Subject calldata subject)
        external;

    /// @notice Burns the bond of a commitment that was not opened in time.
    function forfeit(bytes32 commitment) external;

    /* VIEWS */

    /// @notice Returns what is kept of a game: a hash while it is played, a `Verdict` after it, zero before.
    function gameState(bytes32 gameId) external view returns (bytes32);

    /// @notice Returns how many games are open against a worker.
    function liveCount(address worker) external view returns (uint256);

    /// @notice Returns the terms of all games.
    function terms() external view returns (GameTerms memory);

    /// @notice Returns the domain separator of agreed states.
    function domainSeparator() external view returns (bytes32);
}
