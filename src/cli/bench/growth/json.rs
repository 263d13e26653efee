//! The growth as JSON.

use super::Report;
use crate::cli::bench::json::adapter;
use awl::bench::{Growth, GrowthPoint, LeftOut, Workload};
use serde_json::{Map, Value, json};
use std::io::{Result, Write};

/// Writes one object.
pub fn write(out: &mut impl Write, report: &Report) -> Result<()> {
    let object = json!({
        "adapter": adapter(&report.gpu),
        "growth": report.growths.iter().map(growth).collect::<Vec<_>>(),
    });
    writeln!(out, "{object:#}")
}

fn growth(growth: &Growth) -> Value {
    let sizes = growth.axis.sizes().into_iter();
    json!({
        "axis": growth.axis.name(),
        "sizes": sizes.map(|size| at(growth, size)).collect::<Vec<_>>(),
    })
}

/// One size: what it is, the engines timed at it, and why the others were not.
fn at(growth: &Growth, size: usize) -> Value {
    let workload: Workload = growth.axis.workload(size);
    let points = growth.points.iter().filter(|point| point.size == size);
    let engines: Map<String, Value> =
        points.map(|it| (it.engine.name().into(), point(growth, it))).collect();
    let left_out = growth.left_out.iter().filter(|it| it.size == size);
    let why = |it: &LeftOut| (it.engine.name().into(), Value::from(it.why.clone()));
    json!({
        "size": size,
        "batch": workload.batch,
        "features": workload.features,
        "hidden": workload.hidden,
        "classes": Workload::CLASSES,
        "multiply_adds_per_step": workload.multiply_adds(),
        "engines": engines,
        "left_out": left_out.map(why).collect::<Map<String, Value>>(),
    })
}

fn point(growth: &Growth, point: &GrowthPoint) -> Value {
    json!({
        "us_per_step": point.us_per_step.median,
        "us_per_step_lower_quartile": point.us_per_step.lower,
        "us_per_step_upper_quartile": point.us_per_step.upper,
        "samples": point.us_per_step.samples,
        "us_per_row": point.us_per_row(),
        "ns_per_multiply_add": point.ns_per_multiply_add(),
        "ratio_to_previous": growth.ratio(point),
    })
}
