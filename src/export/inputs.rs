//! From the table's columns to the network's inputs, as [`Encoder::encode_features`](crate::Encoder::encode_features)
//! makes them.
//!
//! All numbers are standardised at once, side by side, and each column of text becomes its own block of ones and
//! zeros; one `Gather` then puts the blocks' columns into the encoder's order.

use super::graph::{Graph, Kind};
use super::proto::AttributeProto;
use crate::error::Result;
use crate::tables::{FeatureColumn, FeatureEncoding, Scaling, spellings};

/// Adds an input a column and the way to the network's inputs; returns the name of these, shape `[rows, features]`.
pub(super) fn features(graph: &mut Graph, columns: &[FeatureColumn]) -> Result<String> {
    let mut blocks = Vec::new();
    let mut width = 0;
    // Of each column, the places of its inputs among the blocks side by side.
    let mut places = vec![Vec::new(); columns.len()];

    let numbers = declare_numbers(graph, columns)?;
    if !numbers.is_empty() {
        let (values, missing) = standardised_or_mean(graph, &numbers)?;
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

/// A column of numbers.
struct Number<'a> {
    /// Its place among the feature columns.
    index: usize,
    column: &'a str,
    scaling: Scaling,
    /// Whether the network has an input for the number, and one that says whether it is missing.
    value: bool,
    indicator: bool,
}

/// Adds the inputs of the columns of numbers, and gives these columns: first those that come as `float`.
fn declare_numbers<'a>(graph: &mut Graph, columns: &'a [FeatureColumn]) -> Result<Vec<Number<'a>>> {
    let mut numbers = Vec::new();
    for (index, FeatureColumn { column, encoding }) in columns.iter().enumerate() {
        match encoding {
            &FeatureEncoding::Number { scaling, indicator } => {
                let kind = kind_for(scaling);
                graph.input(column, kind, "a number; NaN where it is missing".into())?;
                numbers.push(Number { index, column, scaling, value: true, indicator });
            }
            // Of a column that says one thing no more is asked than whether it is missing.
            FeatureEncoding::Constant { indicator: true } => {
                let scaling = Scaling::NONE;
                graph.input(
                    column,
                    kind_for(scaling),
                    "any number; NaN where it is missing".into(),
                )?;
                numbers.push(Number { index, column, scaling, value: false, indicator: true });
            }
            FeatureEncoding::Constant { indicator: false } => {}
            FeatureEncoding::Category { .. } => {
                graph.input(column, Kind::Text, "a text; empty where it is missing".into())?;
            }
        }
    }
    numbers.sort_by_key(|number| matches!(kind_for(number.scaling), Kind::Double));
    Ok(numbers)
}

/// The type in which the numbers of a column come and go: `float`, unless that would move a number near the mean by
/// more than 2⁻²⁰ standard deviations (half an ulp, 2⁻²⁴ of the number), or could not hold it.
pub(super) fn kind_for(Scaling { mean, std }: Scaling) -> Kind {
    let is_resolved = mean.abs() < 16.0 * std;
    if is_resolved && (1e-30..1e30).contains(&std) { Kind::Float } else { Kind::Double }
}

/// Two values of shape `[rows, numbers]`: the standardised numbers, 0 where one is missing; and whether it is.
fn standardised_or_mean(graph: &mut Graph, numbers: &[Number]) -> Result<(String, String)> {
    let is_float = |number: &Number| matches!(kind_for(number.scaling), Kind::Float);
    let (floats, doubles) = numbers.split_at(numbers.partition_point(is_float));
    let mut parts = Vec::new();
    if !floats.is_empty() {
        parts.push(standardised_floats(graph, floats)?);
    }
    if !doubles.is_empty() {
        parts.push(standardised_doubles(graph, doubles)?);
    }
    let standardised = graph.side_by_side(parts, "/numbers/standardised")?;
    let missing = graph.node("IsNaN", &[&standardised], "/numbers/missing", vec![])?;
    let zero = graph.scalar("/zero", 0.0)?;
    let values = graph.node("Where", &[&missing, &zero, &standardised], "/numbers", vec![])?;
    Ok((values, missing))
}

/// `(x − mean) / std` in `float`. The mean is taken off in two parts, for one `float` would miss it by half an ulp,
/// which is much where the numbers lie close together far from 0, as years do.
fn standardised_floats(graph: &mut Graph, numbers: &[Number]) -> Result<String> {
    let means: Vec<f32> = numbers.iter().map(|n| n.scaling.mean as f32).collect();
    let rests = numbers.iter().zip(&means).map(|(n, &mean)| n.scaling.mean - f64::from(mean));
    let rests: Vec<f32> = rests.map(|rest| rest as f32).collect();
    let stds: Vec<f32> = numbers.iter().map(|n| n.scaling.std as f32).collect();
    let mean = graph.tensor("/floats/mean", &[means.len()], &means)?;
    let rest = graph.tensor("/floats/mean_rest", &[rests.len()], &rests)?;
    let std = graph.tensor("/floats/std", &[stds.len()], &stds)?;
    let x = raw(graph, numbers, "/floats")?;
    let nearly = graph.node("Sub", &[&x, &mean], "/floats/nearly_centred", vec![])?;
    let centred = graph.node("Sub", &[&nearly, &rest], "/floats/centred", vec![])?;
    graph.node("Div", &[&centred, &std], "/floats/standardised", vec![])
}

/// `(x − mean) / std` in `double`, then as `float`.
fn standardised_doubles(graph: &mut Graph, numbers: &[Number]) -> Result<String> {
    let means: Vec<f64> = numbers.iter().map(|n| n.scaling.mean).collect();
    let stds: Vec<f64> = numbers.iter().map(|n| n.scaling.std).collect();
    let mean = graph.tensor("/doubles/mean", &[means.len()], &means)?;
    let std = graph.tensor("/doubles/std", &[stds.len()], &stds)?;
    let x = raw(graph, numbers, "/doubles")?;
    let centred = graph.node("Sub", &[&x, &mean], "/doubles/centred", vec![])?;
    let quotient = graph.node("Div", &[&centred, &std], "/doubles/quotient", vec![])?;
    graph.cast(&quotient, Kind::Float, "/doubles/standardised")
}

/// The columns as they come, side by side.
fn raw(graph: &mut Graph, numbers: &[Number], output: &str) -> Result<String> {
    graph.side_by_side(numbers.iter().map(|n| n.column.into()).collect(), output)
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
