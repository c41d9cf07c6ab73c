// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {RiscvAlu} from "../src/libraries/RiscvAlu.sol";

/// @notice Products and quotients by other ways than the EVM's own of 256 bits.
/// @dev `test/symbolic/RiscvAlu.t.sol` proves the rest for all inputs. The first argument is `funct3`: of products 1 is
/// mulh, 2 mulhsu and 3 mulhu; of quotients 4 is div, 5 divu, 6 rem and 7 remu.
contract RiscvAluTest {
    /// @dev As on paper, in digits of 16 bits.
    function testFuzz_multiply_isAsOnPaper(uint32 a, uint32 b) external pure {
        unchecked {
            (uint32 a0, uint32 a1, uint32 b0, uint32 b1) = (a & 0xffff, a >> 16, b & 0xffff, b >> 16);
            uint32 middle = a1 * b0 + (a0 * b0 >> 16);
            uint32 other = a0 * b1 + (middle & 0xffff);
            assert(RiscvAlu.multiply(3, a, b) == a1 * b1 + (middle >> 16) + (other >> 16));
        }
    }

    /// @dev A sign weighs -2^32 more than in a number without one.
    function testFuzz_multiply_takesSignsOff(uint32 a, uint32 b) external pure {
        unchecked {
            uint32 unsigned_ = uint32(RiscvAlu.multiply(3, a, b));
            uint32 signs = (a >> 31 == 1 ? b : 0) + (b >> 31 == 1 ? a : 0);
            assert(RiscvAlu.multiply(1, a, b) == unsigned_ - signs);
        }
    }

    function testFuzz_multiply_takesOneSignOff(uint32 a, uint32 b) external pure {
        unchecked {
            uint32 unsigned_ = uint32(RiscvAlu.multiply(3, a, b));
            assert(RiscvAlu.multiply(2, a, b) == unsigned_ - (a >> 31 == 1 ? b : 0));
        }
    }

    /// @dev What a quotient and a remainder are.
    function testFuzz_divide_givesItsNumberBack(uint32 a, uint32 b) external pure {
        if (b == 0) return;
        uint256 quotient = RiscvAlu.divide(5, a, b);
        uint256 remainder = RiscvAlu.divide(7, a, b);
        unchecked {
            assert(remainder < b);
            assert(quotient * b + remainder == a);
        }
    }

    /// @dev Of the amounts, with the signs after. The overflow is none here: 2^31 is a word.
    function testFuzz_divide_isOfAmounts(uint32 a, uint32 b) external pure {
        if (b == 0) return;
        unchecked {
            (bool isLow, bool isRightLow) = (a >> 31 == 1, b >> 31 == 1);
            (uint32 amount, uint32 by) = (isLow ? 0 - a : a, isRightLow ? 0 - b : b);
            (uint32 quotient, uint32 remainder) = (amount / by, amount % by);
            assert(RiscvAlu.divide(4, a, b) == (isLow != isRightLow ? 0 - quotient : quotient));
            assert(RiscvAlu.divide(6, a, b) == (isLow ? 0 - remainder : remainder));
        }
    }
}
