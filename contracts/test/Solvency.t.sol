// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Contracts} from "../script/Deploy.s.sol";
import {IWorkClaims} from "../src/interfaces/IWorkClaims.sol";
import {LineRef} from "../src/libraries/Evidence.sol";
import {Lie, LieBase, Place} from "./Lies.t.sol";
import {Story} from "./Story.t.sol";

/// @notice What everyone does, in any order: the invariants' handler.
/// @dev An honest verifier is alive: before time passes, every claim that lies is refuted.
contract World is LieBase {
    struct Told {
        LineRef target;
        bytes proof;
        bool isLie;
    }

    uint256 public finalMicro;
    uint256 public forfeitedWei;
    uint256 public liesFinal;
    Told[] private _told;

    function start() external {
        super.setUp();
        _settleIn();
        _pass(1 days);
    }

    function contracts() external view returns (Contracts memory) {
        return c;
    }

    /// @notice Posts an honest claim, or one that lies.
    function post(uint256 seed) external {
        _pass(p.window / 12);
        Story memory s = _tell(seed, 2 + _draw(seed, "leaves", 4), 2);
        bool isLie = _draw(seed, "isLie", 2) == 0;
        Lie lie = Lie(_draw(seed, "lie", LIES));
        // A list that grows has its tasks elsewhere than a story: lies about places in the list need a list of one.
        if (lie == Lie.TaskNotInOrder || lie == Lie.TaskOutsideCursor) lie = Lie.ForeignDevice;
        Place memory spot = _anywhere(s, seed);
        if (isLie) _lie(s, lie, spot, seed);
        _extend(s);
        IWorkClaims.ClaimInput memory input = _claimInput(s);
        (input.startMs, input.endMs) = (_now() * 1000, _now() * 1000);
        LineRef memory target = _submit(input, _inputs(s));

        bytes memory proof = isLie ? _proofOf(s, lie, spot, _accuse(target)) : bytes("");
        _told.push();
        Told storage told = _told[_told.length - 1];
        told.target.header = target.header;
        told.target.lines.push(target.lines[0]);
        (told.proof, told.isLie) = (proof, isLie);
        _pass(1);
        _verify();
    }

    function finalize(uint256 seed) external {
        if (_told.length == 0) return;
        Told storage told = _told[_draw(seed, "told", _told.length)];
        LineRef memory target = told.target;
        uint256 voided = c.claims.voidedMicro(_claimIdOf(target), 0);
        _pass(_draw(seed, "time", p.window));
        try c.claims.finalize(target.header, target.lines) {
            finalMicro += target.lines[0].sumIbmMicro - voided;
            if (told.isLie) ++liesFinal;
        } catch {}
    }

    function voidSome(uint256 seed) external {
        if (_told.length == 0) return;
        LineRef memory target = _told[_draw(seed, "told", _told.length)].target;
        uint96 ibmMicro = uint96(_draw(seed, "ibm", target.lines[0].sumIbmMicro / 2 + 1));
        vm.prank(address(c.voids));
        try c.claims.voidLeaf(target.header, target.lines, 0, uint64(_draw(seed, "leaf", 4)), ibmMicro) {} catch {}
    }

    function withdraw(uint256 seed) external {
        address[4] memory accounts = [WORKER, TREASURY, VERIFIER, PENALTY_POOL];
        address account = accounts[_draw(seed, "account", 4)];
        vm.prank(account);
        try c.accounts.withdraw(account) {} catch {}
    }

    function allocate(uint256 seed) external {
        uint96 amountWei = uint96(_draw(seed, "amount", 100 ether));
        vm.startPrank(BUILDER);
        if (_draw(seed, "way", 3) == 0) {
            try c.accounts.depositAndAllocate(MANAGER, amountWei, _noPermit()) {} catch {}
        } else if (_draw(seed, "way", 3) == 1) {
            try c.accounts.requestDeallocation(MANAGER, uint96(c.claims.allocatedWei(BUILDER, MANAGER))) {} catch {}
        } else {
            try c.accounts.deallocate(MANAGER) {} catch {}
        }
        vm.stopPrank();
    }

    /// @notice Returns what live claims have reserved, in wei.
    function reservedWei() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _told.length; ++i) {
            LineRef memory target = _told[i].target;
            if (_statusOf(target) == IWorkClaims.ClaimStatus.Posted) sum += target.lines[0].amountWei;
        }
    }

    /// @notice Returns what live claims lock, in wei.
    function lockedWei() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _told.length; ++i) {
            LineRef memory target = _told[i].target;
            if (_statusOf(target) != IWorkClaims.ClaimStatus.Posted) continue;
            sum += c.claims.lineLockWei(1, target.lines[0].amountWei);
        }
    }

    function creditsWei() external view returns (uint256 earnedWei, uint256 unpaidWei) {
        address[4] memory accounts = [WORKER, TREASURY, VERIFIER, PENALTY_POOL];
        for (uint256 i = 0; i < 4; ++i) {
            (uint128 earned, uint128 withdrawn) = c.accounts.credits(accounts[i]);
            if (i < 2) earnedWei += earned;
            unpaidWei += earned - withdrawn;
        }
    }

    function stakesWei() external view returns (uint256 workerWei, uint256 managerWei) {
        return (c.registry.node(WORKER).stakeWei, c.registry.node(MANAGER).stakeWei);
    }

    function builderWei() external view returns (uint256) {
        return uint256(c.accounts.balanceWei(BUILDER)) + c.claims.allocatedWei(BUILDER, MANAGER);
    }

    function workerLockedWei() external view returns (uint256) {
        return c.registry.node(WORKER).lockedWei;
    }

    function _verify() private {
        for (uint256 i = 0; i < _told.length; ++i) {
            Told storage told = _told[i];
            if (!told.isLie || _statusOf(told.target) != IWorkClaims.ClaimStatus.Posted) continue;
            (bool ok,) = address(c.frauds).call(told.proof);
            _true(ok, "the honest verifier's proof is accepted");
            forfeitedWei += c.claims.lineLockWei(1, told.target.lines[0].amountWei);
        }
    }
}

/// @notice Money over any sequence of what anyone does.
contract SolvencyTest {
    error Broken(string what, uint256 a, uint256 b);

    World private _world;

    function setUp() public {
        _world = new World();
        _world.start();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_world);
    }

    /// @dev What forge calls: `start` is no part of life.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0].addr = address(_world);
        targets[0].selectors = new bytes4[](5);
        targets[0].selectors[0] = World.post.selector;
        targets[0].selectors[1] = World.finalize.selector;
        targets[0].selectors[2] = World.voidSome.selector;
        targets[0].selectors[3] = World.withdraw.selector;
        targets[0].selectors[4] = World.allocate.selector;
    }

    /// @notice Each vault holds what it owes, to the wei.
    function invariant_vaultsHoldWhatTheyOwe() external view {
        Contracts memory c = _world.contracts();
        (uint256 workerWei, uint256 managerWei) = _world.stakesWei();
        _same(c.token.balanceOf(address(c.registry)), workerWei + managerWei, "stake");
        (, uint256 unpaidWei) = _world.creditsWei();
        uint256 owedWei = _world.builderWei() + _world.reservedWei() + unpaidWei;
        _same(c.token.balanceOf(address(c.accounts)), owedWei, "accounts");
    }

    /// @notice Nobody is paid for more than what became final, at its price.
    function invariant_paidIsAtMostTheFinalWork() external view {
        (uint256 earnedWei,) = _world.creditsWei();
        // One IFX for an IBM: 10^12 wei for a micro-IBM.
        _atMost(earnedWei, _world.finalMicro() * 1e12, "paid");
    }

    function invariant_locksAreThoseOfLiveClaims() external view {
        _same(_world.workerLockedWei(), _world.lockedWei(), "locks");
        (uint256 workerWei,) = _world.stakesWei();
        _atMost(_world.workerLockedWei(), workerWei, "locks and stake");
    }

    function invariant_slashedIsWhatWasForfeited() external view {
        (uint256 workerWei,) = _world.stakesWei();
        _same(workerWei + _world.forfeitedWei(), 100_000 ether, "slashed");
    }

    /// @notice No lie becomes final while one honest verifier is alive.
    function invariant_noLieIsFinal() external view {
        _same(_world.liesFinal(), 0, "lies");
    }

    function _same(uint256 a, uint256 b, string memory what) private pure {
        require(a == b, Broken(what, a, b));
    }

    function _atMost(uint256 a, uint256 b, string memory what) private pure {
        require(a <= b, Broken(what, a, b));
    }
}
