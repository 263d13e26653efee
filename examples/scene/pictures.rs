//! The two pictures: truth against prediction at one time, and how it all came, as a filmstrip.

use crate::canvas::{Canvas, LETTER, LINE};
use crate::learning::Frame;
use crate::maps::{MAPS, Map};
use crate::view::{Errors, Size, View};

/// Between the panels.
const GAP: usize = 6;

/// Least width of a panel with a caption below it.
const NARROWEST: usize = 12 * LETTER;

/// What is learned with a weighting, in the order of its steps.
pub type Strip = (&'static str, Vec<Frame>);

/// A row of maps of the truth, and one of a network's frame, at the frame's own size.
pub fn comparison(weighting: &str, frame: &Frame, truth: &View) -> Canvas {
    let Size { width, height } = truth.size;
    let left = 11 * LETTER;
    let rows = [LINE + GAP, LINE + height + 2 * GAP];
    let below = rows[1] + height + 2;
    let mut canvas = Canvas::new(left + MAPS.len() * (width + GAP), below + 2 * LINE + GAP);
    for (top, name, view) in [(rows[0], "truth", truth), (rows[1], "prediction", &frame.view)] {
        canvas.write(4, top + (height - LINE) / 2, name);
        for (column, (_, colour)) in MAPS.iter().enumerate() {
            panel(&mut canvas, [left + column * (width + GAP), top], view, *colour, 1);
        }
    }
    for (column, ((name, _), caption)) in MAPS.iter().zip(captions(frame)).enumerate() {
        let x = left + column * (width + GAP);
        canvas.write(x, 3, name);
        canvas.write(x, below, &caption);
        let weight = match column.checked_sub(1) {
            Some(task) => format!("weight {:.2}", frame.weights[task]),
            None => format!("weighting {weighting}"),
        };
        canvas.write(x, below + LINE, &weight);
    }
    canvas
}

/// Each weighting's frames from left to right, then the truth; a row a map, half the frames' size where that leaves
/// room for captions.
pub fn filmstrip(strips: &[Strip], truth: &View) -> Canvas {
    let square = if truth.size.width / 2 < NARROWEST { 1 } else { 2 };
    let (width, height) = (truth.size.width / square, truth.size.height / square);
    let (left, top) = (10 * LETTER, 2 * LINE + 2);
    let columns = strips.iter().map(|(_, frames)| frames.len()).sum::<usize>() + 1;
    // A wider gap after each strip.
    let right = left + columns * (width + GAP) + strips.len() * 3 * GAP;
    let mut canvas = Canvas::new(right, top + MAPS.len() * (height + LINE + GAP));
    for (row, (name, _)) in MAPS.iter().enumerate() {
        canvas.write(4, top + row * (height + LINE + GAP) + (height - LINE) / 2, name);
    }
    let mut x = left;
    for (weighting, frames) in strips {
        canvas.write(x, 0, &format!("weighting {weighting}"));
        if let Some(frame) = frames.last() {
            let [depth, class, normal] = frame.weights;
            let weights = format!("final weights {depth:.1}, {class:.1}, {normal:.1}");
            canvas.write(x, LINE, &weights);
        }
        for frame in frames {
            column(&mut canvas, [x, top], &frame.view, square, &captions(frame));
            x += width + GAP;
        }
        x += 3 * GAP;
    }
    column(&mut canvas, [x, top], truth, square, &["truth".into()]);
    canvas
}

/// A view's maps below each other, each pixel the mean of such a square of the view's, with what is said below them.
fn column(
    canvas: &mut Canvas,
    [x, mut y]: [usize; 2],
    view: &View,
    square: usize,
    captions: &[String],
) {
    for (row, (_, colour)) in MAPS.iter().enumerate() {
        panel(canvas, [x, y], view, *colour, square);
        y += view.size.height / square;
        canvas.write(x, y, captions.get(row).map_or("", String::as_str));
        y += LINE + GAP;
    }
}

/// A map of a view, each of whose pixels is the mean of a square of the view's.
fn panel(canvas: &mut Canvas, at: [usize; 2], view: &View, colour: Map, square: usize) {
    let Size { width, height } = view.size;
    for y in 0..height / square {
        for x in 0..width / square {
            let mut sums = [0; 3];
            for inner in 0..square * square {
                let (row, column) = (y * square + inner / square, x * square + inner % square);
                let own = colour(&view.surfaces[row * width + column]);
                sums = [0, 1, 2].map(|channel| sums[channel] + usize::from(own[channel]));
            }
            canvas.set(at[0] + x, at[1] + y, sums.map(|sum| (sum / (square * square)) as u8));
        }
    }
}

/// What is said below a frame's maps: the step, and how far each is from the truth.
fn captions(frame: &Frame) -> [String; 4] {
    let Errors { depth, class, normal } = frame.errors;
    [
        format!("step {}", frame.step),
        format!("{depth:.2} m off"),
        format!("{:.1} % wrong", 100.0 * class),
        format!("{normal:.1} deg off"),
    ]
}
