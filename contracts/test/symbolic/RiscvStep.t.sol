// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {RiscvStep, StepProgram} from "../../src/libraries/RiscvStep.sol";

/// @notice Whole steps that `RiscvAlu` does not compute: jumps, branches, loads and stores, for all constants, operands
/// and bytes of memory. `tools/symbolic` proves it.
/// @dev Code and memory have one leaf each, so that a root is a leaf and no path is hashed; the instruction stands at
/// place 16. Registers: `x5` and `x6` are operands, `x7` is written; which these are is not symbolic, nor is the part of
/// a jump's constant that stands where others name them.
contract RiscvStepSymbolic {
    bytes32 private constant PROGRAM_ID = keccak256("program");
    uint64 private constant STEP = 41;
    uint32 private constant PC = 16;

    uint8 private constant RUNNING = 0;
    uint8 private constant TRAPPED = 2;

    function step(StepProgram memory program, bytes calldata witness) external pure returns (bytes32, bytes32) {
        return RiscvStep.step(program, witness);
    }

    /* LOADS AND STORES */

    function check_step_lb(uint32 a, uint32 c, uint16 imm, bytes32 leaf) external view {
        _checkLoad(0, 1, [a, 0, c], imm, leaf);
    }

    function check_step_lh(uint32 a, uint32 c, uint16 imm, bytes32 leaf) external view {
        _checkLoad(1, 2, [a, 0, c], imm, leaf);
    }

    function check_step_lw(uint32 a, uint32 c, uint16 imm, bytes32 leaf) external view {
        _checkLoad(2, 4, [a, 0, c], imm, leaf);
    }

    function check_step_lbu(uint32 a, uint32 c, uint16 imm, bytes32 leaf) external view {
        _checkLoad(4, 1, [a, 0, c], imm, leaf);
    }

    function check_step_lhu(uint32 a, uint32 c, uint16 imm, bytes32 leaf) external view {
        _checkLoad(5, 2, [a, 0, c], imm, leaf);
    }

    function check_step_sb(uint32 a, uint32 b, uint16 imm, bytes32 leaf) external view {
        _checkStore(0, 1, [a, b, 0], imm, leaf);
    }

    function check_step_sh(uint32 a, uint32 b, uint16 imm, bytes32 leaf) external view {
        _checkStore(1, 2, [a, b, 0], imm, leaf);
    }

    function check_step_sw(uint32 a, uint32 b, uint16 imm, bytes32 leaf) external view {
        _checkStore(2, 4, [a, b, 0], imm, leaf);
    }

    /* JUMPS AND BRANCHES */

    function check_step_jal(uint32 c, uint32 imm, bytes32 root) external view {
        _checkJal(c, imm, 0, root);
    }

    function check_step_jal_offWords(uint32 c, uint32 imm, bytes32 root) external view {
        _checkJal(c, imm, 2, root);
    }

    function check_step_jalr(uint32 a, uint32 c, uint16 imm, bytes32 root) external view {
        imm = imm & 0xfe0 | 6;
        uint32 word = uint32(imm) << 20 | 5 << 15 | 7 << 7 | 0x67;
        _checkJump(word, [a, 0, c], _sum(a, _extended(imm)) & ~uint32(1), root);
    }

    function check_step_beq(uint32 a, uint32 b, uint16 imm, bytes32 root) external view {
        _checkBranch(0, a == b, [a, b, 0], imm, root);
    }

    function check_step_bne(uint32 a, uint32 b, uint16 imm, bytes32 root) external view {
        _checkBranch(1, a != b, [a, b, 0], imm, root);
    }

    function check_step_blt(uint32 a, uint32 b, uint16 imm, bytes32 root) external view {
        _checkBranch(4, int32(a) < int32(b), [a, b, 0], imm, root);
    }

    function check_step_bge(uint32 a, uint32 b, uint16 imm, bytes32 root) external view {
        _checkBranch(5, int32(a) >= int32(b), [a, b, 0], imm, root);
    }

    function check_step_bltu(uint32 a, uint32 b, uint16 imm, bytes32 root) external view {
        _checkBranch(6, a < b, [a, b, 0], imm, root);
    }

    function check_step_bgeu(uint32 a, uint32 b, uint16 imm, bytes32 root) external view {
        _checkBranch(7, a >= b, [a, b, 0], imm, root);
    }

    /* INTERNAL */

    function _checkLoad(uint32 funct3, uint32 size, uint32[3] memory x, uint16 imm, bytes32 leaf) private view {
        uint32 word = uint32(imm & 0xfff) << 20 | 5 << 15 | funct3 << 12 | 7 << 7 | 0x03;
        uint32 place = _sum(x[0], _extended(imm));
        if (place >= 32 || place % size != 0) {
            _check(word, "", x, leaf, _preimage(leaf, PC, TRAPPED, x));
            return;
        }
        uint32 value;
        for (uint32 i = 0; i < size; ++i) {
            value |= uint32(_byte(leaf, place + i)) << (8 * i);
        }
        if (funct3 == 0) value = uint32(int32(int8(uint8(value))));
        if (funct3 == 1) value = uint32(int32(int16(uint16(value))));
        uint32[3] memory y = [x[0], x[1], value];
        _check(word, bytes.concat(leaf), x, leaf, _preimage(leaf, PC + 4, RUNNING, y));
    }

    function _checkStore(uint32 funct3, uint32 size, uint32[3] memory x, uint16 imm, bytes32 leaf) private view {
        uint32 word = uint32(imm & 0xfe0) << 20 | 6 << 20 | 5 << 15 | funct3 << 12 | uint32(imm & 0x1f) << 7 | 0x23;
        uint32 place = _sum(x[0], _extended(imm));
        if (place >= 32 || place % size != 0) {
            _check(word, "", x, leaf, _preimage(leaf, PC, TRAPPED, x));
            return;
        }
        uint256 next = uint256(leaf);
        for (uint32 i = 0; i < size; ++i) {
            uint256 shift = 8 * (31 - uint256(place) - i);
            next = next & ~(uint256(0xff) << shift) | uint256(uint8(x[1] >> (8 * i))) << shift;
        }
        _check(word, bytes.concat(leaf), x, leaf, _preimage(bytes32(next), PC + 4, RUNNING, x));
    }

    function _checkJump(uint32 word, uint32[3] memory x, uint32 target, bytes32 root) private view {
        if (target % 4 != 0) {
            _check(word, "", x, root, _preimage(root, PC, TRAPPED, x));
            return;
        }
        uint32[3] memory y = [x[0], x[1], PC + 4];
        _check(word, "", x, root, _preimage(root, target, RUNNING, y));
    }

    /// @dev Of the constant the bits that stand where other instructions name registers are not symbolic.
    function _checkJal(uint32 c, uint32 imm, uint32 rs2, bytes32 root) private view {
        uint32 word = (imm & 0xfe007) << 12 | rs2 << 20 | 7 << 7 | 0x6f;
        // Bits 20, 10 to 1, 11, 19 to 12, from the top of the word down.
        uint32 distance = (word >> 31) << 20 | (word >> 21 & 0x3ff) << 1 | (word >> 20 & 1) << 11 | (word & 0xff000);
        _checkJump(word, [uint32(0), 0, c], _sum(PC, uint32(int32(distance << 11) >> 11)), root);
    }

    /// @dev `imm` has the constant's bits 12 to 1.
    function _checkBranch(uint32 funct3, bool isTaken, uint32[3] memory x, uint16 imm, bytes32 root) private view {
        uint32 bits = uint32(imm & 0xfff) << 1;
        uint32 word = (bits >> 12) << 31 | (bits >> 5 & 63) << 25 | 6 << 20 | 5 << 15 | funct3 << 12 | (bits >> 1 & 15)
            << 8 | (bits >> 11 & 1) << 7 | 0x63;
        uint32 target = isTaken ? _sum(PC, uint32(int32(bits << 19) >> 19)) : PC + 4;
        if (target % 4 != 0) _check(word, "", x, root, _preimage(root, PC, TRAPPED, x));
        else _check(word, "", x, root, _preimage(root, target, RUNNING, x));
    }

    /// @dev Takes the step and compares the state after it.
    function _check(uint32 word, bytes memory memory_, uint32[3] memory x, bytes32 root, bytes memory needed)
        private
        view
    {
        uint32 turned = word >> 24 | (word >> 8 & 0xff00) | (word << 8 & 0xff0000) | word << 24;
        bytes32 code = bytes32(uint256(turned) << 96);
        bytes memory witness = abi.encodePacked(root, STEP, PC, RUNNING, _registers(x), code, memory_);
        (, bytes32 next) = this.step(StepProgram(PROGRAM_ID, code, 5, 5), witness);
        assert(next == keccak256(needed));
    }

    function _preimage(bytes32 root, uint32 pc, uint8 status, uint32[3] memory x) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(5), PROGRAM_ID, root, STEP + 1, pc, status, _registers(x));
    }

    function _registers(uint32[3] memory x) private pure returns (bytes memory) {
        return abi.encodePacked(bytes16(0), x[0], x[1], x[2], bytes32(0), bytes32(0), bytes32(0));
    }

    function _byte(bytes32 leaf, uint32 place) private pure returns (uint8) {
        return uint8(uint256(leaf) >> (8 * (31 - uint256(place))));
    }

    function _extended(uint16 imm) private pure returns (uint32) {
        return uint32(int32(uint32(imm) << 20) >> 20);
    }

    function _sum(uint32 a, uint32 b) private pure returns (uint32) {
        unchecked {
            return a + b;
        }
    }
}
