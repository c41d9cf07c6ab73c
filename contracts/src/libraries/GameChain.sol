// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {Subject, Target} from "./Execution.sol";
import {GameWord} from "./GameWord.sol";

/// @notice Who plays, and about what.
struct Parties {
    address worker;
    address challenger;
    bytes32 subjectHash;
}

/// @notice What of a game changes with each move.
/// @dev `chain` is the node that the game descended to, as long as it looks for a sub-unit; then it is the hash of the
/// target and all lists of boundaries.
struct Game {
    bytes32 chain;
    GameWord word;
}

/// @title GameChain
/// @notice Hashes that tie a game's moves together. The twin of `prover/src/dispute/game.rs`.
library GameChain {
    function hashSubject(Subject memory subject) internal pure returns (bytes32) {
        return keccak256(abi.encode(subject));
    }

    function gameId(Parties calldata parties) internal pure returns (bytes32) {
        return keccak256(abi.encode(parties));
    }

    /// @notice Returns what the contract keeps of a game.
    function hashGame(bytes32 chain, GameWord word) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, chain)
            mstore(0x20, word)
            hash := keccak256(0, 0x40)
        }
    }

    function ofTarget(Target memory target) internal pure returns (bytes32) {
        return keccak256(abi.encode(target));
    }

    function withList(bytes32 chain, bytes32 listRoot) internal pure returns (bytes32) {
        return keccak256(bytes.concat(chain, listRoot));
    }
}
