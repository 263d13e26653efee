//! A graph under construction: values by name, and the nodes that make them.
//!
//! In ONNX the inputs, the outputs, the tensors and every value between them share one set of names, in which each
//! may occur once; here that is seen to. Names that users choose stand as they are, those of values between begin
//! with `/`.

use super::proto::{
    AttributeProto, Dimension, Extent, GraphProto, NodeProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto, data_type,
};
use crate::error::{Error, Result};
use std::collections::HashMap;

/// The domain of the operators for classical machine learning.
pub(super) const ML: &str = "ai.onnx.ml";

/// The name of the first dimension of every input and output.
const ROWS: &str = "rows";

/// A graph under construction.
#[derive(Default)]
pub(super) struct Graph {
    graph: GraphProto,
    names: HashMap<String, Role>,
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Input,
    Tensor,
    Inner,
    Output,
}

/// An element type of inputs, outputs and casts.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Float,
    Double,
    Int64,
    Text,
}

impl Kind {
    /// The number that ONNX has for it.
    pub fn code(self) -> i32 {
        match self {
            Self::Float => data_type::FLOAT,
            Self::Double => data_type::DOUBLE,
            Self::Int64 => data_type::INT64,
            Self::Text => data_type::STRING,
        }
    }
}

/// A number that tensors are made of.
pub(super) trait Number: bytemuck::NoUninit {
    const KIND: Kind;
}

impl Number for f32 {
    const KIND: Kind = Kind::Float;
}

impl Number for f64 {
    const KIND: Kind = Kind::Double;
}

impl Number for i64 {
    const KIND: Kind = Kind::Int64;
}

impl Graph {
    /// Adds an input, shape `[rows, 1]`.
    pub fn input(&mut self, name: &str, kind: Kind, doc: String) -> Result<()> {
        self.claim(name, Role::Input)?;
        self.graph.input.push(value(name, kind, 1, doc));
        Ok(())
    }

    /// Adds a tensor of these dimensions that is part of the model, and returns its name.
    pub fn tensor<T: Number>(
        &mut self,
        name: &str,
        dims: &[usize],
        values: &[T],
    ) -> Result<String> {
        debug_assert_eq!(dims.iter().product::<usize>(), values.len(), "{name}");
        self.claim(name, Role::Tensor)?;
        self.graph.initializer.push(TensorProto {
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: T::KIND.code(),
            name: name.into(),
            raw_data: Some(little_endian(values)),
        });
        Ok(name.into())
    }

    /// A number that is part of the model, added when first asked for; returns its name.
    pub fn scalar(&mut self, name: &str, value: f32) -> Result<String> {
        match self.names.get(name) {
            Some(Role::Tensor) => Ok(name.into()),
            _ => self.tensor(name, &[], &[value]),
        }
    }

    /// Adds a node that makes the value `output` out of others, and returns that name.
    pub fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<AttributeProto>,
    ) -> Result<String> {
        // Outputs are announced before the node that makes them.
        if self.names.get(output) != Some(&Role::Output) {
            self.claim(output, Role::Inner)?;
        }
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.into()).collect(),
            output: vec![output.into()],
            name: format!("{operator}:{output}"),
            op_type: operator.into(),
            attribute: attributes,
            domain: if operator == "LabelEncoder" { ML.into() } else { String::new() },
        });
        Ok(output.into())
    }

    /// Values side by side, shape `[rows, all their columns]`; one value alone stays as it is.
    pub fn side_by_side(&mut self, parts: Vec<String>, output: &str) -> Result<String> {
        if let [part] = &parts[..] {
            return Ok(part.clone());
        }
        let inputs: Vec<&str> = parts.iter().map(String::as_str).collect();
        self.node("Concat", &inputs, output, vec![AttributeProto::int("axis", 1)])
    }

    /// The value in another type.
    pub fn cast(&mut self, input: &str, to: Kind, output: &str) -> Result<String> {
        let to = AttributeProto::int("to", to.code().into());
        self.node("Cast", &[input], output, vec![to])
    }

    /// Announces an output, shape `[rows, columns]`; the node that makes it comes after.
    pub fn output(&mut self, name: &str, kind: Kind, columns: usize, doc: String) -> Result<()> {
        self.claim(name, Role::Output)?;
        self.graph.output.push(value(name, kind, columns, doc));
        Ok(())
    }

    /// The graph as it is written.
    pub fn finish(self, name: &str) -> GraphProto {
        GraphProto { name: name.into(), ..self.graph }
    }

    fn claim(&mut self, name: &str, role: Role) -> Result<()> {
        let Some(other) = self.names.insert(name.into(), role) else { return Ok(()) };
        let what = match (other, role) {
            (Role::Input, Role::Input) => "two inputs".into(),
            (Role::Output, Role::Output) => "two outputs".into(),
            _ => format!("both {} and {}", other.noun(), role.noun()),
        };
        Err(Error::invalid(
            format!("\"{name}\" would be the name of {what} of the ONNX model"),
            "rename the column or the task, and train again",
        ))
    }
}

impl Role {
    fn noun(self) -> &'static str {
        match self {
            Self::Input => "an input",
            Self::Tensor => "a tensor",
            Self::Inner => "an inner value",
            Self::Output => "an output",
        }
    }
}

fn value(name: &str, kind: Kind, columns: usize, doc_string: String) -> ValueInfoProto {
    let extents = [Extent::Param(ROWS.into()), Extent::Value(columns as i64)];
    let dim = extents.map(|extent| Dimension { value: Some(extent) }).into();
    let shape = Some(TensorShapeProto { dim });
    let tensor_type = Some(TensorTypeProto { elem_type: kind.code(), shape });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }), doc_string }
}

/// The bytes of ONNX, whatever this machine's order is.
fn little_endian<T: Number>(values: &[T]) -> Vec<u8> {
    let mut bytes = bytemuck::cast_slice::<T, u8>(values).to_vec();
    if cfg!(target_endian = "big") {
        bytes.chunks_exact_mut(size_of::<T>()).for_each(<[u8]>::reverse);
    }
    bytes
}
