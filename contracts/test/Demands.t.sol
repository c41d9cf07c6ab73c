// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IDemands} from "../src/interfaces/IDemands.sol";
import {IWorkClaims} from "../src/interfaces/IWorkClaims.sol";
import {LeafEvidence, LineRef, TaskEvidence, UnitEvidence} from "../src/libraries/Evidence.sol";
import {Receipt, Signature, TypedData} from "../src/libraries/TypedData.sol";
import {Story, StoryBase} from "./Story.t.sol";
import {Tree, Trees} from "./Trees.sol";

contract DemandsTest is StoryBase {
    using Trees for Tree;

    uint256 private constant CHUNK_LEAVES = 32;

    function setUp() public override {
        super.setUp();
        _settleIn();
        vm.prank(BUILDER);
        c.token.approve(address(c.demands), type(uint256).max);
        _pass(1 days);
    }

    /* SERVING */

    function test_serveInterval_paysHalfAndExtends() public {
        (Story memory s, LineRef memory target, IDemands.Demand memory d) = _ask(IDemands.DemandKind.Interval);
        LeafEvidence memory leaf = _leaf(s, 0);
        uint256 supplyWei = c.token.totalSupply();
        vm.warp(_now() + p.demandWindow);

        c.demands.serveInterval(target, d, leaf, address(0x5E));
        _equal(c.token.balanceOf(address(0x5E)), p.demandFeeWei / 2, "server");
        _equal(supplyWei - c.token.totalSupply(), p.demandFeeWei / 2, "burnt");
        _equal(c.token.balanceOf(address(c.demands)), 0, "nothing left");
        (, uint16 live, uint64 deadlineAt) = c.claims.claimState(target.header);
        _equal(live, 0, "live");
        _equal(deadlineAt, target.header.deadlineAt, "an early demand extends nothing");
    }

    function test_serve_extendsTheDeadline() public {
        Story memory s = _tell(1, 5, 3);
        LineRef memory target = _post(s);
        IDemands.Demand memory d = _demand(target, IDemands.DemandKind.Interval);
        vm.warp(target.header.deadlineAt - 1);
        _open(target, d);
        vm.warp(target.header.deadlineAt + 9);
        c.demands.serveInterval(target, d, _leaf(s, 0), WORKER);
        (,, uint64 deadlineAt) = c.claims.claimState(target.header);
        _equal(deadlineAt, _now() + p.demandWindow, "time to act");
        vm.warp(deadlineAt);
        _finalize(target);
    }

    function testFuzz_serveNodes_showsEveryNode(uint256 seed) public {
        Story memory s = _tell(seed, 1 + _draw(seed, "n", 70), 1);
        s.order.capWei = 1e26;
        LineRef memory target = _post(s);
        IDemands.Demand memory d = _demand(target, IDemands.DemandKind.Nodes);
        d.level = uint8(_draw(seed, "level", s.leafTree.hashes.length));
        d.position = uint64(_draw(seed, "position", s.leafTree.hashes[d.level].length));
        _open(target, d);
        IDemands.NodesEvidence memory shown =
            IDemands.NodesEvidence(s.leafTree.below(d.level, d.position), s.leafTree.proof(d.level, d.position));
        c.demands.serveNodes(target, d, shown, WORKER);
        _is(d, IDemands.DemandStatus.Served);
    }

    /// @dev A worker whose tree lies below the node can't serve: the hashes fit, the sums don't.
    function test_serveNodes_reverts_whenTheTreeLies() public {
        Story memory s = _tell(1, 8, 1);
        _growLying(s, 1, 2, s.leafTree.sums[1][2] + 1);
        LineRef memory target = _post(s);
        IDemands.Demand memory d = _demand(target, IDemands.DemandKind.Nodes);
        d.level = 3;
        _open(target, d);
        IDemands.NodesEvidence memory shown = IDemands.NodesEvidence(s.leafTree.below(3, 0), s.leafTree.proof(3, 0));
        vm.expectRevert();
        c.demands.serveNodes(target, d, shown, WORKER);
    }

    function test_serveUnit_showsUnitOrThatThereIsNone() public {
        (Story memory s, LineRef memory target, IDemands.Demand memory d) = _ask(IDemands.DemandKind.Unit);
        c.demands.serveUnit(target, d, _leaf(s, 0), _unit(s, 0, 0), WORKER);
        _is(d, IDemands.DemandStatus.Served);

        d.position = 3;
        _open(target, d);
        UnitEvidence memory none;
        c.demands.serveUnit(target, d, _leaf(s, 0), none, WORKER);
        _is(d, IDemands.DemandStatus.Served);

        d.position = 2;
        _open(target, d);
        LeafEvidence memory leaf = _leaf(s, 0);
        vm.expectRevert(abi.encodeWithSelector(IDemands.WrongPlace.selector, 0, 2));
        c.demands.serveUnit(target, d, leaf, none, WORKER);
    }

    function test_serveUnitNodes_showsNodesOrThatThereAreNone() public {
        (Story memory s, LineRef memory target, IDemands.Demand memory d) = _ask(IDemands.DemandKind.UnitNodes);
        Tree memory tree = s.unitTrees[0];
        d.level = uint8(tree.hashes.length - 1);
        _open(target, d);
        IDemands.NodesEvidence memory shown = IDemands.NodesEvidence(tree.below(d.level, 0), tree.proof(d.level, 0));
        c.demands.serveUnitNodes(target, d, _leaf(s, 0), tree.top(), shown, WORKER);
        d.level += 1;
        _open(target, d);
        IDemands.NodesEvidence memory none;
        c.demands.serveUnitNodes(target, d, _leaf(s, 0), tree.top(), none, WORKER);
        _is(d, IDemands.DemandStatus.Served);
    }

    function test_serveTask_showsTheListedTask() public {
        (Story memory s, LineRef memory target, IDemands.Demand memory d) = _ask(IDemands.DemandKind.Task);
        TaskEvidence memory wrong = _listed(s, 1);
        vm.expectRevert(abi.encodeWithSelector(IDemands.WrongPlace.selector, 1, 0));
        c.demands.serveTask(target, d, s.order, wrong, WORKER);
        c.demands.serveTask(target, d, s.order, _listed(s, 0), WORKER);
        _is(d, IDemands.DemandStatus.Served);
    }

    function test_serveJob_needsTheBuildersSignature() public {
        (Story memory s, LineRef memory target, IDemands.Demand memory d) = _ask(IDemands.DemandKind.Job);
        _equal(c.registry.node(MANAGER).lockedWei, target.lines[0].amountWei, "the manager's stake is locked");
        bytes32 separator = c.claims.domainSeparator();
        Signature memory signature = _sign(STRANGER_KEY, separator, TypedData.hashJob(s.job));
        TaskEvidence memory listed = _listed(s, 0);
        vm.expectRevert(abi.encodeWithSelector(IDemands.WrongSigner.selector, STRANGER, BUILDER));
        c.demands.serveJob(target, d, s.order, listed, s.job, signature, MANAGER);
        signature = _sign(BUILDER_KEY, separator, TypedData.hashJob(s.job));
        c.demands.serveJob(target, d, s.order, listed, s.job, signature, MANAGER);
        _is(d, IDemands.DemandStatus.Served);
        _equal(c.registry.node(MANAGER).lockedWei, 0, "and free again");
    }

    function testFuzz_serveOutput_showsAChunk(uint256 seed) public {
        (Story memory s, bytes32[][] memory levels) = _tellOutput(seed);
        LineRef memory target = _post(s);
        IDemands.Demand memory d = _demand(target, IDemands.DemandKind.Output);
        d.chunkIndex = uint64(_draw(seed, "chunk", (1 << OUTPUT_DEPTH) / CHUNK_LEAVES));
        vm.prank(BUILDER);
        c.demands.open(target, d);
        IDemands.ChunkEvidence memory chunk = _chunk(levels, d.chunkIndex);
        c.demands.serveOutput(target, d, _leaf(s, 0), _unit(s, 0, 0), s.job, chunk, WORKER);
        _is(d, IDemands.DemandStatus.Served);
    }

    function test_serveOutput_reverts_whenAByteIsWrong() public {
        (Story memory s, bytes32[][] memory levels) = _tellOutput(1);
        LineRef memory target = _post(s);
        IDemands.Demand memory d = _demand(target, IDemands.DemandKind.Output);
        vm.prank(BUILDER);
        c.demands.open(target, d);
        IDemands.ChunkEvidence memory chunk = _chunk(levels, 0);
        chunk.data[77] ^= 0x01;
        (LeafEvidence memory leaf, UnitEvidence memory unit) = (_leaf(s, 0), _unit(s, 0, 0));
        vm.expectRevert();
        c.demands.serveOutput(target, d, leaf, unit, s.job, chunk, WORKER);
    }

    function test_open_reverts_whenOutputIsAStrangers() public {
        LineRef memory target = _post(_tell(1, 5, 3));
        IDemands.Demand memory d = _demand(target, IDemands.DemandKind.Output);
        vm.prank(VERIFIER);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NotAllowed.selector, VERIFIER));
        c.demands.open(target, d);
    }

    /* RECEIPTS */

    function test_shiftToManager_movesTheLoss() public {
        (Story memory s, LineRef memory target, IDemands.Demand memory d) = _askOutput();
        (Receipt memory receipt, Signature memory signature) = _receipt(s);
        c.demands.shiftToManager(target, d, _leaf(s, 0), receipt, signature);
        _is(d, IDemands.DemandStatus.OpenToManager);
        vm.warp(_now() + p.demandWindow + 1);
        c.demands.expire(target, d);

        _equal(c.accounts.balanceWei(BUILDER), target.lines[0].amountWei, "builder");
        _equal(c.registry.node(MANAGER).stakeWei, STAKE_WEI - target.lines[0].amountWei, "manager");
        _pass(p.window);
        _finalize(target);
    }

    function test_shiftToManager_reverts_whenReceiptIsForAnother() public {
        (Story memory s, LineRef memory target, IDemands.Demand memory d) = _askOutput();
        (Receipt memory receipt,) = _receipt(s);
        receipt.unitsRoot = "another";
        bytes32 given = TypedData.hashReceipt(receipt);
        Signature memory signature = _sign(MANAGER_OPERATOR_KEY, c.claims.domainSeparator(), given);
        LeafEvidence memory leaf = _leaf(s, 0);
        (Receipt memory needed,) = _receipt(s);
        vm.expectRevert(abi.encodeWithSelector(IDemands.WrongPreimage.selector, given, TypedData.hashReceipt(needed)));
        c.demands.shiftToManager(target, d, leaf, receipt, signature);
    }

    /// @dev A forged line would let a stranger's receipt move the duty to a manager that gave none.
    function test_shiftToManager_reverts_whenLinesAreForged() public {
        (Story memory s, LineRef memory target, IDemands.Demand memory d) = _askOutput();
        _register(STRANGER, STRANGER_KEY, 2, 0, 1 ether);
        target.lines[0].manager = STRANGER;
        target.header.linesHash = keccak256(abi.encode(target.lines));
        (Receipt memory receipt,) = _receipt(s);
        receipt.manager = STRANGER;
        Signature memory signature = _sign(STRANGER_KEY, c.claims.domainSeparator(), TypedData.hashReceipt(receipt));
        LeafEvidence memory leaf = _leaf(s, 0);
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.HeaderUnknown.selector, d.claimId));
        c.demands.shiftToManager(target, d, leaf, receipt, signature);
    }

    /* LOSING */

    function test_expire_rejectsTheClaim() public {
        (, LineRef memory target, IDemands.Demand memory d) = _ask(IDemands.DemandKind.Interval);
        uint256 balanceWei = c.token.balanceOf(VERIFIER);
        vm.warp(_now() + p.demandWindow);
        vm.expectRevert(abi.encodeWithSelector(IDemands.DemandNotExpired.selector, _now(), _now()));
        c.demands.expire(target, d);
        vm.warp(_now() + 1);
        c.demands.expire(target, d);

        _equal(uint8(_statusOf(target)), uint8(IWorkClaims.ClaimStatus.Rejected), "status");
        _equal(c.token.balanceOf(VERIFIER) - balanceWei, p.demandFeeWei, "the fee is back");
        (uint128 bountyWei,) = c.accounts.credits(VERIFIER);
        _equal(bountyWei, p.bountyWei, "bounty");
    }

    function test_serve_reverts_whenExpired() public {
        (Story memory s, LineRef memory target, IDemands.Demand memory d) = _ask(IDemands.DemandKind.Interval);
        LeafEvidence memory leaf = _leaf(s, 0);
        vm.warp(_now() + p.demandWindow + 1);
        vm.expectRevert(abi.encodeWithSelector(IDemands.DemandExpired.selector, _now(), _now() - 1));
        c.demands.serveInterval(target, d, leaf, WORKER);
    }

    /// @dev The worker is covered by its order; the builder gets the line's amount out of the manager's stake, once.
    function test_expire_costsTheManagerOnce_whenJobsStayHidden() public {
        (, LineRef memory target, IDemands.Demand memory d) = _ask(IDemands.DemandKind.Job);
        IDemands.Demand memory second = _demand(target, IDemands.DemandKind.Job);
        second.position = 1;
        _open(target, second);
        vm.warp(_now() + p.demandWindow + 1);
        c.demands.expire(target, d);
        c.demands.expire(target, second);
        _equal(c.accounts.balanceWei(BUILDER), target.lines[0].amountWei, "builder");
        _equal(c.registry.node(MANAGER).lockedWei, 0, "locks");
        _pass(p.window);
        _finalize(target);
    }

    function test_close_returnsTheFee_whenClaimWasRejected() public {
        (, LineRef memory target, IDemands.Demand memory d) = _ask(IDemands.DemandKind.Job);
        vm.expectRevert(abi.encodeWithSelector(IDemands.ClaimStands.selector, d.claimId));
        c.demands.close(target, d);
        vm.prank(address(c.disputes));
        c.claims.reject(target.header, target.lines, 0, STRANGER);
        uint256 balanceWei = c.token.balanceOf(VERIFIER);
        c.demands.close(target, d);
        _equal(c.token.balanceOf(VERIFIER) - balanceWei, p.demandFeeWei, "fee");
        _equal(c.registry.node(MANAGER).lockedWei, 0, "manager's lock");
    }

    /* REFUSALS */

    function test_open_reverts_whenPlaceIsKnown() public {
        (, LineRef memory target, IDemands.Demand memory d) = _ask(IDemands.DemandKind.Interval);
        bytes32 demandId = c.demands.demandIdOf(d);
        vm.prank(STRANGER);
        vm.expectRevert(
            abi.encodeWithSelector(IDemands.DemandKnown.selector, demandId, IDemands.DemandStatus.OpenToWorker)
        );
        c.demands.open(target, d);
    }

    function testFuzz_open_reverts_whenThereIsNoSuchPlace(uint256 seed) public {
        LineRef memory target = _post(_tell(1, 5, 3));
        IDemands.Demand memory d = _demand(target, IDemands.DemandKind(_draw(seed, "kind", 6)));
        uint256 kind = uint256(d.kind);
        uint256 way = _draw(seed, "way", 3);
        if (way == 0) d.chunkIndex = 1;
        if (way == 1) d.leafIndex = uint64(5 + _draw(seed, "leaf", 1 << 60));
        if (way == 2) d.level = kind == 3 ? 0 : uint8(4 + _draw(seed, "level", 250));
        if (way == 2 && kind == 3) d.leafIndex = 5;
        vm.prank(VERIFIER);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchPlace.selector));
        c.demands.open(target, d);
    }

    function test_open_reverts_afterTheSecondWindow() public {
        LineRef memory target = _post(_tell(1, 5, 3));
        vm.prank(address(c.disputes));
        c.claims.hold(target.header);
        uint64 endAt = target.header.deadlineAt + p.window;
        vm.warp(endAt);
        IDemands.Demand memory d = _demand(target, IDemands.DemandKind.Interval);
        vm.prank(VERIFIER);
        vm.expectRevert(abi.encodeWithSelector(IDemands.DemandsOver.selector, endAt, endAt));
        c.demands.open(target, d);
        vm.warp(endAt - 1);
        _open(target, d);
    }

    function test_open_reverts_whenClaimIsFinal() public {
        LineRef memory target = _post(_tell(1, 5, 3));
        _pass(p.window);
        IDemands.Demand memory d = _demand(target, IDemands.DemandKind.Interval);
        vm.prank(VERIFIER);
        vm.expectRevert(abi.encodeWithSelector(IWorkClaims.DeadlinePassed.selector, _now(), target.header.deadlineAt));
        c.demands.open(target, d);
    }

    /* INTERNAL */

    function _ask(IDemands.DemandKind kind)
        private
        returns (Story memory s, LineRef memory target, IDemands.Demand memory d)
    {
        s = _tell(1, 5, 3);
        target = _post(s);
        d = _demand(target, kind);
        _open(target, d);
    }

    function _askOutput() private returns (Story memory s, LineRef memory target, IDemands.Demand memory d) {
        s = _tell(1, 5, 3);
        target = _post(s);
        d = _demand(target, IDemands.DemandKind.Output);
        vm.prank(BUILDER);
        c.demands.open(target, d);
    }

    function _open(LineRef memory target, IDemands.Demand memory d) private {
        vm.prank(VERIFIER);
        c.demands.open(target, d);
    }

    function _is(IDemands.Demand memory d, IDemands.DemandStatus needed) private view {
        (IDemands.DemandStatus status,,) = c.demands.demandState(c.demands.demandIdOf(d));
        _equal(uint8(status), uint8(needed), "demand");
    }

    function _receipt(Story memory s) private view returns (Receipt memory receipt, Signature memory signature) {
        receipt = Receipt({
            manager: MANAGER,
            worker: WORKER,
            jobId: s.leaves[0].jobId,
            taskId: s.leaves[0].taskId,
            firstUnit: s.leaves[0].firstUnit,
            unitCount: s.leaves[0].unitCount,
            unitsRoot: s.leaves[0].unitsRoot
        });
        signature = _sign(MANAGER_OPERATOR_KEY, c.claims.domainSeparator(), TypedData.hashReceipt(receipt));
    }

    function _tellOutput(uint256 seed) private view returns (Story memory s, bytes32[][] memory levels) {
        levels = new bytes32[][](OUTPUT_DEPTH + 1);
        levels[0] = new bytes32[](1 << OUTPUT_DEPTH);
        for (uint256 i = 0; i < levels[0].length; ++i) {
            levels[0][i] = keccak256(abi.encode(seed, i));
        }
        for (uint256 k = 0; k < OUTPUT_DEPTH; ++k) {
            levels[k + 1] = new bytes32[](levels[k].length / 2);
            for (uint256 i = 0; i < levels[k + 1].length; ++i) {
                levels[k + 1][i] = keccak256(abi.encodePacked(levels[k][2 * i], levels[k][2 * i + 1]));
            }
        }
        s = _tell(seed, 2, 2);
        s.units[0][0].outputRoot = levels[OUTPUT_DEPTH][0];
        _grow(s);
    }

    function _chunk(bytes32[][] memory levels, uint256 chunkIndex)
        private
        pure
        returns (IDemands.ChunkEvidence memory chunk)
    {
        for (uint256 i = 0; i < CHUNK_LEAVES; ++i) {
            chunk.data = bytes.concat(chunk.data, levels[0][chunkIndex * CHUNK_LEAVES + i]);
        }
        chunk.siblings = new bytes32[](OUTPUT_DEPTH - 5);
        for (uint256 k = 0; k < chunk.siblings.length; ++k) {
            chunk.siblings[k] = levels[5 + k][(chunkIndex >> k) ^ 1];
        }
    }
}
