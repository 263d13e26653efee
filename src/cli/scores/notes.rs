//! Sentences about figures that mean less than they seem to.

use super::super::baselines::OfBaselines;
use super::headline::Headline;
use super::rounded;
use awl::Loss;
use awl::tables::{Encoder, TargetColumn, TargetEncoding};
use awl::train::{ClassScores, Judgement, TaskMetrics};

/// Sentences about figures that mean less than they seem to: no better than always giving one answer, or over labels of
/// classes that the model does not know. Many tasks of one kind share a sentence.
pub fn notes(encoder: &Encoder, judgements: &[Judgement]) -> Vec<String> {
    let mut notes = Notes::default();
    for (target, judgement) in encoder.targets().iter().zip(judgements) {
        let name = &target.name;
        match judgement {
            Judgement::Figures(TaskMetrics::Classification(it)) => {
                let scores = std::slice::from_ref(&it.scores);
                let columns = if it.columns.is_empty() { scores } else { &it.columns };
                for (index, scores) in columns.iter().enumerate() {
                    notes.of_classes(target, index, scores, it.labelled);
                }
            }
            // Who trains for the median or another quantile may well have an R² below 0.
            Judgement::Figures(TaskMetrics::Regression(_))
                if matches!(
                    target.loss,
                    Loss::Mae | Loss::Huber { .. } | Loss::Quantile { .. }
                ) => {}
            Judgement::Figures(TaskMetrics::Regression(it)) => {
                let fit = std::slice::from_ref(&it.fit);
                let columns = if it.columns.is_empty() { fit } else { &it.columns };
                for (fit, column) in columns.iter().zip(&target.columns) {
                    let name = if it.columns.is_empty() { name } else { column };
                    if let Some(r2) = fit.r2.filter(|r2| *r2 <= 0.0) {
                        notes.mean.push((name.clone(), format!("R² {}", rounded(r2))));
                    }
                }
            }
            Judgement::Unlabelled => {}
            Judgement::Impossible(error) => {
                notes.others.push(format!("task \"{name}\" cannot be judged: {error}"));
            }
        }
    }
    notes.sentences()
}

/// Names tasks at which the network is no better than the linear model, by the figure that tells networks apart.
pub fn against(
    encoder: &Encoder,
    judgements: &[Judgement],
    [_, linear]: &OfBaselines,
) -> Option<String> {
    let of_tasks = encoder.targets().iter().zip(judgements.iter().zip(linear));
    let told = of_tasks.filter_map(|(target, (own, linear))| {
        let [own, linear] = [own.figures()?, linear.figures()?].map(|it| Headline::of(target, it));
        let (own, linear) = (own?, linear?);
        // Where both are right everywhere there is nothing to be said.
        let is_ahead = own.goodness() > linear.goodness() || own.is_perfect();
        (!is_ahead).then(|| {
            let [network, model] = [&own, &linear].map(|it| it.text(it.value));
            format!("\"{}\" ({} {network}, linear {model})", target.name, own.measure())
        })
    });
    let told: Vec<String> = told.collect();
    let more = match told.len() > MOST_TASKS {
        true => format!(" … ({} in all)", told.len()),
        false => String::new(),
    };
    let shown = told.iter().take(MOST_TASKS).cloned().collect::<Vec<_>>().join(", ");
    (!told.is_empty()).then(|| format!("no better than a linear model: {shown}{more}"))
}

/// What is to be said of tasks, with what is told of each.
#[derive(Default)]
struct Notes {
    others: Vec<String>,
    /// Those whose numbers are no better than the mean.
    mean: Vec<(String, String)>,
    /// Those whose classes are no better than the commonest.
    common: Vec<(String, String)>,
}

impl Notes {
    fn of_classes(
        &mut self,
        target: &TargetColumn,
        column: usize,
        scores: &ClassScores,
        labelled: usize,
    ) {
        let (name, names): (&str, &[String]) = match &target.encoding {
            TargetEncoding::Binary(pairs) if pairs.len() > 1 => {
                (&target.columns[column], &pairs[column])
            }
            encoding => (&target.name, encoding.classes().unwrap_or_default()),
        };
        if scores.unknown > 0 {
            self.others.push(format!(
                "task \"{name}\": {} of {labelled} labels are of a class that the model does not know, and count as wrong in \
                 accuracy and F1; the other figures leave them out",
                scores.unknown
            ));
        }
        let of_class = |class: &Vec<u64>| class.iter().sum::<u64>();
        // The first of equally common classes.
        let pairs = scores.confusion.iter().zip(names);
        let common = pairs.rev().max_by_key(|(class, _)| of_class(class));
        if let Some((_, class)) = common
            && scores.accuracy <= scores.majority()
            && scores.majority() > 0.0
            // Who asks for a threshold does not ask for accuracy.
            && !target.has_thresholds()
        {
            let [right, common] = [scores.accuracy, scores.majority()].map(|share| 100.0 * share);
            let told = format!("{right:.1} % right, \"{class}\" {common:.1} %");
            self.common.push((name.into(), told));
        }
    }

    fn sentences(self) -> Vec<String> {
        let mut sentences = self.others;
        for (tasks, answer) in [
            (self.common, "always answering the commonest class"),
            (self.mean, "always answering the labels' mean"),
        ] {
            let told = tasks.iter().take(MOST_TASKS);
            let told: Vec<String> =
                told.map(|(name, told)| format!("\"{name}\" ({told})")).collect();
            let more = match tasks.len() > MOST_TASKS {
                true => format!(" … ({} in all)", tasks.len()),
                false => String::new(),
            };
            if !told.is_empty() {
                sentences.push(format!("no better than {answer}: {}{more}", told.join(", ")));
            }
        }
        sentences
    }
}

/// Tasks in a sentence are no more than these.
const MOST_TASKS: usize = 12;
