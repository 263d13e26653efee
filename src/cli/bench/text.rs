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
        "its limits, measured: {:.1} GFLOP/s (fused multiply-adds), {:.1} GB/s (copying, read + written)",
        ceilings.flops_per_second / 1e9,
        ceilings.bytes_per_second / 1e9
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
    Ok(())
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
        "{:<9}{:<9}{:>11.0}{:>19}{:>11}{:>12.1}{:>9.2}{:>9.2}{:>7.1}%{:>9}",
        if is_first { comparison.workload.name } else { "" },
        cost.engine.name(),
        us.median,
        format!("{:.0} - {:.0}", us.lower, us.upper),
        cost.dispatches_per_step,
        cost.submissions_per_100_steps,
        cost.bytes_per_step as f64 / 1e6,
        cost.gpu_bytes as f64 / 1e6,
        100.0 * comparison.share_of_limit(cost, &report.ceilings),
        speedup.map_or(String::new(), |speedup| format!("{speedup:.2}x")),
    )
}

fn losses(out: &mut impl Write, report: &Report) -> Result<()> {
    writeln!(
        out,
        "\nthe loss pass alone, an mse and a cross_entropy head\n{:<9}{:>8} {:<9}{:>9}{:>19}{:>11}{:>10}{:>8}{:>9}",
        "classes", "rows", "engine", "us", "quartiles", "dispatches", "MB", "limit", "speedup"
    )?;
    for cost in &report.losses {
        for (index, pass) in cost.passes.iter().enumerate() {
            let is_first = index == 0;
            let us = &pass.us_per_pass;
            let speedup = cost.speedup().filter(|_| is_first);
            writeln!(
                out,
                "{:<9}{:>8} {:<9}{:>9.0}{:>19}{:>11}{:>10.2}{:>7.1}%{:>9}",
                if is_first { cost.classes.to_string() } else { String::new() },
                if is_first { cost.rows.to_string() } else { String::new() },
                pass.engine.name(),
                us.median,
                format!("{:.0} - {:.0}", us.lower, us.upper),
                pass.dispatches,
                cost.bytes as f64 / 1e6,
                100.0 * cost.share_of_limit(pass, &report.ceilings),
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
    let (name, engine) = (comparison.workload.name, cost.engine.name());
    writeln!(out, "\n{name}, {engine}: us of GPU time a step, by kernel")?;
    for (kernel, count, sum) in sums {
        writeln!(out, "{sum:>11.0}  {kernel} x {count}")?;
    }
    Ok(())
}
