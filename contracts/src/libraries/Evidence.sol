// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {ClaimHeader, Claims, Line} from "./Claims.sol";
import {Interval, IntervalHash, Task, Unit} from "./Interval.sol";
import {Branch, Sibling, SumTop, SumTree} from "./SumTree.sol";
import {TypedData, WorkOrder} from "./TypedData.sol";

/// @notice A line of a claim.
struct LineRef {
    ClaimHeader header;
    Line[] lines;
    uint256 lineIndex;
}

/// @notice An interval and its place in a line's tree.
struct LeafEvidence {
    Interval leaf;
    uint64 index;
    Sibling[] siblings;
}

/// @notice A unit and its place in an interval's tree of units.
struct UnitEvidence {
    Unit unit;
    uint32 position;
    SumTop top;
    Sibling[] siblings;
}

/// @notice A listed task and its place in an order's list.
struct TaskEvidence {
    Task task;
    uint32 index;
    SumTop top;
    Sibling[] siblings;
}

/// @notice A way down a tree by node preimages, sums as they are stated. Bit `k` of `path`: right below `chain[k]`.
struct ChainEvidence {
    Branch[] chain;
    uint256 path;
}

/// @title Evidence
/// @notice Ties what a caller shows to what a line commits to.
library Evidence {
    /// @notice The claim has no such line.
    error LineUnknown(uint256 lineIndex, uint256 lineCount);
    /// @notice The lines are not the header's.
    error WrongLines(bytes32 linesHash, bytes32 needed);
    /// @notice The preimage is not what was committed to.
    error WrongPreimage(bytes32 computed, bytes32 needed);
    /// @notice The order is not the line's.
    error WrongOrder(bytes32 orderHash, bytes32 needed);

    /// @notice Returns a claim's line. The lines themselves are checked by `WorkClaims`.
    function line(LineRef calldata target, uint256 lineIndex) internal pure returns (Line calldata) {
        require(lineIndex < target.lines.length, LineUnknown(lineIndex, target.lines.length));
        return target.lines[lineIndex];
    }

    /// @notice Returns the line that is meant. The lines themselves are checked by `WorkClaims`.
    function line(LineRef calldata target) internal pure returns (Line calldata) {
        return line(target, target.lineIndex);
    }

    /// @notice Returns the claim's id.
    function claimId(LineRef calldata target) internal pure returns (bytes32) {
        ClaimHeader calldata header = target.header;
        return Claims.claimId(header.deviceId, header.seq);
    }

    /// @notice Returns the account that is paid for the claim.
    function worker(LineRef calldata target) internal pure returns (address) {
        return Claims.ownerOf(target.header.deviceId);
    }

    /// @notice Checks that the lines are the header's.
    function requireLines(LineRef calldata target) internal pure {
        bytes32 linesHash = Claims.hashLines(target.lines);
        require(linesHash == target.header.linesHash, WrongLines(linesHash, target.header.linesHash));
    }

    /// @notice Checks that an interval is a leaf of a line's tree.
    function requireLeaf(Line calldata self, LeafEvidence calldata shown) internal pure {
        SumTree.requireNode(
            self.topHash,
            self.leafCount,
            0,
            shown.index,
            IntervalHash.hashInterval(shown.leaf),
            shown.leaf.ibmMicro,
            shown.siblings
        );
    }

    /// @notice Checks that a root's preimage is that of an interval's units.
    function requireUnits(Interval calldata leaf, SumTop calldata top) internal pure {
        bytes32 computed = SumTree.root(top);
        require(computed == leaf.unitsRoot, WrongPreimage(computed, leaf.unitsRoot));
    }

    /// @notice Checks that a unit is a leaf of an interval's tree of units.
    function requireUnit(Interval calldata leaf, UnitEvidence calldata shown) internal pure {
        requireUnits(leaf, shown.top);
        SumTree.requireNode(
            shown.top.hash,
            shown.top.leafCount,
            0,
            shown.position,
            IntervalHash.hashUnit(shown.unit),
            shown.unit.cost,
            shown.siblings
        );
    }

    /// @notice Checks that a task is the one that an interval names.
    function requireTask(Interval calldata leaf, Task calldata task) internal pure {
        bytes32 computed = IntervalHash.hashTask(task);
        require(computed == leaf.taskId, WrongPreimage(computed, leaf.taskId));
    }

    /// @notice Checks that a task is listed by an order, at its index.
    function requireListed(WorkOrder calldata order, TaskEvidence calldata shown) internal pure {
        bytes32 computed = SumTree.root(shown.top);
        require(computed == order.tasksRoot, WrongPreimage(computed, order.tasksRoot));
        SumTree.requireNode(
            shown.top.hash,
            shown.top.leafCount,
            0,
            shown.index,
            IntervalHash.hashTask(shown.task),
            shown.task.unitCount,
            shown.siblings
        );
    }

    /// @notice Checks that an order is the one that a line consumes.
    function requireOrder(Line calldata self, WorkOrder calldata order) internal pure {
        bytes32 orderHash = TypedData.hashWorkOrderCalldata(order);
        require(orderHash == self.orderHash, WrongOrder(orderHash, self.orderHash));
    }
}
