// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {ClaimHeader, Claims, Line} from "../src/libraries/Claims.sol";
import {Interval, IntervalHash, Task, Unit} from "../src/libraries/Interval.sol";
import {Sibling, SumTop, SumTree} from "../src/libraries/SumTree.sol";
import {Job, Receipt, Signature, TypedData, WorkOrder} from "../src/libraries/TypedData.sol";
import {Base} from "./Base.t.sol";

/// @notice The libraries, callable with calldata.
contract Libraries {
    function hashInterval(Interval calldata leaf) external pure returns (bytes32) {
        return IntervalHash.hashInterval(leaf);
    }

    function payableMicro(Interval calldata leaf, uint256 rate, uint256 ibMicro) external pure returns (uint256) {
        return IntervalHash.payableMicro(leaf, rate, ibMicro);
    }

    function hashUnit(Unit calldata unit) external pure returns (bytes32) {
        return IntervalHash.hashUnit(unit);
    }

    function hashTask(Task calldata task) external pure returns (bytes32) {
        return IntervalHash.hashTask(task);
    }

    function hash200(ClaimHeader calldata header) external pure returns (uint256) {
        return Claims.hash200(header);
    }

    function hashLines(Line[] calldata lines) external pure returns (bytes32) {
        return Claims.hashLines(lines);
    }

    function hashWorkOrder(WorkOrder calldata order) external pure returns (bytes32) {
        return TypedData.hashWorkOrderCalldata(order);
    }

    function signerOf(bytes32 separator, bytes32 structHash, Signature calldata signature)
        external
        pure
        returns (address)
    {
        return TypedData.signerOf(separator, structHash, signature);
    }

    function requireNode(
        bytes32 top,
        uint256 leafCount,
        uint256 index,
        Sibling calldata leaf,
        Sibling[] calldata siblings
    ) external pure returns (uint256) {
        return SumTree.requireNode(top, leafCount, 0, index, leaf.hash, leaf.sum, siblings);
    }

    function fold(Sibling[] memory nodes, uint256 first, uint256 count, uint256 levels)
        external
        pure
        returns (bytes32, uint256)
    {
        return SumTree.fold(nodes, first, count, levels);
    }

    function root(SumTop memory top) external pure returns (bytes32) {
        return SumTree.root(top);
    }
}

/// @notice A proof as the file of trees has it.
struct Proof {
    uint256 leafIndex;
    Sibling[] siblings;
}

/// @notice A proof that no verifier may accept.
struct Refusal {
    string name;
    uint256 leafCount;
    uint256 leafIndex;
    Sibling leaf;
    Sibling[] siblings;
    bytes32 root;
}

/// @notice Holds the libraries to the bytes of `test-vectors/`.
contract VectorsTest is Base {
    string private constant NODE = "Sibling(bytes32 hash,uint128 sum)";
    string private constant PROOF = "Proof(uint256 leafIndex,Sibling[] siblings)Sibling(bytes32 hash,uint128 sum)";
    string private constant REFUSAL =
        "Refusal(string name,uint256 leafCount,uint256 leafIndex,Sibling leaf,Sibling[] siblings,bytes32 root)Sibling(bytes32 hash,uint128 sum)";

    Libraries private _libs = new Libraries();
    string private _json;

    function setUp() public override {}

    function test_leaves_matchTheVectors() public {
        _load("leaves");
        uint256 i = 0;
        for (; _has(_at("intervals", i)); ++i) {
            Interval memory leaf = _interval(string.concat(_at("intervals", i), ".interval"));
            _equal(_libs.hashInterval(leaf), _b32(_at("intervals", i), ".leafHash"), "interval");
        }
        _true(i >= 2, "intervals are lost");
        for (i = 0; _has(_at("units", i)); ++i) {
            string memory k = string.concat(_at("units", i), ".unit");
            Unit memory unit = Unit(
                uint64(_u(k, ".unitIndex")), uint8(_u(k, ".status")), _b32(k, ".outputRoot"), uint64(_u(k, ".cost"))
            );
            _equal(_libs.hashUnit(unit), _b32(_at("units", i), ".leafHash"), "unit");
        }
        _true(i >= 2, "units are lost");
        for (i = 0; _has(_at("tasks", i)); ++i) {
            string memory k = string.concat(_at("tasks", i), ".task");
            Task memory task = Task(
                _b32(k, ".jobId"),
                uint64(_u(k, ".firstUnit")),
                uint32(_u(k, ".unitCount")),
                uint64(_u(k, ".maxCost")),
                uint64(_u(k, ".referenceRate")),
                uint64(_u(k, ".leaseEndsAt"))
            );
            _equal(_libs.hashTask(task), _b32(_at("tasks", i), ".taskId"), "task");
        }
        _true(i >= 2, "tasks are lost");
        for (i = 0; _has(_at("payables", i)); ++i) {
            string memory k = _at("payables", i);
            Interval memory leaf;
            (leaf.cost, leaf.activeMs) = (uint128(_u(k, ".cost")), uint32(_u(k, ".activeMs")));
            uint256 micro = _libs.payableMicro(leaf, _u(k, ".referenceRate"), _u(k, ".ibMicro"));
            _equal(micro, _u(k, ".ibmMicro"), "payable");
        }
        _true(i >= 4, "payables are lost");
    }

    function test_sumTree_matchesTheVectors() public {
        _load("sum_tree");
        uint256 i = 0;
        uint256 proofCount = 0;
        for (; _has(_at("trees", i)); ++i) {
            proofCount += _checkTree(_at("trees", i));
        }
        _true(i >= 5 && proofCount >= 5, "trees or proofs are lost");
        for (i = 0; _has(_at("refused", i)); ++i) {
            Refusal memory r = abi.decode(vm.parseJsonType(_json, _at("refused", i), REFUSAL), (Refusal));
            (bool ok, bytes32 root) = _rootOf(r.leafCount, r.leafIndex, r.leaf, r.siblings);
            _true(!ok || root != r.root, r.name);
        }
        _true(i >= 5, "refusals are lost");
    }

    function test_typedData_matchesTheVectors() public {
        _load("typed_data");
        uint256 i = 0;
        for (; _has(_at("jobs", i)); ++i) {
            string memory k = _at("jobs", i);
            _checkSigned(k, TypedData.hashJob(_job(string.concat(k, ".message"))));
        }
        _true(i >= 1, "jobs are lost");
        for (i = 0; _has(_at("workOrders", i)); ++i) {
            string memory k = _at("workOrders", i);
            WorkOrder memory order = _order(string.concat(k, ".message"));
            _equal(_libs.hashWorkOrder(order), TypedData.hashWorkOrder(order), "from calldata");
            _checkSigned(k, TypedData.hashWorkOrder(order));
        }
        _true(i >= 1, "orders are lost");
        string memory r = _at("receipts", 0);
        _checkSigned(r, TypedData.hashReceipt(_receipt(string.concat(r, ".message"))));
        string memory o = _at("operatorConsents", 0);
        address owner = vm.parseJsonAddress(_json, string.concat(o, ".message.owner"));
        address operator = vm.parseJsonAddress(_json, string.concat(o, ".message.operator"));
        _checkSigned(o, TypedData.hashOperatorConsent(owner, operator));
    }

    function test_claims_matchTheVectors() public {
        _load("claim");
        uint256 i = 0;
        for (; _has(_at("headers", i)); ++i) {
            string memory k = _at("headers", i);
            ClaimHeader memory header = _header(string.concat(k, ".header"));
            address owner = _a(k, ".worker");
            _equal(Claims.ownerOf(header.deviceId), owner, "worker");
            _equal(Claims.deviceId(owner, _u(k, ".deviceIndex")), header.deviceId, "device");
            _equal(Claims.deviceIndexOf(header.deviceId), _u(k, ".deviceIndex"), "device index");
            _equal(Claims.claimId(header.deviceId, header.seq), _b32(k, ".claimId"), "claim");
            _equal(_libs.hash200(header), uint256(_b32(k, ".headerHash")) >> 56, "header");
        }
        _true(i >= 2, "headers are lost");
        for (i = 0; _has(_at("lines", i)); ++i) {
            Line[] memory lines = _lines(string.concat(_at("lines", i), ".lines"));
            _equal(_libs.hashLines(lines), _b32(_at("lines", i), ".linesHash"), "lines");
        }
        _true(i >= 2, "lines are lost");
    }

    /* CHECKS */

    function _checkTree(string memory k) private view returns (uint256 proofCount) {
        Sibling[] memory leaves =
            abi.decode(vm.parseJsonTypeArray(_json, string.concat(k, ".leaves"), NODE), (Sibling[]));
        Sibling memory top = abi.decode(vm.parseJsonType(_json, string.concat(k, ".top"), NODE), (Sibling));
        _equal(_libs.root(SumTop(uint64(leaves.length), top.hash, top.sum)), _b32(k, ".root"), "root");
        Proof[] memory proofs = abi.decode(vm.parseJsonTypeArray(_json, string.concat(k, ".proofs"), PROOF), (Proof[]));
        for (uint256 i = 0; i < proofs.length; ++i) {
            uint256 index = proofs[i].leafIndex;
            uint256 sum = _libs.requireNode(top.hash, leaves.length, index, leaves[index], proofs[i].siblings);
            _equal(sum, top.sum, "sum");
        }
        proofCount = proofs.length;
        uint256 height = 0;
        for (uint256 n = leaves.length; n > 1; n = (n + 1) / 2) {
            ++height;
        }
        (bytes32 hash, uint256 total) = _libs.fold(leaves, 0, leaves.length, height);
        _equal(hash, top.hash, "fold");
        _equal(total, top.sum, "folded sum");
    }

    function _checkSigned(string memory k, bytes32 structHash) private {
        _equal(structHash, _b32(k, ".structHash"), "struct hash");
        vm.chainId(_u(k, ".chainId"));
        address verifying = vm.parseJsonAddress(_json, string.concat(k, ".verifyingContract"));
        bytes32 separator = TypedData.domainSeparator(verifying);
        _equal(_digest(separator, structHash), _b32(k, ".signingHash"), "digest");
        (bytes32 r, bytes32 vs) =
            abi.decode(vm.parseJsonBytes(_json, string.concat(k, ".signature")), (bytes32, bytes32));
        address signer = _libs.signerOf(separator, structHash, Signature(r, vs));
        _equal(signer, vm.parseJsonAddress(_json, string.concat(k, ".signer")), "signer");
    }

    /// @dev Climbs without knowing the top: what a proof would make of it.
    function _rootOf(uint256 count, uint256 index, Sibling memory leaf, Sibling[] memory siblings)
        private
        view
        returns (bool, bytes32)
    {
        (bool ok, bytes memory data) =
            address(_libs).staticcall(abi.encodeCall(_libs.requireNode, (0, count, index, leaf, siblings)));
        // Only a proof of the right shape gets as far as the hash, which the error tells.
        if (ok || bytes4(data) != SumTree.WrongHash.selector) return (false, 0);
        bytes32 hash;
        assembly ("memory-safe") {
            hash := mload(add(data, 36))
        }
        uint256 sum = leaf.sum;
        for (uint256 i = 0; i < siblings.length; ++i) {
            sum += siblings[i].sum;
        }
        return (true, _libs.root(SumTop(uint64(count), hash, uint128(sum))));
    }

    /* READING */

    function _load(string memory name) private {
        _json = vm.readFile(string.concat("../test-vectors/", name, ".json"));
    }

    function _at(string memory list, uint256 i) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(i), "]");
    }

    function _has(string memory key) private view returns (bool) {
        return vm.keyExistsJson(_json, key);
    }

    function _u(string memory k, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(_json, string.concat(k, field));
    }

    function _b32(string memory k, string memory field) private view returns (bytes32) {
        return vm.parseJsonBytes32(_json, string.concat(k, field));
    }

    function _a(string memory k, string memory field) private view returns (address) {
        return vm.parseJsonAddress(_json, string.concat(k, field));
    }

    function _interval(string memory k) private view returns (Interval memory leaf) {
        leaf.seq = uint32(_u(k, ".seq"));
        leaf.jobId = _b32(k, ".jobId");
        leaf.taskId = _b32(k, ".taskId");
        leaf.deviceId = _b32(k, ".deviceId");
        leaf.taskIndex = uint32(_u(k, ".taskIndex"));
        leaf.checkpointIndex = uint32(_u(k, ".checkpointIndex"));
        leaf.startMs = uint64(_u(k, ".startMs"));
        leaf.endMs = uint64(_u(k, ".endMs"));
        leaf.activeMs = uint32(_u(k, ".activeMs"));
        leaf.firstUnit = uint64(_u(k, ".firstUnit"));
        leaf.unitCount = uint32(_u(k, ".unitCount"));
        leaf.unitsRoot = _b32(k, ".unitsRoot");
        leaf.cost = uint128(_u(k, ".cost"));
        leaf.ibmMicro = uint96(_u(k, ".ibmMicro"));
        leaf.telemetryDigest = _b32(k, ".telemetryDigest");
    }

    function _job(string memory k) private view returns (Job memory job) {
        (job.builder, job.manager) = (_a(k, ".builder"), _a(k, ".manager"));
        job.programId = _b32(k, ".programId");
        (job.inputRoot, job.paramsRoot) = (_b32(k, ".inputRoot"), _b32(k, ".paramsRoot"));
        (job.unitCount, job.maxCost) = (uint64(_u(k, ".unitCount")), uint64(_u(k, ".maxCost")));
        job.referenceRate = uint64(_u(k, ".referenceRate"));
        job.priceCapWei = uint96(_u(k, ".priceCapWei"));
        (job.minIbMicro, job.deadlineAt) = (uint64(_u(k, ".minIbMicro")), uint64(_u(k, ".deadlineAt")));
        job.salt = uint64(_u(k, ".salt"));
    }

    function _order(string memory k) private view returns (WorkOrder memory order) {
        (order.manager, order.builder) = (_a(k, ".manager"), _a(k, ".builder"));
        order.deviceId = _b32(k, ".deviceId");
        (order.tasksRoot, order.taskCount) = (_b32(k, ".tasksRoot"), uint32(_u(k, ".taskCount")));
        (order.capIbmMicro, order.capWei) = (uint96(_u(k, ".capIbmMicro")), uint96(_u(k, ".capWei")));
        (order.priceWei, order.leaseEndsAt) = (uint96(_u(k, ".priceWei")), uint64(_u(k, ".leaseEndsAt")));
    }

    function _receipt(string memory k) private view returns (Receipt memory r) {
        (r.manager, r.worker) = (_a(k, ".manager"), _a(k, ".worker"));
        (r.jobId, r.taskId) = (_b32(k, ".jobId"), _b32(k, ".taskId"));
        (r.firstUnit, r.unitCount) = (uint64(_u(k, ".firstUnit")), uint32(_u(k, ".unitCount")));
        r.unitsRoot = _b32(k, ".unitsRoot");
    }

    function _header(string memory k) private view returns (ClaimHeader memory h) {
        (h.deviceId, h.seq) = (_b32(k, ".deviceId"), uint32(_u(k, ".seq")));
        (h.paramsVersion, h.ibMicro) = (uint32(_u(k, ".paramsVersion")), uint64(_u(k, ".ibMicro")));
        (h.startMs, h.endMs) = (uint64(_u(k, ".startMs")), uint64(_u(k, ".endMs")));
        (h.postedAt, h.deadlineAt) = (uint64(_u(k, ".postedAt")), uint64(_u(k, ".deadlineAt")));
        (h.blobHash, h.linesHash) = (_b32(k, ".blobHash"), _b32(k, ".linesHash"));
    }

    function _lines(string memory k) private view returns (Line[] memory lines) {
        uint256 n = 0;
        while (_has(string.concat(k, "[", vm.toString(n), "]"))) ++n;
        lines = new Line[](n);
        for (uint256 i = 0; i < n; ++i) {
            string memory l = string.concat(k, "[", vm.toString(i), "]");
            (lines[i].builder, lines[i].manager) = (_a(l, ".builder"), _a(l, ".manager"));
            lines[i].orderHash = _b32(l, ".orderHash");
            (lines[i].cursorFrom, lines[i].cursorTo) = (uint32(_u(l, ".cursorFrom")), uint32(_u(l, ".cursorTo")));
            (lines[i].topHash, lines[i].leafCount) = (_b32(l, ".topHash"), uint64(_u(l, ".leafCount")));
            lines[i].sumIbmMicro = uint96(_u(l, ".sumIbmMicro"));
            (lines[i].amountWei, lines[i].shortfallWei) = (uint96(_u(l, ".amountWei")), uint96(_u(l, ".shortfallWei")));
        }
    }
}
