//! What goes wrong with learned weights, told from where σ has been and stands: σ that did not move, that ran into 0, weights
//! that collapsed.

use crate::engine::TaskRecord;
use crate::weighting::{SigmaForm, Weighting};
use serde::{Deserialize, Serialize};

/// A σ that went less than this part of its way has hardly moved.
const HARDLY: f64 = 0.1;
/// A σ that became so many times larger or smaller has moved, be it the wrong way.
const FAR: f64 = 3.0;
/// A way shorter than this part of σ is none.
const NO_WAY: f64 = 0.1;
/// A weight smaller than this part of the largest has collapsed.
const COLLAPSED: f64 = 0.01;
/// A weight above this, of σ below 0.07, has run away: its task's loss is next to nothing.
const RAN_AWAY: f64 = 100.0;
/// A weight above this, of σ below 0.007, is about to explode, if it has not: σ almost touches 0.
const EXPLODED: f64 = 1e4;

/// Where a task's σ has been during a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SigmaPath {
    /// Where it began.
    pub start: f64,
    /// Where it was last seen.
    pub last: f64,
    /// How often it changed its sign.
    pub crossings: u64,
    /// The task's largest weight.
    pub heaviest: f64,
}

impl SigmaPath {
    /// A path that begins here.
    pub fn new(start: f64) -> Self {
        Self { start, last: start, crossings: 0, heaviest: 0.0 }
    }

    /// Goes on to where a step's record has σ; nowhere if it has none, or no loss that moves it.
    pub fn go(&mut self, record: &TaskRecord) {
        let (Some(_), Some(sigma)) = (record.loss, record.sigma) else { return };
        self.crossings += u64::from(sigma.is_sign_negative() != self.last.is_sign_negative());
        self.last = sigma;
        self.heaviest = self.heaviest.max(record.weight);
    }

    /// What there is to tell of a σ that came too close to 0, which only the plain form does.
    fn of_zero(&self, name: &str, form: Option<SigmaForm>) -> Option<String> {
        let is_near = self.crossings > 0 || self.heaviest > EXPLODED;
        if form != Some(SigmaForm::Plain) || !is_near {
            return None;
        }
        let what = match self.crossings {
            0 => "almost touched 0".into(),
            1 => "crossed 0".into(),
            many => format!("crossed 0 {many} times"),
        };
        Some(format!(
            "σ of task \"{name}\" {what}: its weight reached {:.1e}, and gradients there throw σ far away: learn ln σ² instead \
             (--sigma-form log), or give σ a smaller learning rate (--sigma-lr)",
            self.heaviest
        ))
    }
}

/// Sentences about what is wrong, with the remedy; none where nothing is.
///
/// `weighting` is what was trained with, `paths` where σ has been, `now` the tasks' part of a late record, with losses that are
/// typical of the end (a mean over the last epoch, say). Every slice has an entry a task.
///
/// Adam moves σ by about its learning rate a step, whatever the loss, so a σ that is far from its
/// [resting place](Weighting::rests_at) may need more steps than a run has.
pub fn diagnose(
    tasks: &[impl AsRef<str>],
    weighting: &Weighting,
    paths: &[SigmaPath],
    now: &[TaskRecord],
) -> Vec<String> {
    let form = weighting.form();
    let mut sentences = Vec::new();
    for (task, ((name, path), now)) in tasks.iter().zip(paths).zip(now).enumerate() {
        let name = name.as_ref();
        let rest = now.loss.and_then(|loss| weighting.rests_at(task, loss));
        let way = || of_way(name, path.start, now, rest?, form.is_some());
        sentences.extend(path.of_zero(name, form).or_else(way));
    }
    sentences.extend(of_weights(tasks, form, now));
    sentences
}

/// What there is to tell of a σ that is far from where its loss calls it.
fn of_way(
    name: &str,
    start: f64,
    now: &TaskRecord,
    rest: f64,
    can_start_there: bool,
) -> Option<String> {
    let (loss, sigma) = (now.loss?, now.sigma?.abs());
    let start = start.abs();
    let way = rest - start;
    if way.abs() <= NO_WAY * start || (sigma - start) / way >= HARDLY {
        return None;
    }
    Some(if sigma > FAR * start || start > FAR * sigma {
        format!(
            "σ of task \"{name}\" went from {start:.3e} to {sigma:.3e}, away from where its loss of {loss:.3} calls it: \
             give σ a smaller learning rate (--sigma-lr)"
        )
    } else {
        let or_start = match can_start_there {
            true => ", or start it there (--sigma-init closed-form)",
            false => "",
        };
        format!(
            "σ of task \"{name}\" has hardly moved, from {start:.3} to {sigma:.3}, though its loss of {loss:.3} calls for \
             {rest:.3}: give σ a larger learning rate (--sigma-lr){or_start}"
        )
    })
}

/// What there is to tell of weights that are out of proportion.
fn of_weights(
    tasks: &[impl AsRef<str>],
    form: Option<SigmaForm>,
    now: &[TaskRecord],
) -> Vec<String> {
    let heaviest = tasks.iter().zip(now).max_by(|a, b| a.1.weight.total_cmp(&b.1.weight));
    let Some((heavy, most)) = heaviest else { return Vec::new() };
    let heavy = heavy.as_ref();
    let pairs = tasks.iter().zip(now);
    let is_light = |now: &TaskRecord| now.sigma.is_some() && now.weight < COLLAPSED * most.weight;
    let light: Vec<_> = pairs.filter(|(_, now)| is_light(now)).collect();
    // Which of the two is out of place shows in the weight itself: at σ = 1 it is ½.
    if !light.is_empty() && most.weight > RAN_AWAY {
        let remedy = match form {
            Some(SigmaForm::Log { .. }) => "give it a higher floor (--sigma-floor 0.1)",
            _ => "give it a floor (--sigma-form log --sigma-floor 0.1)",
        };
        return vec![format!(
            "σ of task \"{heavy}\" has collapsed to {:.3} with its loss, so its weight of {:.3e} drowns other tasks: {remedy}, \
             stop earlier, or compare with --weighting equal",
            most.sigma.unwrap_or_default().abs(),
            most.weight
        )];
    }
    let sentence = |(name, now): (&_, &TaskRecord)| {
        let name: &str = AsRef::as_ref(name);
        format!(
            "the weight of task \"{name}\" has collapsed: {:.2e}, while that of task \"{heavy}\" is {:.2e}, so the shared \
             layers hardly learn from it: standardise its target, or compare with --weighting equal",
            now.weight, most.weight
        )
    };
    light.into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AutomaticWeightedLoss;
    use crate::weighting::awl::weight;

    fn at(loss: f64, sigma: f64) -> TaskRecord {
        TaskRecord { loss: Some(loss), weight: weight(sigma), regulariser: 0.0, sigma: Some(sigma) }
    }

    fn awl(form: SigmaForm) -> Weighting {
        AutomaticWeightedLoss::new(3).with_form(form).into()
    }

    /// Kendall's comes to rest at √L.
    #[test]
    fn what_uncertainty_calls_for_is_its_own() {
        let uncertainty = Weighting::named("uncertainty", &[], &[false, true]).unwrap();
        let now = |sigma| [at(0.04, sigma), at(0.08, 2.0 * sigma)];
        let paths = [1.0, 1.0].map(SigmaPath::new);
        let told = diagnose(&["a", "b"], &uncertainty, &paths, &now(0.95));
        assert!(
            told[0].contains("calls for 0.200") && told[1].contains("calls for 0.400"),
            "{told:?}"
        );
        assert!(!told[0].contains("--sigma-init"), "{told:?}");
        assert_eq!(diagnose(&["a", "b"], &uncertainty, &paths, &now(0.2)), [""; 0]);
    }

    /// The diagnosis of a run that was seen at its start and its end alone.
    fn told(tasks: &[&str], start: &[f64], now: &[TaskRecord]) -> Vec<String> {
        let paths = start.iter().zip(now).map(|(&start, now)| {
            let mut path = SigmaPath::new(start);
            path.go(now);
            path
        });
        diagnose(tasks, &awl(SigmaForm::Plain), &paths.collect::<Vec<_>>(), now)
    }

    #[test]
    fn a_sigma_that_stayed_far_from_its_resting_place_is_told() {
        // A loss of 100 calls for σ = 7.14.
        let sentences = told(&["a", "b"], &[1.0, 1.0], &[at(100.0, 1.3), at(1.0, 1.0)]);
        assert_eq!(sentences.len(), 1, "{sentences:?}");
        assert!(sentences[0].contains("\"a\"") && sentences[0].contains("7.140"), "{sentences:?}");
        // On its way, or at rest, or negative from the start: nothing to tell.
        for (start, sigma) in [(1.0, 3.0), (1.0, 7.14), (-1.0, -7.14)] {
            assert_eq!(told(&["a"], &[start], &[at(100.0, sigma)]), [""; 0]);
        }
        // The wrong way.
        assert_eq!(told(&["a"], &[1.0], &[at(100.0, 0.5)]).len(), 1);
    }

    #[test]
    fn a_weight_of_less_than_a_hundredth_of_the_largest_is_told() {
        let sentences = told(&["a", "b"], &[10.0, 0.5], &[at(200.0, 10.0), at(0.1, 0.5)]);
        assert_eq!(sentences.len(), 1, "{sentences:?}");
        assert!(sentences[0].contains("weight of task \"a\""), "{sentences:?}");
        assert_eq!(told(&["a", "b"], &[2.0, 0.5], &[at(6.0, 2.0), at(0.1, 0.5)]), [""; 0]);
    }

    #[test]
    fn a_sigma_that_collapsed_with_its_loss_is_told_once_with_the_floor_as_remedy() {
        let now = [at(0.3, 0.7), at(0.6, 0.9), at(1e-6, 0.03)];
        let paths = [0.7, 0.9, 1.0].map(SigmaPath::new);
        for (form, remedy) in [
            (SigmaForm::Plain, "--sigma-form log --sigma-floor 0.1"),
            (SigmaForm::log(), "a higher floor (--sigma-floor 0.1)"),
        ] {
            let told = diagnose(&["a", "b", "c"], &awl(form), &paths, &now);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains("σ of task \"c\" has collapsed to 0.030"), "{told:?}");
            assert!(told[0].contains(remedy), "{told:?}");
        }
    }

    /// A path through these σ, from the first of them.
    fn path(sigmas: &[f64]) -> SigmaPath {
        let mut path = SigmaPath::new(sigmas[0]);
        sigmas.iter().for_each(|&sigma| path.go(&at(1.0, sigma)));
        path
    }

    #[test]
    fn a_sigma_that_crossed_0_or_almost_touched_it_is_told_with_the_log_form_as_remedy() {
        // At its resting place again, where nothing of this shows.
        let now = [at(1.0, 1.0)];
        for (sigmas, what) in [
            (&[1.0, 0.1, -0.1, -2.9, -0.5, 0.5, 1.0][..], "crossed 0 2 times"),
            (&[1.0, 0.1, -0.1], "crossed 0:"),
            (&[1.0, 0.002, 1.0], "almost touched 0"),
        ] {
            let path = path(sigmas);
            let told = diagnose(&["a"], &awl(SigmaForm::Plain), &[path], &now);
            assert_eq!(told.len(), 1, "{told:?}");
            let heaviest = sigmas.iter().map(|&sigma| weight(sigma)).fold(0.0, f64::max);
            for word in ["task \"a\"", what, "--sigma-form log", &format!("{heaviest:.1e}")] {
                assert!(told[0].contains(word), "{word}: {told:?}");
            }
        }
        assert_eq!(
            diagnose(&["a"], &awl(SigmaForm::Plain), &[path(&[1.0, 0.01, 1.0])], &now),
            [""; 0]
        );
        // Under a floor that low, such weights were asked for.
        let low = SigmaForm::Log { floor: 1e-3 };
        assert_eq!(diagnose(&["a"], &awl(low), &[path(&[1.0, 0.002, 1.0])], &now), [""; 0]);
    }

    #[test]
    fn given_weights_are_the_users_own_business() {
        let given = |weight| TaskRecord { loss: Some(1.0), weight, regulariser: 0.0, sigma: None };
        let paths = [1.0, 0.0].map(SigmaPath::new);
        assert_eq!(
            diagnose(&["a", "b"], &Weighting::equal(2), &paths, &[given(1.0), given(0.0)]),
            [""; 0]
        );
    }
}
