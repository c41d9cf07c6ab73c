// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

import {IIFX} from "./interfaces/IIFX.sol";

/// @title IFX
/// @notice The network's token.
contract IFX is IIFX, ERC20Permit {
    /// @inheritdoc IIFX
    /// @dev 10^9 IFX; every amount of money in the protocol fits 96 bits because of it.
    uint256 public constant CAP_WEI = 1e27;

    /// @inheritdoc IIFX
    address public immutable MINTER;

    /// @param minter The one address that may mint later on; zero for a fixed supply.
    /// @param holder Who gets the first tokens.
    /// @param initialWei The first tokens, in wei.
    constructor(address minter, address holder, uint256 initialWei) ERC20("Inferix", "IFX") ERC20Permit("Inferix") {
        MINTER = minter;
        _mintCapped(holder, initialWei);
    }

    /// @inheritdoc IIFX
    function mint(address account, uint256 amountWei) external {
        require(msg.sender == MINTER, NotMinter(msg.sender, MINTER));

        _mintCapped(account, amountWei);
    }

    /// @inheritdoc IIFX
    function burn(uint256 amountWei) external {
        _burn(msg.sender, amountWei);
    }

    /* VIEWS */

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }

    /* INTERNAL */

    function _mintCapped(address account, uint256 amountWei) private {
        // INVARIANT: the supply never exceeds the cap.
        require(amountWei <= CAP_WEI - totalSupply(), CapExceeded(amountWei, CAP_WEI - totalSupply()));

        _mint(account, amountWei);
    }
}
