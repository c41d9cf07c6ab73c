// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @notice The protocol's parameters (PROTOCOL.md, Parameters). Spans in seconds, money in wei.
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
