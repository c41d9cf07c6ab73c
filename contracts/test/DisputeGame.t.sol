// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IDisputeGame} from "../src/interfaces/IDisputeGame.sol";
import {IExecutionProof} from "../src/interfaces/IExecutionProof.sol";
import {IWorkClaims} from "../src/interfaces/IWorkClaims.sol";
import {Game} from "../src/libraries/GameChain.sol";
import {GameWord, GameWords} from "../src/libraries/GameWord.sol";
import {Signature} from "../src/libraries/TypedData.sol";
import {DisputeBase, Play} from "./DisputeBase.sol";
import {Machine} from "./Machine.sol";
import {Story} from "./Story.t.sol";

/// @notice Games that are played to their end, by honest and by lying workers.
contract DisputeGameTest is DisputeBase {
    using GameWords for GameWord;

    /// @dev The instructions that end otherwise than in the middle: the store, what follows it, the halt, after it, on
    /// borders of lists, and the last.
    uint256[9] private _positions = [uint256(0), 1, 2, 3, 31, 32, 1023, 1 << 20, (1 << 25) - 1];

    function setUp() public override {
        super.setUp();
        _settleIn();
    }

    /* HONEST WORKERS */

    function test_prove_winsForAnHonestPart_atEveryKindOfPosition() public {
        Play memory play = _open(true);
        uint256 world = vm.snapshotState();
        for (uint256 i = 0; i < _positions.length; ++i) {
            Play memory fork = _fork(play);
            _refine(fork, 2);
            _pickPart(fork, 3);
            _descend(fork);
            _pickPart(fork, 31);
            _equal(fork.target.index, 3 * 32 + 31, "index");
            _bisectTo(fork, _positions[i]);
            _prove(fork);
            _requireWorkerWon(fork);
            vm.revertToState(world);
        }
    }

    function test_prove_winsForAnHonestAssembly_atBothEnds() public {
        Play memory play = _open(true);
        uint256 world = vm.snapshotState();
        for (uint256 i = 0; i < _positions.length; ++i) {
            Play memory fork = _fork(play);
            _refine(fork, 2);
            _pickAssembly(fork);
            _bisectTo(fork, _positions[i]);
            _prove(fork);
            _requireWorkerWon(fork);
            vm.revertToState(world);
        }
    }

    function test_prove_winsForAPartBehindTheTree() public {
        Play memory play = _open(true);
        uint256 world = vm.snapshotState();
        for (uint256 i = 0; i < _positions.length; ++i) {
            Play memory fork = _fork(play);
            _refine(fork, 1);
            _pickBeyond(fork, 32);
            _bisectTo(fork, _positions[i]);
            _prove(fork);
            _requireWorkerWon(fork);
            vm.revertToState(world);
        }
    }

    function testFuzz_prove_winsAnywhere(uint32 position, uint8 kind) public {
        Play memory play = _open(true);
        _refine(play, 1);
        if (kind % 3 == 0) _pickPart(play, position % 32);
        if (kind % 3 == 1) _pickAssembly(play);
        if (kind % 3 == 2) _pickBeyond(play, 32 + uint64(position));
        _bisectTo(play, position % (1 << 25));
        _prove(play);
        _requireWorkerWon(play);
    }

    function test_prove_paysTheWorkerItsMovesAndBurnsHalfOfTheRest() public {
        Play memory play = _open(true);
        uint256 workerWei = c.token.balanceOf(WORKER);
        uint256 supplyWei = c.token.totalSupply();
        _refine(play, 1);
        _pickAssembly(play);
        _bisectTo(play, 0);
        _prove(play);
        // Seven moves: refine, five lists, the proof.
        uint256 refundWei = 7 * uint256(terms.moveRefundWei);
        uint256 burnWei = (play.subject.bondWei - refundWei) / 2;
        _equal(c.token.balanceOf(WORKER) - workerWei, play.subject.bondWei - burnWei, "worker");
        _equal(supplyWei - c.token.totalSupply(), burnWei, "burnt");
        _equal(c.token.balanceOf(address(c.disputes)), 0, "nothing stays");

        _pass(p.window);
        c.claims.finalize(play.line.header, play.line.lines);
    }

    /* LYING WORKERS */

    function test_expire_rejects_whenTheWorkerCanNotProve() public {
        // The story's outputs are made up, so the assembly of zeros is not what the unit says.
        Play memory play = _open(false);
        uint256 verifierWei = c.token.balanceOf(VERIFIER);
        _refine(play, 2);
        _pickAssembly(play);
        _bisectTo(play, (1 << 25) - 1);
        IExecutionProof.Proof memory proof = _proof(play);
        vm.prank(WORKER_OPERATOR);
        vm.expectRevert();
        c.disputes.prove(play.line.header, play.parties, _copy(play.game), play.subject, proof);

        _expireOnce(play, true);
        (IWorkClaims.ClaimStatus status,,) = c.claims.claimState(play.line.header);
        _true(status == IWorkClaims.ClaimStatus.Rejected, "rejected");
        _equal(c.token.balanceOf(VERIFIER) - verifierWei, play.subject.bondWei, "bond");
        (uint128 earnedWei,) = c.accounts.credits(VERIFIER);
        _equal(earnedWei, 7 * uint256(p.bountyWei), "seven bounties");
    }

    function test_prove_reverts_withACostThatTheProgramDidNotCount() public {
        Story memory s = _tell(1, 2, 2);
        s.units[0][0].outputRoot = Machine.zeroRoots(OUTPUT_DEPTH + 5)[OUTPUT_DEPTH + 5];
        s.units[0][0].cost = 5;
        _grow(s);
        Play memory play;
        play.line = _post(s);
        _challenge(play, s, "salt");
        _refine(play, 1);
        _pickAssembly(play);
        _bisectTo(play, (1 << 25) - 1);
        IExecutionProof.Proof memory proof = _proof(play);
        vm.prank(WORKER_OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IExecutionProof.WrongCost.selector, 0, 5, 0, 0));
        c.disputes.prove(play.line.header, play.parties, _copy(play.game), play.subject, proof);
    }

    function test_prove_reverts_whenAnyByteOfTheProofIsFlipped() public {
        Play memory play = _open(true);
        _refine(play, 1);
        _pickAssembly(play);
        _bisectTo(play, 33);
        IExecutionProof.Proof memory proof = _proof(play);
        for (uint256 i = 0; i < proof.witness.length; ++i) {
            proof.witness[i] ^= 0x01;
            _refuseProof(play, proof);
            proof.witness[i] ^= 0x01;
        }
        for (uint256 i = 0; i < proof.listRoots.length; ++i) {
            proof.listRoots[i] ^= bytes32(uint256(1));
            _refuseProof(play, proof);
            proof.listRoots[i] ^= bytes32(uint256(1));
        }
        for (uint256 i = 0; i < 5; ++i) {
            proof.before.siblings[i] ^= bytes32(uint256(1));
            _refuseProof(play, proof);
            proof.before.siblings[i] ^= bytes32(uint256(1));
            proof.afterwards.siblings[i] ^= bytes32(uint256(1));
            _refuseProof(play, proof);
            proof.afterwards.siblings[i] ^= bytes32(uint256(1));
        }
        proof.target.levels = 2;
        _refuseProof(play, proof);
        proof.target.levels = 1;
        _prove(play);
        _requireWorkerWon(play);
    }

    function test_prove_reverts_whenOneBoundaryWasFalse() public {
        Play memory play = _open(true);
        _refine(play, 1);
        _pickAssembly(play);
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory list = _list(play);
            // The last list's first boundary.
            if (i == 4) list[0] ^= 0x01;
            _bisect(play, list);
            _pickSegment(play, 0);
        }
        IExecutionProof.Proof memory proof = _proof(play);
        vm.prank(WORKER_OPERATOR);
        vm.expectRevert();
        c.disputes.prove(play.line.header, play.parties, _copy(play.game), play.subject, proof);
        _expireOnce(play, true);
        (IWorkClaims.ClaimStatus status,,) = c.claims.claimState(play.line.header);
        _true(status == IWorkClaims.ClaimStatus.Rejected, "rejected");
    }

    /* CLOCKS */

    function test_moves_countToTheSecond() public {
        Play memory play = _open(true);
        uint256 deadlineAt = play.game.word.deadlineAt(true);
        _equal(deadlineAt, uint256(_now()) + terms.floor + terms.clock, "deadline");
        vm.warp(deadlineAt);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeGame.ClockNotExpired.selector, uint64(deadlineAt), uint64(deadlineAt))
        );
        c.disputes.expire(play.line, play.parties, play.game, play.subject);
        uint256 world = vm.snapshotState();
        _refine(play, 1);
        _equal(play.game.word.left(true), 0, "the clock is used up");
        vm.revertToState(world);

        vm.warp(deadlineAt + 1);
        Play memory late = _fork(play);
        late.game =
            Game(0, GameWords.first(1, 5, terms.floor, terms.clock).withTurn(deadlineAt - terms.floor - terms.clock));
        bytes32[32] memory nodes;
        vm.prank(WORKER_OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(IDisputeGame.ClockExpired.selector, uint64(deadlineAt + 1), uint64(deadlineAt))
        );
        c.disputes.refine(late.parties, late.game.word, 1, nodes);
        c.disputes.expire(late.line, late.parties, late.game, late.subject);
        (IWorkClaims.ClaimStatus status,,) = c.claims.claimState(late.line.header);
        _true(status == IWorkClaims.ClaimStatus.Rejected, "rejected");
    }

    function test_moves_withinTheFloorCostNoClock() public {
        Play memory play = _open(true);
        _pass(terms.floor);
        _refine(play, 1);
        _equal(play.game.word.left(true), terms.clock, "worker");
        _pass(terms.floor + 7);
        _pickAssembly(play);
        _equal(play.game.word.left(false), terms.clock - 7, "challenger");
    }

    function test_expire_paysTheWorker_whenTheChallengerIsSilent() public {
        Play memory play = _open(false);
        _refine(play, 1);
        uint256 workerWei = c.token.balanceOf(WORKER);
        _expireOnce(play, false);
        _true(c.token.balanceOf(WORKER) > workerWei, "paid");
        (IWorkClaims.ClaimStatus status, uint16 live,) = c.claims.claimState(play.line.header);
        _true(status == IWorkClaims.ClaimStatus.Posted && live == 0, "stands");
    }

    /* WHO AND WHEN */

    function test_moves_revert_ofStrangersAndOfThePast() public {
        Play memory play = _open(true);
        Game memory first = _copy(play.game);
        bytes32[32] memory nodes;
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotAllowed.selector, STRANGER, WORKER));
        c.disputes.refine(play.parties, first.word, 1, nodes);
        vm.prank(VERIFIER);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NotAllowed.selector, VERIFIER, WORKER));
        c.disputes.refine(play.parties, first.word, 1, nodes);
        vm.prank(WORKER_OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongLevels.selector, 7, 6));
        c.disputes.refine(play.parties, first.word, 7, nodes);
        vm.prank(VERIFIER);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDisputeGame.WrongPhase.selector, IDisputeGame.Phase.Refine, IDisputeGame.Phase.PickPart
            )
        );
        c.disputes.pickAssembly(play.parties, first);

        _refine(play, 1);
        vm.prank(WORKER_OPERATOR);
        vm.expectRevert();
        c.disputes.refine(play.parties, first.word, 1, nodes);
        _pickAssembly(play);
        _bisect(play);
        vm.prank(VERIFIER);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongPick.selector, 32, 32));
        c.disputes.pickSegment(play.parties, play.game, 32);
    }

    function test_moves_ofADelegate() public {
        vm.prank(WORKER);
        c.registry.setDelegate(STRANGER, true);
        Play memory play = _open(true);
        bytes32[32] memory nodes;
        vm.prank(STRANGER);
        c.disputes.refine(play.parties, play.game.word, 1, nodes);
    }

    function test_picks_areOfTheTree() public {
        Play memory play = _open(true);
        _refine(play, 1);
        bytes32[5] memory siblings;
        vm.startPrank(VERIFIER);
        vm.expectRevert();
        c.disputes.pickPart(play.parties, play.game.word, 0, 0, siblings);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongPick.selector, 31, 32));
        c.disputes.pickBeyond(play.parties, play.game, 31);
        vm.stopPrank();
        _pickBeyond(play, 32);

        Play memory deep = _fork(play);
        _challenge(deep, _story(true), "deep");
        _refine(deep, 2);
        _pickPart(deep, 1);
        _descend(deep);
        vm.startPrank(VERIFIER);
        vm.expectRevert();
        c.disputes.pickAssembly(deep.parties, deep.game);
        vm.expectRevert();
        c.disputes.pickBeyond(deep.parties, deep.game, 1 << 20);
        vm.stopPrank();
    }

    function test_commit_mustComeFirst_andIsBurntWhenItIsNotOpened() public {
        Story memory s = _tell(1, 2, 2);
        Play memory play;
        play.line = _post(s);
        bytes32 commitment = keccak256("mine");
        uint256 supplyWei = c.token.totalSupply();
        vm.startPrank(VERIFIER);
        c.token.approve(address(c.disputes), type(uint256).max);
        c.disputes.commit(commitment);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.CommitmentKnown.selector, commitment));
        c.disputes.commit(commitment);
        vm.stopPrank();
        uint64 endAt = _now() + terms.revealWindow;
        vm.warp(endAt);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.RevealWindow.selector, endAt, endAt));
        c.disputes.forfeit(commitment);
        vm.warp(endAt + 1);
        c.disputes.forfeit(commitment);
        _equal(supplyWei - c.token.totalSupply(), terms.minBondWei, "burnt");
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.CommitmentUnknown.selector, commitment));
        c.disputes.forfeit(commitment);
    }

    /* MANY GAMES */

    function test_close_givesTheBondBack_whenAnotherGameWasWon() public {
        Play memory play = _open(false);
        Play memory other = _fork(play);
        _challenge(other, _story(false), "other");
        _equal(c.disputes.liveCount(WORKER), 2, "two games");
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.ClaimStands.selector, other.subject.claimId));
        c.disputes.close(other.line, other.parties, other.game, other.subject);
        _expireOnce(play, true);

        uint256 verifierWei = c.token.balanceOf(VERIFIER);
        c.disputes.close(other.line, other.parties, other.game, other.subject);
        _equal(c.token.balanceOf(VERIFIER) - verifierWei, other.subject.bondWei, "bond");
        _equal(c.disputes.liveCount(WORKER), 0, "none");
        bytes32 gameId = keccak256(abi.encode(other.parties));
        _equal(c.disputes.gameState(gameId), bytes32(uint256(IDisputeGame.Verdict.Closed)), "verdict");
        vm.expectRevert();
        c.disputes.close(other.line, other.parties, other.game, other.subject);
    }

    function test_aHundredBaselessChallenges_leaveTheWorkerNoPoorer() public {
        Play memory play = _open(true);
        uint256 workerWei = c.token.balanceOf(WORKER);
        Play[] memory plays = new Play[](100);
        plays[0] = play;
        for (uint256 i = 1; i < 100; ++i) {
            plays[i] = _fork(play);
            _challenge(plays[i], _story(true), bytes32(i));
        }
        _equal(plays[99].game.word.floor(), 4 * uint256(terms.floor), "a worker in a flood has more time");
        for (uint256 i = 0; i < 100; ++i) {
            _refine(plays[i], 1);
        }
        // Nobody goes on: the bonds are the worker's.
        _pass(4 * terms.floor + terms.clock + 1);
        for (uint256 i = 0; i < 100; ++i) {
            c.disputes.expire(plays[i].line, plays[i].parties, plays[i].game, plays[i].subject);
        }
        _true(c.token.balanceOf(WORKER) > workerWei + 100 * uint256(terms.moveRefundWei), "no poorer");
        _pass(p.window);
        c.claims.finalize(play.line.header, play.line.lines);
    }

    /* BY SIGNATURE */

    function test_agree_jumpsToASignedState_andKeepsTheClocks() public {
        Play memory play = _open(true);
        _refine(play, 1);
        _pass(terms.floor + 9);
        Play memory later = _fork(play);
        // What both would have played, on a copy of the world.
        uint256 world = vm.snapshotState();
        _pickAssembly(later);
        _bisectTo(later, 77);
        vm.revertToState(world);
        Signature memory strangers = _signState(later, STRANGER_KEY);
        vm.prank(WORKER_OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongSigner.selector, STRANGER, VERIFIER));
        c.disputes.agree(play.parties, play.game, later.game, true, strangers);

        // The worker's operator signs, the challenger sends.
        Game memory kept = _copy(play.game);
        Signature memory signature = _signState(later, WORKER_OPERATOR_KEY);
        vm.prank(VERIFIER);
        c.disputes.agree(play.parties, kept, later.game, false, signature);
        later.game.word = later.game.word.withClocksOf(play.game.word).withTurn(_now());
        _equal(later.game.word.workerMoves(), 1, "moves off chain cost nothing");
        vm.prank(VERIFIER);
        vm.expectRevert();
        c.disputes.agree(play.parties, kept, later.game, false, signature);
        _prove(later);
        _requireWorkerWon(later);
    }

    function test_agree_reverts_whenItDoesNotGoOn() public {
        Play memory play = _open(true);
        _refine(play, 1);
        Signature memory signature = _signState(play, WORKER_OPERATOR_KEY);
        vm.prank(VERIFIER);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongMoves.selector, 1, 1, 32));
        c.disputes.agree(play.parties, play.game, play.game, false, signature);
    }

    /* CIRCUMSTANCES */

    function test_expire_voids_whenTheProgramIsSuspended() public {
        Play memory play = _open(false);
        vm.prank(GUARDIAN);
        c.programs.suspend(PROGRAM);
        _expireOnce(play, true);
        (IWorkClaims.ClaimStatus status,,) = c.claims.claimState(play.line.header);
        _true(status == IWorkClaims.ClaimStatus.Posted, "not slashed");
        _equal(c.claims.voidedMicro(play.subject.claimId, 0), play.subject.ibmMicro, "void");
    }

    /* INTERNAL */

    function _requireWorkerWon(Play memory play) private view {
        bytes32 gameId = keccak256(abi.encode(play.parties));
        _equal(c.disputes.gameState(gameId), bytes32(uint256(IDisputeGame.Verdict.WorkerWon)), "verdict");
        (IWorkClaims.ClaimStatus status, uint16 live,) = c.claims.claimState(play.line.header);
        _true(status == IWorkClaims.ClaimStatus.Posted && live == 0, "the claim stands");
    }

    function _refuseProof(Play memory play, IExecutionProof.Proof memory proof) private {
        Game memory kept = _copy(play.game);
        vm.prank(WORKER_OPERATOR);
        vm.expectRevert();
        c.disputes.prove(play.line.header, play.parties, kept, play.subject, proof);
    }

    function _expireOnce(Play memory play, bool isWorkersTurn) private {
        vm.warp(play.game.word.deadlineAt(isWorkersTurn) + 1);
        c.disputes.expire(play.line, play.parties, play.game, play.subject);
    }

    function _fork(Play memory play) private pure returns (Play memory) {
        return abi.decode(abi.encode(play), (Play));
    }
}
