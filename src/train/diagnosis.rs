//! What goes wrong with learned weights, told from where they stand: σ that did not move, weights that collapsed.

use crate::engine::TaskRecord;
use crate::weighting::awl::equilibrium;

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

/// Sentences about what is wrong, with the remedy; none where nothing is.
///
/// `start` are the σ that the run began with, `now` the tasks' part of a late record, with losses that are typical of the end
/// (a mean over the last epoch, say). Every slice has an entry a task.
///
/// Adam moves σ by about its learning rate a step, whatever the loss, so a σ that is far from its
/// [resting place](equilibrium) may need more steps than a run has.
pub fn diagnose(tasks: &[impl AsRef<str>], start: &[f64], now: &[TaskRecord]) -> Vec<String> {
    let mut sentences = Vec::new();
    for ((name, &start), now) in tasks.iter().zip(start).zip(now) {
        let (Some(loss), Some(sigma)) = (now.loss, now.sigma) else { continue };
        let (name, sigma, start) = (name.as_ref(), sigma.abs(), start.abs());
        let rest = equilibrium(loss);
        let way = rest - start;
        if way.abs() > NO_WAY * start && (sigma - start) / way < HARDLY {
            if sigma > FAR * start || start > FAR * sigma {
                sentences.push(format!(
                    "σ of task \"{name}\" went from {start:.3e} to {sigma:.3e}, away from where its loss of {loss:.3} calls it: \
                     give σ a smaller learning rate (--sigma-lr)"
                ));
                continue;
            }
            sentences.push(format!(
                "σ of task \"{name}\" has hardly moved, from {start:.3} to {sigma:.3}, though its loss of {loss:.3} calls for \
                 {rest:.3}: give σ a larger learning rate (--sigma-lr), or start it there (--sigma-init closed-form)"
            ));
        }
    }
    let heaviest = tasks.iter().zip(now).max_by(|a, b| a.1.weight.total_cmp(&b.1.weight));
    let Some((heavy, most)) = heaviest else { return sentences };
    let heavy = heavy.as_ref();
    let light: Vec<_> = tasks
        .iter()
        .zip(now)
        .filter(|(_, now)| now.sigma.is_some() && now.weight < COLLAPSED * most.weight)
        .collect();
    // Which of the two is out of place shows in the weight itself: at σ = 1 it is ½.
    if !light.is_empty() && most.weight > RAN_AWAY {
        sentences.push(format!(
            "σ of task \"{heavy}\" has collapsed to {:.3} with its loss, so its weight of {:.3e} drowns other tasks: stop \
             earlier, or compare with --weighting equal",
            most.sigma.unwrap_or_default().abs(),
            most.weight
        ));
        return sentences;
    }
    for (name, now) in light {
        sentences.push(format!(
            "the weight of task \"{}\" has collapsed: {:.2e}, while that of task \"{heavy}\" is {:.2e}, so the shared \
             layers hardly learn from it: standardise its target, or compare with --weighting equal",
            name.as_ref(),
            now.weight,
            most.weight
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weighting::awl::weight;

    fn at(loss: f64, sigma: f64) -> TaskRecord {
        TaskRecord { loss: Some(loss), weight: weight(sigma), sigma: Some(sigma) }
    }

    #[test]
    fn a_sigma_that_stayed_far_from_its_resting_place_is_told() {
        // A loss of 100 calls for σ = 7.14.
        let told = diagnose(&["a", "b"], &[1.0, 1.0], &[at(100.0, 1.3), at(1.0, 1.0)]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("\"a\"") && told[0].contains("7.140"), "{told:?}");
        // On its way, or at rest, or with its sign turned: nothing to tell.
        for sigma in [3.0, 7.14, -7.14] {
            assert_eq!(diagnose(&["a"], &[1.0], &[at(100.0, sigma)]), [""; 0]);
        }
        // The wrong way.
        assert_eq!(diagnose(&["a"], &[1.0], &[at(100.0, 0.5)]).len(), 1);
    }

    #[test]
    fn a_weight_of_less_than_a_hundredth_of_the_largest_is_told() {
        let told = diagnose(&["a", "b"], &[10.0, 0.5], &[at(200.0, 10.0), at(0.1, 0.5)]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("weight of task \"a\""), "{told:?}");
        assert_eq!(diagnose(&["a", "b"], &[2.0, 0.5], &[at(6.0, 2.0), at(0.1, 0.5)]), [""; 0]);
    }

    #[test]
    fn a_sigma_that_collapsed_with_its_loss_is_told_once() {
        let told = diagnose(
            &["a", "b", "c"],
            &[0.7, 0.9, 1.0],
            &[at(0.3, 0.7), at(0.6, 0.9), at(1e-6, 0.03)],
        );
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("σ of task \"c\" has collapsed to 0.030"), "{told:?}");
    }

    #[test]
    fn given_weights_are_the_users_own_business() {
        let given = |weight| TaskRecord { loss: Some(1.0), weight, sigma: None };
        assert_eq!(diagnose(&["a", "b"], &[1.0, 0.0], &[given(1.0), given(0.0)]), [""; 0]);
    }
}
