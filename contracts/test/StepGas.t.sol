// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Vm} from "../script/Vm.sol";
import {MerkleMemory} from "../src/libraries/MerkleMemory.sol";
import {RiscvStep, StepProgram} from "../src/libraries/RiscvStep.sol";

/// @notice The step as a transaction of its own: the instruction's state goes in, the next one's hash is kept.
contract StepTaker {
    bytes32 public next;

    constructor() {
        next = bytes32(uint256(1));
    }

    function take(StepProgram calldata program, bytes calldata witness) external {
        (, next) = RiscvStep.step(program, witness);
    }

    function root(bytes32 node, uint256 index, bytes calldata siblings) external pure returns (bytes32) {
        return MerkleMemory.root(node, index, siblings);
    }
}

/// @notice Gas of whole transactions of one step, without a zero byte in the witness that could be another.
contract StepGas {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint8 private constant LOG2_CODE = 17;
    uint8 private constant LOG2_MEMORY = 24;

    /// @dev `sw x6, 4(x5)`, `lb x7, 4(x5)`, `divu x7, x5, x6`, `mulhsu x7, x5, x6`.
    uint32[4] private _words = [0x0062a223, 0x00428383, 0x0262d3b3, 0x0262a3b3];
    string[4] private _names = ["sw", "lb", "divu", "mulhsu"];

    function test_gas_step() public {
        for (uint256 i = 0; i < _words.length; ++i) {
            StepTaker taker = new StepTaker();
            (StepProgram memory program, bytes memory witness) = _witness(taker, _words[i], i < 2);
            taker.take(program, witness);
            vm.snapshotGasLastCall("step", _names[i]);
        }
    }

    function _witness(StepTaker taker, uint32 word, bool touchesMemory)
        private
        pure
        returns (StepProgram memory program, bytes memory witness)
    {
        uint32 pc = 0x11110;
        bytes32 leaf = _placed(word, pc);
        bytes memory code = _noise("code", LOG2_CODE - 5);
        uint256 address_ = 0xabcde4;
        bytes memory memory_ = _noise("memory", LOG2_MEMORY - 5);
        bytes32 touched = keccak256("touched");
        program.programId = keccak256("program");
        program.codeRoot = taker.root(leaf, pc >> 5, code);
        (program.log2Code, program.log2Memory) = (LOG2_CODE, LOG2_MEMORY);

        bytes memory registers = _noise("registers", 4);
        assembly ("memory-safe") {
            mstore(registers, 124)
        }
        _put(registers, 5, uint32(address_ - 4));
        bytes32 memoryRoot = taker.root(touched, address_ >> 5, memory_);
        witness = abi.encodePacked(memoryRoot, uint64(1 << 29), pc, uint8(0), registers, leaf, code);
        if (touchesMemory) witness = abi.encodePacked(witness, touched, memory_);
    }

    /// @dev An instruction, little-endian, in a leaf of noise.
    function _placed(uint32 word, uint32 pc) private pure returns (bytes32) {
        uint256 turned =
            uint256(word >> 24) | (word >> 8 & 0xff00) | (uint256(word) << 8 & 0xff0000) | (uint256(word & 0xff) << 24);
        uint256 shift = 224 - 8 * (pc & 28);
        return bytes32(uint256(keccak256("leaf")) & ~(uint256(0xffffffff) << shift) | turned << shift);
    }

    function _noise(string memory name, uint256 count) private pure returns (bytes memory bytes_) {
        for (uint256 i = 0; i < count; ++i) {
            bytes_ = abi.encodePacked(bytes_, keccak256(abi.encode(name, i)));
        }
    }

    function _put(bytes memory registers, uint256 index, uint32 value) private pure {
        for (uint256 i = 0; i < 4; ++i) {
            registers[4 * (index - 1) + i] = bytes1(uint8(value >> (24 - 8 * i)));
        }
    }
}
