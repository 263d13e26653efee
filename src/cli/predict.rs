//! `awl predict`: a model's answers for new rows, a block of rows at a time.

use super::answers::{Cell, Names, answers};
use super::beside::{Beside, UncertaintyFlags};
use super::failure::Failure;
use super::far::Strange;
use super::networks::{EngineFlag, Networks};
use super::reading::{ReadingFlags, columns as columns_of};
use super::run_dir::RunDir;
use super::scores;
use super::split_file::{PartName, SplitFile};
use super::terminal::printable;
use awl::durable::Draft;

use awl::Table;
use awl::tables::{Encoder, Reading};
use awl::train::uncertainty::Members;
use pollster::block_on;
use serde_json::{Map, Value};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `awl predict`
#[derive(clap::Args)]
pub struct Arguments {
    /// The directory of a run that `awl train` made.
    run: PathBuf,
    /// The table to predict for; its columns are found by their names, and - is standard input.
    data: PathBuf,
    /// Write to this file, which appears when all rows are in it, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Columns of the table to write before the predictions, such as one that names the row.
    ///
    /// A column that is named as an answer is, say a label to compare with, is written as NAME.kept.
    #[arg(long, value_name = "COLUMN,…")]
    keep: Vec<String>,
    /// Only the rows of this part of the run's own table, which is then to be named as DATA.
    #[arg(long, value_enum, value_name = "PART")]
    part: Option<PartName>,
    /// Write a JSON object a row instead of CSV.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineFlag,
    #[command(flatten)]
    uncertainty: UncertaintyFlags,
    #[command(flatten)]
    reading: ReadingFlags,
}

/// Rows that are read, predicted and written together.
const BLOCK: usize = 16_384;

/// Predicts.
pub fn run(arguments: &Arguments) -> ExitCode {
    let outcome = match &arguments.out {
        Some(path) => to_file(arguments, path),
        None => match predict(arguments, BufWriter::new(io::stdout().lock())) {
            // A reader who has seen enough closes the pipe; that is no failure.
            Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome.map_err(|stop| stop.into_failure(Path::new("standard output"))),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Why predicting ended early.
enum Stop {
    Failure(Failure),
    Output(io::Error),
}

impl Stop {
    /// What the system said of a write: csv's own conversion would hide that a pipe was closed.
    fn of_csv(error: csv::Error) -> Self {
        Self::Output(match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        })
    }

    fn into_failure(self, path: &Path) -> Failure {
        match self {
            Self::Failure(failure) => failure,
            Self::Output(error) => Failure::writing(path, &error),
        }
    }
}

impl<T: Into<Failure>> From<T> for Stop {
    fn from(failure: T) -> Self {
        Self::Failure(failure.into())
    }
}

fn to_file(arguments: &Arguments, path: &Path) -> Result<(), Failure> {
    let same = |one: &Path, other: &Path| match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    if same(path, &arguments.data) {
        return Err(Failure::input(format!(
            "--out {} is the table itself, which the answers would take the place of: name another file",
            path.display()
        )));
    }
    let mut draft = Draft::create(path).map_err(|error| Failure::writing(path, &error))?;
    let outcome = predict(arguments, BufWriter::new(&mut draft));
    let outcome = outcome.and_then(|()| draft.keep().map_err(Stop::Output));
    outcome.map_err(|stop| stop.into_failure(path))
}

fn predict(arguments: &Arguments, out: impl Write) -> Result<(), Stop> {
    let run = RunDir::open(&arguments.run)?;
    let (model, parameters) = run.load_model()?;
    let beside = Beside::asked(&arguments.uncertainty, &run, &model)?;
    let split = arguments.part.map(|part| Ok((part, SplitFile::read(&run.split())?)));
    let split = split.transpose().map_err(|failure: Failure| failure)?;
    let mut found = 0;
    let encoder = &model.encoder;
    let options = model.read_options(&arguments.reading);
    let mut blocks = Table::chunks(&arguments.data, BLOCK, &options);
    // There is a first one, if without rows: all of the columns' names are known by it.
    let Some(first) = blocks.next().transpose()? else { return Ok(()) };
    let keep = columns_of("--keep", &arguments.keep, &arguments.data, first.names())?;
    let mut writer = Rows::new(out, encoder, &keep, beside.as_ref(), arguments.json);
    let mut strange = Strange::default();
    let mut predictor = None;
    for block in std::iter::once(Ok(first)).chain(blocks.by_ref()) {
        let mut block = block?;
        let mut features = encoder.encode_features(&block)?;
        if let Some((part, split)) = &split {
            let rows = split.rows_of(*part, &block, &features)?;
            found += rows.len();
            block = block.select(&rows);
            features = encoder.encode_features(&block)?;
        }
        strange.look(&model, &block)?;
        if block.is_empty() {
            continue;
        }
        let predictor = match &mut predictor {
            Some(predictor) => predictor,
            none => {
                let networks = Networks::of(&run, arguments.engine, &model.network, &parameters);
                none.insert(block_on(networks)?)
            }
        };
        let mut each = Vec::new();
        let predictions = block_on(predictor.each(&features, |predictions| {
            if beside.is_some() {
                each.push(predictions.clone());
            }
            Ok(())
        }))?;
        let members = beside.is_some().then(|| Members::new(encoder, each)).transpose()?;
        for row in 0..predictions.rows() {
            writer.row(&block, row, predictions.row(row), members.as_ref())?;
        }
    }
    if let Some((part, split)) = &split {
        split.check_found(*part, found, &arguments.data.display().to_string())?;
    }
    writer.finish()?;
    let warnings = run.is_ahead_of(&model).into_iter().chain(model.diverged.clone());
    warnings.for_each(|why| eprintln!("warning: {why}"));
    blocks.reading().into_iter().for_each(tell);
    scores::thresholds(encoder).iter().for_each(|it| eprintln!("{}", printable(it)));
    strange.sentences().iter().for_each(|it| eprintln!("warning: {}", printable(it)));
    Ok(())
}

/// Says what was found while the table was read.
fn tell(reading: &Reading) {
    let empty = reading.empty_rows.sentence();
    let others = reading.sentences();
    let others = others.iter().filter(|sentence| Some(*sentence) != empty.as_ref());
    others.for_each(|sentence| eprintln!("{sentence}"));
    // Whoever counts answers must know.
    empty
        .iter()
        .for_each(|sentence| eprintln!("warning: {sentence}: no answer is written for that"));
}

/// Writes rows of predictions.
struct Rows<'a, W: Write> {
    encoder: &'a Encoder,
    keep: &'a [String],
    beside: Option<&'a Beside>,
    names: Vec<String>,
    format: Format<W>,
    cells: Vec<Cell>,
    /// Whether the header was written: not before the first row is known to be good.
    started: bool,
}

enum Format<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Json(W),
}

impl<'a, W: Write> Rows<'a, W> {
    fn new(
        out: W,
        encoder: &'a Encoder,
        keep: &'a [String],
        beside: Option<&'a Beside>,
        json: bool,
    ) -> Self {
        let mut free = Names::default();
        let mut answers = free.answers(encoder);
        if let Some(beside) = beside {
            // After all answers, which are called the same without it.
            for (names, target) in answers.iter_mut().zip(encoder.targets()) {
                names.extend(beside.names(target).iter().map(|name| free.free(name, "")));
            }
        }
        let keep_as = keep.iter().map(|name| free.free(name, ".kept"));
        let names = keep_as.chain(answers.into_iter().flatten()).collect();
        let format = if json {
            Format::Json(out)
        } else {
            Format::Csv(Box::new(csv::Writer::from_writer(out)))
        };
        Self { encoder, keep, beside, names, format, cells: Vec::new(), started: false }
    }

    fn start(&mut self) -> Result<(), Stop> {
        match &mut self.format {
            Format::Csv(out) if !self.started => {
                self.started = true;
                out.write_record(&self.names).map_err(Stop::of_csv)
            }
            _ => Ok(()),
        }
    }

    fn row(
        &mut self,
        table: &Table,
        row: usize,
        predictions: &[f32],
        members: Option<&Members<'_>>,
    ) -> Result<(), Stop> {
        self.cells.clear();
        for name in self.keep {
            let cell = table.column(name)?.text(row);
            self.cells.push(cell.map_or(Cell::Missing, |cell| Cell::Text(cell.into_owned())));
        }
        let mut rest = predictions;
        for (task, target) in self.encoder.targets().iter().enumerate() {
            let (own, others) = rest.split_at(target.outputs());
            rest = others;
            answers(target, own, &mut self.cells)?;
            if let (Some(beside), Some(members)) = (self.beside, members) {
                beside.cells(target, members, row, task, &mut self.cells)?;
            }
        }
        self.start()?;
        match &mut self.format {
            Format::Csv(out) => {
                let cells = self.cells.iter().map(Cell::text);
                out.write_record(cells.map(String::into_bytes)).map_err(Stop::of_csv)
            }
            Format::Json(out) => {
                let pairs = self.names.iter().zip(&self.cells);
                let object: Map<String, Value> =
                    pairs.map(|(name, cell)| (name.clone(), cell.json())).collect();
                writeln!(out, "{}", Value::from(object)).map_err(Stop::Output)
            }
        }
    }

    fn finish(mut self) -> Result<(), Stop> {
        // A table without rows has answers' names all the same.
        self.start()?;
        match self.format {
            Format::Csv(mut out) => out.flush().map_err(Stop::Output),
            Format::Json(mut out) => out.flush().map_err(Stop::Output),
        }
    }
}
