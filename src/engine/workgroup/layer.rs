//! A layer on a workgroup: which lane has which of its units, and which part of the gradient of its weights.

use super::means::Means;
use crate::network::Network;
use serde::Serialize;

/// Rows that a lane takes through a product at once.
const MOST_TILE: usize = 8;

/// A layer; all places in the packed parameters count vectors.
#[derive(Clone, Debug, Serialize)]
pub(in crate::engine) struct Layer {
    pub number: usize,
    pub is_last: bool,
    pub inputs: usize,
    pub outputs: usize,
    pub input_quads: usize,
    pub output_quads: usize,
    /// Where the weight `[outputs, inputs]` starts, both padded to vectors.
    pub natural: usize,
    pub bias: usize,
    /// Where the weight `[inputs, outputs]` starts.
    pub transposed: usize,
    /// In workgroup memory: from a row of the weight to the next, and the first of the bias among the biases.
    pub kept_stride: usize,
    pub first_bias: usize,
    /// Where weight and bias start in the engine's own parameters, which are not padded.
    pub weight: usize,
    pub unit: usize,
    /// Rows of a lane's outputs, one vector wide.
    pub tile: usize,
    /// Lanes that have such a tile.
    pub lanes: usize,
    /// Whether two lanes share the rows of both, forward for its outputs, backward for its inputs.
    pub splits_forward: bool,
    pub splits_backward: bool,
    pub gradient: GradientTile,
}

/// The part of a weight's gradient that a lane holds: `down` x `across` squares of 4 x 4, `rows` and `columns` apart, or a slice
/// of the outputs of one square.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(in crate::engine) struct GradientTile {
    pub down: usize,
    pub across: usize,
    pub rows: usize,
    pub columns: usize,
    /// Lanes without slices.
    pub lanes: usize,
    pub slices: usize,
    /// The first of the lanes.
    pub first: usize,
    /// Rows of a round of the loop that adds them up, and rows by which loads stand before their use.
    pub round: usize,
    pub ahead: usize,
}

/// The layers of a network for blocks of so many rows, or `None` where so many lanes cannot hold one.
pub(super) fn all(
    network: &Network,
    [rows, lanes]: [usize; 2],
    means: Means,
) -> Option<Vec<Layer>> {
    let mut layers: Vec<Layer> = Vec::new();
    let count = network.layers().len();
    for (number, layer) in network.layers().iter().enumerate() {
        let below = layers.last();
        let [at, first_bias] = below.map_or([0; 2], |below| {
            [below.bias + below.output_quads, below.first_bias + below.output_quads]
        });
        let mut layer = Layer::new(number, number + 1 == count, layer, at, rows, lanes)?;
        layer.first_bias = first_bias;
        if means.splits {
            layer.splits_forward = layer.splits(rows, layer.input_quads);
            let splits = below.is_some_and(|below| below.splits(rows, layer.output_quads));
            layer.splits_backward = splits;
        }
        layers.push(layer);
    }
    let group = layers.iter().map(|layer| layer.tile).min()?;
    for layer in &mut layers {
        layer.gradient.round = rows.min(group.max(4));
        layer.gradient.ahead = means.ahead;
    }
    Some(layers)
}

impl Layer {
    fn new(
        number: usize,
        is_last: bool,
        layer: &crate::network::Layer,
        at: usize,
        rows: usize,
        lanes: usize,
    ) -> Option<Self> {
        let input_quads = layer.inputs.div_ceil(4);
        let output_quads = layer.outputs.div_ceil(4);
        let across = (lanes / output_quads).checked_ilog2()?;
        let tile = rows / rows.min(1 << across);
        Some(Self {
            number,
            is_last,
            inputs: layer.inputs,
            outputs: layer.outputs,
            input_quads,
            output_quads,
            natural: at,
            bias: at + 4 * output_quads * input_quads,
            transposed: 0,
            // Odd, so that neighbouring rows lie in different banks.
            kept_stride: input_quads | 1,
            first_bias: 0,
            weight: layer.weight,
            unit: layer.bias,
            tile: Some(tile).filter(|tile| *tile <= MOST_TILE)?,
            lanes: output_quads * (rows / tile),
            splits_forward: false,
            splits_backward: false,
            gradient: GradientTile::new(output_quads, input_quads, lanes)?,
        })
    }

    /// Whether a product of this depth pays to be split: for tiles of few rows, and halves of whole blocks of four vectors.
    fn splits(&self, rows: usize, depth: usize) -> bool {
        self.tile <= 2 && rows / self.tile >= 2 && depth.is_multiple_of(8)
    }
}

impl GradientTile {
    /// The smallest tile with which the lanes hold all of the gradient, the squarest of those.
    fn new(output_quads: usize, input_quads: usize, lanes: usize) -> Option<Self> {
        let sides = [1, 2, 4, 8];
        let pairs = sides.into_iter().flat_map(|down| sides.map(|across| (down, across)));
        let tiles = pairs.map(|(down, across)| {
            let (rows, columns) = (output_quads.div_ceil(down), input_quads.div_ceil(across));
            let lanes = rows * columns;
            Self { down, across, rows, columns, lanes, slices: 1, ..Self::default() }
        });
        tiles
            .filter(|tile| tile.lanes <= lanes)
            .min_by_key(|tile| (tile.down * tile.across, tile.down.abs_diff(tile.across)))
    }

    /// Vectors that a lane holds.
    pub fn cells(&self) -> usize {
        4 * self.down * self.across / self.slices
    }
}

/// Shares out the gradients of layers that leave lanes without any, in slices of squares, and puts layers that leave many beside
/// each other. A slice's sums are short, so their rows are unrolled, with many loads on their way.
pub(super) fn slice(layers: &mut [Layer], [rows, lanes]: [usize; 2], means: Means) {
    /// Lanes that go through a program together, at most.
    const WAVE: usize = 64;
    let mut first = 0;
    for Layer { gradient, is_last, output_quads, .. } in layers {
        // Of the last biases every slice has a cell in the place of the features, four a row at least.
        let most = if *is_last { 4 * rows / *output_quads } else { 4 };
        if gradient.down * gradient.across == 1 {
            while gradient.slices < 4
                && 2 * gradient.slices <= most
                && 2 * gradient.slices * gradient.lanes <= lanes
            {
                gradient.slices *= 2;
            }
            let ahead =
                if means.ahead > 0 { [3, 4, 6][gradient.slices.ilog2() as usize] } else { 1 };
            (gradient.round, gradient.ahead) = (rows, ahead);
        }
        let held = gradient.slices * gradient.lanes;
        if first + held > lanes {
            first = 0;
        }
        gradient.first = first;
        first += held.next_multiple_of(WAVE);
    }
}
