//! The fleets as tables for people, at most 80 columns wide.

use super::super::text::wrapped;
use super::left_out;
use awl::bench::{FleetCost, Fleets};
use std::io::{Result, Write};

/// Writes both tables, then which fleets are not faster and which were left out.
pub fn write(out: &mut impl Write, adapter: &str, fleets: &[Fleets]) -> Result<()> {
    writeln!(out, "{adapter}\n")?;
    times(out, fleets)?;
    steps(out, fleets)?;
    for it in fleets {
        let name = it.workload.name;
        for why in it.sizes.iter().filter_map(|size| size.cost.as_ref().ok()?.not_faster()) {
            writeln!(out, "\n{}", wrapped(&format!("{name}: {why}"), 2))?;
        }
        for (name, networks, why) in left_out(it) {
            let line = format!("left out: {name}, {networks} networks: {why}");
            writeln!(out, "\n{}", wrapped(&line, 2))?;
        }
    }
    Ok(())
}

/// The fleets that were timed, each with its workload's name where it is the first of it.
fn timed(fleets: &[Fleets]) -> impl Iterator<Item = (&'static str, &FleetCost)> {
    fleets.iter().flat_map(|it| {
        let costs = it.sizes.iter().filter_map(|size| size.cost.as_ref().ok()).enumerate();
        costs.map(|(index, cost)| (if index == 0 { it.workload.name } else { "" }, cost))
    })
}

/// A table: what a step takes, by the clock.
fn times(out: &mut impl Write, fleets: &[Fleets]) -> Result<()> {
    writeln!(
        out,
        "{:<9}{:>8}{:>10}{:>11}{:>16}{:>6}{:>13}",
        "workload", "networks", "us/step", "a network", "quartiles", "x", "quartiles"
    )?;
    for (name, cost) in timed(fleets) {
        let (us, throughput) = (cost.us_per_network(), &cost.throughput);
        let digits = digits(throughput.upper);
        writeln!(
            out,
            "{name:<9}{:>8}{:>10.0}{:>11.1}{:>16}{:>6.digits$}{:>13}{:>7}",
            cost.networks,
            cost.fleet.us_per_step.median,
            us.median,
            format!("{:.1} - {:.1}", us.lower, us.upper),
            throughput.median,
            format!("{:.digits$} - {:.digits$}", throughput.lower, throughput.upper),
            cost.standing().name(),
        )?;
    }
    let x = "x: steps of the networks in the time in which one after another makes one; one alone takes turns with each fleet";
    writeln!(out, "{}", wrapped(x, 2))
}

/// Decimals of a throughput that leave its quartiles in their columns.
fn digits(throughput: f64) -> usize {
    match throughput {
        ..100.0 => 2,
        _ => 0,
    }
}

/// A table: which program made the steps, and with what.
fn steps(out: &mut impl Write, fleets: &[Fleets]) -> Result<()> {
    writeln!(
        out,
        "\n{:<9}{:>8}  {:<14}{:<14}{:>12}{:>9}{:>11}\n{:>59}",
        "workload", "networks", "program", "alone", "dispatches", "MB held", "MB alone", "a step"
    )?;
    for (name, FleetCost { networks, fleet, alone, .. }) in timed(fleets) {
        let dispatches = match fleet.steps_per_round {
            1 => fleet.dispatches_per_step.to_string(),
            most => format!("{} per {most}", fleet.dispatches_per_step),
        };
        let [held, held_alone] = [fleet, alone].map(|cost| cost.gpu_bytes as f64 / 1e6);
        writeln!(
            out,
            "{name:<9}{networks:>8}  {:<14}{:<14}{dispatches:>12}{held:>9.2}{held_alone:>11.2}",
            fleet.program, alone.program
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::seeds;
    use super::*;

    fn text(timed: &[(usize, f64)]) -> String {
        let mut out = Vec::new();
        write(&mut out, "a card", &[seeds(timed)]).expect("text");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_row_a_fleet_and_a_line_for_what_was_left_out() {
        let told = text(&[(1, 100.0), (8, 400.0), (1024, 512.0)]);
        let row = |networks: &str| {
            let mut rows = told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            rows.find(|row| row.contains(&networks)).expect("a row").join(" ")
        };
        assert_eq!(row("1"), "seed 1 100 100.0 100.0 - 100.0 1.00 1.00 - 1.00 same");
        assert_eq!(row("8"), "8 400 50.0 50.0 - 50.0 2.00 2.00 - 2.00 faster");
        assert_eq!(row("1024"), "1024 512 0.5 0.5 - 0.5 200 200 - 200 faster");
        assert!(
            told.contains("block         block                    2     1.50       0.25"),
            "{told}"
        );
        assert!(
            told.contains("left out: seed, 4096 networks: the GPU ran out of memory"),
            "{told}"
        );
        assert!(!told.contains("not faster"), "{told}");
        assert!(told.lines().all(|line| line.len() <= 80), "{told}");
    }

    #[test]
    fn a_fleet_that_is_not_faster_says_so() {
        for (us, word, throughput) in [(250.0, "slower", "0.80"), (200.0, "same", "1.00")] {
            let told = text(&[(1, 100.0), (2, us)]);
            assert!(told.contains(word), "{told}");
            let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
            let expected = format!(
                "seed: 2 networks as a fleet are not faster than one after another, {throughput} times their throughput"
            );
            assert!(words.contains(&expected), "{words}");
            // One network is no fleet.
            assert!(!words.contains("1 networks as a fleet"), "{words}");
        }
    }
}
