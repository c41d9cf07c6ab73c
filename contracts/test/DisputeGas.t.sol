// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IExecutionProof} from "../src/interfaces/IExecutionProof.sol";
import {Image} from "../src/libraries/Image.sol";
import {Game} from "../src/libraries/GameChain.sol";
import {Signature} from "../src/libraries/TypedData.sol";
import {DisputeBase, Play} from "./DisputeBase.sol";
import {Machine} from "./Machine.sol";

/// @notice Gas of whole games: of every move, and of both sides' transactions together.
/// @dev Of an execution dispute are the moves from its first list to its verdict; opening and descent are beside it. The
/// proof is of the dearest instruction, a store, with what it would need in the middle of an execution.
contract DisputeGas is DisputeBase {
    uint256 private _sumGas;
    string private _name;

    function setUp() public override {
        super.setUp();
        _settleIn();
    }

    function test_gas_dispute_2pow25() public {
        _name = "2^25";
        _measure();
    }

    function test_gas_dispute_2pow30() public {
        Image memory image = Machine.image();
        image.maxSteps = 1 << 30;
        vm.prank(TIMELOCK);
        program = c.programs.register(image, OUTPUT_DEPTH);
        rounds = 6;
        _name = "2^30";
        _measure();
    }

    function _measure() private {
        // The worker, the challenger and the penalty pool have won and lost before: their slots are used already.
        Play memory play = _open(false);
        _expire(play);
        _pass(2 hours);
        play = _open(true);
        _refine(play, 1);
        _expire(play);
        _pass(2 hours);

        uint256 world = vm.snapshotState();
        play = _execution(true);
        _proveDearest(play);
        uint256 provenGas = _sumGas;
        vm.revertToState(world);

        play = _execution(false);
        uint256 executionGas = _sumGas;
        _expire(play);
        uint256 expiredGas = executionGas + _gas("expire");
        _total("execution, worker wins", provenGas);
        _total("execution, challenger wins", expiredGas);
        vm.revertToState(world);

        _cooperate();
    }

    function _expire(Play memory play) private {
        vm.warp(uint256(_now()) + terms.clock + terms.floor + 1);
        c.disputes.expire(play.line, play.parties, play.game, play.subject);
    }

    /// @dev Opens a game, descends two levels, and plays all rounds.
    function _execution(bool isHonest) private returns (Play memory play) {
        play = _open(isHonest);
        _sumGas = 0;
        _refine(play, 2);
        _pickPart(play, 3);
        _total("level of descent", _sumGas);
        _descend(play);
        _pickPart(play, 31);
        _sumGas = 0;
        _bisectTo(play, 0);
    }

    function _proveDearest(Play memory play) private {
        IExecutionProof.Proof memory proof = _proof(play);
        // In the middle of an execution a boundary is shown on either side.
        proof.before = proof.afterwards;
        Game memory kept = _copy(play.game);
        vm.prank(WORKER_OPERATOR);
        c.disputes.prove(play.line.header, play.parties, kept, play.subject, proof);
        _noted("prove");
    }

    /// @dev Both sides sign what they would have played; one transaction takes it to the chain.
    function _cooperate() private {
        Play memory play = _open(true);
        uint256 world = vm.snapshotState();
        Play memory later = abi.decode(abi.encode(play), (Play));
        _refine(later, 2);
        _pickPart(later, 3);
        _descend(later);
        _pickPart(later, 31);
        _bisectTo(later, 0);
        vm.revertToState(world);
        _sumGas = 0;
        Game memory kept = _copy(play.game);
        Signature memory signature = _signState(later, WORKER_OPERATOR_KEY);
        vm.prank(VERIFIER);
        c.disputes.agree(play.parties, kept, later.game, false, signature);
        _noted("agree");
        later.game.word = later.game.word.withClocksOf(play.game.word).withTurn(_now());
        _proveDearest(later);
        _total("cooperative, worker wins", _sumGas);
    }

    function _noted(string memory move) internal override {
        _sumGas += _gas(move);
    }

    function _gas(string memory move) private returns (uint256) {
        return vm.snapshotGasLastCall("dispute", string.concat(_name, " ", move));
    }

    function _total(string memory what, uint256 value) private {
        vm.snapshotValue("dispute", string.concat(_name, " ", what), value);
    }
}
