//! The report as tables for people.

use super::Report;
use super::json::micros;
use awl::bench::{Comparison, EngineCost};
use awl::engine::KernelTime;
use std::io::{Result, Write};

/// Writes all tables.
pub fn write(out: &mut impl Write, report: &Report) -> Result<()> {
    let ceilings = &report.ceilings;
    writeln!(out, "{}", report.gpu.name())?;
    writeln!(
        out,
        "its limits, measured: {} (fused multiply-adds), {} (copying, read + written)",
        billions(ceilings.flops_per_second, "GFLOP/s"),
        billions(ceilings.bytes_per_second, "GB/s")
    )?;
    if !report.comparisons.is_empty() {
        writeln!(
            out,
            "\n{:<9}{:<9}{:>11}{:>19}{:>11}{:>12}{:>9}{:>9}{:>8}{:>9}",
            "workload",
            "engine",
            "us/step",
            "quartiles",
            "dispatches",
            "submissions",
            "MB/step",
            "MB held",
            "limit",
            "speedup"
        )?;
        writeln!(out, "{:>61}{:>10}", "a step", "in 100")?;
    }
    for comparison in &report.comparisons {
        for cost in &comparison.engines {
            engine(out, report, comparison, cost)?;
        }
    }
    for comparison in &report.comparisons {
        for cost in &comparison.engines {
            if let Some(times) = &cost.kernels {
                kernels(out, comparison, cost, times)?;
            }
        }
    }
    if !report.losses.is_empty() {
        losses(out, report)?;
    }
    if shares(report).any(|share| share > 1.0) {
        writeln!(out, "\nabove 100 %: caches, which are faster, held what was to be copied")?;
    }
    Ok(())
}

/// All shares of the limits that are told.
fn shares(report: &Report) -> impl Iterator<Item = f64> {
    let ceilings = &report.ceilings;
    let steps = report.comparisons.iter().flat_map(move |it| {
        it.engines.iter().filter_map(move |cost| it.share_of_limit(cost, ceilings))
    });
    let passes = report.losses.iter().flat_map(move |it| {
        it.passes.iter().filter_map(move |pass| it.share_of_copying(pass, ceilings))
    });
    steps.chain(passes)
}

/// A rate in billions of its unit.
fn billions(rate: Option<f64>, unit: &str) -> String {
    rate.map_or("not measured".into(), |rate| format!("{:.1} {unit}", rate / 1e9))
}

/// A share in percent; a dash where it is not known.
fn percent(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{:.1}%", 100.0 * share))
}

fn engine(
    out: &mut impl Write,
    report: &Report,
    comparison: &Comparison,
    cost: &EngineCost,
) -> Result<()> {
    let us = &cost.us_per_step;
    let is_first = comparison.engines.first() == Some(cost);
    let speedup = comparison.speedup().filter(|_| is_first);
    writeln!(
        out,
        "{:<9}{:<9}{:>11.0}{:>19}{:>11}{:>12.1}{:>9.2}{:>9.2}{:>8}{:>9}",
        if is_first { comparison.workload.name } else { "" },
        cost.engine.name(),
        us.median,
        format!("{:.0} - {:.0}", us.lower, us.upper),
        cost.dispatches_per_step,
        cost.submissions_per_100_steps,
        cost.bytes_per_step as f64 / 1e6,
        cost.gpu_bytes as f64 / 1e6,
        percent(comparison.share_of_limit(cost, &report.ceilings)),
        speedup.map_or(String::new(), |speedup| format!("{speedup:.2}x")),
    )
}

fn losses(out: &mut impl Write, report: &Report) -> Result<()> {
    writeln!(
        out,
        "\nthe loss pass alone, an mse and a cross_entropy head\n{:<9}{:>8} {:<9}{:>9}{:>19}{:>11}{:>10}{:>9}{:>9}",
        "classes", "rows", "engine", "us", "quartiles", "dispatches", "MB", "copying", "speedup"
    )?;
    for cost in &report.losses {
        for (index, pass) in cost.passes.iter().enumerate() {
            let is_first = index == 0;
            let us = &pass.us_per_pass;
            let speedup = cost.speedup().filter(|_| is_first);
            writeln!(
                out,
                "{:<9}{:>8} {:<9}{:>9.0}{:>19}{:>11}{:>10.2}{:>9}{:>9}",
                if is_first { cost.classes.to_string() } else { String::new() },
                if is_first { cost.rows.to_string() } else { String::new() },
                pass.engine.name(),
                us.median,
                format!("{:.0} - {:.0}", us.lower, us.upper),
                pass.dispatches,
                cost.bytes as f64 / 1e6,
                percent(cost.share_of_copying(pass, &report.ceilings)),
                speedup.map_or(String::new(), |speedup| format!("{speedup:.2}x")),
            )?;
        }
    }
    Ok(())
}

/// The GPU's own times, the dispatches of a kernel together, the longest first.
fn kernels(
    out: &mut impl Write,
    comparison: &Comparison,
    cost: &EngineCost,
    times: &[KernelTime],
) -> Result<()> {
    let mut sums: Vec<(&str, usize, f64)> = Vec::new();
    for it in times {
        match sums.iter_mut().find(|(kernel, ..)| *kernel == it.kernel) {
            Some((_, count, sum)) => {
                *count += 1;
                *sum += micros(it.time);
            }
            None => sums.push((it.kernel, 1, micros(it.time))),
        }
    }
    sums.sort_by(|a, b| b.2.total_cmp(&a.2));
    let (name, engine, program) = (comparison.workload.name, cost.engine.name(), cost.program);
    writeln!(out, "\n{name}, {engine} ({program}): us of GPU time a step, by kernel")?;
    for (kernel, count, sum) in sums {
        writeln!(out, "{sum:>11.0}  {kernel} x {count}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{billions, percent};

    #[test]
    fn what_was_not_measured_is_not_a_number() {
        assert_eq!(billions(Some(1.1349e11), "GFLOP/s"), "113.5 GFLOP/s");
        assert_eq!(billions(None, "GFLOP/s"), "not measured");
        assert_eq!([percent(Some(0.2712)), percent(None)], ["27.1%", "-"]);
    }
}
