//! What every engine refuses alike.

use crate::data::{Matrix, check_finite};
use crate::error::{Error, Result};
use crate::network::Network;

/// Checks rows to predict from.
pub(crate) fn check_features(network: &Network, features: &Matrix) -> Result<()> {
    if features.columns() != network.features() {
        return Err(Error::Mismatch {
            what: "the rows to predict from".into(),
            unit: "features",
            found: features.columns(),
            expected: network.features(),
            why: "the network's inputs".into(),
        });
    }
    check_finite("the features to predict from", features)
}

/// Checks that a fleet has such a member.
pub(super) fn check_member(member: usize, members: usize) -> Result<()> {
    match member < members {
        true => Ok(()),
        false => Err(Error::invalid(
            format!("there is no member {member} in a fleet of {members}"),
            "count members from 0",
        )),
    }
}

/// Says that there is nothing to validate on.
pub(super) fn none_held_out() -> Error {
    Error::invalid("no rows were held out to validate on", "call Engine::hold_out before")
}
