//! The growth as a picture: time of a step on logarithmic axes, a panel an axis, a curve an engine, and thin guides for
//! linear growth.

use super::Report;
use crate::cli::bench::plot::{Area, COLOURS, Drawn, picture};
use awl::bench::{Axis, EngineKind, Growth, GrowthPoint, Workload};
use plotters::coord::combinators::BindKeyPoints;
use plotters::prelude::*;

const SIZE: (u32, u32) = (1000, 480);
/// Of linear growth, and of growth by the multiplications.
const GUIDES: [RGBColor; 2] = [RGBColor(90, 90, 90), RGBColor(214, 150, 60)];

/// The SVG's text.
pub fn svg(report: &Report) -> Result<String, String> {
    picture(SIZE, |area| draw(report, area))
}

fn draw<'a>(report: &Report, area: &Area<'a>) -> Drawn<'a> {
    let area = area.titled("How a training step grows", ("sans-serif", 20))?;
    let area = area.titled(&report.gpu.name(), ("sans-serif", 13))?;
    let panels = area.split_evenly((1, report.growths.len().max(1)));
    report.growths.iter().zip(&panels).try_for_each(|(growth, panel)| draw_panel(growth, panel))?;
    area.present()
}

fn draw_panel<'a>(growth: &Growth, area: &Area<'a>) -> Drawn<'a> {
    let sizes: Vec<f64> = growth.axis.sizes().into_iter().map(|size| size as f64).collect();
    let ends = sizes[0]..sizes[sizes.len() - 1];
    let guides = guides(growth);
    let times = growth.points.iter().map(|point| point.us_per_step.median);
    let all = times.chain(guides.iter().flat_map(|(_, line)| line.iter().map(|&(_, us)| us)));
    let (low, high) = all.fold((f64::MAX, 1f64), |(low, high), us| (low.min(us), high.max(us)));
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(
        (ends.start / 1.3..ends.end * 1.3).log_scale().with_key_points(labelled(growth.axis)),
        (low.min(high) / 1.5..high * 1.5).log_scale(),
    )?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 13))
        .axis_desc_style(("sans-serif", 14))
        .x_desc(description(growth.axis))
        .x_label_formatter(&|size| grouped(*size as usize))
        .y_desc("time of a step")
        .y_label_formatter(&|us| duration(*us))
        .draw()?;
    for ((name, line), colour) in guides.into_iter().zip(GUIDES) {
        let style = colour.stroke_width(1);
        chart
            .draw_series([PathElement::new(line, style)])?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    draw_curves(growth, &mut chart)?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(("sans-serif", 13))
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .draw()
}

/// A curve an engine, the fused engine's last, on top.
fn draw_curves<'a, X, Y>(
    growth: &Growth,
    chart: &mut ChartContext<'_, SVGBackend<'a>, Cartesian2d<X, Y>>,
) -> Drawn<'a>
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    for (kind, &colour) in EngineKind::ALL.into_iter().zip(&COLOURS).rev() {
        let points: Vec<_> = growth.of(kind).map(place).collect();
        if points.is_empty() {
            continue;
        }
        let marks: Vec<_> = points.iter().map(|&at| Circle::new(at, 3, colour.filled())).collect();
        let style = colour.stroke_width(2);
        chart
            .draw_series([PathElement::new(points, style)])?
            .label(kind.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        chart.draw_series(marks)?;
    }
    Ok(())
}

/// What grows, and what stays.
fn description(axis: Axis) -> String {
    let Workload { batch, hidden: [first, second], .. } = axis.workload(axis.sizes()[0]);
    match axis {
        Axis::Batch => format!("rows of a batch (hidden layers {first}, {second})"),
        Axis::Width => format!("width of both hidden layers (batch {})", grouped(batch)),
    }
}

/// Where a point is drawn.
fn place(point: &GrowthPoint) -> (f64, f64) {
    (point.size as f64, point.us_per_step.median)
}

/// Names and points of the guides: how a step's time would grow if it were proportional to the size, and, where that is
/// something else, to the multiplications. Each touches, from below, the curve of the first engine that has one: at the
/// point that makes the most of its time.
fn guides(growth: &Growth) -> Vec<(&'static str, Vec<(f64, f64)>)> {
    let curves = EngineKind::ALL.map(|kind| growth.of(kind).map(place).collect::<Vec<_>>());
    let Some(curve) = curves.into_iter().find(|curve| !curve.is_empty()) else {
        return Vec::new();
    };
    let guide = |work: &dyn Fn(usize) -> f64| {
        let rates = curve.iter().map(|&(size, us)| us / work(size as usize));
        let least = rates.fold(f64::MAX, f64::min);
        let point = |size| (size as f64, least * work(size));
        growth.axis.sizes().into_iter().map(point).collect()
    };
    let linear = guide(&|size| size as f64);
    match growth.axis {
        Axis::Batch => vec![("linear in the rows", linear)],
        Axis::Width => {
            let products = guide(&|size| growth.axis.workload(size).multiply_adds() as f64);
            vec![("linear in the width", linear), ("as the multiply-adds", products)]
        }
    }
}

/// The sizes that have a number on the axis: as many as there is room for, the largest among them.
fn labelled(axis: Axis) -> Vec<f64> {
    let every = match axis {
        Axis::Batch => 2,
        Axis::Width => 1,
    };
    axis.sizes().into_iter().rev().step_by(every).map(|size| size as f64).collect()
}

/// A number with its thousands set apart: 1,048,576.
fn grouped(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

/// A time in the unit in which it is at least 1.
fn duration(us: f64) -> String {
    match us {
        1e6.. => format!("{} s", us / 1e6),
        1e3.. => format!("{} ms", us / 1e3),
        _ => format!("{us} µs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use awl::bench::Spread;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([64, 1024, 1_048_576].map(grouped), ["64", "1,024", "1,048,576"]);
        let times = [0.1, 100.0, 1e3, 1e5, 1e6, 1e7].map(duration);
        assert_eq!(times, ["0.1 µs", "100 µs", "1 ms", "100 ms", "1 s", "10 s"]);
    }

    #[test]
    fn guides_touch_the_curve_at_its_most_efficient_point() {
        let point = |size, us| GrowthPoint {
            size,
            engine: EngineKind::Fused,
            workload: Axis::Width.workload(size),
            us_per_step: Spread::of(vec![us]),
        };
        let points = vec![point(8, 100.0), point(64, 1600.0), point(128, 9000.0)];
        let guides = guides(&Growth { axis: Axis::Width, points, left_out: Vec::new() });
        let [(_, linear), (_, products)] = &guides[..] else { panic!("two guides") };
        assert_eq!(
            (linear[0], linear[3], linear[6]),
            ((8.0, 100.0), (64.0, 800.0), (512.0, 6400.0))
        );
        // 3 x (16 w + w w + 11 w) - 16 w multiplications a row: 712, and 16,448, the least time for each.
        assert_eq!(products[3], (64.0, 1600.0));
        assert!((products[0].1 - 1600.0 * 712.0 / 16_448.0).abs() < 1e-9, "{products:?}");
        let nothing = Growth { axis: Axis::Batch, points: Vec::new(), left_out: Vec::new() };
        assert!(super::guides(&nothing).is_empty());
    }
}
