//! The options of `awl train`, and the runs that they ask for.

use super::{EPOCHS, Run, STEPS_AN_EPOCH};
use awl::{Activation, Adam, AutomaticWeightedLoss, Loss, Schedule, SigmaForm, Weighting};

/// An option: what the configuration file says, what the command line does (nothing where only the file can), and the run.
pub type Row = (&'static [(&'static str, &'static str)], &'static str, fn() -> Run);

macro_rules! with {
    ($($field:ident $(. $part:ident)* = $value:expr),*) => {
        || { let mut run = Run::base(); $(run.$field$(.$part)* = $value;)* run }
    };
}

pub const NUMBER: &str = "[[task]]\nname = \"number\"\ncolumns = [\"number\"]\n";
pub const KIND: &str =
    "[[task]]\nname = \"kind\"\ncolumns = [\"kind\"]\nloss = \"cross_entropy\"\n";

fn awl_in(form: SigmaForm, sigma: [f32; 2]) -> Weighting {
    AutomaticWeightedLoss::starting_at(sigma.into()).with_form(form).into()
}

pub const OPTIONS: &[Row] = &[
    (&[], "", Run::base),
    (&[("model.hidden", "[3, 4]")], "--hidden 3,4", with!(hidden = vec![3, 4])),
    (
        &[("model.activation", "\"tanh\"")],
        "--activation tanh",
        with!(activation = Activation::Tanh),
    ),
    (
        &[("model.activation", "\"gelu\"")],
        "--activation gelu",
        with!(activation = Activation::Gelu),
    ),
    (
        &[("model.activation", "\"silu\"")],
        "--activation silu",
        with!(activation = Activation::Silu),
    ),
    (&[("model.dropout", "0.3")], "--dropout 0.3", with!(dropout = 0.3)),
    (
        &[("weighting.scheme", "\"equal\"")],
        "--weighting equal",
        with!(weighting = Weighting::equal(2)),
    ),
    (
        &[("weighting.scheme", "\"uw-so\""), ("weighting.settings", "{ temperature = 0.5 }")],
        "--weighting uw-so --setting temperature=0.5",
        with!(
            weighting = Weighting::named("uw-so", &[("temperature", 0.5)], &[false, true])
                .expect("a weighting")
        ),
    ),
    (&[("weighting.sigma_lr", "0.15")], "--sigma-lr 0.15", with!(adam.sigma.learning_rate = 0.15)),
    (
        &[("weighting.sigma_init", "0.5")],
        "--sigma-init 0.5",
        with!(weighting = awl_in(SigmaForm::Plain, [0.5; 2])),
    ),
    (
        &[("weighting.sigma_init", "[0.5, 2.0]")],
        "--sigma-init 0.5,2",
        with!(weighting = awl_in(SigmaForm::Plain, [0.5, 2.0])),
    ),
    (
        &[("weighting.sigma_init", "\"closed-form\"")],
        "--sigma-init closed-form",
        with!(starts_at_rest = true),
    ),
    (
        &[("weighting.sigma_form", "\"log\"")],
        "--sigma-form log",
        with!(weighting = awl_in(SigmaForm::log(), [1.0; 2])),
    ),
    (
        &[
            ("weighting.sigma_form", "\"log\""),
            ("weighting.sigma_floor", "2.9"),
            // From where it falls.
            ("weighting.sigma_init", "3.0"),
            ("weighting.sigma_lr", "0.2"),
        ],
        "--sigma-form log --sigma-floor 2.9 --sigma-init 3 --sigma-lr 0.2",
        with!(
            weighting = awl_in(SigmaForm::Log { floor: 2.9 }, [3.0; 2]),
            adam.sigma.learning_rate = 0.2
        ),
    ),
    (
        &[("optimizer.weight_decay", "0.2")],
        "--weight-decay 0.2",
        with!(adam.network.weight_decay = 0.2),
    ),
    (
        &[("optimizer.weight_decay", "0.2"), ("optimizer.name", "\"adamw\"")],
        "--weight-decay 0.2 --optimizer adamw",
        with!(adam = Adam::new(0.02).weight_decay(0.2).decoupled()),
    ),
    (
        // 0.1, where none is given.
        &[("optimizer.name", "\"adamw\"")],
        "--optimizer adamw",
        with!(adam = Adam::new(0.02).weight_decay(0.1).decoupled()),
    ),
    (&[("optimizer.lr", "0.1")], "--lr 0.1", with!(adam = Adam::new(0.1))),
    (
        &[("optimizer.betas", "[0.5, 0.9]")],
        "",
        with!(adam.network.betas = (0.5, 0.9), adam.sigma.betas = (0.5, 0.9)),
    ),
    (
        &[("optimizer.epsilon", "0.3")],
        "",
        with!(adam.network.epsilon = 0.3, adam.sigma.epsilon = 0.3),
    ),
    // Every norm here is larger, so that the weight decay beside it shows.
    (
        &[("optimizer.clip", "0.05"), ("optimizer.weight_decay", "0.2")],
        "--clip 0.05 --weight-decay 0.2",
        with!(clip = Some(0.05), adam.network.weight_decay = 0.2),
    ),
    (
        &[("optimizer.schedule", "\"cosine\"")],
        "--schedule cosine",
        with!(schedule = Schedule::cosine(STEPS_AN_EPOCH * EPOCHS as u64)),
    ),
    (
        &[("optimizer.schedule", "\"cosine\""), ("optimizer.warm_up", "1")],
        "--schedule cosine --warm-up 1",
        with!(
            schedule =
                Schedule::cosine(STEPS_AN_EPOCH * (EPOCHS as u64 - 1)).warm_up(STEPS_AN_EPOCH)
        ),
    ),
    (
        &[
            ("optimizer.schedule", "\"step\""),
            ("optimizer.schedule_every", "1"),
            ("optimizer.schedule_factor", "0.5"),
        ],
        "--schedule step --schedule-every 1 --schedule-factor 0.5",
        with!(schedule = Schedule::step(STEPS_AN_EPOCH, 0.5)),
    ),
    (&[("train.epochs", "2")], "--epochs 2", with!(epochs = 2)),
    (&[("train.batch_size", "9")], "--batch-size 9", with!(batch = 9)),
    (&[("train.seed", "77")], "--seed 77", with!(seed = 77)),
    (&[("train.shuffle", "true")], "", with!(shuffle = true)),
];

/// An option of a task, in the file alone: its key, what the two tasks' texts say, and the run.
pub type TaskRow = (&'static str, &'static str, &'static str, fn() -> Run);

/// Those that there are.
pub const TASKS: &[TaskRow] = &[
    ("loss", "loss = \"mae\"\n", "", || {
        let mut run = Run::base();
        run.tasks[0].loss = Loss::Mae;
        run
    }),
    ("delta", "loss = \"huber\"\ndelta = 0.4\n", "", || {
        let mut run = Run::base();
        run.tasks[0].loss = Loss::Huber { delta: 0.4 };
        run
    }),
    ("quantile", "loss = \"quantile\"\nquantile = 0.8\n", "", || {
        let mut run = Run::base();
        run.tasks[0].loss = Loss::Quantile { quantile: 0.8 };
        run
    }),
    ("label_smoothing", "", "label_smoothing = 0.2\n", || {
        Run::of_classes(Loss::CrossEntropy { label_smoothing: 0.2, class_weights: None })
    }),
    ("class_weights", "", "class_weights = [0.5, 1.0, 4.0]\n", || {
        let class_weights = Some(vec![0.5, 1.0, 4.0]);
        Run::of_classes(Loss::CrossEntropy { label_smoothing: 0.0, class_weights })
    }),
    (
        "weight",
        "weight = 0.25\n",
        "weight = 3.0\n",
        with!(weighting = Weighting::fixed(vec![0.25, 3.0])),
    ),
];

/// Options that say nothing of the steps' arithmetic, and where it is held what they do.
pub const ELSEWHERE: &[(&str, &str)] = &[
    ("--task", "every run here"),
    ("--out", "every run here"),
    ("--quiet", "every run here"),
    ("--config", "every run here"),
    ("--engine", "program::parity"),
    ("--init", "program::parity"),
    ("--start", "program::start"),
    ("--resume", "program::resume"),
    ("--checkpoint-every", "program::resume"),
    ("--json", "program::runs"),
    ("--help", "clap"),
    ("--log-every", "program::runs"),
    ("--tensorboard", "program::runs, and report::tensorboard"),
    ("--members", "program::members"),
    ("--bootstrap", "program::members, draws, and data::draws"),
    ("--label-smoothing", "program::losses"),
    ("--class-weights", "program::losses"),
    ("--threshold", "program::thresholds"),
    ("--patience", "program::runs, and train::run"),
    ("--refit", "program::refit"),
    ("--no-shuffle", "every run here has it, but that of train.shuffle"),
    (
        "--no-standardize",
        "every run here has it; what there is without is the encoder's, tables::encode",
    ),
    ("--rare", "program::encoding, and tables::encode"),
    ("--scale", "program::encoding, and tables::encode"),
    ("--features", "program::runs"),
    ("--ignore", "program::runs"),
    ("--text", "real_tables"),
    ("--split", "program::runs, and tables::split"),
    ("--group", "program::splits"),
    ("--time", "program::splits"),
    ("--weight", "program::weights"),
    ("--split-seed", "program::splits"),
    ("--folds", "program::folds, and tables::split"),
    ("--repeats", "program::folds"),
    ("--validation", "tables::split"),
    ("--test", "tables::split"),
    ("--missing", "real_tables::missing"),
    ("--separator", "real_tables::layouts"),
    ("--decimal", "real_tables"),
    ("--encoding", "real_tables::layouts"),
];
