//! Labels as the kernels read them: one buffer of words for all tasks, and where each task's part lies.

use super::{Loss, Task};
use crate::data::{Target, Values};
use crate::error::{Error, Result};

/// Where one task's predictions and labels lie; the host's side of `Task` in `shaders/shared/labels.wgsl`.
///
/// Offsets and strides count elements of 4 bytes. [`Labels::pack`] makes layouts for labels that it packs;
/// fill in your own for labels that are on the GPU already.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct TaskLayout {
    /// The loss's number: `mse` 0, `mae` 1, `huber` 2, `bce` 3, `cross_entropy` 4, `quantile` 5, `poisson` 6,
    /// `gaussian_nll` 7, `laplace_nll` 8.
    pub loss: u32,
    /// Columns of numbers, or classes.
    pub width: u32,
    /// Huber's δ, the quantile, β of `gaussian_nll`, or the label smoothing; else 0.
    pub parameter: f32,
    /// Where row 0 lies among the predictions, and likewise in their gradient. Losses 7 and 8 have `2·width` a row.
    pub prediction: u32,
    /// From one row of predictions to the next.
    pub prediction_stride: u32,
    /// Where row 0 lies among the labels: numbers as the bits of `f32`, classes as `u32`.
    pub label: u32,
    /// From one row of labels to the next.
    pub label_stride: u32,
    /// Where the mask starts among the labels, a bit a row, lowest bit first; or [`NONE`].
    pub mask: u32,
    /// Where the class weights start among the labels, the bits of an `f32` a class; or [`NONE`].
    pub class_weights: u32,
    /// Sum of the class weights, the number of classes where all are 1; only read with label smoothing.
    pub all_weights: f32,
    /// Where the weights of the rows start among the labels, the bits of an `f32` a row; or [`NONE`].
    pub sample_weights: u32,
}

impl TaskLayout {
    /// Whether a head of the loss predicts the noise beside each column.
    pub(crate) fn predicts_noise(&self) -> bool {
        self.loss >= Loss::GaussianNll { beta: 0.0 }.code()
    }

    /// Predictions a row.
    pub(crate) fn outputs(&self) -> u32 {
        if self.predicts_noise() { 2 * self.width } else { self.width }
    }

    /// Whether the loss spreads a part of the label over all classes.
    pub(crate) fn is_smoothed(&self) -> bool {
        self.loss == Loss::cross_entropy().code() && self.parameter != 0.0
    }
}

/// Stands for "there is none" in a [`TaskLayout`].
pub const NONE: u32 = u32::MAX;

/// All tasks' labels in one run of words, with their layouts.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// Numbers, class indices, masks, and weights of classes and rows.
    pub words: Vec<u32>,
    /// One a task; predictions side by side, shape `[rows, Σ outputs]`.
    pub layouts: Vec<TaskLayout>,
}

impl Labels {
    /// Packs the targets of these tasks.
    ///
    /// # Errors
    /// Those of [`Task::check_target`], and [`Error::Mismatch`] for another number of targets than tasks,
    /// or targets of different lengths.
    pub fn pack(tasks: &[Task], targets: &[Target]) -> Result<Self> {
        if tasks.len() != targets.len() {
            return Err(Error::Mismatch {
                what: "the labels".into(),
                unit: "targets",
                found: targets.len(),
                expected: tasks.len(),
                why: "one a task".into(),
            });
        }
        let stride: usize = tasks.iter().map(Task::outputs).sum();
        let rows = targets.first().map_or(0, Target::rows);
        let mut words = Vec::new();
        let mut layouts = Vec::new();
        let mut prediction = 0;
        // Those that all tasks share lie there once.
        let mut weights_before: Option<(&[f32], u32)> = None;
        for (task, target) in tasks.iter().zip(targets) {
            task.check_target(target)?;
            if target.rows() != rows {
                return Err(Error::Mismatch {
                    what: format!("the target of task \"{}\"", task.name),
                    unit: "rows",
                    found: target.rows(),
                    expected: rows,
                    why: "as many as the first task's".into(),
                });
            }
            let sample_weights = target.sample_weights().map(|weights| match weights_before {
                Some((before, at)) if before == weights => at,
                _ => {
                    let at = push(&mut words, weights.iter().map(|weight| weight.to_bits()));
                    weights_before = Some((weights, at));
                    at
                }
            });
            layouts.push(TaskLayout {
                loss: task.loss.code(),
                width: task.width as u32,
                parameter: task.loss.parameter(),
                prediction,
                prediction_stride: stride as u32,
                label: push_values(&mut words, target),
                label_stride: if task.loss.predicts_class() { 1 } else { task.width as u32 },
                mask: target.mask().map_or(NONE, |mask| push_mask(&mut words, mask)),
                class_weights: task.loss.class_weights().map_or(NONE, |weights| {
                    push(&mut words, weights.iter().map(|weight| weight.to_bits()))
                }),
                all_weights: all_weights(task),
                sample_weights: sample_weights.unwrap_or(NONE),
            });
            prediction += task.outputs() as u32;
        }
        Ok(Self { words, layouts })
    }
}

impl Labels {
    /// The layouts of so many of the rows, and the words that these take, all 0 but for what does not depend on rows.
    pub(crate) fn of_rows(&self, rows: usize) -> (Vec<TaskLayout>, Vec<u32>) {
        let mut words = Vec::new();
        let mut layouts: Vec<TaskLayout> = Vec::with_capacity(self.layouts.len());
        for (index, all) in self.layouts.iter().enumerate() {
            let mut room = |length: usize| push(&mut words, std::iter::repeat_n(0, length));
            let mut task = *all;
            task.label = room(rows * all.label_stride as usize);
            if all.mask != NONE {
                task.mask = room(rows.div_ceil(32));
            }
            if all.sample_weights != NONE {
                let same = |other: &TaskLayout| other.sample_weights == all.sample_weights;
                task.sample_weights = match self.layouts[..index].iter().position(same) {
                    Some(before) => layouts[before].sample_weights,
                    None => room(rows),
                };
            }
            if all.class_weights != NONE {
                let from = all.class_weights as usize;
                let weights = &self.words[from..from + all.width as usize];
                task.class_weights = push(&mut words, weights.iter().copied());
            }
            layouts.push(task);
        }
        (layouts, words)
    }

    /// The words of these rows, for places from `first` on, a multiple of 32, of [layouts of fewer rows](Self::of_rows): `write`
    /// gets each run of them with where it lies.
    pub(crate) fn gather(
        &self,
        layouts: &[TaskLayout],
        rows: &[u32],
        first: usize,
        mut write: impl FnMut(usize, &[u32]),
    ) {
        let at = |start: u32, row: usize| start as usize + row;
        for (all, task) in self.layouts.iter().zip(layouts) {
            let stride = all.label_stride as usize;
            let values = |&row: &u32| {
                let start = at(all.label, row as usize * stride);
                &self.words[start..start + stride]
            };
            let values: Vec<u32> = rows.iter().flat_map(values).copied().collect();
            write(at(task.label, first * stride), &values);
            if all.mask != NONE {
                let bit = |row: u32| {
                    let word = self.words[at(all.mask, row as usize / 32)];
                    (word >> (row % 32)) & 1
                };
                let word = |rows: &[u32]| (0..).zip(rows).map(|(i, &row)| bit(row) << i).sum();
                let mask: Vec<u32> = rows.chunks(32).map(word).collect();
                write(at(task.mask, first / 32), &mask);
            }
            if all.sample_weights != NONE {
                let weight = |&row: &u32| self.words[at(all.sample_weights, row as usize)];
                let weights: Vec<u32> = rows.iter().map(weight).collect();
                write(at(task.sample_weights, first), &weights);
            }
        }
    }
}

fn all_weights(task: &Task) -> f32 {
    let sum = |weights: &[f32]| weights.iter().copied().map(f64::from).sum::<f64>() as f32;
    task.loss.class_weights().map_or(task.width as f32, sum)
}

/// Appends words and says where they start.
fn push(words: &mut Vec<u32>, more: impl IntoIterator<Item = u32>) -> u32 {
    let start = words.len() as u32;
    words.extend(more);
    start
}

/// Appends the values; those that count for nothing become 0, so that no stray NaN reaches a kernel, nor a number whose square is
/// infinite, which no weight of 0 takes away.
fn push_values(words: &mut Vec<u32>, target: &Target) -> u32 {
    let counts = |row: usize| target.has_label(row) && target.sample_weight(row) > 0.0;
    match target.values() {
        Values::Numbers(matrix) => {
            let columns = matrix.columns();
            let word = |(i, value): (usize, &f32)| match counts(i / columns) {
                true => value.to_bits(),
                false => 0,
            };
            push(words, matrix.values().iter().enumerate().map(word))
        }
        Values::Classes(classes) => {
            let word = |(row, &class): (usize, &u32)| if counts(row) { class } else { 0 };
            push(words, classes.iter().enumerate().map(word))
        }
    }
}

fn push_mask(words: &mut Vec<u32>, mask: &[bool]) -> u32 {
    let word = |bits: &[bool]| (0..).zip(bits).map(|(i, &bit)| u32::from(bit) << i).sum();
    push(words, mask.chunks(32).map(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Matrix;
    use crate::loss::Loss;

    #[test]
    fn labels_lie_where_their_layouts_say() -> Result<()> {
        let tasks = [
            Task::new("mass", Loss::Mse, 1),
            Task::new(
                "species",
                Loss::CrossEntropy {
                    label_smoothing: 0.1,
                    class_weights: Some(vec![1.0, 2.0, 0.5]),
                },
                3,
            ),
        ];
        let rows = 40;
        let mass = Target::numbers(Matrix::new(1, (0..rows).map(|i| i as f32).collect())?);
        let labelled = (0..rows).map(|i| i != 3 && i != 35).collect();
        let species =
            Target::classes((0..rows as u32).map(|i| i % 3).collect()).labelled(labelled)?;
        let labels = Labels::pack(&tasks, &[mass, species])?;
        let [mass, species] = labels.layouts[..] else { panic!("two layouts") };
        assert_eq!(
            (mass.label, mass.mask, mass.prediction, mass.prediction_stride),
            (0, NONE, 0, 4)
        );
        assert_eq!(labels.words[7], 7f32.to_bits());
        assert_eq!((species.label, species.prediction, species.width), (40, 1, 3));
        assert_eq!(labels.words[40 + 8], 2);
        assert_eq!(labels.words[species.mask as usize], !(1 << 3));
        assert_eq!(labels.words[species.mask as usize + 1], 0b1111_0111);
        assert_eq!(labels.words[species.class_weights as usize + 1], 2f32.to_bits());
        assert_eq!(labels.words.len(), 40 + 40 + 2 + 3);
        Ok(())
    }
}
