//! A coordinate network learns the scene: where it looks goes in, and out come depth, class and normal.

use crate::fourier::FourierFeatures;
use crate::view::{Errors, Size, View};
use crate::world::{CLASSES, SKY, Surface};
use awl::engine::Record;
use awl::optimizer::Schedule;
use awl::*;

/// The tasks, in the order of the network's heads.
pub const TASKS: [&str; 3] = ["depth", "class", "normal"];

/// Rows a step.
const BATCH: usize = 1024;

/// Where the network looks, and what is to be seen there.
pub struct Lesson {
    features: FourierFeatures,
    /// What is learned from: the middle of every pixel.
    training: Dataset,
    /// What is judged and drawn: a picture at twice the resolution, no point of which is learned from.
    pub truth: View,
    truth_features: Matrix,
}

/// What a network makes of the scene after some steps.
pub struct Frame {
    /// How many steps were made.
    pub step: usize,
    /// The network's picture, of the truth's size.
    pub view: View,
    /// How far it is from the truth.
    pub errors: Errors,
    /// The task weights in the last step.
    pub weights: [f64; 3],
}

impl Lesson {
    /// The scene at this size, seen through these features.
    pub fn new(size: Size, features: FourierFeatures) -> Result<Self> {
        let matrix = |size: Size| {
            let values = size.points().flat_map(|point| features.at(point)).collect();
            Matrix::new(features.count(), values)
        };
        let training = Dataset::new(matrix(size)?, targets(&View::of_world(size))?)?;
        let truth = View::of_world(size.doubled());
        let truth_features = matrix(size.doubled())?;
        Ok(Self { features, training, truth, truth_features })
    }

    /// A network to be trained on the scene in so many steps; the seed is of its parameters and of the order of the rows.
    pub fn recipe(&self, weighting: Weighting, steps: usize, seed: u64) -> Result<Recipe> {
        let tasks = [
            Task::new(TASKS[0], Loss::Mae, 1),
            Task::new(TASKS[1], Loss::cross_entropy(), CLASSES.len()),
            Task::new(TASKS[2], Loss::Mae, 3),
        ];
        let network = Network::new(self.features.count(), &[64, 64], Activation::Relu, &tasks)?;
        let recipe = Recipe::new(network, weighting, Adam::new(1e-2));
        Ok(Recipe { schedule: Schedule::cosine(steps as u64), batch: BATCH, seed, ..recipe })
    }

    /// Trains the recipe and hands over a frame after each of these numbers of steps, which are in order.
    pub async fn learn(
        &self,
        gpu: &Gpu,
        recipe: Recipe,
        stops: &[usize],
        mut show: impl FnMut(Frame) -> Result<()>,
    ) -> Result<()> {
        let mut trainer = Trainer::new(GpuEngine::fused(gpu, recipe, &self.training).await?);
        let mut done = 0;
        for &step in stops {
            let records = trainer.steps(step - done).await?;
            done = step;
            let predictions = trainer.engine().predict(&self.truth_features).await?;
            let view = View { size: self.truth.size, surfaces: surfaces(&predictions) };
            let errors = Errors::between(&view, &self.truth);
            show(Frame { step, view, errors, weights: weights(records.last()) })?;
        }
        Ok(())
    }
}

/// A target a task. In the sky there is neither depth nor normal: those labels are missing, and the rows teach the class
/// alone.
fn targets(view: &View) -> Result<Vec<Target>> {
    let surfaces = &view.surfaces;
    let solid: Vec<bool> = surfaces.iter().map(|surface| surface.class != SKY).collect();
    let depth = surfaces.iter().map(|surface| surface.depth as f32).collect();
    let class = surfaces.iter().map(|surface| surface.class as u32).collect();
    let normal = surfaces.iter().flat_map(|surface| surface.normal.map(|n| n as f32)).collect();
    Ok(vec![
        Target::numbers(Matrix::new(1, depth)?).labelled(solid.clone())?,
        Target::classes(class),
        Target::numbers(Matrix::new(3, normal)?).labelled(solid)?,
    ])
}

/// What the network says is seen: its heads side by side are depth, a score a class, and the normal.
fn surfaces(predictions: &Matrix) -> Vec<Surface> {
    let surface = |row: &[f32]| {
        let (depth, scores, normal) =
            (row[0], &row[1..][..CLASSES.len()], &row[1 + CLASSES.len()..]);
        let class = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        Surface {
            class: class.unwrap_or(SKY),
            depth: depth.into(),
            normal: [0, 1, 2].map(|axis| normal[axis].into()),
        }
    };
    (0..predictions.rows()).map(|row| surface(predictions.row(row))).collect()
}

fn weights(record: Option<&Record>) -> [f64; 3] {
    [0, 1, 2].map(|task| record.map_or(f64::NAN, |record| record.tasks[task].weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sky_has_a_class_and_no_other_label() {
        let size = Size { width: 32, height: 24 };
        let view = View::of_world(size);
        let targets = targets(&view).unwrap();
        let sky = view.surfaces.iter().filter(|surface| surface.class == SKY).count();
        assert!(sky > 100, "{sky} of 768");
        let labelled = |target: &Target| (0..768).filter(|&row| target.has_label(row)).count();
        assert_eq!(targets.iter().map(labelled).collect::<Vec<_>>(), [768 - sky, 768, 768 - sky]);
    }

    #[test]
    fn heads_side_by_side_are_told_apart() {
        let row = [7.5, 0.1, 0.2, 3.0, 0.4, 0.0, 1.0, -0.5];
        let found = surfaces(&Matrix::new(8, row.to_vec()).unwrap());
        assert_eq!(found, [Surface { class: 2, depth: 7.5, normal: [0.0, 1.0, -0.5] }]);
    }

    #[test]
    fn both_weightings_learn_a_tiny_scene() {
        pollster::block_on(async {
            let gpu = Gpu::new().await?;
            let size = Size { width: 24, height: 18 };
            let lesson = Lesson::new(size, FourierFeatures::new(16, 1.5, 0))?;
            for weighting in [AutomaticWeightedLoss::new(3).into(), Weighting::equal(3)] {
                let name = weighting.name();
                let recipe = lesson.recipe(weighting, 300, 0)?;
                let mut frames = Vec::new();
                let show = |frame: Frame| {
                    frames.push(frame);
                    Ok(())
                };
                lesson.learn(&gpu, recipe, &[1, 300], show).await?;
                let [first, last] = [&frames[0], &frames[1]].map(|frame| frame.errors);
                assert_eq!((frames[0].step, frames[1].step), (1, 300));
                assert_eq!(frames[1].view.surfaces.len(), 48 * 36);
                for (what, first, last) in [
                    ("depth", first.depth, last.depth),
                    ("class", first.class, last.class),
                    ("normal", first.normal, last.normal),
                ] {
                    assert!(last < 0.5 * first, "{name}, {what}: {first}, then {last}");
                }
            }
            Ok::<(), Error>(())
        })
        .unwrap();
    }
}
