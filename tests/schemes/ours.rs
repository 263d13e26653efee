//! Our side of `tests/compare_schemes.py`: reads problems as JSON from standard input, one a line, and writes the weights of every
//! scheme, one line a problem.
//!
//! A problem is `{"gram": [[…], …], "losses": […], "settings": {"cagrad": {"c": 0.4}, …}}`; what is not set is as by default.
//! An answer is `{"mgda": [0.6, 0.4], …}`, with a text in place of weights where there are none.

use awl::weighting::Scheme;
use awl::weighting::gradients::{AtStep, SCHEMES, weights};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};

#[derive(Deserialize)]
struct Problem {
    gram: Vec<Vec<f64>>,
    losses: Vec<f64>,
    #[serde(default)]
    settings: HashMap<String, HashMap<String, f64>>,
    /// Of PCGrad's draws.
    #[serde(default)]
    key: [u32; 2],
    /// Whether it is the next step after the problem before, whose memory it takes.
    #[serde(default)]
    goes_on: bool,
}

/// What is kept from step to step.
#[derive(Default)]
struct Run {
    step: u64,
    memory: HashMap<&'static str, Vec<[f64; 4]>>,
}

impl Problem {
    fn solved(&self, scheme: &dyn Scheme, run: &mut Run) -> Value {
        let given = self.settings.get(scheme.name());
        let settings: Vec<f64> = scheme
            .settings()
            .iter()
            .map(|it| given.and_then(|given| given.get(it.name)).copied().unwrap_or(it.default))
            .collect();
        let memory = run.memory.entry(scheme.name()).or_insert(vec![[0.0; 4]; self.losses.len()]);
        let (losses, gram, step) = (&self.losses, &self.gram.concat(), run.step);
        let at = &mut AtStep { gram, losses, memory, step, key: self.key };
        weights(scheme, &settings, at).map_or_else(|error| json!(error.to_string()), |w| json!(w))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut run = Run::default();
    for line in stdin().lock().lines() {
        let problem: Problem = serde_json::from_str(&line?)?;
        if !problem.goes_on {
            run = Run::default();
        }
        run.step += 1;
        let answer = |it: &&dyn Scheme| (it.name().into(), problem.solved(*it, &mut run));
        let answers = SCHEMES.iter().map(answer);
        writeln!(stdout(), "{}", Value::Object(answers.collect::<Map<_, _>>()))?;
    }
    Ok(())
}
