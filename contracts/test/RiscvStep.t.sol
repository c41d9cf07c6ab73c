// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Vm} from "../script/Vm.sol";
import {RiscvStep, StepProgram} from "../src/libraries/RiscvStep.sol";

/// @notice The library behind a call.
contract Stepper {
    function step(StepProgram calldata program, bytes calldata witness) external pure returns (bytes32, bytes32) {
        return RiscvStep.step(program, witness);
    }
}

/// @notice Holds `RiscvStep` to `test-vectors/vm.json`: every instruction, its edges, and what no machine executes.
contract RiscvStepTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error Differs(string name, bytes32 got, bytes32 needed);

    struct Case {
        bytes32 before;
        bytes32 codeRoot;
        string name;
        bytes32 next;
        bytes32 programId;
        bytes witness;
    }

    Stepper private _stepper = new Stepper();

    function test_steps_matchTheVectors() public view {
        (Case[] memory cases, StepProgram memory program) = _cases();
        require(cases.length >= 223, Differs("steps are lost", bytes32(cases.length), bytes32(uint256(223))));
        for (uint256 i = 0; i < cases.length; ++i) {
            Case memory c = cases[i];
            (program.programId, program.codeRoot) = (c.programId, c.codeRoot);
            (bytes32 before, bytes32 next) = _stepper.step(program, c.witness);
            require(before == c.before, Differs(c.name, before, c.before));
            require(next == c.next, Differs(c.name, next, c.next));
        }
    }

    /// @dev A byte of the state makes another state; a byte of a path leads elsewhere.
    function test_step_isOfOneWitnessOnly() public view {
        (Case[] memory cases, StepProgram memory program) = _cases();
        for (uint256 i = 0; i < cases.length; i += 13) {
            Case memory c = cases[i];
            (program.programId, program.codeRoot) = (c.programId, c.codeRoot);
            for (uint256 k = 0; k < c.witness.length; ++k) {
                c.witness[k] ^= bytes1(uint8(1 << (k & 7)));
                try _stepper.step(program, c.witness) returns (bytes32 before, bytes32) {
                    require(before != c.before, Differs(c.name, before, c.before));
                } catch {}
                c.witness[k] ^= bytes1(uint8(1 << (k & 7)));
            }
            _mustRevert(program, bytes.concat(c.witness, hex"00"), c.name);
            _mustRevert(program, bytes.concat(c.witness, bytes32(0)), c.name);
        }
    }

    function _mustRevert(StepProgram memory program, bytes memory witness, string memory name) private view {
        try _stepper.step(program, witness) returns (bytes32 before, bytes32) {
            revert Differs(name, before, 0);
        } catch {}
    }

    /// @dev The cases, and the sizes that all have.
    function _cases() private view returns (Case[] memory cases, StepProgram memory program) {
        string memory json = vm.readFile("../test-vectors/vm.json");
        string memory fields =
            "Case(bytes32 before,bytes32 codeRoot,string name,bytes32 next,bytes32 programId,bytes witness)";
        cases = abi.decode(vm.parseJsonTypeArray(json, ".steps", fields), (Case[]));
        program.log2Code = uint8(vm.parseJsonUint(json, ".log2Code"));
        program.log2Memory = uint8(vm.parseJsonUint(json, ".log2Memory"));
    }
}
