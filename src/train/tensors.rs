//! Named tensors in safetensors files: PyTorch's names and layout, so that either side reads the other's.

use super::checksum;
use super::foreign::recognized;
use crate::error::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeSet, HashMap};

/// The file's one metadata key that is ours; its value is JSON, with a [checksum]. (One key, since the format keeps several in no
/// particular order, and the same state should give the same bytes.)
const NOTES: &str = "awl";

/// Tensors of so many members to be written, in `f32` where that loses nothing and else in `f64`.
pub(super) struct Writer {
    /// The first axis: none of a network alone.
    members: Option<usize>,
    tensors: Vec<(String, Vec<usize>, Vec<f64>)>,
}

impl Writer {
    pub(super) fn new(members: usize) -> Self {
        Self { members: (members != 1).then_some(members), tensors: Vec::new() }
    }

    /// A tensor, which has this shape in each member, with the values of every member.
    pub(super) fn push(&mut self, name: String, shape: &[usize], values: Vec<Vec<f64>>) {
        let shape: Vec<usize> = self.members.into_iter().chain(shape.iter().copied()).collect();
        let values = values.concat();
        debug_assert_eq!(shape.iter().product::<usize>(), values.len());
        self.tensors.push((name, shape, values));
    }

    /// The file's bytes, with their checksum: the same tensors and notes give the same bytes.
    pub(super) fn finish(self, notes: &serde_json::Value) -> Result<Vec<u8>> {
        let all = || self.tensors.iter().flat_map(|(_, _, values)| values);
        let is_single = all().all(|&value| f64::from(value as f32).to_bits() == value.to_bits());
        let (dtype, bytes): (_, fn(&f64) -> Vec<u8>) = if is_single {
            (Dtype::F32, |value| (*value as f32).to_le_bytes().into())
        } else {
            (Dtype::F64, |value| value.to_le_bytes().into())
        };
        let named = self.tensors.into_iter().map(|(name, shape, values)| {
            let bytes: Vec<u8> = values.iter().flat_map(bytes).collect();
            (name, shape, bytes)
        });
        let named: Vec<(String, Vec<usize>, Vec<u8>)> = named.collect();
        let views = named.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(dtype, shape.clone(), bytes);
            view.map(|view| (name.as_str(), view))
        });
        let views: Vec<_> = views.collect::<Result<_, _>>().map_err(unwritable)?;
        let notes = checksum::with_room(notes).to_string();
        let notes = HashMap::from([(NOTES.to_string(), notes)]);
        let mut bytes = safetensors::serialize(views, Some(notes)).map_err(unwritable)?;
        let is_sealed = checksum::seal(&mut bytes);
        debug_assert!(is_sealed, "the header has no room for the checksum where it was looked for");
        Ok(bytes)
    }
}

fn unwritable(error: safetensors::SafeTensorError) -> Error {
    Error::invalid(
        format!("the tensors cannot be written ({error})"),
        "give each task another name",
    )
}

/// A file's tensors, taken one by one; what is not taken is found out at the end.
pub(super) struct Reader<'a> {
    file: &'a str,
    tensors: SafeTensors<'a>,
    taken: BTreeSet<String>,
    /// Members to read for.
    members: usize,
    /// Whether the file's tensors have the members as their first axis.
    has_axis: bool,
}

impl<'a> Reader<'a> {
    /// Reads the header, for so many members; `file` stands for the file in messages.
    pub(super) fn new(file: &'a str, bytes: &'a [u8], members: usize) -> Result<Self> {
        let tensors = whole(file, bytes)?;
        Ok(Self { file, tensors, taken: BTreeSet::new(), members, has_axis: false })
    }

    /// Finds out by a tensor, which has this shape in one network, whether the file is of a fleet.
    pub(super) fn find_members(&mut self, name: &str, shape: &[usize]) -> Result<()> {
        let Ok(tensor) = self.tensors.tensor(name) else { return Ok(()) };
        let found = match tensor.shape().split_first() {
            Some((found, of_each)) if of_each == shape => *found,
            _ => return Ok(()),
        };
        self.has_axis = true;
        match found == self.members {
            true => Ok(()),
            false => Err(self.error(format!(
                "it holds {found} networks, for a fleet of {}: give a file of one network, or train as many members",
                self.members
            ))),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// The values of this tensor in each member, where it must have this shape: the same in all, if the file is of one network.
    pub(super) fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<Vec<f64>>> {
        if !self.has_axis {
            return Ok(vec![self.take_whole(name, shape)?; self.members]);
        }
        let of_all: Vec<usize> = [&[self.members], shape].concat();
        let values = self.take_whole(name, &of_all)?;
        let of_each = shape.iter().product::<usize>().max(1);
        Ok(values.chunks_exact(of_each).map(<[f64]>::to_vec).collect())
    }

    /// Checks that this tensor is there and has this shape in each member: that the file is as large as it says a network is.
    pub(super) fn check(&self, name: &str, shape: &[usize]) -> Result<()> {
        let members = self.has_axis.then_some(self.members);
        let whole: Vec<usize> = members.into_iter().chain(shape.iter().copied()).collect();
        self.find(name, &whole).map(|_| ())
    }

    /// This tensor, which must be there in this shape.
    fn find(&self, name: &str, shape: &[usize]) -> Result<TensorView<'a>> {
        let tensor = self.tensors.tensor(name).map_err(|_| {
            let mut names = self.tensors.names();
            names.sort_unstable();
            let named = crate::tables::quoted(names.into_iter());
            self.error(format!(
                "it has no tensor \"{name}\", which the model needs; it has {named}"
            ))
        })?;
        if tensor.shape() != shape {
            let found = tensor.shape();
            return Err(self.error(format!(
                "tensor \"{name}\" has shape {found:?}, but the model needs {shape:?}: \
                 give the widths and columns that the file was made with"
            )));
        }
        Ok(tensor)
    }

    /// The values of this tensor, which must be there in this shape.
    fn take_whole(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
        let tensor = self.find(name, shape)?;
        let bytes = tensor.data();
        let values: Vec<f64> = match tensor.dtype() {
            Dtype::F32 => bytes
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]).into())
                .collect(),
            Dtype::F64 => {
                let value = |b: &[u8]| f64::from_le_bytes(std::array::from_fn(|i| b[i]));
                bytes.chunks_exact(8).map(value).collect()
            }
            other => {
                return Err(self.error(format!(
                    "tensor \"{name}\" holds {other:?}: save it as float32 or float64, say with .float() in PyTorch"
                )));
            }
        };
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(self
                .error(format!("tensor \"{name}\" holds {value}: save a state from before that")));
        }
        self.taken.insert(name.into());
        Ok(values)
    }

    /// Checks that every tensor was taken but those whose names start with one of these.
    pub(super) fn finish(self, but: &[&str]) -> Result<()> {
        let names = self.tensors.names().into_iter();
        let mut left: Vec<&str> = names
            .filter(|name| {
                !self.taken.contains(*name) && !but.iter().any(|start| name.starts_with(start))
            })
            .collect();
        left.sort_unstable();
        if left.is_empty() {
            return Ok(());
        }
        let named = crate::tables::quoted(left.into_iter());
        Err(self.error(format!(
            "the model has no place for {named}: give the hidden layers and tasks that the file was made with"
        )))
    }

    fn error(&self, problem: String) -> Error {
        Error::Tensors { file: self.file.into(), problem }
    }
}

/// Checks that a file of tensors is whole: all of it there, and, where it carries awl's checksum, with no byte changed.
///
/// ```
/// use awl::train::check_whole;
/// # use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Network, Recipe, Task};
/// # let network = Network::new(3, &[4], Activation::Relu, &[Task::new("price", Loss::Mse, 1)])?;
/// # let recipe = Recipe::new(network, AutomaticWeightedLoss::new(1), Adam::new(0.01));
/// # let weights = awl::train::Weights::of(&awl::engine::State::initial(&recipe));
/// let mut bytes = weights.to_bytes(&recipe, &serde_json::json!("notes"))?;
/// check_whole("weights.safetensors", &bytes)?;
/// *bytes.last_mut().unwrap() ^= 1;
/// assert!(check_whole("weights.safetensors", &bytes).is_err());
/// # Ok::<(), awl::Error>(())
/// ```
///
/// # Errors
/// [`Error::Tensors`], as all that read such a file give it; `file` stands for the file in messages.
pub fn check_whole(file: &str, bytes: &[u8]) -> Result<()> {
    whole(file, bytes).map(|_| ())
}

fn whole<'a>(file: &str, bytes: &'a [u8]) -> Result<SafeTensors<'a>> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| {
        let remedy = "it was cut short, is damaged, or is of another format";
        unreadable(file, bytes, &format!("({error}): {remedy}"))
    })?;
    check_sum(file, bytes)?;
    Ok(tensors)
}

fn check_sum(file: &str, bytes: &[u8]) -> Result<()> {
    match checksum::is_right(bytes) {
        true => Ok(()),
        false => Err(damaged(file)),
    }
}

fn damaged(file: &str) -> Error {
    Error::Tensors {
        file: file.into(),
        problem: "its contents do not match its checksum: the disk or a copy damaged it, or another program changed it and kept awl's \
                  metadata"
            .into(),
    }
}

/// What is wrong with a file that is no whole safetensors file: what it is instead, or else this.
fn unreadable(file: &str, bytes: &[u8], otherwise: &str) -> Error {
    let problem = match recognized(bytes) {
        Some(what) => what.into(),
        None => format!("this is not a whole safetensors file {otherwise}"),
    };
    Error::Tensors { file: file.into(), problem }
}

/// The notes that a file of ours carries.
pub(super) fn notes(file: &str, bytes: &[u8]) -> Result<serde_json::Value> {
    let foreign = |why: &str| Error::Tensors {
        file: file.into(),
        problem: format!("{why}: name a file that `awl train` wrote"),
    };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| {
        let remedy = "name a file that `awl train` wrote";
        unreadable(file, bytes, &format!("({error}), as when it was cut short: {remedy}"))
    })?;
    check_sum(file, bytes)?;
    let notes = metadata.metadata().as_ref().and_then(|map| map.get(NOTES));
    let notes =
        notes.ok_or_else(|| foreign("the file was not made by awl, and holds tensors alone"))?;
    let notes = serde_json::from_str(notes)
        .map_err(|error| foreign(&format!("its notes cannot be read ({error})")))?;
    checksum::notes_of(bytes, notes).ok_or_else(|| damaged(file))
}
