//! From the configuration to a recipe and an engine.

use super::config::{
    self, AWL, Config, EngineName, FIXED, OptimizerName, ScheduleName, SigmaInit, Start,
};
use crate::cli::failure::Failure;
use awl::engine::{Reference, State, Turns};
use awl::optimizer::Schedule;
use awl::train::{Baselines, Weights};
use awl::weighting::awl::equilibrium;
use awl::{
    Activation, Adam, AutomaticWeightedLoss, Dataset, Encoder, Engine, Gpu, GpuEngine, Network,
    Recipe, SigmaForm, Trainer, Weighting, free_memory,
};

/// More networks than these are a mistake, and would not fit.
const MOST_MEMBERS: usize = 10_000;

/// What the configuration asks for of each network, σ starting at 1 where it depends on the data: the same but for the seeds, which
/// follow one another.
pub fn recipes(config: &Config, encoder: &Encoder, rows: usize) -> Result<Vec<Recipe>, Failure> {
    let members = config.train.members;
    if !(1..=MOST_MEMBERS).contains(&members) {
        return Err(Failure::input(format!(
            "--members {members}: train 1 to {MOST_MEMBERS} networks at once"
        )));
    }
    if config.train.bootstrap && members == 1 {
        return Err(Failure::input(
            "--bootstrap has several networks learn from other rows each, and there is one: give --members, or leave it out",
        ));
    }
    if config.train.tensorboard && members > MOST_EVENT_FILES {
        return Err(Failure::input(format!(
            "--tensorboard writes a folder of events for each of {members} networks: train {MOST_EVENT_FILES} at most, or leave it out"
        )));
    }
    let first = recipe(config, encoder, rows)?;
    check_memory(first.network.parameter_count(), members, kept_by_a_step(config, &first, rows))?;
    let member = |member: u64| Recipe { seed: first.seed.wrapping_add(member), ..first.clone() };
    Ok((0..members as u64).map(member).collect())
}

/// Bytes that a parameter takes while a checkpoint is written: itself, its two moments and the best of it, in `f64`, each in the
/// engine, in the checkpoint and in the file.
const BYTES_A_PARAMETER: u128 = 3 * 4 * 8;

/// Bytes that a step on the CPU keeps: of every parameter its gradient and the states before and after it (160 with those above, as was
/// measured of a million parameters), and of every unit of its rows what it is, its slope and its gradient. On the GPU they lie there.
fn kept_by_a_step(config: &Config, recipe: &Recipe, rows: usize) -> u128 {
    if config.train.engine != EngineName::Reference {
        return 0;
    }
    let units: u128 = recipe.network.hidden().iter().map(|&units| units as u128).sum();
    let parameters = recipe.network.parameter_count() as u128;
    8 * 8 * parameters + 3 * 8 * units * recipe.batch.min(rows) as u128
}

/// Checks that the machine has the memory for so many networks, and this much beside.
fn check_memory(parameters: usize, members: usize, beside: u128) -> Result<(), Failure> {
    let bytes = BYTES_A_PARAMETER * parameters as u128 * members as u128 + beside;
    let is_free = free_memory().is_none_or(|free| bytes <= u128::from(free));
    let is_given = |bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok();
    if is_free && usize::try_from(bytes).is_ok_and(is_given) {
        return Ok(());
    }
    let (networks, fewer) = match members {
        1 => ("a network".into(), ""),
        _ => (format!("{members} networks"), ", or fewer networks (--members)"),
    };
    let gibibytes = bytes as f64 / f64::from(1 << 30);
    Err(Failure::input(format!(
        "{networks} of {parameters} parameters would take {gibibytes:.0} GiB of memory, which this machine does not have free: use narrower \
         layers (--hidden){fewer}"
    )))
}

/// TensorBoard shows no more side by side, and each takes an open file.
const MOST_EVENT_FILES: usize = 100;

fn recipe(config: &Config, encoder: &Encoder, rows: usize) -> Result<Recipe, Failure> {
    let model = &config.model;
    let network =
        Network::new(encoder.features(), &model.hidden, model.activation, &encoder.tasks())?;
    let network = network.with_dropout(model.dropout)?;
    check_start(config, &network)?;
    let weighting = weighting(config, &network)?;
    let mut recipe = Recipe::new(network, weighting, adam(config));
    recipe.batch = config.train.batch_size;
    recipe.shuffle = config.train.shuffle;
    recipe.bootstrap = config.train.bootstrap;
    recipe.seed = config.train.seed;
    recipe.clip = config.optimizer.clip;
    recipe.schedule = schedule(config, rows);
    Ok(recipe)
}

fn adam(config: &Config) -> Adam {
    let optimizer = &config.optimizer;
    let mut adam = Adam::new(optimizer.lr)
        .weight_decay(optimizer.decay())
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

fn weighting(config: &Config, network: &Network) -> Result<Weighting, Failure> {
    let config::Weighting { scheme: name, settings, .. } = &config.weighting;
    let tasks = config.task.len();
    let given = config.task.iter().find(|task| task.weight.is_some());
    if let (Some(task), true) = (given, name != FIXED) {
        return Err(Failure::input(format!(
            "task \"{}\" has a weight, but the weighting is not fixed: say --weighting fixed, or leave the weight out",
            task.name.as_deref().unwrap_or_default()
        )));
    }
    let settings: Vec<(&str, f64)> =
        settings.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let classes: Vec<bool> = network.tasks().iter().map(|task| task.loss.is_of_classes()).collect();
    let weighting = Weighting::named(name, &settings, &classes)?;
    check_scheme(&config.weighting, &weighting)?;
    Ok(match name.as_str() {
        FIXED => {
            let weights = config.task.iter().map(|task| {
                task.weight.ok_or_else(|| {
                    let name = task.name.as_deref().unwrap_or_default();
                    Failure::input(format!("task \"{name}\" has no weight: with the weighting fixed, give every [[task]] one"))
                })
            });
            Weighting::fixed(weights.collect::<Result<_, _>>()?)
        }
        AWL => {
            let sigma = sigma_start(&config.weighting, tasks)?;
            AutomaticWeightedLoss::starting_at(sigma).with_form(form(&config.weighting)?).into()
        }
        _ => weighting,
    })
}

/// Checks that nothing is said of σ where none is learned, and of the scheme's settings where there are flags for them.
fn check_scheme(config: &config::Weighting, weighting: &Weighting) -> Result<(), Failure> {
    let is_awl = config.scheme == AWL;
    if config.sigma_lr.is_some() && !weighting.is_learned() {
        return Err(Failure::input(format!(
            "the optimizer learns nothing of the weighting {}, as it does of awl: leave --sigma-lr out",
            config.scheme
        )));
    }
    let of_sigma = [
        ("--sigma-init", config.sigma_init.is_some()),
        ("--sigma-form", config.sigma_form != config::SigmaForm::Plain),
        ("--sigma-floor", config.sigma_floor.is_some()),
    ];
    if let Some((flag, _)) = of_sigma.iter().find(|(_, is_given)| *is_given && !is_awl) {
        return Err(Failure::input(format!("{flag} is of the weighting awl alone: leave it out")));
    }
    match config.settings.keys().next() {
        Some(name) if is_awl => Err(Failure::input(format!(
            "the setting {name}: of the weighting awl say --sigma-form and --sigma-floor"
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

/// What the engine that the configuration names runs on.
pub enum Device {
    Cpu,
    Gpu(Gpu),
}

impl Device {
    pub async fn open(config: &Config) -> awl::Result<Self> {
        match config.train.engine {
            EngineName::Reference => Ok(Self::Cpu),
            _ => Ok(Self::Gpu(Gpu::new().await?)),
        }
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::Cpu => "the CPU, in f64".into(),
            Self::Gpu(gpu) => gpu.name().to_string(),
        }
    }

    /// The engine that the configuration names, of these networks.
    pub async fn engine(
        &self,
        config: &Config,
        recipes: Vec<Recipe>,
        data: &Dataset,
    ) -> awl::Result<Box<dyn Engine>> {
        let Self::Gpu(gpu) = self else {
            let one = |recipe| Reference::new(recipe, data.clone());
            return in_turns(recipes.into_iter().map(one).collect::<awl::Result<Vec<_>>>()?);
        };
        if config.train.engine != EngineName::Unfused {
            let members = recipes.len();
            let fleet = GpuEngine::fleet(gpu, recipes, data).await;
            return Ok(Box::new(fleet.map_err(|error| of_members(error, members))?));
        }
        let mut engines = Vec::with_capacity(recipes.len());
        for recipe in recipes {
            engines.push(GpuEngine::unfused(gpu, recipe, data).await?);
        }
        in_turns(engines)
    }
}

/// The engine that the configuration names, with what it runs on.
pub async fn engine(
    config: &Config,
    recipes: Vec<Recipe>,
    data: &Dataset,
) -> Result<(Box<dyn Engine>, String), Failure> {
    let device = Device::open(config).await?;
    let engine = device.engine(config, recipes, data).await?;
    Ok((engine, device.name()))
}

/// Engines of one network each as one; an only one as it is.
fn in_turns<E: Engine + 'static>(mut engines: Vec<E>) -> awl::Result<Box<dyn Engine>> {
    match (engines.pop(), engines.is_empty()) {
        (Some(only), true) => Ok(Box::new(only)),
        (last, _) => {
            engines.extend(last);
            Ok(Box::new(Turns::new(engines)?))
        }
    }
}

/// Checks that the network can start as it was asked to.
fn check_start(config: &Config, network: &Network) -> Result<(), Failure> {
    if config.train.start != Some(Start::Linear) || Baselines::can_start(network) {
        return Ok(());
    }
    let why = match network.activation() {
        Activation::Tanh => "tanh bends every number: take relu, gelu or silu".to_string(),
        _ => format!(
            "that takes two units an output in every hidden layer: give each at least {}",
            2 * network.outputs()
        ),
    };
    Err(Failure::input(format!(
        "the network cannot start as the linear model (--start linear), since {why}, or leave --start out"
    )))
}

/// The states that a new run starts from: first weights from the seeds, a file or the linear model, and σ.
pub async fn start<E: Engine>(
    config: &Config,
    trainer: &mut Trainer<E>,
    data: &Dataset,
    baselines: Option<&Baselines>,
) -> Result<Vec<State>, Failure> {
    let engine = trainer.engine();
    let members: Vec<usize> = (0..engine.recipes().len()).collect();
    let mut states = engine.states_of(&members).await?;
    if let Some(path) = &config.train.init {
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| format!("{file}: {error}"))?;
        let weights = Weights::fleet_from_bytes(&file, &bytes, engine.recipes())?;
        for ((member, state), weights) in states.iter_mut().enumerate().zip(weights) {
            *state = weights.put_into(state);
            engine.load_into(member, state)?;
        }
    }
    if let Some(baselines) = baselines {
        for (member, state) in states.iter_mut().enumerate() {
            baselines.start(&engine.recipes()[member].network, &mut state.parameters)?;
            engine.load_into(member, state)?;
        }
    }
    for (member, state) in states.iter_mut().enumerate() {
        sigma_from_losses(config, trainer, member, state, data).await?;
    }
    Ok(states)
}

/// Starts σ of a member where it would come to rest at the losses of the untrained network, if that is what is asked for.
async fn sigma_from_losses<E: Engine>(
    config: &Config,
    trainer: &mut Trainer<E>,
    member: usize,
    state: &mut State,
    data: &Dataset,
) -> Result<(), Failure> {
    let is_closed_form = config.weighting.sigma_init == Some(SigmaInit::Word(CLOSED_FORM.into()));
    let form = trainer.engine().recipes()[member].weighting.form();
    if let (Some(form), true) = (form, is_closed_form) {
        let metrics = trainer.evaluate_by(member, data).await?;
        for (parameter, metrics) in state.sigma.iter_mut().zip(metrics) {
            if let Some(loss) =
                metrics.and_then(|metrics| metrics.loss()).filter(|&loss| loss > 0.0)
            {
                *parameter = form.parameter(equilibrium(loss) as f32).into();
            }
        }
        trainer.engine().recipes()[member].weighting.hold(&mut state.sigma);
        trainer.engine().load_into(member, state)?;
    }
    Ok(())
}

/// What does not fit with several networks may fit with fewer.
fn of_members(error: awl::Error, members: usize) -> awl::Error {
    match error {
        awl::Error::OutOfMemory { message } if members > 1 => awl::Error::OutOfMemory {
            message: format!("for {members} networks; fewer --members take less; {message}"),
        },
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_gives_is_told_before_anything_is_made() {
        assert!(check_memory(1_000, 8, 0).is_ok());
        assert!(check_memory(1_000, 8, 1 << 60).is_err());
        let told = |parameters, members| match check_memory(parameters, members, 0) {
            Err(Failure::Input(told)) => told,
            _ => panic!("{parameters} parameters of {members} networks fit"),
        };
        let many = told(1 << 50, 64);
        assert!(many.starts_with("64 networks of 1125899906842624 parameters"), "{many}");
        assert!(many.contains("(--members)"), "{many}");
        assert!(!told(usize::MAX / 2, 1).contains("--members"));
    }

    #[test]
    fn networks_that_do_not_fit_are_named_with_the_remedy() {
        let full = || awl::Error::OutOfMemory { message: "no room".into() };
        let told = of_members(full(), 8).to_string();
        assert!(told.contains("for 8 networks; fewer --members take less; no room"), "{told}");
        assert_eq!(of_members(full(), 1).to_string(), full().to_string());
    }
}
