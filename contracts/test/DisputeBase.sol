// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IDisputeGame, GameTerms} from "../src/interfaces/IDisputeGame.sol";
import {IExecutionProof} from "../src/interfaces/IExecutionProof.sol";
import {BoundaryEvidence} from "../src/libraries/Boundaries.sol";
import {LineRef} from "../src/libraries/Evidence.sol";
import {Subject, Target, TargetKind} from "../src/libraries/Execution.sol";
import {Game, GameChain, Parties} from "../src/libraries/GameChain.sol";
import {GameWord, GameWords} from "../src/libraries/GameWord.sol";
import {Signature, TypedData} from "../src/libraries/TypedData.sol";
import {Deployment} from "../script/Deploy.s.sol";
import {Machine} from "./Machine.sol";
import {Story, StoryBase} from "./Story.t.sol";

/// @notice A game as both sides know it.
struct Play {
    LineRef line;
    Parties parties;
    Subject subject;
    Game game;
    Target target;
    bytes32[] listRoots;
    bytes[] lists;
    uint256 levels;
}

/// @title DisputeBase
/// @notice Opens games and plays them with what `Machine` says.
abstract contract DisputeBase is StoryBase {
    using GameWords for GameWord;

    GameTerms internal terms = Deployment.devnet().games;

    /// @dev The program that stories are of, and how many rounds its steps need.
    bytes32 internal program = PROGRAM;
    uint256 internal rounds = 5;

    /// @notice Posts a claim, and challenges unit 0 of leaf 0. An honest worker's unit put out what the program does.
    function _open(bool isHonest) internal returns (Play memory play) {
        Story memory s = _story(isHonest);
        (uint32 seq,,) = c.claims.lastClaim(s.order.deviceId);
        if (seq != 0) _extend(s);
        play.line = _post(s);
        _challenge(play, s, "salt");
    }

    function _story(bool isHonest) internal view returns (Story memory s) {
        s = _tell(1, 2, 2);
        s.job.programId = program;
        bytes32 jobId = TypedData.hashJob(s.job);
        for (uint256 i = 0; i < s.tasks.length; ++i) {
            s.tasks[i].jobId = jobId;
        }
        for (uint256 i = 0; i < s.leaves.length; ++i) {
            s.leaves[i].jobId = jobId;
        }
        _grow(s);
        if (!isHonest) return s;
        s.units[0][0].outputRoot = Machine.zeroRoots(OUTPUT_DEPTH + 5)[OUTPUT_DEPTH + 5];
        s.units[0][0].cost = 0;
        _grow(s);
    }

    function _challenge(Play memory play, Story memory s, bytes32 salt) internal {
        IDisputeGame.Opening memory opening = IDisputeGame.Opening({
            target: play.line,
            leaf: _leaf(s, 0),
            unit: _unit(s, 0, 0),
            task: s.tasks[0],
            job: s.job,
            challenger: VERIFIER,
            salt: salt
        });
        bytes32 claimId = _claimIdOf(play.line);
        vm.startPrank(VERIFIER);
        c.token.approve(address(c.disputes), type(uint256).max);
        c.disputes.commit(keccak256(abi.encodePacked(claimId, VERIFIER, salt)));
        _noted("commit");
        vm.roll(vm.getBlockNumber() + 1);
        c.disputes.open(opening);
        _noted("open");
        vm.stopPrank();

        uint256 bondWei = uint256(play.line.lines[0].amountWei) / 100;
        play.subject = Subject({
            claimId: claimId,
            lineIndex: 0,
            leafIndex: 0,
            ibmMicro: s.leaves[0].ibmMicro,
            bondWei: uint96(bondWei < terms.minBondWei ? terms.minBondWei : bondWei),
            salt: keccak256(abi.encodePacked(blockhash(vm.getBlockNumber() - 1), salt)),
            programId: program,
            inputRoot: s.job.inputRoot,
            paramsRoot: s.job.paramsRoot,
            unitIndex: 0,
            maxCost: MAX_COST,
            outputRoot: s.units[0][0].outputRoot,
            cost: s.units[0][0].cost,
            status: 0
        });
        play.parties = Parties(WORKER, VERIFIER, keccak256(abi.encode(play.subject)));
        uint256 floor = terms.floor * (1 + c.disputes.liveCount(WORKER) / 32);
        play.game.word =
            GameWords.first(uint256(IDisputeGame.Phase.Refine), rounds, floor, terms.clock).withTurn(_now());
        (play.game.chain, play.listRoots, play.lists) = (0, new bytes32[](0), new bytes[](0));
    }

    /// @dev Called right after each transaction of a game.
    function _noted(string memory move) internal virtual {}

    /* MOVES */

    function _refine(Play memory play, uint256 levels) internal {
        Game memory kept = _copy(play.game);
        vm.prank(WORKER_OPERATOR);
        c.disputes.refine(play.parties, kept.word, levels, _zeroNodes(levels));
        _noted("refine");
        _workerMoved(play, IDisputeGame.Phase.PickPart);
        play.game.word = play.game.word.withLevel(levels);
        play.game.chain = Machine.zeroRoots(5 + 5 * levels)[5 + 5 * levels];
        play.levels = levels;
    }

    function _pickPart(Play memory play, uint256 child) internal {
        uint256 level = play.game.word.level() - 1;
        bytes32 node = Machine.zeroRoots(5 + 5 * level)[5 + 5 * level];
        bytes32[5] memory siblings;
        bytes32[] memory zeros = Machine.zeroRoots(10 + 5 * level);
        for (uint256 i = 0; i < 5; ++i) {
            siblings[i] = zeros[5 + 5 * level + i];
        }
        Game memory kept = _copy(play.game);
        vm.prank(VERIFIER);
        c.disputes.pickPart(play.parties, kept.word, child, node, siblings);
        _noted("pickPart");
        uint256 index = play.game.word.position() * 32 + child;
        if (level == 0) {
            play.target = Target(TargetKind.Part, uint64(index), 0, node);
            _targeted(play);
            return;
        }
        _challengerMoved(play, IDisputeGame.Phase.Descend);
        play.game.word = play.game.word.withLevel(level).withPosition(index);
        play.game.chain = node;
    }

    function _descend(Play memory play) internal {
        uint256 level = play.game.word.level();
        Game memory kept = _copy(play.game);
        vm.prank(WORKER_OPERATOR);
        c.disputes.descend(play.parties, kept.word, _zeroNodes(level));
        _noted("descend");
        _workerMoved(play, IDisputeGame.Phase.PickPart);
    }

    function _pickAssembly(Play memory play) internal {
        Game memory kept = _copy(play.game);
        vm.prank(VERIFIER);
        c.disputes.pickAssembly(play.parties, kept);
        _noted("pickAssembly");
        play.target = Target(TargetKind.Assembly, 0, uint8(play.levels), play.game.chain);
        _targeted(play);
    }

    function _pickBeyond(Play memory play, uint64 index) internal {
        Game memory kept = _copy(play.game);
        vm.prank(VERIFIER);
        c.disputes.pickBeyond(play.parties, kept, index);
        _noted("pickBeyond");
        play.target = Target(TargetKind.Beyond, index, 0, 0);
        _targeted(play);
    }

    function _bisect(Play memory play) internal {
        _bisect(play, _list(play));
    }

    function _bisect(Play memory play, bytes memory list) internal {
        Game memory kept = _copy(play.game);
        vm.prank(WORKER_OPERATOR);
        c.disputes.bisect(play.parties, kept, list);
        _noted("bisect");
        bytes32 root = _listNodes(list)[1];
        (bytes32[] memory roots, bytes[] memory lists) =
            (new bytes32[](play.listRoots.length + 1), new bytes[](play.lists.length + 1));
        for (uint256 i = 0; i < play.lists.length; ++i) {
            (roots[i], lists[i]) = (play.listRoots[i], play.lists[i]);
        }
        (roots[roots.length - 1], lists[lists.length - 1]) = (root, list);
        (play.listRoots, play.lists) = (roots, lists);
        play.game.chain = keccak256(bytes.concat(play.game.chain, root));
        _workerMoved(play, IDisputeGame.Phase.PickSegment);
    }

    function _pickSegment(Play memory play, uint256 segment) internal {
        Game memory kept = _copy(play.game);
        vm.prank(VERIFIER);
        c.disputes.pickSegment(play.parties, kept, segment);
        _noted("pickSegment");
        uint256 round = play.game.word.round() - 1;
        _challengerMoved(play, round == 0 ? IDisputeGame.Phase.Prove : IDisputeGame.Phase.Bisect);
        play.game.word = play.game.word.withRound(round).withPosition(play.game.word.position() * 32 + segment);
    }

    /// @notice Plays all rounds so that one instruction is left.
    function _bisectTo(Play memory play, uint256 position) internal {
        for (uint256 i = play.game.word.rounds(); i > 0; --i) {
            _bisect(play);
            _pickSegment(play, position >> 5 * (i - 1) & 31);
        }
    }

    function _prove(Play memory play) internal {
        IExecutionProof.Proof memory proof = _proof(play);
        Game memory kept = _copy(play.game);
        vm.prank(WORKER_OPERATOR);
        c.disputes.prove(play.line.header, play.parties, kept, play.subject, proof);
        _noted("prove");
    }

    function _proof(Play memory play) internal pure returns (IExecutionProof.Proof memory proof) {
        uint256 position = play.game.word.position();
        proof.target = play.target;
        proof.listRoots = play.listRoots;
        if (position != 0) proof.before = _boundary(play, position);
        if (position + 1 != 1 << 5 * play.game.word.rounds()) proof.afterwards = _boundary(play, position + 1);
        else proof.workRoot = Machine.workRoot(play.subject, play.target);
        proof.witness = Machine.witnessAt(play.subject, play.target, position);
    }

    /* STATES */

    /// @dev The states between the segments of what is left.
    function _list(Play memory play) internal pure returns (bytes memory list) {
        uint256 round = play.game.word.round();
        uint256 stride = 1 << 5 * (round - 1);
        uint256 first = play.game.word.position() * 32 * stride;
        list = new bytes(31 * 24);
        for (uint256 i = 1; i < 32; ++i) {
            uint256 free;
            assembly ("memory-safe") {
                free := mload(0x40)
            }
            bytes32 hash = Machine.hashAt(play.subject, play.target, first + i * stride);
            bytes32 boundary = keccak256(bytes.concat(play.subject.salt, hash));
            // What `Machine` used is given back: a game has thousands of trees. Boundaries are written in order, so what
            // one spills the next overwrites; the last one's stays within the words of `list`.
            assembly {
                mstore(0x40, free)
                let place := add(add(list, 8), mul(i, 24))
                let rest := and(mload(place), 0xffffffffffffffff)
                mstore(place, or(and(boundary, not(0xffffffffffffffff)), rest))
            }
        }
    }

    function _boundary(Play memory play, uint256 number) private pure returns (BoundaryEvidence memory shown) {
        uint256 round = play.lists.length - 1;
        while (number % 32 == 0) {
            number /= 32;
            --round;
        }
        uint256 index = number % 32 - 1;
        bytes32[] memory nodes = _listNodes(play.lists[round]);
        shown.boundary = bytes24(nodes[32 + index]);
        for (uint256 i = 0; i < 5; ++i) {
            shown.siblings[i] = nodes[(32 + index >> i) ^ 1];
        }
    }

    /// @dev A list's tree as a heap: the root is 1, leaves begin at 32.
    function _listNodes(bytes memory list) private pure returns (bytes32[] memory nodes) {
        nodes = new bytes32[](64);
        for (uint256 i = 0; i < 31; ++i) {
            bytes24 boundary;
            assembly ("memory-safe") {
                boundary := mload(add(add(list, 32), mul(i, 24)))
            }
            nodes[32 + i] = bytes32(boundary);
        }
        for (uint256 i = 31; i > 0; --i) {
            nodes[i] = Machine.node(nodes[2 * i], nodes[2 * i + 1]);
        }
    }

    function _zeroNodes(uint256 level) private pure returns (bytes32[32] memory nodes) {
        bytes32 node = Machine.zeroRoots(5 * level)[5 * level];
        for (uint256 i = 0; i < 32; ++i) {
            nodes[i] = node;
        }
    }

    /* BOOKS */

    function _workerMoved(Play memory play, IDisputeGame.Phase next) private view {
        play.game.word = play.game.word.withMove(_now(), true).withPhase(uint256(next)).withTurn(_now());
    }

    function _challengerMoved(Play memory play, IDisputeGame.Phase next) private view {
        play.game.word = play.game.word.withMove(_now(), false).withPhase(uint256(next)).withTurn(_now());
    }

    function _targeted(Play memory play) private view {
        _challengerMoved(play, IDisputeGame.Phase.Bisect);
        play.game.word = play.game.word.withRound(play.game.word.rounds()).withLevel(0).withPosition(0);
        play.game.chain = keccak256(abi.encode(play.target));
    }

    function _copy(Game memory game) internal pure returns (Game memory) {
        return Game(game.chain, game.word);
    }

    function _signState(Play memory play, uint256 key) internal view returns (Signature memory) {
        bytes32 typeHash = keccak256("GameState(bytes32 gameId,bytes32 chain,uint256 word)");
        bytes32 gameId = keccak256(abi.encode(play.parties));
        bytes32 structHash = keccak256(abi.encode(typeHash, gameId, play.game.chain, play.game.word));
        return _sign(key, c.disputes.domainSeparator(), structHash);
    }
}
