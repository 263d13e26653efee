//! What is asked of an encoder: the tasks by their columns, and the loss of a task that names none.

use super::category::{distinct, distinct_numbers};
use super::target::{FEW_CLASSES, check_learnable};
use super::{Scale, Transform};
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::tables::Table;

/// How columns become numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderOptions {
    /// Whether features and targets of numbers are brought to mean 0 and standard deviation 1, as they are by default.
    ///
    /// Without, they pass as they are (their [`Scaling`](super::Scaling) has mean 0 and standard deviation 1), and a
    /// missing feature is 0; it has its indicator either way.
    pub standardize: bool,
    /// How features of numbers are brought to one scale; without [`standardize`](Self::standardize) nothing but
    /// [`Scale::Standard`] makes sense.
    pub scale: Scale,
    /// Texts of a feature that fewer training rows have are [rare](super::FeatureEncoding::Category), and share one input. With 1,
    /// the default, every one has its own, up to 1,024 a feature; the others of more are rare whatever this is.
    /// `awl train` takes 2.
    pub rare: usize,
}

impl Default for EncoderOptions {
    fn default() -> Self {
        Self { standardize: true, scale: Scale::Standard, rare: 1 }
    }
}

impl EncoderOptions {
    /// Checks that they go together.
    pub(super) fn check(&self) -> Result<()> {
        match (self.standardize, self.scale) {
            (true, _) | (false, Scale::Standard) => Ok(()),
            (false, scale) => Err(Error::invalid(
                format!(
                    "numbers cannot be both left as they are and brought to the scale \"{}\"",
                    scale.name()
                ),
                "leave out one of the two (--no-standardize and --scale, or standardize and scale)",
            )),
        }
    }
}

/// A task as a user asks for it.
///
/// ```
/// use awl::tables::TargetSpec;
/// use awl::{Encoder, Loss, Table};
/// let text = "x,kind,length,width\n1,owl,38,90\n2,hawk,54,120\n3,owl,40,95\n";
/// let table = Table::from_csv("birds", text.as_bytes())?;
/// let size = TargetSpec::of_columns("size", &["length", "width"]).with_loss(Loss::Huber { delta: 1.0 });
/// let specs = [TargetSpec::new("kind"), size];
/// let encoder = Encoder::fit_with(&table, &["x"], &specs, Default::default())?;
/// assert_eq!(encoder.targets()[0].loss, Loss::Bce); // two values
/// assert_eq!(encoder.tasks()[1].width, 2);
/// # Ok::<(), awl::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TargetSpec {
    /// The task's name.
    pub name: String,
    /// Its columns in the table: one, or several of the same kind, which one head predicts together.
    pub columns: Vec<String>,
    /// Its loss; [chosen by the labels](Self::infer) where it is `None`.
    pub loss: Option<Loss>,
    /// What its numbers are put through before they are standardised.
    pub transform: Transform,
}

/// The loss that a task's labels suggest.
#[derive(Clone, Debug, PartialEq)]
pub struct InferredLoss {
    /// The loss.
    pub loss: Loss,
    /// What in the labels decided: `two values, "female" and "male"`, `3 different texts`, `94 different numbers`, …
    pub why: String,
}

impl TargetSpec {
    /// A task of one column, named after it, its loss to be chosen by the labels.
    pub fn new(column: impl Into<String>) -> Self {
        let column = column.into();
        Self { name: column.clone(), columns: vec![column], loss: None, transform: Transform::None }
    }

    /// A task of several columns, its loss to be chosen by the labels.
    pub fn of_columns(name: impl Into<String>, columns: &[impl AsRef<str>]) -> Self {
        let columns = columns.iter().map(|column| column.as_ref().into()).collect();
        Self { name: name.into(), columns, loss: None, transform: Transform::None }
    }

    /// The same task with this loss.
    #[must_use]
    pub fn with_loss(self, loss: Loss) -> Self {
        Self { loss: Some(loss), ..self }
    }

    /// The same task with its numbers transformed.
    #[must_use]
    pub fn with_transform(self, transform: Transform) -> Self {
        Self { transform, ..self }
    }

    /// The loss that the labels of the training part suggest, whether or not one is given:
    ///
    /// | labels | loss |
    /// |---|---|
    /// | two different values (in every column) | `bce` |
    /// | text; or at most 20 different integers, each labelled five times on average (one column) | `cross_entropy` |
    /// | other numbers | `mse` |
    ///
    /// # Errors
    /// [`Error::Table`], naming the column and the remedy, for a column that is not there, has no label, labels of only
    /// one value, or text in which most cells are numbers; [`Error::Invalid`] for no column, or several of text.
    pub fn infer(&self, training: &Table) -> Result<InferredLoss> {
        self.check_columns()?;
        let each = self.columns.iter().map(|name| Labels::of(training, name));
        let each: Vec<Labels> = each.collect::<Result<_>>()?;
        let whys: Vec<String> = each.iter().map(Labels::describe).collect();
        let loss = if each.iter().all(|labels| labels.different == 2) {
            Loss::Bce
        } else if let [one] = &each[..] {
            if one.are_classes() { Loss::cross_entropy() } else { Loss::Mse }
        } else if let Some(text) = each.iter().position(|labels| labels.text) {
            return Err(Error::invalid(
                format!(
                    "task \"{}\": column \"{}\" is text, and a task of several columns predicts numbers or pairs of \
                     values",
                    self.name, self.columns[text]
                ),
                "make each column of text a task of its own",
            ));
        } else {
            Loss::Mse
        };
        Ok(InferredLoss { loss, why: whys.join("; ") })
    }

    /// Checks that the loss takes transformed numbers, where they are.
    pub(super) fn check_transform(&self, loss: &Loss) -> Result<()> {
        let (name, transform, loss) = (&self.name, self.transform.name(), loss);
        if self.transform == Transform::None || (loss.predicts_number() && *loss != Loss::Poisson) {
            return Ok(());
        }
        Err(Error::invalid(
            format!(
                "task \"{name}\": the transform {transform} does not go with the loss {}",
                loss.name()
            ),
            "leave it out, or use mse, mae, huber or quantile",
        ))
    }

    /// Checks that there is a column, and no more than the loss takes.
    pub(super) fn check_columns(&self) -> Result<()> {
        let several = self.columns.len() > 1;
        match &self.loss {
            _ if self.columns.is_empty() => Err(Error::invalid(
                format!("task \"{}\" has no column", self.name),
                "name at least one column to predict",
            )),
            Some(loss) if loss.predicts_class() && several => Err(Error::invalid(
                format!(
                    "task \"{}\": cross_entropy takes one column, but {} are named",
                    self.name,
                    self.columns.len()
                ),
                "make each column a task of its own, or use bce for columns of two values",
            )),
            _ => Ok(()),
        }
    }
}

/// What a column's labels look like.
struct Labels {
    text: bool,
    integers: bool,
    /// How many different ones there are, and the first two of them.
    different: usize,
    first: Vec<String>,
    count: usize,
}

impl Labels {
    fn of(training: &Table, name: &str) -> Result<Self> {
        let column = training.column(name)?;
        training.check_no_stray(name)?;
        let (mut first, numbers) = match column.is_text() {
            true => (distinct(column), Vec::new()),
            false => (Vec::new(), distinct_numbers(column)),
        };
        let different = first.len().max(numbers.len());
        // Of a million different numbers two names are enough.
        first.extend(numbers.iter().take(2).map(f64::to_string));
        check_learnable(training, name, &first)?;
        let text = column.is_text();
        let integers = !text && numbers.iter().all(|number| number.fract() == 0.0);
        Ok(Self { text, integers, different, first, count: column.rows() - column.missing() })
    }

    fn are_classes(&self) -> bool {
        let few = self.different <= FEW_CLASSES && 5 * self.different <= self.count;
        self.text || (self.integers && few)
    }

    fn describe(&self) -> String {
        match (self.different, &self.first[..]) {
            (2, [first, second]) => {
                let [first, second] = [first, second].map(|it| cut(it));
                format!("two values, \"{first}\" and \"{second}\"")
            }
            (different, _) if self.text => format!("{different} different texts"),
            (different, _) if self.are_classes() => format!("only {different} different integers"),
            (different, _) => format!("{different} different numbers"),
        }
    }
}

/// A text in a sentence, which it must not fill.
fn cut(text: &str) -> String {
    match text.chars().count() > MOST_LETTERS {
        true => text.chars().take(MOST_LETTERS - 1).chain(['…']).collect(),
        false => text.into(),
    }
}

/// Letters of a text in a sentence, at most.
const MOST_LETTERS: usize = 60;
