// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @title FeeSplit
/// @notice The payout policy: the worker gets its share of what a claim's lines pay, the treasury the rest.
/// @dev One function, linked into `BuilderAccounts`: a contract of its own would cost each claim 3.3k gas, and could be
/// replaced no sooner, because both would be immutable.
library FeeSplit {
    /// @dev Basis points in a whole.
    uint256 private constant WHOLE_BPS = 10_000;

    /// @notice Returns the worker's part of an amount.
    /// @param amountWei What the claim's lines pay, less what was voided.
    /// @param workerBps The worker's share in 1/10^4, of the parameters that the claim was posted under.
    /// @return workerWei At most `amountWei`, because a share is at most the whole.
    function workerShareWei(uint256 amountWei, uint256 workerBps) internal pure returns (uint256 workerWei) {
        return amountWei * workerBps / WHOLE_BPS;
    }
}
