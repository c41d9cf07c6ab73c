// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title IIFX
/// @notice The network's token: ERC-20 with EIP-2612 permits, 18 decimals, capped at 10^9 IFX.
interface IIFX is IERC20, IERC20Permit {
    /// @notice The caller is not the one address that may mint.
    error NotMinter(address caller, address needed);

    /// @notice The mint would raise the supply above the cap.
    error CapExceeded(uint256 amountWei, uint256 leftWei);

    /// @notice Creates tokens. Reverts with `NotMinter` and `CapExceeded`.
    function mint(address account, uint256 amountWei) external;

    /// @notice Destroys tokens of the caller.
    function burn(uint256 amountWei) external;

    /// @notice The one address that may mint; zero if nobody ever can.
    function MINTER() external view returns (address);

    /// @notice The highest supply that there can be, in wei.
    function CAP_WEI() external view returns (uint256);
}
