//! Weights that others published: TorchJD's.

use super::*;

/// TorchJD's own example: J = [[−4, 1, 1], [6, 1, 1]].
const TORCHJD: [f64; 4] = [18.0, -22.0, -22.0, 38.0];

#[test]
fn published_vectors() {
    let half = [0.5];
    let rows: [(&dyn Scheme, &[f64], [f64; 2]); 11] = [
        (&Upgrad, &[], [1.1109, 0.7894]),
        (&AlignedMtl, &[], [0.559072, 0.408261]),
        (&Cagrad, &[0.5, 0.0], [0.704124, 0.5]),
        (&Cagrad, &[0.5, 1.0], [0.704124 / 1.25, 0.4]),
        (&Pcgrad, &[], [2.2222, 1.5789]),
        (&ImtlG, &[], [0.59233, 0.40767]),
        (&Fairgrad, &[1.0], [0.591461, 0.407071]),
        (&Fairgrad, &[2.0], [0.471363, 0.319454]),
        (&Mgda, &[], [0.6, 0.4]),
        (&NtkMtl, &half, [1.763834, 1.213954]),
        (&NtkMtl, &[0.75], [2.342538, 1.337529]),
    ];
    for (scheme, settings, expected) in rows {
        assert_close(&at_first(scheme, settings, &TORCHJD), &expected, 1e-4);
    }
    let db = at_first(&DbMtl, &[0.0], &TORCHJD);
    assert!((db[0] / db[1] - 1.452966).abs() < 1e-6, "{db:?}");
    // The direction that TorchJD tests Nash-MTL by.
    let nash = at_first(&NashMtl, &[], &TORCHJD);
    let direction = [-4.0 * nash[0] + 6.0 * nash[1], nash[0] + nash[1], nash[0] + nash[1]];
    assert_close(&direction, &[0.0542, 0.7061, 0.7061], 1e-4);
}
