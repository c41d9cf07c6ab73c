// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {MerkleMemory} from "./MerkleMemory.sol";
import {RiscvAlu} from "./RiscvAlu.sol";

/// @notice What a step depends on besides the state: parts of the program's id.
struct StepProgram {
    bytes32 programId;
    bytes32 codeRoot;
    uint8 log2Code;
    uint8 log2Memory;
}

/// @title RiscvStep
/// @notice Executes one instruction of the dispute VM on a witness (PROTOCOL.md, Dispute VM). The twin of
/// `prover/src/vm/witness.rs`.
/// @dev Total: every state has a next one. Strict: of a state there is one witness, every other reverts or is of another
/// state.
///
/// A witness is packed: the state's preimage from `memoryRoot` on, 169 bytes; of a running machine with `pc` at a word of
/// the code the code's leaf and siblings; of a load or store that is aligned and in range the memory's leaf and siblings.
library RiscvStep {
    /// @notice The witness is longer or shorter than what the state needs.
    error WrongWitnessLength(uint256 got, uint256 needed);
    /// @notice The code's path does not lead to the program's root.
    error WrongCode(bytes32 got, bytes32 needed);
    /// @notice The memory's path does not lead to the state's root.
    error WrongMemory(bytes32 got, bytes32 needed);

    /// @dev What a preimage of a state begins with.
    uint256 private constant TAG = 0x05;

    /// @dev Bytes of a preimage, and of its part that a witness brings.
    uint256 private constant PREIMAGE_BYTES = 202;
    uint256 private constant STATE_BYTES = 169;

    /// @dev Places in a preimage.
    uint256 private constant MEMORY_ROOT_AT = 33;
    uint256 private constant STEP_AT = 65;
    uint256 private constant PC_AT = 73;
    uint256 private constant STATUS_AT = 77;
    /// @dev Where x0 would stand.
    uint256 private constant X0_AT = 74;

    uint256 private constant RUNNING = 0;
    uint256 private constant HALTED = 1;
    uint256 private constant TRAPPED = 2;

    uint256 private constant LOG2_LEAF = 5;
    uint256 private constant WORD = 0xffffffff;

    /// @notice Returns the hashes of the state that a witness is of, and of the next one.
    function step(StepProgram memory program, bytes calldata witness)
        internal
        pure
        returns (bytes32 before, bytes32 afterwards)
    {
        uint256 state = _open(program.programId, witness);
        before = _hash(state);
        _count(state);
        _execute(state, program, witness);
        afterwards = _hash(state);
    }

    /* EXECUTION */

    function _execute(uint256 state, StepProgram memory program, bytes calldata witness) private pure {
        uint256 pc = _word(state, PC_AT);
        bool isRunning = _status(state) == RUNNING;
        if (!isRunning || pc >> program.log2Code != 0 || pc & 3 != 0) {
            _requireLength(witness, STATE_BYTES);
            if (isRunning) _setStatus(state, TRAPPED);
            return;
        }
        // Down to 4 at least, which `programId` binds.
        uint256 codeEnd = STATE_BYTES + 32 * (uint256(program.log2Code) - LOG2_LEAF + 1);
        if (witness.length < codeEnd) revert WrongWitnessLength(witness.length, codeEnd);
        bytes calldata code = witness[STATE_BYTES:codeEnd];
        bytes32 leaf = bytes32(code);
        bytes32 root = MerkleMemory.root(leaf, pc >> LOG2_LEAF, code[32:]);
        require(root == program.codeRoot, WrongCode(root, program.codeRoot));
        uint256 word = _littleEndian(uint256(leaf) >> (224 - 8 * (pc & 28)) & WORD);

        uint256 opcode = word & 0x7f;
        if (opcode == 0x03 || opcode == 0x23) {
            _access(state, program, word, witness, codeEnd);
            return;
        }
        _requireLength(witness, codeEnd);
        (uint256 status, uint256 next) = _compute(state, word, pc);
        if (status != RUNNING) _setStatus(state, status);
        else _putWord(state, PC_AT, next);
    }

    /// @dev Whatever touches no memory. Writes the register; the caller writes the rest.
    function _compute(uint256 state, uint256 word, uint256 pc) private pure returns (uint256 status, uint256 next) {
        uint256 opcode = word & 0x7f;
        uint256 a = _register(state, word >> 15 & 31);
        uint256 b = _register(state, word >> 20 & 31);
        bool isLegal = true;
        uint256 value;
        // Sums modulo 2^32.
        unchecked {
            next = (pc + 4) & WORD;
            if (opcode == 0x33) {
                (isLegal, value) = RiscvAlu.withRegister(word, a, b);
            } else if (opcode == 0x13) {
                (isLegal, value) = RiscvAlu.withImmediate(word, a);
            } else if (opcode == 0x37) {
                value = RiscvAlu.immediateU(word);
            } else if (opcode == 0x17) {
                value = (pc + RiscvAlu.immediateU(word)) & WORD;
            } else if (opcode == 0x63) {
                bool taken;
                (isLegal, taken) = RiscvAlu.isTaken(word, a, b);
                if (!isLegal) return (TRAPPED, 0);
                if (taken) next = (pc + RiscvAlu.immediateB(word)) & WORD;
                return (next & 3 == 0 ? RUNNING : TRAPPED, next);
            } else if (opcode == 0x6f) {
                value = next;
                next = (pc + RiscvAlu.immediateJ(word)) & WORD;
            } else if (opcode == 0x67 && word >> 12 & 7 == 0) {
                value = next;
                next = (a + RiscvAlu.immediateI(word)) & 0xfffffffe;
            } else if (opcode == 0x0f && word >> 12 & 7 == 0) {
                return (RUNNING, next);
            } else {
                return (word == 0x73 ? HALTED : TRAPPED, 0);
            }
        }
        // A jump that traps links nothing.
        if (!isLegal || next & 3 != 0) return (TRAPPED, 0);
        _setRegister(state, word >> 7 & 31, value);
    }

    /// @dev Loads and stores.
    function _access(uint256 state, StepProgram memory program, uint256 word, bytes calldata witness, uint256 codeEnd)
        private
        pure
    {
        (uint256 size, uint256 address_) = _place(state, word);
        if (size == 0 || address_ & (size - 1) != 0 || address_ >> program.log2Memory != 0) {
            _requireLength(witness, codeEnd);
            _setStatus(state, TRAPPED);
            return;
        }
        _requireLength(witness, codeEnd + 32 * (uint256(program.log2Memory) - LOG2_LEAF + 1));
        bytes calldata memory_ = witness[codeEnd:];
        uint256 leaf = uint256(bytes32(memory_));
        // Of the touched bytes, the last one's distance from the leaf's end, in bits.
        uint256 shift = 256 - 8 * ((address_ & 31) + size);
        uint256 mask = (1 << 8 * size) - 1;
        uint256 stored = leaf;
        if (word & 0x7f == 0x23) {
            uint256 value = _littleEndian(_register(state, word >> 20 & 31)) >> (32 - 8 * size);
            stored = leaf & ~(mask << shift) | value << shift;
        } else {
            _setRegister(state, word >> 7 & 31, _loaded(leaf >> shift & mask, size, word));
        }

        uint256 rootAt = state + MEMORY_ROOT_AT;
        bytes32 needed;
        assembly ("memory-safe") {
            needed := mload(rootAt)
        }
        (bytes32 root, bytes32 next) =
            MerkleMemory.fold(bytes32(leaf), bytes32(stored), address_ >> LOG2_LEAF, memory_[32:]);
        require(root == needed, WrongMemory(root, needed));
        // GAS: the preimage is the state; a copy would cost as much as a hash. It spans `PREIMAGE_BYTES`.
        assembly ("memory-safe") {
            mstore(rootAt, next)
        }
        unchecked {
            _putWord(state, PC_AT, (_word(state, PC_AT) + 4) & WORD);
        }
    }

    /// @dev Bytes that a load or store moves (0: it is illegal), and where.
    function _place(uint256 state, uint256 word) private pure returns (uint256 size, uint256 address_) {
        uint256 funct3 = word >> 12 & 7;
        bool isStore = word & 0x7f == 0x23;
        uint256 base = _register(state, word >> 15 & 31);
        uint256 offset = isStore ? RiscvAlu.immediateS(word) : RiscvAlu.immediateI(word);
        unchecked {
            address_ = (base + offset) & WORD;
        }
        if (funct3 < 3) size = 1 << funct3;
        else if (!isStore && (funct3 == 4 || funct3 == 5)) size = 1 << (funct3 - 4);
    }

    /// @dev What a load puts into its register: bytes turned round, and extended unless `funct3` has its upper bit.
    function _loaded(uint256 value, uint256 size, uint256 word) private pure returns (uint256) {
        value = _littleEndian(value << (32 - 8 * size));
        return word >> 14 & 1 == 1 ? value : RiscvAlu.extend(value, 8 * size - 1);
    }

    /* THE STATE */

    /// @dev Writes a preimage to new memory and returns where it lies.
    function _open(bytes32 programId, bytes calldata witness) private pure returns (uint256 state) {
        if (witness.length < STATE_BYTES) revert WrongWitnessLength(witness.length, STATE_BYTES);
        // GAS: as above. Room for the preimage and what a word at its end reaches over.
        assembly ("memory-safe") {
            state := mload(0x40)
            mstore(0x40, add(state, 256))
            mstore8(state, TAG)
            mstore(add(state, 1), programId)
            calldatacopy(add(state, MEMORY_ROOT_AT), witness.offset, STATE_BYTES)
        }
    }

    function _hash(uint256 state) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(state, PREIMAGE_BYTES)
        }
    }

    /// @dev A step that can't be counted any further stays: no dispute has as many.
    function _count(uint256 state) private pure {
        assembly ("memory-safe") {
            let at := add(state, STEP_AT)
            let rest := mload(at)
            let count := shr(192, rest)
            if lt(count, 0xffffffffffffffff) { mstore(at, add(rest, shl(192, 1))) }
        }
    }

    function _word(uint256 state, uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := shr(224, mload(add(state, place)))
        }
    }

    function _putWord(uint256 state, uint256 place, uint256 word) private pure {
        assembly ("memory-safe") {
            let at := add(state, place)
            mstore(at, or(shl(224, word), shr(32, shl(32, mload(at)))))
        }
    }

    function _status(uint256 state) private pure returns (uint256 status) {
        assembly ("memory-safe") {
            status := shr(248, mload(add(state, STATUS_AT)))
        }
    }

    function _setStatus(uint256 state, uint256 status) private pure {
        assembly ("memory-safe") {
            mstore8(add(state, STATUS_AT), status)
        }
    }

    function _register(uint256 state, uint256 index) private pure returns (uint256) {
        return index == 0 ? 0 : _word(state, X0_AT + 4 * index);
    }

    function _setRegister(uint256 state, uint256 index, uint256 value) private pure {
        if (index != 0) _putWord(state, X0_AT + 4 * index, value);
    }

    function _littleEndian(uint256 word) private pure returns (uint256) {
        return word >> 24 | (word >> 8 & 0xff00) | (word << 8 & 0xff0000) | (word << 24 & 0xff000000);
    }

    function _requireLength(bytes calldata witness, uint256 needed) private pure {
        require(witness.length == needed, WrongWitnessLength(witness.length, needed));
    }
}
