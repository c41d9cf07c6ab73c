// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {LeafEvidence, LineRef, TaskEvidence, UnitEvidence} from "../libraries/Evidence.sol";
import {Sibling, SumTop} from "../libraries/SumTree.sol";
import {Job, Receipt, Signature, WorkOrder} from "../libraries/TypedData.sol";

/// @title IDemands
/// @notice Asks on chain that something hidden be shown (PROTOCOL.md, Demands).
/// @dev What is asked for is a place, so that nobody can ask for what there is not. A place is asked for once.
interface IDemands {
    /* TYPES */

    /// @notice What can be asked for, and which fields of `Demand` name its place.
    enum DemandKind {
        /// A leaf of the line's tree: `leafIndex`.
        Interval,
        /// Up to 32 nodes, five levels below a node of the line's tree: `level`, `position`.
        Nodes,
        /// A unit of an interval: `leafIndex`, `position`.
        Unit,
        /// Up to 32 nodes, five levels below a node of an interval's tree of units: `leafIndex`, `level`, `position`.
        UnitNodes,
        /// A task of the line's order: `position`, within the cursor range.
        Task,
        /// The job of a task of the line's order, with the builder's signature: `position`, as for `Task`.
        Job,
        /// 32 leaves of a unit's output: `leafIndex`, `position`, `chunkIndex`.
        Output
    }

    /// @notice A place. Fields that the kind does not use are zero.
    struct Demand {
        bytes32 claimId;
        DemandKind kind;
        uint8 lineIndex;
        uint8 level;
        uint64 leafIndex;
        uint64 position;
        uint64 chunkIndex;
    }

    /// @notice Where a demand stands, and who must serve it.
    enum DemandStatus {
        None,
        OpenToWorker,
        OpenToManager,
        Served,
        Lost,
        Closed
    }

    /// @notice Nodes of one level, the root that they hang under, and the way up from the node above them.
    struct NodesEvidence {
        Sibling[] nodes;
        Sibling[] siblings;
    }

    /// @notice A chunk of an output: 32 leaves, and the way up to the output's root.
    struct ChunkEvidence {
        bytes data;
        bytes32[] siblings;
    }

    /* EVENTS */

    /// @notice Something was asked for; it is lost if nobody serves it by `deadlineAt`.
    event DemandOpened(
        bytes32 indexed demandId, bytes32 indexed claimId, address indexed demander, Demand demand, uint64 deadlineAt
    );
    /// @notice It was shown: the calldata of this transaction has it.
    event DemandServed(bytes32 indexed demandId, bytes32 indexed claimId, address indexed payee);
    /// @notice A receipt moved the duty to serve an output to the manager.
    event DemandShifted(bytes32 indexed demandId, address indexed manager, uint64 deadlineAt);
    /// @notice It was not shown in time.
    event DemandLost(bytes32 indexed demandId, bytes32 indexed claimId, address indexed loser);
    /// @notice The claim was rejected for another reason; the fee went back.
    event DemandClosed(bytes32 indexed demandId, bytes32 indexed claimId);

    /* ERRORS */

    /// @notice The place was asked for before.
    error DemandKnown(bytes32 demandId, DemandStatus status);
    /// @notice The demand is not open.
    error DemandNotOpen(bytes32 demandId, DemandStatus status);
    /// @notice The demand is of another kind than the call serves.
    error WrongKind(DemandKind kind, DemandKind needed);
    /// @notice The claim has no such line, or the demand names another claim.
    error LineUnknown(uint256 lineIndex, uint256 lineCount);
    /// @notice The demand names another claim than the header.
    error WrongClaim(bytes32 claimId, bytes32 needed);
    /// @notice There is no such place in the tree or in the list; or a field is used that the kind does not use.
    error NoSuchPlace();
    /// @notice A claim can be asked about for one window after its first deadline, and no longer.
    error DemandsOver(uint64 nowAt, uint64 endAt);
    /// @notice Outputs are for the line's builder and manager only.
    error NotAllowed(address caller);
    /// @notice The demand's deadline has passed.
    error DemandExpired(uint64 nowAt, uint64 deadlineAt);
    /// @notice The demand's deadline has not passed.
    error DemandNotExpired(uint64 nowAt, uint64 deadlineAt);
    /// @notice The claim still stands: the demand stays open.
    error ClaimStands(bytes32 claimId);
    /// @notice What was shown is of another place.
    error WrongPlace(uint256 shown, uint256 needed);
    /// @notice The preimage is not what was committed to.
    error WrongPreimage(bytes32 computed, bytes32 needed);
    /// @notice The job is not signed by the builder, or not for this line.
    error WrongSigner(address signer, address needed);

    /* DEMANDERS */

    /// @notice Asks for something, and pays `demandFeeWei` out of the caller's tokens (an allowance to this contract).
    /// @dev Reverts with `DemandKnown`, `LineUnknown`, `WrongClaim`, `NoSuchPlace`, `NotAllowed`, `DemandsOver`, the token's
    /// errors and what `IWorkClaims.requireOpen` reverts with.
    /// @return demandId The hash of the demand.
    function open(LineRef calldata target, Demand calldata demand) external returns (bytes32 demandId);

    /* SERVERS */

    /// @notice Shows an interval. Half of the fee goes to `payee`.
    function serveInterval(LineRef calldata target, Demand calldata demand, LeafEvidence calldata leaf, address payee)
        external;

    /// @notice Shows nodes of the line's tree.
    function serveNodes(LineRef calldata target, Demand calldata demand, NodesEvidence calldata shown, address payee)
        external;

    /// @notice Shows a unit; or, with the leaf and no unit that counts, that the interval has no such unit.
    function serveUnit(
        LineRef calldata target,
        Demand calldata demand,
        LeafEvidence calldata leaf,
        UnitEvidence calldata unit,
        address payee
    ) external;

    /// @notice Shows nodes of an interval's tree of units; or that the interval's tree has no such node.
    function serveUnitNodes(
        LineRef calldata target,
        Demand calldata demand,
        LeafEvidence calldata leaf,
        SumTop calldata units,
        NodesEvidence calldata shown,
        address payee
    ) external;

    /// @notice Shows a task of the order's list.
    function serveTask(
        LineRef calldata target,
        Demand calldata demand,
        WorkOrder calldata order,
        TaskEvidence calldata listed,
        address payee
    ) external;

    /// @notice Shows the job of a task of the order's list, and the builder's signature under it.
    function serveJob(
        LineRef calldata target,
        Demand calldata demand,
        WorkOrder calldata order,
        TaskEvidence calldata listed,
        Job calldata job,
        Signature calldata signature,
        address payee
    ) external;

    /// @notice Shows a chunk of a unit's output; or that the interval or the output has no such place.
    function serveOutput(
        LineRef calldata target,
        Demand calldata demand,
        LeafEvidence calldata leaf,
        UnitEvidence calldata unit,
        Job calldata job,
        ChunkEvidence calldata chunk,
        address payee
    ) external;

    /// @notice Moves the duty to serve an output to the manager, whose operator signed a receipt for it.
    function shiftToManager(
        LineRef calldata target,
        Demand calldata demand,
        LeafEvidence calldata leaf,
        Receipt calldata receipt,
        Signature calldata signature
    ) external;

    /* ANYONE */

    /// @notice Ends a demand that nobody served in time: the worker or the manager loses.
    function expire(LineRef calldata target, Demand calldata demand) external;

    /// @notice Ends a demand on a claim that was rejected meanwhile, and gives the fee back.
    function close(LineRef calldata target, Demand calldata demand) external;

    /* VIEWS */

    /// @notice Returns where a demand stands, who asked, and by when it must be served.
    function demandState(bytes32 demandId)
        external
        view
        returns (DemandStatus status, address demander, uint64 deadlineAt);

    /// @notice Returns a demand's id.
    function demandIdOf(Demand calldata demand) external pure returns (bytes32);
}
