// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IPayoutPolicy} from "../interfaces/IPayoutPolicy.sol";

/// @title FeeSplit
/// @notice Pays the worker its share of what the builder reserved, and leaves the rest to the treasury.
contract FeeSplit is IPayoutPolicy {
    /// @dev Basis points in a whole.
    uint256 private constant WHOLE_BPS = 10_000;

    /// @inheritdoc IPayoutPolicy
    function workerShareWei(uint256 amountWei, uint256 workerBps) external pure returns (uint256) {
        return amountWei * workerBps / WHOLE_BPS;
    }
}
