// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IFraudProofs} from "../src/interfaces/IFraudProofs.sol";
import {Interval, Unit} from "../src/libraries/Interval.sol";
import {Branch} from "../src/libraries/SumTree.sol";
import {Story, StoryBase} from "./Story.t.sol";
import {Tree, Trees} from "./Trees.sol";

/// @notice What a claim can lie about: one for each function of `IFraudProofs`.
enum Lie {
    NodeSum,
    LeafSum,
    UnitsRoot,
    UnitNodeSum,
    UnitSum,
    Arithmetic,
    UnitAboveMaxCost,
    TaskOutsideCursor,
    TaskNotInOrder,
    UnitsNotTask,
    UnitMisplaced,
    UnitsRepeated,
    ForeignDevice
}

/// @notice Where: leaf `i` (and `j`), unit `k` of leaf `i`, and an inner node of the line's tree.
struct Place {
    uint256 i;
    uint256 j;
    uint256 k;
    uint256 level;
    uint256 index;
}

/// @title LieBase
/// @notice Spoils honest stories, and proves what a story is suspected of: the proof is sound or not as the story is.
abstract contract LieBase is StoryBase {
    using Trees for Tree;

    uint256 internal constant LIES = 13;

    /// @notice Draws a place in a story of at least two leaves of at least two units.
    function _anywhere(Story memory s, uint256 seed) internal pure returns (Place memory spot) {
        spot.i = _draw(seed, "i", s.leaves.length);
        spot.j = (spot.i + 1 + _draw(seed, "j", s.leaves.length - 1)) % s.leaves.length;
        spot.k = _draw(seed, "k", s.units[spot.i].length);
        (spot.level, spot.index) = _inner(s.leafTree, seed);
    }

    /// @notice Draws an inner node that has two children.
    function _inner(Tree memory tree, uint256 seed) internal pure returns (uint256 level, uint256 index) {
        level = 1 + _draw(seed, "level", tree.hashes.length - 1);
        index = _draw(seed, "index", tree.hashes[level].length);
        if (!tree.hasChildren(level, index)) index = 0;
    }

    /* LYING */

    function _lie(Story memory s, Lie lie, Place memory spot, uint256 seed) internal pure {
        Interval memory leaf = s.leaves[spot.i];
        if (lie == Lie.NodeSum) {
            _growLying(s, spot.level, spot.index, _other(s.leafTree.sums[spot.level][spot.index], seed));
            return;
        }
        if (lie == Lie.LeafSum) {
            _growLying(s, 0, spot.i, _other(leaf.ibmMicro, seed));
            return;
        }
        if (lie == Lie.ForeignDevice) leaf.deviceId = bytes32(uint256(leaf.deviceId) + 1 + _draw(seed, "device", 9));
        if (lie == Lie.TaskOutsideCursor) leaf.taskIndex = s.cursorTo + uint32(_draw(seed, "outside", 9));
        if (lie == Lie.Arithmetic) _lieInArithmetic(leaf, seed);
        if (lie == Lie.TaskNotInOrder) _lieAboutTask(leaf, seed);
        if (lie <= Lie.UnitSum || lie == Lie.UnitAboveMaxCost || lie == Lie.UnitMisplaced) {
            _lieInUnits(s, lie, spot, seed);
        }
        if (lie == Lie.UnitsNotTask) _lieAboutRange(s, spot, seed);
        if (lie == Lie.UnitsRepeated) _repeat(s, spot);
        _growLeaves(s);
    }

    function _lieInArithmetic(Interval memory leaf, uint256 seed) private pure {
        uint256 kind = _draw(seed, "arithmetic", 4);
        if (kind == 0) leaf.ibmMicro = uint96(_other(leaf.ibmMicro, seed));
        if (kind == 1) leaf.activeMs = uint32(leaf.endMs - leaf.startMs) + 1;
        if (kind == 2) leaf.endMs = leaf.startMs - 1;
        if (kind == 3) leaf.cost = uint128(leaf.unitCount) * MAX_COST + 1;
        if (kind != 0) leaf.ibmMicro = uint96(_payable(leaf));
    }

    function _lieAboutTask(Interval memory leaf, uint256 seed) private pure {
        if (_draw(seed, "task", 2) == 0) leaf.taskId = keccak256(abi.encode("no task", seed));
        else leaf.jobId = keccak256(abi.encode("no job", seed));
    }

    function _lieInUnits(Story memory s, Lie lie, Place memory spot, uint256 seed) private pure {
        Unit[] memory units = s.units[spot.i];
        Interval memory leaf = s.leaves[spot.i];
        Tree memory tree = s.unitTrees[spot.i];
        if (lie == Lie.UnitAboveMaxCost) {
            if (_draw(seed, "status", 2) == 0) units[spot.k].status = 2 + uint8(_draw(seed, "which", 200));
            else units[spot.k].cost = MAX_COST + 1;
        }
        if (lie == Lie.UnitMisplaced) units[spot.k].unitIndex += 1 + uint64(_draw(seed, "misplaced", 9));
        if (lie == Lie.UnitSum) {
            tree = _unitTreeLying(units, 0, spot.k, _other(units[spot.k].cost, seed));
        } else if (lie == Lie.UnitNodeSum) {
            (uint256 level, uint256 index) = _inner(tree, seed);
            tree = _unitTreeLying(units, level, index, _other(tree.sums[level][index], seed));
        } else {
            tree = _unitTree(units);
        }
        s.unitTrees[spot.i] = tree;
        leaf.unitsRoot = tree.root();
        leaf.cost = tree.top().sum;
        if (lie == Lie.UnitsRoot) {
            if (_draw(seed, "root", 2) == 0) leaf.cost = uint128(_other(leaf.cost, seed));
            else leaf.unitCount += 1;
        }
        leaf.ibmMicro = uint96(_payable(leaf));
    }

    /// @dev The range is wrong, whatever the units are.
    function _lieAboutRange(Story memory s, Place memory spot, uint256 seed) private pure {
        Interval memory leaf = s.leaves[spot.i];
        uint256 kind = _draw(seed, "range", 3);
        if (kind == 0) leaf.unitCount = 0;
        if (kind == 1) leaf.firstUnit = s.tasks[leaf.taskIndex].firstUnit + s.tasks[leaf.taskIndex].unitCount;
        if (kind == 2) leaf.unitCount = s.tasks[leaf.taskIndex].unitCount + 1;
    }

    /// @dev Leaf `j` claims the units of leaf `i` once more.
    function _repeat(Story memory s, Place memory spot) private pure {
        (Interval memory a, Interval memory b) = (s.leaves[spot.i], s.leaves[spot.j]);
        (b.taskId, b.taskIndex, b.firstUnit, b.unitCount) = (a.taskId, a.taskIndex, a.firstUnit, a.unitCount);
        (b.unitsRoot, b.cost, b.ibmMicro) = (a.unitsRoot, a.cost, a.ibmMicro);
        s.unitTrees[spot.j] = s.unitTrees[spot.i];
        s.units[spot.j] = s.units[spot.i];
    }

    /// @dev Another sum than the one that is right: above or below.
    function _other(uint256 sum, uint256 seed) private pure returns (uint256) {
        uint256 delta = 1 + _draw(seed, "delta", 1000);
        return _draw(seed, "sign", 2) == 0 && sum > delta ? sum - delta : sum + delta;
    }

    /* PROVING */

    /// @notice Returns the call that proves a lie at a place, if there is one.
    function _proofOf(Story memory s, Lie lie, Place memory spot, IFraudProofs.Accusation memory a)
        internal
        view
        returns (bytes memory)
    {
        if (lie == Lie.NodeSum) return _nodeSum(s, spot, a);
        if (lie == Lie.LeafSum) {
            return abi.encodeCall(c.frauds.proveLeafSum, (a, s.leaves[spot.i], _chainTo(s.leafTree, 0, spot.i)));
        }
        if (lie <= Lie.UnitSum) return _unitCost(s, lie, spot, a);
        if (lie == Lie.Arithmetic) {
            return
                abi.encodeCall(c.frauds.proveLeafArithmetic, (a, _leaf(s, spot.i), s.tasks[s.leaves[spot.i].taskIndex]));
        }
        if (lie == Lie.UnitAboveMaxCost) {
            return abi.encodeCall(
                c.frauds.proveUnitAboveMaxCost,
                (a, _leaf(s, spot.i), s.tasks[s.leaves[spot.i].taskIndex], _unit(s, spot.i, spot.k))
            );
        }
        if (lie == Lie.TaskOutsideCursor) {
            return abi.encodeCall(c.frauds.proveTaskOutsideCursor, (a, _leaf(s, spot.i)));
        }
        if (lie == Lie.TaskNotInOrder) {
            return abi.encodeCall(
                c.frauds.proveTaskNotInOrder, (a, _leaf(s, spot.i), s.order, _listed(s, s.leaves[spot.i].taskIndex))
            );
        }
        if (lie == Lie.UnitsNotTask) {
            return
                abi.encodeCall(c.frauds.proveUnitsNotTask, (a, _leaf(s, spot.i), s.tasks[s.leaves[spot.i].taskIndex]));
        }
        if (lie == Lie.UnitMisplaced) {
            return abi.encodeCall(c.frauds.proveUnitMisplaced, (a, _leaf(s, spot.i), _unit(s, spot.i, spot.k)));
        }
        if (lie == Lie.UnitsRepeated) {
            return
                abi.encodeCall(c.frauds.proveUnitsRepeated, (a, _leaf(s, spot.i), a.target.lineIndex, _leaf(s, spot.j)));
        }
        return abi.encodeCall(c.frauds.proveForeignDevice, (a, _leaf(s, spot.i)));
    }

    function _nodeSum(Story memory s, Place memory spot, IFraudProofs.Accusation memory a)
        private
        view
        returns (bytes memory)
    {
        (Branch[] memory chain, uint256 path) = _chainThrough(s.leafTree, spot.level, spot.index);
        return abi.encodeCall(c.frauds.proveNodeSum, (a, chain, path));
    }

    function _unitCost(Story memory s, Lie lie, Place memory spot, IFraudProofs.Accusation memory a)
        private
        view
        returns (bytes memory)
    {
        Tree memory tree = s.unitTrees[spot.i];
        if (lie == Lie.UnitsRoot) {
            return abi.encodeCall(c.frauds.proveUnitsRoot, (a, _leaf(s, spot.i), tree.top()));
        }
        if (lie == Lie.UnitSum) {
            return abi.encodeCall(
                c.frauds.proveUnitSum,
                (a, _leaf(s, spot.i), tree.top(), s.units[spot.i][spot.k], _chainTo(tree, 0, spot.k))
            );
        }
        (uint256 level, uint256 index) = _liar(tree);
        return
            abi.encodeCall(c.frauds.proveUnitNodeSum, (a, _leaf(s, spot.i), tree.top(), _chainWith(tree, level, index)));
    }

    /// @dev Returns the node that lies, or the top if none does.
    function _liar(Tree memory tree) private pure returns (uint256 level, uint256 index) {
        for (level = 1; level < tree.hashes.length; ++level) {
            for (index = 0; index < tree.hashes[level].length; ++index) {
                if (!tree.hasChildren(level, index)) continue;
                uint256 sum = tree.sums[level - 1][2 * index] + tree.sums[level - 1][2 * index + 1];
                if (sum != tree.sums[level][index]) return (level, index);
            }
        }
        return (tree.hashes.length - 1, 0);
    }
}
