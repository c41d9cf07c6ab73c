// An independent client: typed data, ABI encoding and the sum tree, written from PROTOCOL.md with ethers,
// against the vectors that Rust and Solidity read.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";
import { AbiCoder, Interface, Signature, TypedDataEncoder, concat, dataSlice, getAddress, hexlify, keccak256, recoverAddress, solidityPacked, toBeHex } from "ethers";

const vectors = new URL("../../test-vectors/", import.meta.url);
const abis = new URL("../abi/", import.meta.url);

/** The cases of a file. */
function load(name) {
    return JSON.parse(readFileSync(new URL(`${name}.json`, vectors), "utf8"));
}

const ADDRESS = "address";
const types = {
    Job: fields("address builder,address manager,bytes32 programId,bytes32 inputRoot,bytes32 paramsRoot,uint64 unitCount,uint64 maxCost,uint64 referenceRate,uint96 priceCapWei,uint64 minIbMicro,uint64 deadlineAt,uint64 salt"),
    WorkOrder: fields("address manager,bytes32 deviceId,address builder,bytes32 tasksRoot,uint32 taskCount,uint96 capIbmMicro,uint96 capWei,uint96 priceWei,uint64 leaseEndsAt"),
    Receipt: fields("address manager,address worker,bytes32 jobId,bytes32 taskId,uint64 firstUnit,uint32 unitCount,bytes32 unitsRoot"),
    OperatorConsent: fields("address owner,address operator"),
    ApiRequest: fields("address caller,string method,string path,bytes32 bodyHash,uint64 nonce,uint64 expiresAt"),
};

function fields(text) {
    return text.split(",").map((field) => ({ type: field.split(" ")[0], name: field.split(" ")[1] }));
}

function message(type, values) {
    return Object.fromEntries(types[type].map((field) => [field.name, field.type === ADDRESS ? getAddress(values[field.name]) : values[field.name]]));
}

const INTERVAL = fields("uint32 seq,bytes32 jobId,bytes32 taskId,bytes32 deviceId,uint32 taskIndex,uint32 checkpointIndex,uint64 startMs,uint64 endMs,uint32 activeMs,uint64 firstUnit,uint32 unitCount,bytes32 unitsRoot,uint128 cost,uint96 ibmMicro,bytes32 telemetryDigest");
const UNIT = fields("uint64 unitIndex,uint8 status,bytes32 outputRoot,uint64 cost");
const TASK = fields("bytes32 jobId,uint64 firstUnit,uint32 unitCount,uint64 maxCost,uint64 referenceRate,uint64 leaseEndsAt");

function leafHash(tag, layout, values) {
    const packed = solidityPacked(layout.map((field) => field.type), layout.map((field) => values[field.name]));
    return keccak256(concat([toBeHex(0, 1), toBeHex(tag, 1), packed]));
}

const sumOf = (node) => BigInt(node.sum);
const join = (left, right) => ({
    hash: keccak256(concat(["0x01", left.hash, toBeHex(sumOf(left), 16), right.hash, toBeHex(sumOf(right), 16)])),
    sum: sumOf(left) + sumOf(right),
});

/** All levels of a tree, leaves first; an odd last node is carried. */
function levelsOf(leaves) {
    const levels = [leaves];
    while (levels.at(-1).length > 1) {
        const below = levels.at(-1);
        const above = [];
        for (let i = 0; i < below.length; i += 2) above.push(i + 1 < below.length ? join(below[i], below[i + 1]) : below[i]);
        levels.push(above);
    }
    return levels;
}

function siblingsOf(levels, index) {
    const siblings = [];
    for (const level of levels.slice(0, -1)) {
        if ((index ^ 1) < level.length) siblings.push(level[index ^ 1]);
        index >>= 1;
    }
    return siblings;
}

const rootOf = (leafCount, top) => keccak256(concat(["0x02", toBeHex(leafCount, 8), top.hash, toBeHex(sumOf(top), 16)]));
const plain = (nodes) => nodes.map((node) => ({ hash: node.hash, sum: BigInt(node.sum) }));

test("sum trees have the roots and the proofs of the vectors", () => {
    const file = load("sum_tree");
    assert.ok(file.trees.length >= 5, "the file lost its cases");
    for (const tree of file.trees) {
        const levels = levelsOf(tree.leaves);
        const top = levels.at(-1)[0];
        assert.deepEqual(plain([top]), plain([tree.top]), tree.name);
        assert.equal(rootOf(tree.leaves.length, top), tree.root, tree.name);
        for (const proof of tree.proofs) {
            assert.deepEqual(plain(siblingsOf(levels, Number(proof.leafIndex))), plain(proof.siblings), tree.name);
        }
        for (const descent of tree.descents ?? []) {
            const level = Number(descent.level);
            const down = Math.min(level, 5);
            const first = Number(descent.index) << down;
            assert.deepEqual(plain(levels[level - down].slice(first, first + (1 << down))), plain(descent.nodes), tree.name);
        }
    }
});

test("leaves hash as in the vectors", () => {
    const file = load("leaves");
    for (const { name, interval, leafHash: hash } of file.intervals) assert.equal(leafHash(1, INTERVAL, interval), hash, name);
    for (const { name, unit, leafHash: hash } of file.units) assert.equal(leafHash(2, UNIT, unit), hash, name);
    for (const { name, task, taskId } of file.tasks) assert.equal(leafHash(3, TASK, task), taskId, name);
    for (const c of file.payables) {
        const proved = (BigInt(c.cost) * BigInt(c.referenceRate)) / 10n ** 12n;
        const timed = (BigInt(c.ibMicro) * BigInt(c.activeMs)) / 60000n;
        assert.equal(proved < timed ? proved : timed, BigInt(c.ibmMicro), c.name);
    }
    assert.ok(file.intervals.length >= 2 && file.units.length >= 2 && file.tasks.length >= 2 && file.payables.length >= 4);
});

test("messages hash and recover as in the vectors", () => {
    const file = load("typed_data");
    const lists = { jobs: "Job", workOrders: "WorkOrder", receipts: "Receipt", operatorConsents: "OperatorConsent", apiRequests: "ApiRequest" };
    for (const [list, type] of Object.entries(lists)) {
        assert.ok(file[list].length >= 1, `${list} lost its cases`);
        for (const c of file[list]) {
            const domain = { name: "Inferix", version: "1", chainId: BigInt(c.chainId), verifyingContract: getAddress(c.verifyingContract) };
            const value = message(type, c.message);
            const digest = TypedDataEncoder.hash(domain, { [type]: types[type] }, value);
            assert.equal(TypedDataEncoder.hashStruct(type, { [type]: types[type] }, value), c.structHash, c.name);
            assert.equal(digest, c.signingHash, c.name);
            assert.equal(recoverAddress(digest, Signature.from(c.signature)), getAddress(c.signer), c.name);
        }
    }
});

test("headers and lines encode as the interface's structs do", () => {
    const file = load("claim");
    const finalize = JSON.parse(readFileSync(new URL("IWorkClaims.json", abis), "utf8")).find((entry) => entry.name === "finalize");
    const [header, lines] = finalize.inputs.map(tupleOf);
    const coder = AbiCoder.defaultAbiCoder();
    for (const c of file.headers) {
        assert.equal(keccak256(coder.encode([header.type], [header.values(c.header)])), c.headerHash, c.name);
        const deviceId = solidityPacked(["address", "uint96"], [getAddress(c.worker), c.deviceIndex]);
        assert.equal(c.header.deviceId, deviceId, c.name);
        assert.equal(keccak256(concat([deviceId, toBeHex(c.header.seq, 4)])), c.claimId, c.name);
        assert.equal(c.headerHash.slice(0, 2 + 50), c.hash200, c.name);
    }
    for (const c of file.lines) {
        assert.equal(keccak256(coder.encode([lines.type], [c.lines.map(lines.values)])), c.linesHash, c.name);
    }
    assert.ok(file.headers.length >= 2 && file.lines.length >= 2);
});

/** The type and the values of a struct, in the order that the ABI says. */
function tupleOf(input) {
    const inner = `tuple(${input.components.map((part) => part.type).join(",")})`;
    return {
        type: input.type.replace("tuple", inner),
        values: (record) => input.components.map((part) => (part.type === ADDRESS ? getAddress(record[part.name]) : record[part.name])),
    };
}

test("proofs of fraud decode to the claims that they are of", () => {
    const file = load("fraud");
    const frauds = new Interface(JSON.parse(readFileSync(new URL("IFraudProofs.json", abis), "utf8")));
    const proven = new Set();
    for (const c of file.frauds) {
        const call = frauds.parseTransaction({ data: c.calldata });
        const [{ header, lines, lineIndex }, prover, salt] = call.args[0];
        proven.add(call.name);
        assert.equal(frauds.encodeFunctionData(call.name, call.args), c.calldata, c.name);
        assert.equal(keccak256(concat([header.deviceId, toBeHex(header.seq, 4)])), c.claimId, c.name);
        const lineType = call.fragment.inputs[0].components[0].components[1];
        assert.equal(keccak256(AbiCoder.defaultAbiCoder().encode([lineType], [lines])), header.linesHash, c.name);
        assert.deepEqual([lineIndex, prover, salt], [BigInt(c.lineIndex), getAddress(c.prover), c.salt], c.name);
        assert.equal(keccak256(concat([c.claimId, c.prover, c.salt])), c.commitment, c.name);
    }
    const needed = frauds.fragments.filter((part) => part.type === "function" && part.name.startsWith("prove"));
    assert.deepEqual([...proven].sort(), needed.map((part) => part.name).sort());
});

/** Reads big-endian fields off a blob, front to back. */
class BlobReader {
    constructor(bytes) {
        [this.bytes, this.at] = [bytes, 2];
    }

    take(size) {
        const from = this.at;
        this.at += 2 * size;
        assert.ok(this.at <= this.bytes.length, "the blob is too short");
        return `0x${this.bytes.slice(from, this.at)}`;
    }

    fields(layout) {
        const size = (type) => (type === ADDRESS ? 20 : Number(type.match(/\d+$/)[0]) / (type.startsWith("bytes") ? 1 : 8));
        return Object.fromEntries(layout.map(({ type, name }) => {
            const word = this.take(size(type));
            return [name, type.startsWith("uint") ? BigInt(word) : word];
        }));
    }

    each(read) {
        return Array.from({ length: Number(this.take(4)) }, () => read());
    }
}

function readBlob(bytes) {
    const r = new BlobReader(bytes);
    assert.equal(r.take(6), "0x494658420001", "magic and version");
    const head = r.fields(fields("bytes32 deviceId,uint32 seq,uint64 startMs,uint64 endMs"));
    head.lines = r.each(() => ({
        order: r.fields(types.WorkOrder),
        signature: r.take(64),
        tasks: r.each(() => r.fields(TASK)),
        jobs: r.each(() => ({ job: r.fields(types.Job), signature: r.take(64) })),
        intervals: r.each(() => ({ interval: r.fields(INTERVAL), units: r.each(() => r.fields(UNIT)) })),
        nodes: r.each(() => r.take(96)),
        roots: r.each(() => r.take(56)),
    }));
    assert.equal(r.at, bytes.length, "the blob is too long");
    return head;
}

const treeRoot = (leaves) => (leaves.length === 0 ? null : rootOf(leaves.length, levelsOf(leaves).at(-1)[0]));

test("claim blobs read and hash as in the vectors", () => {
    const file = load("blob");
    assert.ok(file.blobs.length >= 2);
    const hashStruct = (type, value) => TypedDataEncoder.hashStruct(type, { [type]: types[type] }, message(type, value));
    for (const { name, bytes, hash, decoded } of file.blobs) {
        assert.equal(keccak256(bytes), hash, name);
        const blob = readBlob(bytes);
        const lines = blob.lines.map((line) => ({
            orderHash: hashStruct("WorkOrder", line.order),
            orderSignature: line.signature,
            taskCount: `${line.tasks.length}`,
            jobIds: line.jobs.map(({ job }) => hashStruct("Job", job)),
            intervalCount: `${line.intervals.length}`,
            unitCount: `${line.intervals.reduce((count, { units }) => count + units.length, 0)}`,
            nodeCount: `${line.nodes.length}`,
            rootCount: `${line.roots.length}`,
            tasksRoot: treeRoot(line.tasks.map((task) => ({ hash: leafHash(3, TASK, task), sum: task.unitCount }))),
            root: treeRoot(line.intervals.map(({ interval }) => ({ hash: leafHash(1, INTERVAL, interval), sum: interval.ibmMicro }))),
        }));
        const head = { deviceId: blob.deviceId, seq: `${blob.seq}`, startMs: `${blob.startMs}`, endMs: `${blob.endMs}` };
        assert.deepEqual({ ...head, lines }, decoded, name);
    }
});

test("regions of memory have the roots of the vectors", () => {
    const cases = load("memory");
    assert.ok(cases.length >= 4);
    for (const { name, len, step, log2_size: log2Size, root } of cases) {
        const leaves = Array.from({ length: Math.ceil(len / 32) }, (_, i) => Uint8Array.from({ length: 32 }, (_, k) => (32 * i + k < len ? (step * (32 * i + k)) & 0xff : 0)));
        let level = leaves.map((leaf) => hexlify(leaf));
        let zero = `0x${"00".repeat(32)}`;
        for (let height = 5; height < log2Size; ++height) {
            level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => keccak256(concat([level[2 * i], level[2 * i + 1] ?? zero])));
            zero = keccak256(concat([zero, zero]));
        }
        assert.equal(level[0] ?? zero, root, name);
    }
});

test("programs have the ids of their parts", () => {
    const cases = load("programs");
    assert.ok(cases.length >= 1);
    for (const c of cases) {
        const sizes = [c.log2Code, c.log2Memory, c.log2Input, c.log2Params, c.log2Output].map((size) => toBeHex(size, 1));
        const preimage = concat(["0x06", c.codeRoot, c.constantsRoot, toBeHex(c.entry, 4), toBeHex(c.maxSteps, 8), ...sizes]);
        assert.equal(keccak256(preimage), c.programId, c.name);
    }
});

test("witnesses of the dispute VM are of the states that they say", () => {
    const { steps } = load("vm");
    assert.ok(steps.length >= 180);
    for (const { name, programId, witness, before } of steps) {
        assert.equal(keccak256(concat(["0x05", programId, dataSlice(witness, 0, 169)])), before, name);
    }
});

test("every interface of the contracts has an abi that ethers reads", () => {
    const files = readdirSync(abis).filter((file) => file.endsWith(".json"));
    assert.ok(files.length >= 10);
    for (const file of files) {
        const parsed = new Interface(JSON.parse(readFileSync(new URL(file, abis), "utf8")));
        assert.ok(parsed.fragments.length > 0, file);
    }
});

test("the contracts sign the messages that PROTOCOL.md names", () => {
    const text = readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8");
    for (const [type, parts] of Object.entries(types)) {
        const line = `${type}(${parts.map((part) => `${part.type} ${part.name}`).join(",")})`;
        assert.ok(text.includes(line), line);
    }
});
