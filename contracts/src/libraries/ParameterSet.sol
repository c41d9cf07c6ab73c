// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice The protocol's parameters (PROTOCOL.md, Parameters). Spans in seconds, money in wei.
/// @dev Money is a multiple of 1 gwei, shares are in 1/10^4.
struct Parameters {
    uint32 window;
    uint32 demandWindow;
    uint32 leaseGrace;
    uint32 maxLease;
    uint16 drift;
    uint16 checkpointPeriod;
    uint8 checkpointDepthBlocks;
    uint8 penaltyMultiplier;
    uint16 workerBps;
    uint16 managerStakeBps;
    uint32 epochMinutes;
    uint32 unbonding;
    uint96 minLockWei;
    uint96 bountyWei;
    uint96 demandFeeWei;
}

/// @notice The word that posting and finalizing read: version, window, grace, lease, drift, multiplier, share, lock.
type HotWord is uint256;

/// @notice The word that the rest reads.
type ColdWord is uint256;

using {
    ParameterSet.version,
    ParameterSet.window,
    ParameterSet.leaseGrace,
    ParameterSet.maxLease,
    ParameterSet.drift,
    ParameterSet.workerBps,
    ParameterSet.lockWei
} for HotWord global;

/// @title ParameterSet
/// @notice Packs parameters into two words, and says what governance may set.
/// @dev Hot, from the top: version 32, window 32, leaseGrace 32, maxLease 32, drift 16, multiplier 8, workerBps 16,
/// minLock 64 in gwei, checkpointPeriod 16, checkpointDepthBlocks 8. Cold, from the top: demandWindow 32, bounty 64 in
/// gwei, demandFee 64 in gwei, epochMinutes 32, unbonding 32, managerStakeBps 16, 16 unused.
library ParameterSet {
    /// @notice A parameter is outside of what governance may set.
    error ParameterOutOfBounds(bytes32 name, uint256 value, uint256 min, uint256 max);

    /// @dev A parameter may move between a quarter of its first value and four times that: whoever trusted the
    /// first values knows how far governance can go.
    uint256 private constant MAX_FACTOR = 4;

    /// @dev Basis points in a whole.
    uint256 private constant WHOLE_BPS = 10_000;

    /// @dev Windows until the slowest claim is settled: its own, one in which demands open, one in which they end.
    uint256 internal constant LONGEST_WINDOWS = 3;

    /// @dev Bounties that a won dispute is paid: three times the gas of its thirty transactions.
    uint256 internal constant DISPUTE_BOUNTIES = 7;

    /// @dev The precision of stored money.
    uint256 private constant GWEI = 1 gwei;

    function pack(Parameters memory p, uint32 version_) internal pure returns (HotWord hot, ColdWord cold) {
        hot = HotWord.wrap(
            uint256(version_) << 224 | uint256(p.window) << 192 | uint256(p.leaseGrace) << 160 | uint256(p.maxLease)
                << 128 | uint256(p.drift) << 112 | uint256(p.penaltyMultiplier) << 104 | uint256(p.workerBps) << 88
                | (p.minLockWei / GWEI) << 24 | uint256(p.checkpointPeriod) << 8 | p.checkpointDepthBlocks
        );
        cold = ColdWord.wrap(
            uint256(p.demandWindow) << 224 | (p.bountyWei / GWEI) << 160 | (p.demandFeeWei / GWEI) << 96
                | uint256(p.epochMinutes) << 64 | uint256(p.unbonding) << 32 | uint256(p.managerStakeBps) << 16
        );
    }

    function unpack(HotWord hot, ColdWord cold) internal pure returns (Parameters memory p) {
        uint256 h = HotWord.unwrap(hot);
        uint256 c = ColdWord.unwrap(cold);
        p.window = uint32(h >> 192);
        p.leaseGrace = uint32(h >> 160);
        p.maxLease = uint32(h >> 128);
        p.drift = uint16(h >> 112);
        p.penaltyMultiplier = uint8(h >> 104);
        p.workerBps = uint16(h >> 88);
        p.minLockWei = uint96(uint64(h >> 24) * GWEI);
        p.checkpointPeriod = uint16(h >> 8);
        p.checkpointDepthBlocks = uint8(h);
        p.demandWindow = uint32(c >> 224);
        p.bountyWei = uint96(bountyWei(cold));
        p.demandFeeWei = uint96(uint64(c >> 96) * GWEI);
        p.epochMinutes = uint32(c >> 64);
        p.unbonding = uint32(c >> 32);
        p.managerStakeBps = uint16(c >> 16);
    }

    function version(HotWord hot) internal pure returns (uint32) {
        return uint32(HotWord.unwrap(hot) >> 224);
    }

    function window(HotWord hot) internal pure returns (uint256) {
        return uint32(HotWord.unwrap(hot) >> 192);
    }

    function leaseGrace(HotWord hot) internal pure returns (uint256) {
        return uint32(HotWord.unwrap(hot) >> 160);
    }

    function maxLease(HotWord hot) internal pure returns (uint256) {
        return uint32(HotWord.unwrap(hot) >> 128);
    }

    function drift(HotWord hot) internal pure returns (uint256) {
        return uint16(HotWord.unwrap(hot) >> 112);
    }

    function workerBps(HotWord hot) internal pure returns (uint256) {
        return uint16(HotWord.unwrap(hot) >> 88);
    }

    /// @notice Returns the stake that a line of an amount locks: the multiple, but never less than the minimum.
    function lockWei(HotWord hot, uint256 amountWei) internal pure returns (uint256) {
        uint256 multipleWei;
        uint256 minWei;
        // Amounts have at most 192 bits.
        unchecked {
            multipleWei = amountWei * uint8(HotWord.unwrap(hot) >> 104);
            minWei = uint64(HotWord.unwrap(hot) >> 24) * GWEI;
        }
        return multipleWei < minWei ? minWei : multipleWei;
    }

    function bountyWei(ColdWord cold) internal pure returns (uint256) {
        return uint64(ColdWord.unwrap(cold) >> 160) * GWEI;
    }

    /// @notice Checks what holds for every set of parameters.
    function requireSound(Parameters memory p) internal pure {
        _requireWithin("window", p.window, 12, type(uint32).max);
        // Two demands in turn, the second opened at the last moment, end within a third window.
        _requireWithin("demandWindow", p.demandWindow, 1, p.window / 2);
        _requireWithin("maxLease", p.maxLease, 1, type(uint32).max);
        // A block hash is known for 256 blocks.
        _requireWithin("checkpointDepthBlocks", p.checkpointDepthBlocks, 1, 255);
        _requireWithin("penaltyMultiplier", p.penaltyMultiplier, 1, 100);
        _requireWithin("workerBps", p.workerBps, 1, WHOLE_BPS);
        _requireWithin("managerStakeBps", p.managerStakeBps, 0, WHOLE_BPS);
        // A dispute's bounties are paid out of the lock of one line.
        _requireWithin("minLockWei", p.minLockWei, DISPUTE_BOUNTIES * p.bountyWei, type(uint64).max * GWEI);
        // INVARIANT: stake stays until every claim that could cite it is settled.
        uint256 longest = uint256(p.maxLease) + p.leaseGrace + LONGEST_WINDOWS * p.window;
        _requireWithin("unbonding", p.unbonding, longest, type(uint32).max);
        _requireGwei("minLockWei", p.minLockWei);
        _requireGwei("bountyWei", p.bountyWei);
        _requireGwei("demandFeeWei", p.demandFeeWei);
    }

    /// @notice Checks that governance stays near the first parameters.
    function requireNear(Parameters memory p, Parameters memory first) internal pure {
        _requireNear("window", p.window, first.window);
        _requireNear("demandWindow", p.demandWindow, first.demandWindow);
        _requireNear("leaseGrace", p.leaseGrace, first.leaseGrace);
        _requireNear("maxLease", p.maxLease, first.maxLease);
        _requireNear("drift", p.drift, first.drift);
        _requireNear("checkpointPeriod", p.checkpointPeriod, first.checkpointPeriod);
        _requireNear("checkpointDepthBlocks", p.checkpointDepthBlocks, first.checkpointDepthBlocks);
        _requireNear("penaltyMultiplier", p.penaltyMultiplier, first.penaltyMultiplier);
        _requireNear("workerBps", p.workerBps, first.workerBps);
        _requireNear("managerStakeBps", p.managerStakeBps, first.managerStakeBps);
        _requireNear("epochMinutes", p.epochMinutes, first.epochMinutes);
        _requireNear("unbonding", p.unbonding, first.unbonding);
        _requireNear("minLockWei", p.minLockWei, first.minLockWei);
        _requireNear("bountyWei", p.bountyWei, first.bountyWei);
        _requireNear("demandFeeWei", p.demandFeeWei, first.demandFeeWei);
    }

    function _requireNear(bytes32 name, uint256 value, uint256 first) private pure {
        _requireWithin(name, value, (first + MAX_FACTOR - 1) / MAX_FACTOR, first * MAX_FACTOR);
    }

    function _requireGwei(bytes32 name, uint256 value) private pure {
        uint256 rounded = value / GWEI * GWEI;
        _requireWithin(name, value, rounded, rounded);
    }

    function _requireWithin(bytes32 name, uint256 value, uint256 min, uint256 max) private pure {
        require(value >= min && value <= max, ParameterOutOfBounds(name, value, min, max));
    }
}
