//! The growth as tables for people.

use super::Report;
use awl::bench::{Axis, EngineKind, Growth, Workload};
use std::io::{Result, Write};

/// Writes a table an axis.
pub fn write(out: &mut impl Write, report: &Report) -> Result<()> {
    writeln!(out, "{}", report.gpu.name())?;
    report.growths.iter().try_for_each(|growth| table(out, growth))
}

fn table(out: &mut impl Write, growth: &Growth) -> Result<()> {
    let axis = growth.axis;
    writeln!(
        out,
        "\n{}\n{:<9}{:>9}{:>12}{:>23}{:>16}{:>8}",
        heading(axis),
        "engine",
        axis.name(),
        "us/step",
        "quartiles",
        match axis {
            Axis::Batch => "us/row",
            Axis::Width => "ns/multiply-add",
        },
        "ratio"
    )?;
    for engine in EngineKind::ALL {
        for (index, point) in growth.of(engine).enumerate() {
            let us = &point.us_per_step;
            writeln!(
                out,
                "{:<9}{:>9}{:>12.0}{:>23}{:>16.4}{:>8}",
                if index == 0 { engine.name() } else { "" },
                point.size,
                us.median,
                format!("{:.0} - {:.0}", us.lower, us.upper),
                match axis {
                    Axis::Batch => point.us_per_row(),
                    Axis::Width => point.ns_per_multiply_add(),
                },
                growth.ratio(point).map_or(String::new(), |ratio| format!("{ratio:.2}x")),
            )?;
        }
    }
    for it in &growth.left_out {
        let engine = it.engine.name();
        writeln!(out, "left out: {engine}, {} {}: {}", axis.name(), it.size, it.why)?;
    }
    Ok(())
}

/// What grows, and what stays.
fn heading(axis: Axis) -> String {
    let Workload { batch, hidden: [width, _], features, .. } = axis.workload(axis.sizes()[0]);
    let stays = match axis {
        Axis::Batch => format!("the batch grows: hidden layers {width}, {width}"),
        Axis::Width => format!("both hidden layers grow: batch {batch}"),
    };
    format!(
        "a training step as {stays}, {features} features, an mse and a cross_entropy head ({} classes)",
        Workload::CLASSES
    )
}
