//! From the table's columns to the network's inputs, as [`Encoder::encode_features`](crate::Encoder::encode_features)
//! makes them.
//!
//! All [numbers](super::numbers) become one block, and each column of text its own block of ones and zeros; one `Gather` then
//! puts the blocks' columns into the encoder's order.

use super::graph::{Graph, Kind};
use super::numbers;
use super::proto::AttributeProto;
use crate::error::Result;
use crate::tables::{FeatureColumn, FeatureEncoding, spellings};

/// Adds an input a column and the way to the network's inputs; returns the name of these, shape `[rows, features]`.
pub(super) fn features(graph: &mut Graph, columns: &[FeatureColumn]) -> Result<String> {
    let mut blocks = Vec::new();
    let mut width = 0;
    // Of each column, the places of its inputs among the blocks side by side.
    let mut places = vec![Vec::new(); columns.len()];

    let numbers = numbers::declare(graph, columns)?;
    if !numbers.is_empty() {
        let (values, missing) = numbers::inputs_or_zero(graph, &numbers)?;
        blocks.push(values);
        for (place, number) in numbers.iter().enumerate().filter(|(_, n)| n.value) {
            places[number.index].push(place);
        }
        width += numbers.len();
        if numbers.iter().any(|number| number.indicator) {
            blocks.push(graph.cast(&missing, Kind::Float, "/numbers/indicators")?);
            for (place, number) in numbers.iter().enumerate().filter(|(_, n)| n.indicator) {
                places[number.index].push(width + place);
            }
            width += numbers.len();
        }
    }
    for (column, places) in columns.iter().zip(&mut places) {
        if let FeatureEncoding::Category { categories, rare } = &column.encoding {
            blocks.push(one_a_category(graph, &column.column, categories, rare.is_some())?);
            places.extend(width..width + column.width());
            width += column.width();
        }
    }

    let joined = graph.side_by_side(blocks, "/blocks")?;
    let order = places.concat();
    if order.iter().copied().eq(0..width) {
        return Ok(joined);
    }
    let order: Vec<i64> = order.into_iter().map(|place| place as i64).collect();
    let order = graph.tensor("/features/order", &[order.len()], &order)?;
    graph.node("Gather", &[&joined, &order], "/features", vec![AttributeProto::int("axis", 1)])
}

/// A block of shape `[rows, categories]`: 1 at the text's category, 0 elsewhere. Any other text has all 0, or 1 in one more column
/// where rare ones share it; a missing one has all 0.
fn one_a_category(
    graph: &mut Graph,
    column: &str,
    categories: &[String],
    has_rare: bool,
) -> Result<String> {
    /// The index of a text that has no column.
    const NONE: i64 = -1;
    let count = categories.len() + usize::from(has_rare);
    let (mut keys, indices): (Vec<String>, Vec<usize>) = spellings(categories).into_iter().unzip();
    let mut indices: Vec<i64> = indices.into_iter().map(|index| index as i64).collect();
    let other = if has_rare { categories.len() as i64 } else { NONE };
    if has_rare {
        // Missing.
        keys.push(String::new());
        indices.push(NONE);
    }
    let index = graph.node(
        "LabelEncoder",
        &[column],
        &format!("/texts/{column}/index"),
        vec![
            AttributeProto::strings("keys_strings", keys.iter()),
            AttributeProto::ints("values_int64s", indices.into_iter()),
            AttributeProto::int("default_int64", other),
        ],
    )?;
    let all: Vec<i64> = (0..count as i64).collect();
    let all = graph.tensor(&format!("/texts/{column}/indices"), &[count], &all)?;
    let own = graph.node("Equal", &[&index, &all], &format!("/texts/{column}/is_own"), vec![])?;
    graph.cast(&own, Kind::Float, &format!("/texts/{column}"))
}
