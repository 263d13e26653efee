//! The report as a picture: time a step, a bar an engine, on a logarithmic scale, and the adapter's limit.

use super::Report;
use awl::bench::{Comparison, EngineKind, Slower};
use plotters::coord::Shift;
use plotters::prelude::*;

const SIZE: (u32, u32) = (900, 480);
/// Height of a line that says where fused is slower.
const LINE: u32 = 18;
/// A colour an engine, in the order of [`EngineKind::ALL`].
pub const COLOURS: [RGBColor; 2] = [RGBColor(31, 119, 180), RGBColor(190, 190, 190)];
const LIMIT: RGBColor = RGBColor(200, 60, 30);

/// The SVG's text.
pub fn svg(adapter: &str, report: &Report) -> Result<String, String> {
    let caption = caption(report);
    let height = SIZE.1 + LINE * caption.len() as u32;
    picture((SIZE.0, height), |area| draw(adapter, &caption, report, area))
}

/// What is said below the title: each workload at which fused is slower, and why.
fn caption(report: &Report) -> Vec<String> {
    let slower = report.comparisons.iter().filter_map(|it| Some((it.workload.name, it.slower()?)));
    let lines =
        |(name, Slower { what, why })| [format!("{name}: {what}"), format!("{name}: {why}")];
    slower.flat_map(lines).collect()
}

/// What one draws on.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Whether it worked.
pub type Drawn<'a> =
    Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

/// The text of an SVG of this size, on white.
pub fn picture(
    size: (u32, u32),
    draw: impl for<'a> FnOnce(&Area<'a>) -> Drawn<'a>,
) -> Result<String, String> {
    let mut text = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let white = area.fill(&WHITE);
        white.and_then(|()| draw(&area)).map_err(|error| error.to_string())
    };
    drawn.map(|()| text)
}

fn draw<'a>(adapter: &str, caption: &[String], report: &Report, area: &Area<'a>) -> Drawn<'a> {
    let comparisons = &report.comparisons;
    let limit = |it: &Comparison| {
        let workload = &it.workload;
        let least = report.ceilings.least_seconds(workload.flops(), workload.least_bytes());
        least.map(|seconds| 1e6 * seconds)
    };
    let times = comparisons.iter().flat_map(|it| &it.engines).map(|cost| cost.us_per_step.median);
    let all = times.chain(comparisons.iter().filter_map(limit));
    let (low, high) = all.fold((f64::MAX, 1f64), |(low, high), us| (low.min(us), high.max(us)));
    let names: Vec<_> = comparisons.iter().map(|it| it.workload.name).collect();
    let titled = area.titled(&format!("A training step on {adapter}"), ("sans-serif", 18))?;
    let (_, below) = titled.split_vertically(LINE * caption.len() as u32);
    let mut chart = ChartBuilder::on(&below)
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(76)
        .build_cartesian_2d(
            0f64..comparisons.len().max(1) as f64,
            (low.min(high) / 2.0..high * 10.0).log_scale(),
        )?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_desc("microseconds a step")
        .y_label_formatter(&|us| format!("{us}"))
        .draw()?;
    for (&colour, kind) in COLOURS.iter().zip(EngineKind::ALL) {
        let bars = comparisons.iter().enumerate().filter_map(|(index, it)| {
            let us = it.engine(kind)?.us_per_step;
            let left = index as f64 + if kind == EngineKind::Fused { 0.14 } else { 0.51 };
            Some(Rectangle::new([(left, low / 2.0), (left + 0.35, us.median)], colour.filled()))
        });
        chart
            .draw_series(bars)?
            .label(kind.name())
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
    }
    let limits = comparisons.iter().enumerate().filter_map(|(index, it)| {
        let us = limit(it)?;
        let ends = [(index as f64 + 0.1, us), (index as f64 + 0.9, us)];
        Some(PathElement::new(ends, LIMIT.stroke_width(2)))
    });
    let limits: Vec<_> = limits.collect();
    if !limits.is_empty() {
        chart
            .draw_series(limits)?
            .label("the adapter's limit")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 14, y)], LIMIT.stroke_width(2)));
    }
    for (line, index) in caption.iter().zip(0..) {
        let style = ("sans-serif", 13).into_text_style(&titled).color(&LIMIT);
        titled.draw_text(line, &style, (12, 4 + LINE as i32 * index))?;
    }
    let (width, bottom) = (SIZE.0 as f64 - 76.0 - 24.0, area.dim_in_pixel().1 as i32 - 36);
    for (index, name) in names.iter().enumerate() {
        let middle = 88.0 + width * (index as f64 + 0.5) / names.len() as f64;
        let style = ("sans-serif", 14).into_text_style(area);
        let wide = area.estimate_text_size(name, &style)?.0 as i32;
        area.draw_text(name, &style, (middle as i32 - wide / 2, bottom))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()
}

#[cfg(test)]
mod tests {
    use super::svg;
    use crate::cli::bench::tests::report;

    #[test]
    fn the_caption_says_where_fused_is_slower_and_nothing_elsewhere() {
        let slower = svg("a card", &report(150.0, 100.0)).expect("a plot");
        for words in ["a card", "seed: fused is slower here, 1.50 times", "no timestamps"] {
            assert!(slower.contains(words), "{words:?} is missing in {slower}");
        }
        for unfused in [100.0, 150.0] {
            let other = svg("a card", &report(100.0, unfused)).expect("a plot");
            assert!(other.contains("a card") && !other.contains("slower"), "{other}");
        }
    }
}
