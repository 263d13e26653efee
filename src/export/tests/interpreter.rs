//! What a model says, by the plain meaning of its operators (<https://onnx.ai/onnx/operators>), in `f64`. Types are
//! not looked at: a cast changes nothing.

use crate::export::proto::{AttributeProto, ModelProto, NodeProto, TensorProto, data_type};
use std::collections::HashMap;

/// A tensor of at most two dimensions, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid<T> {
    pub columns: usize,
    pub cells: Vec<T>,
}

impl<T> Grid<T> {
    pub fn row(&self, row: usize) -> &[T] {
        &self.cells[row * self.columns..][..self.columns]
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Numbers(Grid<f64>),
    Texts(Grid<String>),
}

impl Value {
    pub fn numbers(&self) -> &Grid<f64> {
        match self {
            Self::Numbers(grid) => grid,
            Self::Texts(_) => panic!("texts for numbers"),
        }
    }

    pub fn texts(&self) -> &Grid<String> {
        match self {
            Self::Texts(grid) => grid,
            Self::Numbers(_) => panic!("numbers for texts"),
        }
    }
}

/// All values of the model by name.
pub fn evaluate(model: &ModelProto, inputs: HashMap<String, Value>) -> HashMap<String, Value> {
    let graph = model.graph.as_ref().expect("a graph");
    let mut values = inputs;
    for tensor in &graph.initializer {
        values.insert(tensor.name.clone(), Value::Numbers(read(tensor)));
    }
    for node in &graph.node {
        let inputs: Vec<&Value> = node.input.iter().map(|name| &values[name]).collect();
        let output = apply(node, &inputs);
        values.insert(node.output[0].clone(), output);
    }
    values
}

fn read(tensor: &TensorProto) -> Grid<f64> {
    let bytes = tensor.raw_data.as_ref().expect("raw data");
    fn all<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.chunks_exact(N).map(|chunk| number(chunk.try_into().expect("N bytes"))).collect()
    }
    let cells = match tensor.data_type {
        data_type::FLOAT => all(bytes, |bytes| f32::from_le_bytes(bytes).into()),
        data_type::DOUBLE => all(bytes, f64::from_le_bytes),
        data_type::INT64 => all(bytes, |bytes| i64::from_le_bytes(bytes) as f64),
        other => panic!("{}: data type {other}", tensor.name),
    };
    assert_eq!(tensor.dims.iter().product::<i64>() as usize, cells.len(), "{}", tensor.name);
    Grid { columns: tensor.dims.last().map_or(1, |&columns| columns as usize), cells }
}

fn apply(node: &NodeProto, inputs: &[&Value]) -> Value {
    if node.op_type == "LabelEncoder" {
        return look_up(node, inputs[0]);
    }
    let x: Vec<&Grid<f64>> = inputs.iter().map(|value| value.numbers()).collect();
    Value::Numbers(match node.op_type.as_str() {
        "Cast" => x[0].clone(),
        "Relu" => each(x[0], |x| x.max(0.0)),
        "Tanh" => each(x[0], f64::tanh),
        "Erf" => each(x[0], libm::erf),
        "Sigmoid" => each(x[0], |x| 1.0 / (1.0 + (-x).exp())),
        "IsNaN" => each(x[0], |x| f64::from(x.is_nan())),
        "Add" => pairs(x[0], x[1], |a, b| a + b),
        "Sub" => pairs(x[0], x[1], |a, b| a - b),
        "Mul" => pairs(x[0], x[1], |a, b| a * b),
        "Div" => pairs(x[0], x[1], |a, b| a / b),
        "Equal" => pairs(x[0], x[1], |a, b| f64::from(a == b)),
        "Greater" => pairs(x[0], x[1], |a, b| f64::from(a > b)),
        "Sqrt" => each(x[0], f64::sqrt),
        "Exp" => each(x[0], f64::exp),
        "Log" => each(x[0], f64::ln),
        "Neg" => each(x[0], |x| -x),
        "Abs" => each(x[0], f64::abs),
        "Sign" => each(x[0], |x| if x == 0.0 { 0.0 } else { x.signum() }),
        "Clip" => each(x[0], |it| it.clamp(x[1].cells[0], x[2].cells[0])),
        "Where" => {
            let chosen = pairs(x[0], x[1], |holds, a| if holds == 1.0 { a } else { f64::NAN });
            let other = pairs(x[0], x[2], |holds, b| if holds == 1.0 { f64::NAN } else { b });
            pairs(&chosen, &other, |a, b| if a.is_nan() { b } else { a })
        }
        "MatMul" => rows(x[0], x[1].columns, |row| {
            let column = |at: usize| x[1].cells.iter().skip(at).step_by(x[1].columns);
            let dot = |at| column(at).zip(row).map(|(w, x)| w * x).sum();
            (0..x[1].columns).map(dot).collect()
        }),
        "Softplus" => each(x[0], |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        "Max" => x[1..].iter().fold(x[0].clone(), |most, it| pairs(&most, it, f64::max)),
        "Mean" => {
            let sum = x[1..].iter().fold(x[0].clone(), |sum, it| pairs(&sum, it, |a, b| a + b));
            each(&sum, |sum| sum / x.len() as f64)
        }
        "LogSoftmax" => rows(x[0], x[0].columns, |row| {
            let sum: f64 = row.iter().map(|x| x.exp()).sum();
            row.iter().map(|x| x - sum.ln()).collect()
        }),
        "Softmax" => rows(x[0], x[0].columns, |row| {
            let sum: f64 = row.iter().map(|x| x.exp()).sum();
            row.iter().map(|x| x.exp() / sum).collect()
        }),
        "ArgMax" => rows(x[0], 1, |row| {
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            vec![row.iter().position(|&x| x == most).expect("a number") as f64]
        }),
        "Gather" => rows(x[0], x[1].cells.len(), |row| {
            x[1].cells.iter().map(|&place| row[place as usize]).collect()
        }),
        "Gemm" => {
            assert_eq!(attribute(node, "transB").i, Some(1));
            rows(x[0], x[2].columns, |row| {
                let weights = x[1].cells.chunks_exact(x[1].columns).zip(&x[2].cells);
                let dot = |w: &[f64]| w.iter().zip(row).map(|(w, x)| w * x).sum::<f64>();
                weights.map(|(weights, bias)| dot(weights) + bias).collect()
            })
        }
        "Concat" => {
            let columns = x.iter().map(|grid| grid.columns).sum();
            let row = |row: usize| x.iter().flat_map(move |grid| grid.row(row));
            let count = x[0].cells.len() / x[0].columns;
            Grid { columns, cells: (0..count).flat_map(row).copied().collect() }
        }
        other => panic!("no operator {other}"),
    })
}

fn look_up(node: &NodeProto, input: &Value) -> Value {
    assert_eq!(node.domain, "ai.onnx.ml");
    match input {
        Value::Texts(Grid { columns, cells }) => {
            let (keys, values) =
                (&attribute(node, "keys_strings").strings, &attribute(node, "values_int64s").ints);
            let default = attribute(node, "default_int64").i.expect("a default");
            let index = |cell: &String| keys.iter().position(|key| key == cell.as_bytes());
            let value = |cell| index(cell).map_or(default, |index| values[index]) as f64;
            Value::Numbers(Grid { columns: *columns, cells: cells.iter().map(value).collect() })
        }
        Value::Numbers(Grid { columns, cells }) => {
            let (keys, values) =
                (&attribute(node, "keys_int64s").ints, &attribute(node, "values_strings").strings);
            let index = |cell: &f64| keys.iter().position(|&key| key as f64 == *cell);
            let value = |cell| values[index(cell).expect("a known index")].clone();
            let text = |cell| String::from_utf8(value(cell)).expect("UTF-8");
            Value::Texts(Grid { columns: *columns, cells: cells.iter().map(text).collect() })
        }
    }
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> &'a AttributeProto {
    let found = node.attribute.iter().find(|attribute| attribute.name == name);
    found.unwrap_or_else(|| panic!("{}: no attribute {name}", node.name))
}

fn each(x: &Grid<f64>, f: impl Fn(f64) -> f64) -> Grid<f64> {
    Grid { columns: x.columns, cells: x.cells.iter().map(|&x| f(x)).collect() }
}

/// Two grids, cell by cell; a single row or column goes with all of the other's.
fn pairs(a: &Grid<f64>, b: &Grid<f64>, f: impl Fn(f64, f64) -> f64) -> Grid<f64> {
    let columns = a.columns.max(b.columns);
    let count = (a.cells.len() / a.columns).max(b.cells.len() / b.columns);
    let at = |grid: &Grid<f64>, row: usize, column: usize| {
        let rows = grid.cells.len() / grid.columns;
        grid.cells[row % rows * grid.columns + column % grid.columns]
    };
    let cell = |i: usize| {
        let (row, column) = (i / columns, i % columns);
        f(at(a, row, column), at(b, row, column))
    };
    Grid { columns, cells: (0..count * columns).map(cell).collect() }
}

fn rows(x: &Grid<f64>, columns: usize, f: impl Fn(&[f64]) -> Vec<f64>) -> Grid<f64> {
    Grid { columns, cells: x.cells.chunks_exact(x.columns).flat_map(f).collect() }
}
