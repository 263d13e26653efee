//! A table to learn from: what its columns are, and which of them might be predicted from which.

use awl::tables::{Column, EncoderOptions, TargetSpec};
use awl::{Encoder, Error, Loss, Result, Table};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

const PENGUINS: &str = include_str!("../../examples/data/penguins/penguins.csv");

/// A text column with more categories than this is more likely a name or a note than something to learn from.
const MOST_CATEGORIES: usize = 32;
/// As many classes as a suggested task has at most.
const MOST_CLASSES: usize = 12;
/// As many values as a column of numbers needs at least to be suggested as a task.
const FEWEST_VALUES: usize = 10;
/// Held-out rows that the page judges by, at most: it does so several times a second.
const MOST_JUDGED: usize = 2_000;

/// What a column would be as a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One of some classes.
    Classes,
    /// A number.
    Number,
}

/// What the page says of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// What it would be as a task, by the library's rule ([`TargetSpec::infer`]).
    pub kind: Kind,
    /// Number of distinct cells.
    pub values: usize,
    /// Number of missing cells.
    pub missing: usize,
    /// Whether other columns might be predicted from it: it is not likely to be a name or a note.
    pub input: bool,
}

/// Which columns are predicted, and from which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The columns to predict from.
    pub inputs: Vec<String>,
    /// The columns to predict, a head each.
    pub tasks: Vec<String>,
}

/// A table, its rows shuffled and dealt out: four fifths to train on, one fifth to judge by.
pub struct Study {
    table: Table,
    columns: Vec<ColumnInfo>,
    plan: Plan,
    training: Table,
    held_out: Table,
}

impl Study {
    /// The penguins of `examples/data`, with the inputs and tasks of `examples/two_heads.rs`.
    ///
    /// # Errors
    /// None that a test would not have met.
    pub fn penguins() -> Result<Self> {
        let mut study = Self::from_csv("penguins", PENGUINS.as_bytes())?;
        for column in &mut study.columns {
            column.input &= column.name != "year";
        }
        study.plan = suggest(&study.columns, study.rows());
        Ok(study)
    }

    /// A file of the visitor's.
    ///
    /// # Errors
    /// Those of [`Table::from_csv`] and [`Table::split`]; [`Error::Table`] for fewer than three columns.
    pub fn from_csv(name: &str, bytes: &[u8]) -> Result<Self> {
        let table = Table::from_csv(name, bytes)?;
        if table.names().len() < 3 {
            return Err(Error::Table {
                table: name.into(),
                problem: format!(
                    "the number of columns is {}: give it at least three, two to predict and one to predict from",
                    table.names().len()
                ),
            });
        }
        let [training, held_out] = table.split(0, [0.8, 0.2])?;
        let describe = |name: &String| Ok(describe(name, table.column(name)?, &training));
        let columns: Vec<ColumnInfo> = table.names().iter().map(describe).collect::<Result<_>>()?;
        let plan = suggest(&columns, table.rows());
        Ok(Self { table, columns, plan, training, held_out })
    }

    /// The columns, in the order of the file.
    pub fn columns(&self) -> &[ColumnInfo] {
        &self.columns
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// What might be predicted from what.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The rows to train on.
    pub fn training(&self) -> &Table {
        &self.training
    }

    /// How the training rows become numbers under this plan.
    ///
    /// # Errors
    /// Those of [`Encoder::fit_with`].
    pub fn encoder(&self, plan: &Plan) -> Result<Encoder> {
        let tasks: Vec<TargetSpec> = plan.tasks.iter().map(TargetSpec::new).collect();
        Encoder::fit_with(&self.training, &plan.inputs, &tasks, EncoderOptions::default())
    }

    /// The held-out rows that are judged by, no more than [`MOST_JUDGED`]. One of a class that no training row has counts as wrong.
    pub fn judged(&self) -> Table {
        let rows: Vec<usize> = (0..self.held_out.rows().min(MOST_JUDGED)).collect();
        self.held_out.select(&rows)
    }
}

fn describe(name: &str, column: Column<'_>, training: &Table) -> ColumnInfo {
    let rows = 0..column.rows();
    let values = match column.is_text() {
        true => rows.filter_map(|row| column.text(row)).collect::<HashSet<_>>().len(),
        false => {
            let bits = |row| column.number(row).map(f64::to_bits);
            rows.filter_map(bits).collect::<HashSet<_>>().len()
        }
    };
    let kind = match TargetSpec::new(name).infer(training).map(|inferred| inferred.loss) {
        Ok(Loss::Bce | Loss::CrossEntropy { .. }) => Kind::Classes,
        Ok(_) => Kind::Number,
        // It cannot be a task, which the library says better when it is asked for.
        Err(_) if column.is_text() => Kind::Classes,
        Err(_) => Kind::Number,
    };
    // A column of numbers with a slip in it is text too; as an input it is met with a message that says where.
    let few = !column.is_text() || values <= MOST_CATEGORIES || is_mostly_numbers(column);
    let input = few && values > 0;
    ColumnInfo { name: name.into(), kind, values, missing: column.missing(), input }
}

fn is_mostly_numbers(column: Column<'_>) -> bool {
    let numbers = (0..column.rows()).filter(|&row| column.number(row).is_some()).count();
    2 * numbers > column.rows() - column.missing()
}

/// The first column of a few classes and the last one of many numbers, or what comes nearest, from all other inputs.
fn suggest(columns: &[ColumnInfo], rows: usize) -> Plan {
    let is_class = |column: &&ColumnInfo| {
        let most = MOST_CLASSES.min(rows / 2);
        column.kind == Kind::Classes && (2..=most).contains(&column.values)
    };
    let is_number =
        |column: &&ColumnInfo| column.kind == Kind::Number && column.values >= FEWEST_VALUES;
    let mut tasks: Vec<&ColumnInfo> = columns.iter().find(is_class).into_iter().collect();
    let others = columns.iter().rev().filter(is_number);
    let others = others.chain(columns.iter().rev().filter(is_class)).chain(columns.iter().rev());
    for column in others {
        if tasks.len() < 2 && !tasks.iter().any(|task| task.name == column.name) {
            tasks.push(column);
        }
    }
    let is_input =
        |column: &&ColumnInfo| column.input && !tasks.iter().any(|task| task.name == column.name);
    let name = |column: &ColumnInfo| column.name.clone();
    Plan {
        inputs: columns.iter().filter(is_input).map(name).collect(),
        tasks: tasks.iter().map(|column| name(column)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(text: &str) -> (Vec<String>, Vec<String>) {
        let plan = Study::from_csv("t", text.as_bytes()).unwrap().plan;
        (plan.tasks, plan.inputs)
    }

    /// `count` rows below a header, each made from its number.
    fn rows(header: &str, count: usize, row: impl Fn(usize) -> String) -> String {
        let rows: Vec<String> = (0..count).map(row).collect();
        format!("{header}\n{}\n", rows.join("\n"))
    }

    #[test]
    fn the_penguins_are_learned_as_the_example_does() {
        let study = Study::penguins().unwrap();
        assert_eq!((study.rows(), study.training().rows()), (344, 275));
        let species = &study.columns()[0];
        assert_eq!((species.kind, species.values, species.missing), (Kind::Classes, 3, 0));
        let inputs = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "sex"];
        assert_eq!(study.plan().inputs, inputs);
        assert_eq!(study.plan().tasks, ["species", "body_mass_g"]);
        let encoder = study.encoder(study.plan()).unwrap();
        let losses: Vec<&str> = encoder.targets().iter().map(|t| t.loss.name()).collect();
        assert_eq!(losses, ["cross_entropy", "mse"]);
        assert_eq!(study.judged().rows(), 69);
    }

    #[test]
    fn a_class_and_a_number_are_suggested_from_all_that_may_be_learned_from() {
        let birds = rows("id,kind,note,wing,mass", 40, |i| {
            format!("{i},{},note {i},{},{}", ["owl", "hawk"][i % 2], 30 + i % 7, 400 + 3 * i)
        });
        let expected = (["kind", "mass"], ["id", "wing"]);
        let (tasks, inputs) = plan_of(&birds);
        assert_eq!(
            (&tasks[..], &inputs[..]),
            (&expected.0.map(String::from)[..], &expected.1.map(String::from)[..])
        );
    }

    #[test]
    fn tables_without_classes_or_without_numbers_still_get_two_tasks() {
        let numbers = rows("a,b,c", 40, |i| format!("{i},{},{}", i * i, i * i * i));
        assert_eq!(plan_of(&numbers).0, ["c", "b"]);
        let texts = rows("a,b,c", 40, |i| {
            format!("{},{},{}", ["x", "y"][i % 2], ["p", "q", "r"][i % 3], ["u", "v"][i / 3 % 2])
        });
        assert_eq!(plan_of(&texts), (vec!["a".into(), "c".into()], vec!["b".into()]));
    }

    #[test]
    fn a_slip_in_a_column_of_numbers_is_not_passed_over() {
        let text = rows("kind,x,y", 100, |i| {
            format!("{},{i}{},{}", ["a", "b"][i % 2], if i == 50 { "O" } else { "" }, i * 3)
        });
        let study = Study::from_csv("t.csv", text.as_bytes()).unwrap();
        assert_eq!(study.plan().inputs, ["x"]);
        let error = study.encoder(study.plan()).unwrap_err().to_string();
        assert!(
            error.starts_with("t.csv: line 52, column \"x\": \"50O\" is not a number"),
            "{error}"
        );
    }

    #[test]
    fn zeros_and_ones_are_classes() {
        let text = rows("x,y,z", 30, |i| format!("{i},{},{}", i % 2, i * 3));
        let study = Study::from_csv("t", text.as_bytes()).unwrap();
        assert_eq!(study.columns()[1].kind, Kind::Classes);
        let encoder = study.encoder(study.plan()).unwrap();
        assert_eq!(encoder.target("y").unwrap().classes().unwrap(), ["0", "1"]);
    }

    #[test]
    fn a_class_that_only_held_out_rows_have_is_judged_too() {
        // Ten of the sixty rows have a class of their own, of which some are dealt to the held-out part.
        let text = rows("kind,x,y", 60, |i| {
            let kind = if i % 6 == 0 { format!("rare{}", i / 6) } else { "common".into() };
            format!("{kind},{i},{}", i * 7 % 31)
        });
        let study = Study::from_csv("t", text.as_bytes()).unwrap();
        let plan = Plan { inputs: vec!["x".into()], tasks: vec!["kind".into(), "y".into()] };
        let encoder = study.encoder(&plan).unwrap();
        assert_eq!(encoder.targets()[0].width(), 11);
        assert_eq!(encoder.encode(&study.judged()).unwrap().rows(), study.held_out.rows());
    }

    #[test]
    fn a_table_of_two_columns_is_refused_with_the_remedy() {
        let Err(error) = Study::from_csv("t.csv", "a,b\n1,2\n".as_bytes()) else {
            panic!("two columns")
        };
        let text = error.to_string();
        assert!(
            text.starts_with("t.csv: the number of columns is 2: give it at least three"),
            "{text}"
        );
    }
}
