// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {RiscvAlu} from "../../src/libraries/RiscvAlu.sol";

/// @notice `RiscvAlu` against the manual's words in Solidity's own types, for all inputs: `tools/symbolic` proves it.
/// @dev A specification is written apart from the library: it casts where the library masks, and takes an instruction's
/// constant together bit by bit from the manual's figures 2.3 and 2.4. Products and quotients are held to Solidity's
/// own, so their proof takes the EVM's multiplication and division as they are; `test/RiscvAlu.t.sol` has other ways to
/// them, at which solvers give up.
contract RiscvAluSymbolic {
    /* CONSTANTS OF INSTRUCTIONS */

    function check_immediateI(uint32 word) external pure {
        assert(RiscvAlu.immediateI(word) == _signed(word >> 20, 12));
    }

    function check_immediateS(uint32 word) external pure {
        assert(RiscvAlu.immediateS(word) == _signed(_bits(word, 25, 7, 5) | _bits(word, 7, 5, 0), 12));
    }

    function check_immediateB(uint32 word) external pure {
        uint32 value = _bits(word, 31, 1, 12) | _bits(word, 7, 1, 11) | _bits(word, 25, 6, 5) | _bits(word, 8, 4, 1);
        assert(RiscvAlu.immediateB(word) == _signed(value, 13));
    }

    function check_immediateJ(uint32 word) external pure {
        uint32 value = _bits(word, 31, 1, 20) | _bits(word, 12, 8, 12) | _bits(word, 20, 1, 11) | _bits(word, 21, 10, 1);
        assert(RiscvAlu.immediateJ(word) == _signed(value, 21));
    }

    function check_immediateU(uint32 word) external pure {
        assert(RiscvAlu.immediateU(word) == uint256(_bits(word, 12, 20, 12)));
    }

    /* WORDS */

    function check_extend(uint32 word) external pure {
        assert(RiscvAlu.extend(uint8(word), 7) == uint32(int32(int8(uint8(word)))));
        assert(RiscvAlu.extend(uint16(word), 15) == uint32(int32(int16(uint16(word)))));
        assert(RiscvAlu.extend(word, 31) == word);
    }

    function check_wide(uint32 word) external pure {
        assert(int256(RiscvAlu.wide(word)) == int256(int32(word)));
    }

    function check_isLessSigned(uint32 a, uint32 b) external pure {
        assert(RiscvAlu.isLessSigned(a, b) == (int32(a) < int32(b)));
    }

    function check_shiftSigned(uint32 a, uint8 shift) external pure {
        if (shift >= 32) return;
        assert(RiscvAlu.shiftSigned(a, shift) == uint32(int32(a) >> shift));
    }

    /* INSTRUCTIONS */

    function check_isTaken(uint32 word, uint32 a, uint32 b) external pure {
        (bool isLegal, bool taken) = RiscvAlu.isTaken(word, a, b);
        uint32 funct3 = _bits(word, 12, 3, 0);
        assert(isLegal == (funct3 != 2 && funct3 != 3));
        if (funct3 == 0) assert(taken == (a == b));
        if (funct3 == 1) assert(taken == (a != b));
        if (funct3 == 4) assert(taken == (int32(a) < int32(b)));
        if (funct3 == 5) assert(taken == (int32(a) >= int32(b)));
        if (funct3 == 6) assert(taken == (a < b));
        if (funct3 == 7) assert(taken == (a >= b));
    }

    function check_withImmediate(uint32 word, uint32 a) external pure {
        (bool isLegal, uint256 value) = RiscvAlu.withImmediate(word, a);
        uint32 funct3 = _bits(word, 12, 3, 0);
        uint32 funct7 = _bits(word, 25, 7, 0);
        uint32 imm = uint32(_signed(_bits(word, 20, 12, 0), 12));
        if (funct3 == 1 || funct3 == 5) {
            assert(isLegal == (funct7 == 0 || (funct3 == 5 && funct7 == 32)));
            if (isLegal) assert(value == _shifted(funct3, funct7, a, imm));
            return;
        }
        assert(isLegal);
        assert(value == _simple(funct3, a, imm));
    }

    /// @dev Without products and quotients.
    function check_withRegister(uint32 word, uint32 a, uint32 b) external pure {
        uint32 funct3 = _bits(word, 12, 3, 0);
        uint32 funct7 = _bits(word, 25, 7, 0);
        if (funct7 == 1) return;
        (bool isLegal, uint256 value) = RiscvAlu.withRegister(word, a, b);
        assert(isLegal == (funct7 == 0 || (funct7 == 32 && (funct3 == 0 || funct3 == 5))));
        if (!isLegal) return;
        unchecked {
            if (funct3 == 0 && funct7 == 32) assert(value == a - b);
            else if (funct3 == 1 || funct3 == 5) assert(value == _shifted(funct3, funct7, a, b));
            else assert(value == _simple(funct3, a, b));
        }
    }

    function check_mul(uint32 word, uint32 a, uint32 b) external pure {
        unchecked {
            assert(_product(word, 0, a, b) == a * b);
        }
    }

    function check_mulh(uint32 word, uint32 a, uint32 b) external pure {
        unchecked {
            assert(_product(word, 1, a, b) == uint32(uint64((int64(int32(a)) * int64(int32(b))) >> 32)));
        }
    }

    function check_mulhsu(uint32 word, uint32 a, uint32 b) external pure {
        unchecked {
            assert(_product(word, 2, a, b) == uint32(uint64((int64(int32(a)) * int64(uint64(b))) >> 32)));
        }
    }

    function check_mulhu(uint32 word, uint32 a, uint32 b) external pure {
        unchecked {
            assert(_product(word, 3, a, b) == uint32((uint64(a) * uint64(b)) >> 32));
        }
    }

    function check_div(uint32 word, uint32 a, uint32 b) external pure {
        uint256 value = _product(word, 4, a, b);
        if (b == 0) assert(value == type(uint32).max);
        else if (a == 1 << 31 && b == type(uint32).max) assert(value == 1 << 31);
        else assert(value == uint32(int32(a) / int32(b)));
    }

    function check_divu(uint32 word, uint32 a, uint32 b) external pure {
        assert(_product(word, 5, a, b) == (b == 0 ? type(uint32).max : a / b));
    }

    function check_rem(uint32 word, uint32 a, uint32 b) external pure {
        uint256 value = _product(word, 6, a, b);
        if (b == 0) assert(value == a);
        else if (a == 1 << 31 && b == type(uint32).max) assert(value == 0);
        else assert(value == uint32(int32(a) % int32(b)));
    }

    function check_remu(uint32 word, uint32 a, uint32 b) external pure {
        assert(_product(word, 7, a, b) == (b == 0 ? a : a % b));
    }

    /* INTERNAL */

    /// @dev The library's result of a word made into that instruction of chapter 7; it must be legal.
    function _product(uint32 word, uint32 funct3, uint32 a, uint32 b) private pure returns (uint256) {
        word = word & 0x01ff8fff | 1 << 25 | funct3 << 12;
        (bool isLegal, uint256 value) = RiscvAlu.withRegister(word, a, b);
        assert(isLegal);
        return value;
    }

    /// @dev `count` bits of a word from `from` on, put to `to`.
    function _bits(uint32 word, uint32 from, uint32 count, uint32 to) private pure returns (uint32) {
        return ((word >> from) & uint32((uint256(1) << count) - 1)) << to;
    }

    /// @dev A number of `size` bits in two's complement, as a word.
    function _signed(uint32 value, uint32 size) private pure returns (uint256) {
        return uint32(int32(value << (32 - size)) >> (32 - size));
    }

    function _shifted(uint32 funct3, uint32 funct7, uint32 a, uint32 by) private pure returns (uint32) {
        if (funct3 == 1) return a << (by % 32);
        return funct7 == 0 ? a >> (by % 32) : uint32(int32(a) >> (by % 32));
    }

    function _simple(uint32 funct3, uint32 a, uint32 b) private pure returns (uint32) {
        unchecked {
            if (funct3 == 0) return a + b;
        }
        if (funct3 == 2) return int32(a) < int32(b) ? 1 : 0;
        if (funct3 == 3) return a < b ? 1 : 0;
        if (funct3 == 4) return a ^ b;
        return funct3 == 6 ? a | b : a & b;
    }
}
