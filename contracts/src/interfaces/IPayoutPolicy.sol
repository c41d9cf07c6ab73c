// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @title IPayoutPolicy
/// @notice Says who gets what of a finalized claim's money.
interface IPayoutPolicy {
    /// @notice Returns the worker's part of an amount; the rest is the treasury's.
    /// @param amountWei What the claim's lines pay, less what was voided.
    /// @param workerBps The worker's share in 1/10^4, of the parameters that the claim was posted under.
    /// @return workerWei At most `amountWei`.
    function workerShareWei(uint256 amountWei, uint256 workerBps) external view returns (uint256 workerWei);
}
