// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.36;

import {IWorkClaims} from "../interfaces/IWorkClaims.sol";
import {ColdWord, HotWord, ParameterSet, Parameters} from "../libraries/ParameterSet.sol";

/// @title ParameterKeeper
/// @notice The parameters that claims are posted under, every version of them.
abstract contract ParameterKeeper is IWorkClaims {
    /* TYPES */

    /// @dev Two slots. Posting and finalizing read the first.
    struct Words {
        HotWord hot;
        ColdWord cold;
    }

    /* CONSTANTS */

    /// @notice Who may change the parameters of future claims.
    address public immutable TIMELOCK;

    /* STORAGE */

    Words internal _current;
    mapping(uint32 version => Words) private _past;

    /// @param timelock Who may change the parameters of future claims.
    /// @param first The first parameters; governance can't go far from them.
    constructor(address timelock, Parameters memory first) {
        TIMELOCK = timelock;

        ParameterSet.requireSound(first);
        _setParameters(first, 1);
    }

    /* GOVERNANCE */

    /// @inheritdoc IWorkClaims
    function setParameters(Parameters calldata next) external {
        require(msg.sender == TIMELOCK, NotTimelock(msg.sender, TIMELOCK));
        uint32 version = _current.hot.version();
        ParameterSet.requireSound(next);
        ParameterSet.requireNear(next, parametersAt(1));

        _past[version] = _current;
        _setParameters(next, version + 1);
    }

    /* VIEWS */

    /// @inheritdoc IWorkClaims
    function parameters() external view returns (uint32 version, Parameters memory) {
        HotWord hot = _current.hot;
        return (hot.version(), ParameterSet.unpack(hot, _current.cold));
    }

    /// @inheritdoc IWorkClaims
    function parametersAt(uint32 version) public view returns (Parameters memory) {
        return ParameterSet.unpack(_hotAt(version), _coldAt(version));
    }

    /* INTERNAL */

    function _setParameters(Parameters memory next, uint32 version) private {
        (_current.hot, _current.cold) = ParameterSet.pack(next, version);

        emit ParametersChanged(version, next);
    }

    function _hotAt(uint32 version) internal view returns (HotWord hot) {
        hot = _current.hot;
        return hot.version() == version ? hot : _past[version].hot;
    }

    function _coldAt(uint32 version) internal view returns (ColdWord) {
        return _current.hot.version() == version ? _current.cold : _past[version].cold;
    }
}
