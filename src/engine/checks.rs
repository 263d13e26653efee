//! What every engine refuses alike.

use crate::data::{Matrix, check_finite};
use crate::error::{Error, Result};
use crate::network::Network;

/// Checks rows to predict from.
pub(super) fn check_features(network: &Network, features: &Matrix) -> Result<()> {
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

/// Says that there is nothing to validate on.
pub(super) fn none_held_out() -> Error {
    Error::invalid("no rows were held out to validate on", "call Engine::hold_out before")
}
