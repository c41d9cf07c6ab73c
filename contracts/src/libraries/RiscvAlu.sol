// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

/// @title RiscvAlu
/// @notice Constants and results of RV32IM instructions. Source: The RISC-V Instruction Set Manual, Volume I, 20191213,
/// chapters 2, 7 and 24.
/// @dev Words are uint256 below 2^32. All arithmetic is modulo 2^32, so it is unchecked.
library RiscvAlu {
    uint256 internal constant WORD = 0xffffffff;
    uint256 private constant SIGN = 0x80000000;

    /* CONSTANTS OF INSTRUCTIONS */

    function immediateI(uint256 word) internal pure returns (uint256) {
        return extend(word >> 20, 11);
    }

    function immediateS(uint256 word) internal pure returns (uint256) {
        return extend((word >> 25) << 5 | (word >> 7 & 0x1f), 11);
    }

    function immediateB(uint256 word) internal pure returns (uint256) {
        return
            extend((word >> 31) << 12 | (word >> 7 & 1) << 11 | (word >> 25 & 0x3f) << 5 | (word >> 8 & 0xf) << 1, 12);
    }

    function immediateJ(uint256 word) internal pure returns (uint256) {
        return
            extend(
                (word >> 31) << 20 | (word >> 12 & 0xff) << 12 | (word >> 20 & 1) << 11 | (word >> 21 & 0x3ff) << 1, 20
            );
    }

    function immediateU(uint256 word) internal pure returns (uint256) {
        return word & 0xfffff000;
    }

    /* RESULTS */

    /// @notice Returns the result of an instruction between a register and its constant (opcode 0x13).
    function withImmediate(uint256 word, uint256 a) internal pure returns (bool isLegal, uint256 value) {
        uint256 funct3 = word >> 12 & 7;
        uint256 funct7 = word >> 25;
        if (funct3 == 1) return (funct7 == 0, a << (word >> 20 & 31) & WORD);
        if (funct3 == 5) {
            uint256 shift = word >> 20 & 31;
            if (funct7 == 0) return (true, a >> shift);
            return (funct7 == 0x20, shiftSigned(a, shift));
        }
        return (true, simple(funct3, a, immediateI(word)));
    }

    /// @notice Returns the result of an instruction between two registers (opcode 0x33).
    function withRegister(uint256 word, uint256 a, uint256 b) internal pure returns (bool isLegal, uint256 value) {
        uint256 funct3 = word >> 12 & 7;
        uint256 funct7 = word >> 25;
        if (funct7 == 1) return (true, funct3 < 4 ? multiply(funct3, a, b) : divide(funct3, a, b));
        unchecked {
            if (funct7 == 0x20) {
                if (funct3 == 0) return (true, (a - b) & WORD);
                return (funct3 == 5, shiftSigned(a, b & 31));
            }
        }
        if (funct7 != 0) return (false, 0);
        if (funct3 == 1) return (true, a << (b & 31) & WORD);
        if (funct3 == 5) return (true, a >> (b & 31));
        return (true, simple(funct3, a, b));
    }

    /// @notice Returns whether a branch (opcode 0x63) is taken.
    function isTaken(uint256 word, uint256 a, uint256 b) internal pure returns (bool isLegal, bool taken) {
        uint256 funct3 = word >> 12 & 7;
        if (funct3 == 0) return (true, a == b);
        if (funct3 == 1) return (true, a != b);
        if (funct3 == 4) return (true, isLessSigned(a, b));
        if (funct3 == 5) return (true, !isLessSigned(a, b));
        if (funct3 == 6) return (true, a < b);
        if (funct3 == 7) return (true, a >= b);
    }

    /// @notice Returns what stands under `funct3` for registers and constants alike, but shifts.
    function simple(uint256 funct3, uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            if (funct3 == 0) return (a + b) & WORD;
        }
        if (funct3 == 2) return isLessSigned(a, b) ? 1 : 0;
        if (funct3 == 3) return a < b ? 1 : 0;
        if (funct3 == 4) return a ^ b;
        if (funct3 == 6) return a | b;
        return a & b;
    }

    function multiply(uint256 funct3, uint256 a, uint256 b) internal pure returns (uint256) {
        unchecked {
            if (funct3 == 0) return a * b & WORD;
            if (funct3 == 3) return a * b >> 32;
            // Both or the first signed; 256 bits hold the product, whatever its sign.
            uint256 right = funct3 == 1 ? wide(b) : b;
            return wide(a) * right >> 32 & WORD;
        }
    }

    function divide(uint256 funct3, uint256 a, uint256 b) internal pure returns (uint256) {
        // By zero: a quotient of all ones, a remainder of the dividend.
        if (b == 0) return funct3 < 6 ? WORD : a;
        if (funct3 == 5) return a / b;
        if (funct3 == 7) return a % b;
        // In 256 bits the one overflow, of the least number by -1, is none; its lower word is what the manual wants.
        int256 left = int256(wide(a));
        int256 right = int256(wide(b));
        unchecked {
            return uint256(funct3 == 4 ? left / right : left % right) & WORD;
        }
    }

    /* WORDS */

    /// @notice Returns a number whose sign stands in a bit, as a word.
    function extend(uint256 value, uint256 signBit) internal pure returns (uint256) {
        return value >> signBit & 1 == 0 ? value : value | (WORD << signBit & WORD);
    }

    /// @notice Returns a word with its sign in all upper bits.
    function wide(uint256 word) internal pure returns (uint256) {
        return word & SIGN == 0 ? word : word | ~WORD;
    }

    function isLessSigned(uint256 a, uint256 b) internal pure returns (bool) {
        return a ^ SIGN < b ^ SIGN;
    }

    function shiftSigned(uint256 a, uint256 shift) internal pure returns (uint256) {
        return wide(a) >> shift & WORD;
    }
}
