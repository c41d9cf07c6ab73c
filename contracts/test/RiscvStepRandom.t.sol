// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Vm} from "../script/Vm.sol";
import {StepProgram} from "../src/libraries/RiscvStep.sol";
import {Stepper} from "./RiscvStep.t.sol";

/// @notice Holds `RiscvStep` to random steps that Rust took: a few hundred of `test-vectors/vm.json` in every run, any
/// number by `scripts/fuzz-steps`.
contract RiscvStepRandomTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev Of a record before its witness: two sizes and four hashes.
    uint256 private constant HEAD_BYTES = 130;

    error Differs(bytes record, bytes32 got, bytes32 needed);
    error Forged(bytes record, uint256 bit);
    error StepsLost(uint256 got, uint256 needed);

    Stepper private _stepper = new Stepper();

    function test_step_matchesRust_ofRandomVectors() public view {
        bytes[] memory records = vm.parseJsonBytesArray(vm.readFile("../test-vectors/vm.json"), ".random");
        require(records.length >= 300, StepsLost(records.length, 300));
        for (uint256 i = 0; i < records.length; ++i) {
            _check(records[i]);
        }
    }

    /// @dev Nothing without `STEP_FILES`.
    function test_step_matchesRust_ofCampaign() public view {
        uint256 count = vm.envOr("STEP_FILES", uint256(0));
        for (uint256 i = 0; i < count; ++i) {
            // A call of its own gives its memory back.
            this.checkFile(i);
        }
    }

    function checkFile(uint256 index) external view {
        bytes memory file = vm.readFileBinary(string.concat("../target/steps/", vm.toString(index), ".bin"));
        this.checkRecords(file);
    }

    function checkRecords(bytes calldata file) external view {
        while (file.length != 0) {
            uint256 end = 4 + uint256(uint32(bytes4(file)));
            _check(file[4:end]);
            file = file[end:];
        }
    }

    /// @dev A record whose hash of the next state is zero must be refused.
    function _check(bytes memory record) private view {
        (StepProgram memory program, bytes32 before, bytes32 next, bytes memory witness) = this.split(record);
        try _stepper.step(program, witness) returns (bytes32 gotBefore, bytes32 gotNext) {
            require(gotBefore == before, Differs(record, gotBefore, before));
            require(gotNext == next, Differs(record, gotNext, next));
        } catch {
            require(next == 0, Differs(record, 0, next));
            return;
        }

        // Any other byte is refused, or of another state.
        uint256 bit = uint256(keccak256(record)) % (8 * witness.length);
        witness[bit >> 3] ^= bytes1(uint8(1 << (bit & 7)));
        try _stepper.step(program, witness) returns (bytes32 got, bytes32) {
            require(got != before, Forged(record, bit));
        } catch {}
    }

    function split(bytes calldata record)
        external
        pure
        returns (StepProgram memory program, bytes32 before, bytes32 next, bytes memory witness)
    {
        (program.log2Code, program.log2Memory) = (uint8(record[0]), uint8(record[1]));
        (program.programId, program.codeRoot, before, next) =
            abi.decode(record[2:HEAD_BYTES], (bytes32, bytes32, bytes32, bytes32));
        witness = record[HEAD_BYTES:];
    }
}
