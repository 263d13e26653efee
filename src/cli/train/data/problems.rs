//! Everything that keeps a table from being trained on, in one message with one line of flags.

use crate::cli::failure::Failure;
use awl::tables::{EncoderOptions, TargetSpec, shell_word};
use awl::{Encoder, Error, Table};

/// What was found so far.
pub struct Problems {
    /// The table's name.
    table: String,
    /// Names of features and tasks, each with what is wrong.
    features: Vec<(String, Error)>,
    tasks: Vec<(String, Error)>,
    /// Number of tasks that were asked for.
    asked: usize,
}

/// No more are told at once.
const MOST: usize = 12;

impl Problems {
    /// None so far, of a table that so many tasks are to be learned from.
    pub fn of(table: &Table, asked: usize) -> Self {
        Self { table: table.name().into(), features: Vec::new(), tasks: Vec::new(), asked }
    }

    /// Notes what is wrong with a task.
    pub fn task(&mut self, name: &str, error: Error) {
        self.tasks.push((name.into(), error));
    }

    /// Looks for all that keeps these features and tasks from being learned.
    pub fn look(
        &mut self,
        training: &Table,
        features: &[String],
        specs: &[TargetSpec],
        options: EncoderOptions,
    ) -> Result<(), Failure> {
        if specs.is_empty() {
            return Ok(());
        }
        for problem in Encoder::problems(training, features, specs, options)? {
            let list = if problem.is_task { &mut self.tasks } else { &mut self.features };
            list.push((problem.name, problem.error));
        }
        Ok(())
    }

    /// Fails if there is a problem: one in its own words, several as a list.
    pub fn report(self) -> Result<(), Failure> {
        let Self { table, features, tasks, asked } = self;
        let all: Vec<&(String, Error)> = tasks.iter().chain(&features).collect();
        match &all[..] {
            [] => return Ok(()),
            [(_, only)] => return Err(Failure::input(only.to_string())),
            _ => {}
        }
        let prefix = format!("{table}: ");
        let line = |(_, error): &&(String, Error)| {
            let words = error.to_string();
            format!("\n  {}", words.strip_prefix(&prefix).unwrap_or(&words))
        };
        let mut told: String = all.iter().take(MOST).map(line).collect();
        if all.len() > MOST {
            told += &format!("\n  … and {} more of the kind", all.len() - MOST);
        }
        let mut ways = Vec::new();
        if !features.is_empty() {
            ways.push(format!("with {}", ignore(features.iter().map(|(name, _)| name.as_str()))));
        }
        if !tasks.is_empty() {
            let names: Vec<String> =
                tasks.iter().map(|(name, _)| format!("--task {}", shell_word(name))).collect();
            ways.push(format!("without {}", names.join(" ")));
        }
        if tasks.len() < asked {
            told += &format!("\nto train on the rest: {}", ways.join(", "));
        }
        Err(Failure::input(format!(
            "{prefix}{} columns or tasks cannot be learned as they are:{told}",
            all.len()
        )))
    }
}

/// A flag that leaves these columns out, ready to be pasted.
pub fn ignore<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted = |name: &str| match name.contains([',', '"']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.into(),
    };
    let list: Vec<String> = names.map(quoted).collect();
    format!("--ignore={}", shell_word(&list.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_can_be_pasted_into_a_shell_word() {
        for (names, flag) in [
            (&["a", "b_c"][..], "--ignore=a,b_c"),
            (&["GDP per capita, PPP", "x"], "--ignore='\"GDP per capita, PPP\",x'"),
            (&["it's"], "--ignore='it'\\''s'"),
            (&["CO(GT)"], "--ignore='CO(GT)'"),
        ] {
            assert_eq!(ignore(names.iter().copied()), flag);
        }
    }
}
