// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {FraudProofs} from "../src/FraudProofs.sol";
import {IWorkClaims} from "../src/interfaces/IWorkClaims.sol";
import {ClaimHeader, Claims, Line} from "../src/libraries/Claims.sol";
import {Base} from "./Base.t.sol";

/// @notice Stands for `WorkClaims`: the claims of the vectors were never posted.
contract RejectionLog {
    bytes32 public claimId;
    uint256 public lineIndex;
    address public prover;

    function reject(ClaimHeader calldata header, Line[] calldata lines, uint256 lineIndex_, address prover_) external {
        require(Claims.hashLines(lines) == header.linesHash, IWorkClaims.WrongLines(0, header.linesHash));
        (claimId, lineIndex, prover) = (Claims.claimId(header.deviceId, header.seq), lineIndex_, prover_);
    }
}

/// @notice Sends the calldata of `test-vectors/fraud.json` to `FraudProofs`: what Rust finds, Solidity must accept.
contract FraudVectorsTest is Base {
    string private _json;

    function setUp() public override {
        _json = vm.readFile("../test-vectors/fraud.json");
    }

    function test_frauds_areProvenByTheVectors() public {
        uint256 i = 0;
        for (; vm.keyExistsJson(_json, _key(i, "")); ++i) {
            _prove(i);
        }
        _true(i >= 16, "frauds are lost");
    }

    function _prove(uint256 i) private {
        RejectionLog log = new RejectionLog();
        FraudProofs frauds = new FraudProofs(IWorkClaims(address(log)));
        bytes memory data = vm.parseJsonBytes(_json, _key(i, ".calldata"));
        address prover = vm.parseJsonAddress(_json, _key(i, ".prover"));
        bytes32 commitment = vm.parseJsonBytes32(_json, _key(i, ".commitment"));
        (bool isProven,) = address(frauds).call(data);
        _true(!isProven, "a proof needs its commitment");

        frauds.commit(commitment);
        vm.roll(vm.getBlockNumber() + 1);
        (isProven,) = address(frauds).call(data);
        _true(isProven, vm.parseJsonString(_json, _key(i, ".name")));

        _equal(log.claimId(), vm.parseJsonBytes32(_json, _key(i, ".claimId")), "claim");
        _equal(log.lineIndex(), vm.parseJsonUint(_json, _key(i, ".lineIndex")), "line");
        _equal(log.prover(), prover, "prover");
        bytes32 salt = vm.parseJsonBytes32(_json, _key(i, ".salt"));
        _equal(commitment, keccak256(abi.encodePacked(log.claimId(), prover, salt)), "commitment");
        _equal(frauds.committedBlock(commitment), 0, "the commitment is spent");
    }

    function _key(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".frauds[", vm.toString(i), "]", field);
    }
}
