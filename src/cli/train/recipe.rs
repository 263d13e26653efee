//! From the configuration to a recipe and an engine.

use super::config::{self, Config, EngineName, OptimizerName, ScheduleName, Scheme, SigmaInit};
use crate::cli::failure::Failure;
use awl::engine::{Reference, State};
use awl::optimizer::Schedule;
use awl::train::Weights;
use awl::weighting::awl::equilibrium;
use awl::{
    Adam, AutomaticWeightedLoss, Dataset, Encoder, Engine, Gpu, GpuEngine, Network, Recipe,
    SigmaForm, Trainer, Weighting,
};

/// What the configuration asks for, σ starting at 1 where it depends on the data.
pub fn recipe(config: &Config, encoder: &Encoder, rows: usize) -> Result<Recipe, Failure> {
    let model = &config.model;
    let network =
        Network::new(encoder.features(), &model.hidden, model.activation, &encoder.tasks())?;
    let network = network.with_dropout(model.dropout)?;
    let weighting = weighting(config)?;
    let mut recipe = Recipe::new(network, weighting, adam(config));
    recipe.batch = config.train.batch_size;
    recipe.shuffle = config.train.shuffle;
    recipe.seed = config.train.seed;
    recipe.clip = config.optimizer.clip;
    recipe.schedule = schedule(config, rows);
    Ok(recipe)
}

fn adam(config: &Config) -> Adam {
    let optimizer = &config.optimizer;
    let mut adam = Adam::new(optimizer.lr)
        .weight_decay(optimizer.weight_decay)
        .sigma_learning_rate(config.weighting.sigma_lr.unwrap_or(optimizer.lr));
    for group in [&mut adam.network, &mut adam.sigma] {
        group.betas = (optimizer.betas[0], optimizer.betas[1]);
        group.epsilon = optimizer.epsilon;
    }
    match optimizer.name {
        OptimizerName::Adam => adam,
        OptimizerName::Adamw => adam.decoupled(),
    }
}

/// Epochs become steps.
fn schedule(config: &Config, rows: usize) -> Schedule {
    let optimizer = &config.optimizer;
    let per_epoch = rows.div_ceil(config.train.batch_size.max(1)) as u64;
    let steps = |epochs: usize| (epochs as u64).saturating_mul(per_epoch);
    let schedule = match optimizer.schedule {
        ScheduleName::Constant => Schedule::constant(),
        ScheduleName::Cosine => {
            Schedule::cosine(steps(config.train.epochs.saturating_sub(optimizer.warm_up)))
        }
        ScheduleName::Step => {
            Schedule::step(steps(optimizer.schedule_every), optimizer.schedule_factor)
        }
    };
    schedule.warm_up(steps(optimizer.warm_up))
}

fn weighting(config: &Config) -> Result<Weighting, Failure> {
    let tasks = config.task.len();
    let given = config.task.iter().find(|task| task.weight.is_some());
    if let (Some(task), true) = (given, config.weighting.scheme != Scheme::Fixed) {
        return Err(Failure::input(format!(
            "task \"{}\" has a weight, but the weighting is not fixed: say --weighting fixed, or leave the weight out",
            task.name.as_deref().unwrap_or_default()
        )));
    }
    check_scheme(&config.weighting)?;
    Ok(match config.weighting.scheme {
        Scheme::Equal => Weighting::equal(tasks),
        Scheme::Fixed => {
            let weights = config.task.iter().map(|task| {
                task.weight.ok_or_else(|| {
                    let name = task.name.as_deref().unwrap_or_default();
                    Failure::input(format!("task \"{name}\" has no weight: with the weighting fixed, give every [[task]] one"))
                })
            });
            Weighting::Fixed(weights.collect::<Result<_, _>>()?)
        }
        Scheme::Awl => {
            let sigma = sigma_start(&config.weighting, tasks)?;
            AutomaticWeightedLoss::starting_at(sigma).with_form(form(&config.weighting)?).into()
        }
    })
}

/// Checks that nothing is said of σ where none is learned.
fn check_scheme(weighting: &config::Weighting) -> Result<(), Failure> {
    let of_sigma = [
        ("--sigma-lr", weighting.sigma_lr.is_some()),
        ("--sigma-init", weighting.sigma_init.is_some()),
        ("--sigma-form", weighting.sigma_form != config::SigmaForm::Plain),
        ("--sigma-floor", weighting.sigma_floor.is_some()),
    ];
    match of_sigma.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) if weighting.scheme != Scheme::Awl => Err(Failure::input(format!(
            "σ is learned by the weighting awl alone: leave {flag} out"
        ))),
        _ => Ok(()),
    }
}

/// Where σ starts, 1 where that depends on the data.
fn sigma_start(weighting: &config::Weighting, tasks: usize) -> Result<Vec<f32>, Failure> {
    Ok(match &weighting.sigma_init {
        None => vec![1.0; tasks],
        Some(SigmaInit::All(sigma)) => vec![*sigma; tasks],
        Some(SigmaInit::Each(sigma)) => sigma.clone(),
        Some(SigmaInit::Word(word)) if word == CLOSED_FORM => vec![1.0; tasks],
        Some(SigmaInit::Word(word)) => {
            return Err(Failure::input(format!(
                "sigma_init \"{word}\": use a number, one a task, or \"{CLOSED_FORM}\""
            )));
        }
    })
}

/// What is learned of σ.
fn form(weighting: &config::Weighting) -> Result<SigmaForm, Failure> {
    match (weighting.sigma_form, weighting.sigma_floor) {
        (config::SigmaForm::Plain, None) => Ok(SigmaForm::Plain),
        (config::SigmaForm::Plain, Some(_)) => Err(Failure::input(
            "σ has a floor in the form log alone: say --sigma-form log, or leave --sigma-floor out",
        )),
        (config::SigmaForm::Log, None) => Ok(SigmaForm::log()),
        (config::SigmaForm::Log, Some(floor)) => Ok(SigmaForm::Log { floor }),
    }
}

const CLOSED_FORM: &str = "closed-form";

/// The engine that the configuration names, with what it runs on.
pub async fn engine(
    config: &Config,
    recipe: Recipe,
    data: &Dataset,
) -> Result<(Box<dyn Engine>, String), Failure> {
    Ok(match config.train.engine {
        EngineName::Reference => {
            let engine = Reference::new(recipe, data.clone())?;
            (Box::new(engine), "the CPU, in f64".into())
        }
        name => {
            let gpu = Gpu::new().await?;
            let on = gpu.name().to_string();
            let engine = match name {
                EngineName::Unfused => GpuEngine::unfused(&gpu, recipe, data).await?,
                _ => GpuEngine::fused(&gpu, recipe, data).await?,
            };
            (Box::new(engine), on)
        }
    })
}

/// The state that a new run starts from: first weights from the seed or a file, and σ.
pub async fn start<E: Engine>(
    config: &Config,
    trainer: &mut Trainer<E>,
    data: &Dataset,
) -> Result<State, Failure> {
    let mut state = trainer.engine().state().await?;
    if let Some(path) = &config.train.init {
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| format!("{file}: {error}"))?;
        let weights = Weights::from_bytes(&file, &bytes, trainer.engine().recipe())?;
        state = weights.put_into(&state);
        trainer.engine().load(&state)?;
    }
    let is_closed_form = config.weighting.sigma_init == Some(SigmaInit::Word(CLOSED_FORM.into()));
    let form = trainer.engine().recipe().weighting.form();
    if let (Some(form), true) = (form, is_closed_form) {
        // Where σ comes to rest at the losses of the untrained network.
        let metrics = trainer.evaluate(data).await?;
        for (parameter, metrics) in state.sigma.iter_mut().zip(metrics) {
            if let Some(loss) =
                metrics.and_then(|metrics| metrics.loss()).filter(|&loss| loss > 0.0)
            {
                *parameter = form.parameter(equilibrium(loss) as f32).into();
            }
        }
        trainer.engine().load(&state)?;
    }
    Ok(state)
}
