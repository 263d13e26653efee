//! Pictures for eyes: a network that is told where it looks learns depth, class and surface normal of a small scene,
//! with learned task weights and with equal ones.
//!
//! Per-pixel depth and semantic class are tasks of Kendall, Gal & Cipolla, *Multi-Task Learning Using Uncertainty to
//! Weigh Losses* (2018); normals beside them are those of Eigen & Fergus, *Predicting Depth, Surface Normals and
//! Semantic Labels* (2015). Here no photograph goes in: the network is the picture, and is judged at points between
//! the pixels that it learned from.
//!
//! | file | what it knows |
//! |---|---|
//! | `world.rs` | the scene, by tracing a ray |
//! | `view.rs` | pictures of it, and the distance between two |
//! | `fourier.rs` | Fourier features, what goes into the network |
//! | `learning.rs` | the tasks, the network, the training: all that uses `awl` |
//! | `maps.rs`, `canvas.rs`, `pictures.rs` | colours, PNG files, and what is put on them |

mod canvas;
mod fourier;
mod learning;
mod maps;
mod pictures;
mod view;
mod world;

use awl::{AutomaticWeightedLoss, Error, Gpu, Result, Weighting};
use canvas::Canvas;
use clap::Parser;
use fourier::FourierFeatures;
use learning::{Frame, Lesson};
use pictures::Strip;
use std::path::{Path, PathBuf};
use view::Size;

/// Learn depth, class and normals of a small scene, with learned task weights and with equal ones, and draw it.
#[derive(Parser)]
#[command(name = "scene")]
struct Arguments {
    /// Pixels to learn from; the pictures have twice as many either way.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "128x96", value_parser = size)]
    size: Size,
    /// Training steps with each weighting.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    steps: u32,
    /// Of the Fourier features, the initial parameters and the order of the rows.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder for the pictures; made where it is missing.
    #[arg(long, value_name = "FOLDER", default_value = "runs/scene")]
    out: PathBuf,
}

/// Fourier features: waves, and their standard deviation in cycles a height of the picture.
const WAVES: usize = 64;
const SCALE: f64 = 2.0;

fn size(text: &str) -> Result<Size, String> {
    let sides = text.split_once('x').and_then(|(width, height)| {
        Some(Size { width: width.parse().ok()?, height: height.parse().ok()? })
    });
    match sides {
        Some(size) if [size.width, size.height].iter().all(|side| (16..=512).contains(side)) => {
            Ok(size)
        }
        _ => Err("give width and height from 16 to 512, such as 128x96".into()),
    }
}

fn main() {
    awl::prefer_wide_vectors();
    let arguments = Arguments::parse();
    if let Err(error) = pollster::block_on(run(&arguments)) {
        eprintln!("scene: {error}");
        std::process::exit(1);
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let (out, steps) = (&arguments.out, arguments.steps as usize);
    std::fs::create_dir_all(out).map_err(|source| Error::File { path: out.clone(), source })?;
    let gpu = Gpu::new().await?;
    let lesson = Lesson::new(arguments.size, FourierFeatures::new(WAVES, SCALE, arguments.seed))?;
    println!("{}", gpu.name());
    println!("learning from {} pixels, judged at {} others", arguments.size, lesson.truth.size);
    println!(
        "\n{:9} {:>6}{:>12}{:>12}{:>12}   weights",
        "weighting", "step", "depth", "class", "normal"
    );
    let mut strips = Vec::new();
    for weighting in [AutomaticWeightedLoss::new(3).into(), Weighting::equal(3)] {
        let name = weighting.name();
        let mut frames = Vec::new();
        let show = |frame: Frame| {
            println!("{}", line(name, &frame));
            let picture = pictures::comparison(name, &frame, &lesson.truth);
            save(&picture, &out.join(format!("{name}-{}.png", frame.step)))?;
            frames.push(frame);
            Ok(())
        };
        let recipe = lesson.recipe(weighting, steps, arguments.seed)?;
        lesson.learn(&gpu, recipe, &stops(steps), show).await?;
        strips.push((name, frames));
    }
    let file = out.join("filmstrip.png");
    save(&pictures::filmstrip(&strips, &lesson.truth), &file)?;
    println!("\n{}\nthe pictures are in {}", verdict(&strips), file.display());
    Ok(())
}

/// The steps after which a picture is made: at each the network has learned six times as long as at the last.
fn stops(steps: usize) -> Vec<usize> {
    let mut stops = [216, 36, 6, 1].map(|part| steps.div_ceil(part)).to_vec();
    stops.dedup();
    stops
}

/// A row of the table: errors at the points between the pixels, and the task weights.
fn line(weighting: &str, frame: &Frame) -> String {
    let errors = frame.errors;
    let (depth, class) =
        (format!("{:.3} m", errors.depth), format!("{:.2} %", 100.0 * errors.class));
    let normal = format!("{:.2}°", errors.normal);
    let weights = frame.weights.map(|weight| format!("{weight:7.2}")).join("");
    format!("{weighting:9} {:>6}{depth:>12}{class:>12}{normal:>12}{weights}", frame.step)
}

/// Which weighting made the smaller errors in the end, task by task.
fn verdict(strips: &[Strip]) -> String {
    let last = strips.iter().filter_map(|(name, frames)| Some((name, frames.last()?.errors)));
    let last: Vec<_> = last.map(|(name, e)| (name, [e.depth, e.class, e.normal])).collect();
    let mut words = Vec::new();
    for (task, name) in learning::TASKS.iter().enumerate() {
        let [(first, a), (second, b)] =
            [last[0], last[1]].map(|(name, errors)| (name, errors[task]));
        let (better, less) = if a < b { (first, 1.0 - a / b) } else { (second, 1.0 - b / a) };
        words.push(format!("{name}: {better} has {:.0} % less error", 100.0 * less));
    }
    format!("{} (one seed; try others)", words.join("; "))
}

/// Writes a picture.
fn save(picture: &Canvas, path: &Path) -> Result<()> {
    picture.save(path).map_err(|source| Error::File { path: path.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_two_numbers_within_reason() {
        assert_eq!(size("128x96"), Ok(Size { width: 128, height: 96 }));
        for bad in ["", "128", "128x", "x96", "128x96x3", "15x96", "128x513", "-1x96", "a lot"] {
            assert!(size(bad).is_err_and(|message| message.contains("such as 128x96")), "{bad}");
        }
    }

    #[test]
    fn pictures_come_at_ever_longer_intervals_and_never_twice() {
        for (steps, expected) in [
            (2160, vec![10, 60, 360, 2160]),
            (2000, vec![10, 56, 334, 2000]),
            (2, vec![1, 2]),
            (1, vec![1]),
        ] {
            assert_eq!(stops(steps), expected);
        }
    }

    #[test]
    fn a_run_leaves_its_pictures() {
        let out = std::env::temp_dir().join(format!("awl-scene-{}", std::process::id()));
        let arguments = ["scene", "--size", "16x16", "--steps", "2", "--out"];
        let arguments = arguments.iter().map(std::ffi::OsStr::new).chain([out.as_os_str()]);
        pollster::block_on(run(&Arguments::try_parse_from(arguments).unwrap())).unwrap();
        let names = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        assert_eq!(
            names,
            ["awl-1.png", "awl-2.png", "equal-1.png", "equal-2.png", "filmstrip.png"]
        );
        std::fs::remove_dir_all(&out).unwrap();
    }
}
