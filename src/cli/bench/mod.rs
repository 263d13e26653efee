//! `awl bench`: fused against unfused, both against the adapter's limits, how their cost grows, what fleets cost, and what an adapter
//! would run.

mod device;
mod fleet;
mod growth;
mod json;
mod plot;
mod text;

use super::failure::Failure;
use awl::bench::{
    CLASSES, Ceilings, Comparison, EngineKind, LossCost, WORKLOADS, Workload, compare, loss_alone,
};
use awl::{Gpu, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The name under which the loss pass by itself is a workload.
const LOSS_PASS: &str = "loss-pass";

/// `awl bench`
#[derive(clap::Args)]
pub struct Arguments {
    /// Only these workloads (may be given several times): networks from tiny to wide, or the loss pass alone.
    #[arg(long, value_name = "NAME", value_parser = workload_names())]
    workload: Vec<String>,
    /// Only these engines (may be given several times).
    #[arg(long, value_name = "NAME", value_parser = EngineKind::ALL.map(EngineKind::name))]
    engine: Vec<String>,
    /// Instead of the workloads: how a step's cost grows with the batch (64 to 1,048,576 rows) and with the width (8 to
    /// 512).
    #[arg(long, conflicts_with = "workload")]
    growth: bool,
    /// Instead of the engines: so many networks at once, which differ in their seeds, beside one of them alone; 1,2,8,64 is four such
    /// fleets. One after another they take as many times as long as one alone. By the fused engine; the unfused one has no fleets.
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = fleet::networks, conflicts_with_all = ["engine", "growth", "device", "plot"])]
    fleet: Vec<usize>,
    /// Instead of timing anything: the adapter, its limits, and the program and kernels that it would get for each workload.
    #[arg(long, conflicts_with_all = ["growth", "seconds", "plot"])]
    device: bool,
    /// Seconds for each workload (or size, with --growth or --fleet), shared by its engines; each runs at least five times.
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    seconds: f64,
    /// On a device with WebGPU's default limits and no optional feature, as every adapter can give it: with the kernels
    /// that any adapter runs, also on a software driver.
    #[arg(long)]
    plain: bool,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Also draw the times as an SVG file.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

/// All that a run of `awl bench` found.
struct Report {
    ceilings: Ceilings,
    comparisons: Vec<Comparison>,
    losses: Vec<LossCost>,
}

fn workload_names() -> Vec<&'static str> {
    WORKLOADS.iter().map(|workload| workload.name).chain([LOSS_PASS]).collect()
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("give a number of seconds above 0, 3600 at most".into()),
    }
}

/// Runs the benchmarks that were asked for.
pub fn run(arguments: &Arguments) -> ExitCode {
    if let Some(Err(message)) = arguments.plot.as_deref().map(check_plot) {
        eprintln!("awl: {message}");
        return ExitCode::from(2);
    }
    let done = match arguments {
        Arguments { device: true, .. } => device::run(arguments),
        Arguments { growth: true, .. } => growth::run(arguments),
        _ if !arguments.fleet.is_empty() => fleet::run(arguments),
        _ => compare_engines(arguments),
    };
    done.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

/// What is told of a run that failed, or that could not write what was asked for.
type Outcome = std::result::Result<(), Failure>;

fn compare_engines(arguments: &Arguments) -> Outcome {
    let made = pollster::block_on(measure(arguments));
    let (gpu, report) = made?;
    let name = gpu.name();
    let mut out = io::stdout().lock();
    // A reader who has seen enough closes the pipe; that is no failure.
    let _ = match arguments.json {
        true => json::write(&mut out, &gpu, &report),
        false => text::write(&mut out, &name, &report),
    };
    arguments.plot.as_deref().map_or(Ok(()), |path| save(plot::svg(&name, &report), path))
}

/// Finds out before minutes of measuring whether the plot can be written.
fn check_plot(path: &Path) -> std::result::Result<(), String> {
    if path.extension().is_none_or(|extension| extension != "svg") {
        return Err(format!("{}: the plot is an SVG file; end its name in .svg", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(format!("{}: there is no such folder; make it first", folder.display()))
        }
        _ => Ok(()),
    }
}

fn save(svg: std::result::Result<String, String>, path: &Path) -> Outcome {
    let written = svg.and_then(|svg| std::fs::write(path, svg).map_err(|error| error.to_string()));
    let told = |error| format!("{}: the plot was not written: {error}", path.display());
    written.map_err(|error| Failure::Run(told(error)))
}

/// Whether a name was asked for: every one is where none was named.
fn chosen(name: &str, list: &[String]) -> bool {
    list.is_empty() || list.iter().any(|other| other == name)
}

fn engines(arguments: &Arguments) -> Vec<EngineKind> {
    let engines = EngineKind::ALL.into_iter();
    engines.filter(|engine| chosen(engine.name(), &arguments.engine)).collect()
}

/// What was asked for.
struct Plan {
    workloads: Vec<Workload>,
    engines: Vec<EngineKind>,
    /// Classes at which to time the loss pass alone.
    losses: &'static [usize],
}

impl Plan {
    fn new(arguments: &Arguments) -> Self {
        let workload = |it: &Workload| chosen(it.name, &arguments.workload);
        let workloads: Vec<_> = WORKLOADS.into_iter().filter(workload).collect();
        let losses = if chosen(LOSS_PASS, &arguments.workload) { &CLASSES[..] } else { &[] };
        Self { workloads, engines: engines(arguments), losses }
    }
}

/// Refuses the loss pass where only training steps are told of.
fn refuse_loss_pass(arguments: &Arguments, flag: &str) -> Outcome {
    let message = || {
        Failure::input(format!(
            "{flag} tells of training steps, and {LOSS_PASS} has none: leave --workload {LOSS_PASS} out"
        ))
    };
    match arguments.workload.iter().any(|name| name == LOSS_PASS) {
        true => Err(message()),
        false => Ok(()),
    }
}

/// The device that was asked for.
async fn open(arguments: &Arguments) -> Result<Gpu> {
    if arguments.plain { Gpu::plain().await } else { Gpu::new().await }
}

async fn measure(arguments: &Arguments) -> Result<(Gpu, Report)> {
    let Plan { workloads, engines, losses } = Plan::new(arguments);
    let seconds = arguments.seconds;
    let gpu = open(arguments).await?;
    let bar = bar(workloads.len() + losses.len());
    bar.set_message("the adapter's limits");
    let ceilings = Ceilings::measure(&gpu).await?;
    let mut comparisons = Vec::new();
    for (workload, done) in workloads.iter().zip(0u64..) {
        bar.set_message(workload.name);
        let progress = |share: f64| bar.set_position(100 * done + (100.0 * share) as u64);
        progress(0.0);
        let made = compare(&gpu, *workload, &engines, seconds, progress).await?;
        comparisons.push(made);
    }
    let mut costs = Vec::new();
    for (&classes, done) in losses.iter().zip(workloads.len() as u64..) {
        bar.set_message(format!("loss pass, {classes} classes"));
        bar.set_position(100 * done);
        costs.push(loss_alone(&gpu, classes, &engines, seconds / 3.0).await?);
    }
    bar.finish_and_clear();
    Ok((gpu, Report { ceilings, comparisons, losses: costs }))
}

/// A progress bar on stderr; nothing is drawn where that is no terminal.
fn bar(parts: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(100 * parts as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {elapsed}  {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use awl::bench::{EngineCost, PassCost, Spread};
    use std::time::Duration;

    /// An engine whose steps took so long, with so many bytes on the GPU.
    pub fn cost(engine: EngineKind, us: f64, gpu_bytes: u64) -> EngineCost {
        EngineCost {
            engine,
            program: "block",
            us_per_step: Spread::of(vec![us; 5]),
            host_us_per_step: Spread::of(vec![3.0]),
            dispatches_per_step: 2,
            steps_per_round: 1,
            submissions_per_100_steps: 1.0,
            bytes_per_step: 1,
            gpu_bytes,
            setup: Duration::ZERO,
            kernels: None,
        }
    }

    /// A step of `seed` and a loss pass that took fused and unfused these times.
    pub fn report(fused: f64, unfused: f64) -> Report {
        let each = [(EngineKind::Fused, fused), (EngineKind::Unfused, unfused)];
        let cost = |(engine, us)| cost(engine, us, 1);
        let pass =
            |(engine, us)| PassCost { engine, us_per_pass: Spread::of(vec![us; 5]), dispatches: 3 };
        let engines = each.map(cost).to_vec();
        let passes = each.map(pass).to_vec();
        Report {
            ceilings: Ceilings { flops_per_second: None, bytes_per_second: None },
            comparisons: vec![Comparison { workload: WORKLOADS[0], engines }],
            losses: vec![LossCost { classes: 10, rows: 64, bytes: 1_000, passes }],
        }
    }
}
