//! Our side of `tests/compare_schemes.py`: reads problems as JSON from standard input, one a line, and writes what every scheme makes of
//! them, one line a problem: weights and, where these are learned, the total's gradient for what they are learned through; or a text
//! where there are none.

use awl::Weighting;
use awl::weighting::gradients::{self, AtStep};
use awl::weighting::{Kind, MEMORY, Moment, SCHEMES, Scheme, TaskStep};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};

/// A step.
#[derive(Deserialize)]
struct Problem {
    losses: Vec<f64>,
    /// The products of the tasks' gradients.
    #[serde(default)]
    gram: Vec<Vec<f64>>,
    /// The losses after the step.
    then: Option<Vec<f64>>,
    /// What weights are learned through, if it is not what it starts at.
    parameters: Option<Vec<f64>>,
    /// By scheme and name; what is not set is as by default.
    #[serde(default)]
    settings: HashMap<String, HashMap<String, f64>>,
    #[serde(default)]
    key: [u32; 2],
    #[serde(default)]
    ends_epoch: bool,
    /// Whether it is the next step after the problem before, whose memory it takes.
    #[serde(default)]
    goes_on: bool,
}

/// What is kept from step to step.
#[derive(Default)]
struct Run {
    step: u64,
    tasks: HashMap<&'static str, Vec<TaskStep>>,
}

impl Problem {
    fn answer(&self, scheme: &'static dyn Scheme, run: &mut Run) -> Result<Value, Box<dyn Error>> {
        let none = HashMap::new();
        let given = self.settings.get(scheme.name()).unwrap_or(&none);
        let given: Vec<(&str, f64)> = given.iter().map(|(name, x)| (&name[..], *x)).collect();
        let classes = vec![false; self.losses.len()];
        let weighting = match scheme.name() {
            "fixed" => Weighting::fixed(vec![1.0; classes.len()]),
            name => Weighting::named(name, &given, &classes)?,
        };
        let settings = weighting.settings();
        let moment =
            Moment { settings, step: run.step, ends_epoch: self.ends_epoch, key: self.key };
        let tasks = run.tasks.entry(scheme.name()).or_insert_with(|| begun(&weighting, self.key));
        for (k, task) in tasks.iter_mut().enumerate() {
            task.loss = Some(self.losses[k]);
            task.weight = self.parameters.as_ref().map_or(task.weight, |parameters| parameters[k]);
        }
        let weights = match scheme.kind() {
            Kind::Parameter => tasks.iter().map(|it| weighting.weight(it.weight)).collect(),
            Kind::Losses => scheme.weigh(&moment, tasks).ok_or("no weights")?,
            Kind::Gradients => self.combined(&weighting, run.step, tasks)?,
        };
        let slope = |it: &TaskStep| weighting.parameter_gradient(it.loss.unwrap_or(0.0), it.weight);
        let gradients: Vec<f64> = tasks.iter().map(slope).collect();
        scheme.after(&moment, tasks);
        if let Some(then) = &self.then {
            let then: Vec<_> = then.iter().copied().map(Some).collect();
            scheme.follow(&moment, tasks, &then);
        }
        Ok(json!({ "weights": weights, "gradients": gradients }))
    }

    fn combined(
        &self,
        weighting: &Weighting,
        step: u64,
        tasks: &mut [TaskStep],
    ) -> awl::Result<Vec<f64>> {
        let mut memory: Vec<[f64; MEMORY]> = tasks.iter().map(|task| task.memory).collect();
        let (losses, gram) = (&self.losses, &self.gram.concat());
        let at = &mut AtStep { gram, losses, memory: &mut memory, step, key: self.key };
        let weights = gradients::weights(weighting.scheme(), weighting.settings(), at);
        tasks.iter_mut().zip(memory).for_each(|(task, memory)| task.memory = memory);
        weights
    }
}

fn begun(weighting: &Weighting, key: [u32; 2]) -> Vec<TaskStep> {
    let (weights, memory) = weighting.begin(key);
    let task = |(weight, memory)| TaskStep { loss: None, weight, memory };
    weights.into_iter().zip(memory).map(task).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut run = Run::default();
    for line in stdin().lock().lines() {
        let problem: Problem = serde_json::from_str(&line?)?;
        if !problem.goes_on {
            run = Run::default();
        }
        run.step += 1;
        let mut answers = Map::new();
        for scheme in SCHEMES.iter().copied() {
            let answer = problem.answer(scheme, &mut run);
            let answer = answer.unwrap_or_else(|error| json!(error.to_string()));
            answers.insert(scheme.name().into(), answer);
        }
        writeln!(stdout(), "{}", Value::Object(answers))?;
    }
    Ok(())
}
