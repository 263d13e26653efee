//! The report as tables for people, at most 80 columns wide.

use super::Report;
use awl::bench::{EngineCost, KernelSum, Slower, Standing};
use std::io::{Result, Write};

/// Writes all tables.
pub fn write(out: &mut impl Write, adapter: &str, report: &Report) -> Result<()> {
    let ceilings = &report.ceilings;
    let limits = format!(
        "its limits, measured: {} (fused multiply-adds), {} (copying, read + written)",
        billions(ceilings.flops_per_second, "GFLOP/s"),
        billions(ceilings.bytes_per_second, "GB/s")
    );
    writeln!(out, "{adapter}\n{}", wrapped(&limits, 2))?;
    if !report.comparisons.is_empty() {
        times(out, report)?;
        steps(out, report)?;
        for it in &report.comparisons {
            it.engines.iter().try_for_each(|cost| kernels(out, it.workload.name, cost))?;
        }
    }
    if !report.losses.is_empty() {
        losses(out, report)?;
    }
    if shares(report).any(|share| share > 1.0) {
        writeln!(out, "\nabove 100 %: caches held what was to be copied")?;
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

/// A table: what a step takes, by the clock, and below it at which workloads fused is slower.
fn times(out: &mut impl Write, report: &Report) -> Result<()> {
    writeln!(
        out,
        "\n{:<9}{:<8}{:>9}{:>18}{:>9}{:>8}{:>8}",
        "workload", "engine", "us/step", "quartiles", "host us", "limit", "ratio"
    )?;
    for comparison in &report.comparisons {
        for (index, cost) in comparison.engines.iter().enumerate() {
            let us = &cost.us_per_step;
            let [name, ratio] = match index {
                0 => [
                    comparison.workload.name,
                    &standing(comparison.speedup(), comparison.standing()),
                ],
                _ => ["", ""],
            };
            writeln!(
                out,
                "{name:<9}{:<8}{:>9.0}{:>18}{:>9.1}{:>8}{ratio}",
                cost.engine.name(),
                us.median,
                format!("{:.0} - {:.0}", us.lower, us.upper),
                cost.host_us_per_step.median,
                percent(comparison.share_of_limit(cost, &report.ceilings)),
            )?;
        }
    }
    let host = "host us: a step's encoding and submission, timed while the device is idle; where it comes near us/step, \
                the host is the limit";
    writeln!(out, "{}", wrapped(host, 2))?;
    if report.comparisons.iter().any(|it| it.speedup().is_some()) {
        writeln!(out, "ratio: unfused's time over fused's")?;
    }
    for comparison in &report.comparisons {
        slower(out, comparison.workload.name, comparison.slower())?;
    }
    Ok(())
}

/// Two columns: unfused's time over fused's, and the word for it.
fn standing(ratio: Option<f64>, standing: Option<Standing>) -> String {
    let word = standing.map_or("", Standing::name);
    ratio.map_or(String::new(), |ratio| format!("{ratio:>8.2}{word:>8}"))
}

/// Says that fused is slower, and what is known of why.
fn slower(out: &mut impl Write, name: &str, found: Option<Slower>) -> Result<()> {
    found.map_or(Ok(()), |found| writeln!(out, "\n{}", wrapped(&format!("{name}: {found}"), 2)))
}

/// A table: which program made the steps, and with what.
fn steps(out: &mut impl Write, report: &Report) -> Result<()> {
    writeln!(
        out,
        "\n{:<9}{:<8}{:<14}{:>12}{:>13}{:>10}{:>10}",
        "workload", "engine", "program", "dispatches", "submissions", "MB/step", "MB held"
    )?;
    writeln!(out, "{:>43}{:>13}", "a step", "in 100")?;
    for comparison in &report.comparisons {
        for (index, cost) in comparison.engines.iter().enumerate() {
            let dispatches = match cost.steps_per_round {
                1 => cost.dispatches_per_step.to_string(),
                most => format!("{} per {most}", cost.dispatches_per_step),
            };
            writeln!(
                out,
                "{:<9}{:<8}{:<14}{dispatches:>12}{:>13.1}{:>10.2}{:>10.2}",
                if index == 0 { comparison.workload.name } else { "" },
                cost.engine.name(),
                cost.program,
                cost.submissions_per_100_steps,
                cost.bytes_per_step as f64 / 1e6,
                cost.gpu_bytes as f64 / 1e6,
            )?;
        }
    }
    Ok(())
}

fn losses(out: &mut impl Write, report: &Report) -> Result<()> {
    writeln!(
        out,
        "\nthe loss pass alone, an mse and a cross_entropy head (disp.: dispatches a pass)\n\
         {:<14}{:<8}{:>8}{:>18}{:>6}{:>8}{:>8}",
        "classes, rows", "engine", "us", "quartiles", "disp.", "copying", "ratio"
    )?;
    for cost in &report.losses {
        for (index, pass) in cost.passes.iter().enumerate() {
            let us = &pass.us_per_pass;
            let size = format!("{} x {}", cost.classes, cost.rows);
            let [size, ratio] = match index {
                0 => [size, standing(cost.speedup(), cost.standing())],
                _ => [String::new(), String::new()],
            };
            writeln!(
                out,
                "{size:<14}{:<8}{:>8.0}{:>18}{:>6}{:>8}{ratio}",
                pass.engine.name(),
                us.median,
                format!("{:.0} - {:.0}", us.lower, us.upper),
                pass.dispatches,
                percent(cost.share_of_copying(pass, &report.ceilings)),
            )?;
        }
    }
    for cost in &report.losses {
        slower(out, &format!("loss pass, {} classes", cost.classes), cost.slower())?;
    }
    Ok(())
}

/// The GPU's own times, the dispatches of a kernel together, the longest first.
fn kernels(out: &mut impl Write, workload: &str, cost: &EngineCost) -> Result<()> {
    let Some(sums) = cost.by_kernel() else {
        return Ok(());
    };
    let (engine, program) = (cost.engine.name(), cost.program);
    writeln!(out, "\n{workload}, {engine} ({program}): us of GPU time a step, by kernel")?;
    for KernelSum { kernel, dispatches, us } in sums {
        writeln!(out, "{us:>11.0}  {kernel} x {dispatches}")?;
    }
    Ok(())
}

/// A rate in billions of its unit.
fn billions(rate: Option<f64>, unit: &str) -> String {
    rate.map_or("not measured".into(), |rate| format!("{:.1} {unit}", rate / 1e9))
}

/// A share in percent; a dash where it is not known.
fn percent(share: Option<f64>) -> String {
    share.map_or("-".into(), |share| format!("{:.1}%", 100.0 * share))
}

/// A text broken between words into lines of at most 80 columns; all but the first begin after so many spaces.
pub fn wrapped(text: &str, indent: usize) -> String {
    filled(text.split(' '), indent)
}

/// The same for pieces that stay whole.
pub fn filled<'a>(pieces: impl Iterator<Item = &'a str>, indent: usize) -> String {
    let mut lines = String::new();
    // The first line is taken to begin there too.
    let mut end = indent;
    for piece in pieces {
        let length = piece.chars().count();
        if end > indent && end + 1 + length > 80 {
            lines += &format!("\n{:indent$}", "");
            end = indent;
        } else if end > indent {
            lines.push(' ');
            end += 1;
        }
        lines += piece;
        end += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::bench::tests::report;

    #[test]
    fn what_was_not_measured_is_not_a_number() {
        assert_eq!(billions(Some(1.1349e11), "GFLOP/s"), "113.5 GFLOP/s");
        assert_eq!(billions(None, "GFLOP/s"), "not measured");
        assert_eq!([percent(Some(0.2712)), percent(None)], ["27.1%", "-"]);
    }

    #[test]
    fn lines_break_between_words_within_80_columns() {
        let lines = wrapped(&["word"; 40].join(" "), 30);
        assert!(lines.lines().skip(1).all(|line| line.starts_with(&" ".repeat(30))), "{lines}");
        // Ten words of four letters and nine spaces: 49 columns after 30.
        let counts = lines.lines().map(|line| line.split_whitespace().count());
        assert_eq!(counts.collect::<Vec<_>>(), [10; 4]);
        let whole = filled(["unfused/product x 8,"; 3].into_iter(), 30);
        assert_eq!(whole.lines().count(), 2, "{whole}");
    }

    #[test]
    fn a_slower_engine_is_called_slower_and_a_faster_one_faster() {
        let text = |fused, unfused| {
            let mut out = Vec::new();
            write(&mut out, "a card", &report(fused, unfused)).expect("text");
            String::from_utf8(out).expect("text")
        };
        let slower = text(150.0, 100.0);
        assert!(slower.contains("0.67  slower") && !slower.contains("faster"), "{slower}");
        let words = slower.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("seed: fused is slower here, 1.50 times unfused's time"), "{words}");
        assert!(words.contains("loss pass, 10 classes: fused is slower here"), "{words}");
        assert!(slower.lines().all(|line| line.len() <= 80), "{slower}");
        let faster = text(100.0, 150.0);
        assert!(faster.contains("1.50  faster") && !faster.contains("slower"), "{faster}");
        let same = text(100.0, 100.0);
        assert!(!same.contains("slower") && !same.contains("faster"), "{same}");
        assert!(same.contains("1.00    same"), "{same}");
    }
}
