//! The fleets as JSON.

use super::super::json::{adapter, engine};
use awl::Gpu;
use awl::bench::{FleetCost, FleetSize, Fleets};
use serde_json::{Value, json};
use std::io::{Result, Write};

/// Writes one object.
pub fn write(out: &mut impl Write, gpu: &Gpu, fleets: &[Fleets]) -> Result<()> {
    let workloads: Vec<Value> = fleets.iter().map(workload).collect();
    let object = json!({ "adapter": adapter(gpu), "workloads": workloads });
    writeln!(out, "{object:#}")
}

fn workload(fleets: &Fleets) -> Value {
    let workload = &fleets.workload;
    json!({
        "name": workload.name,
        "batch": workload.batch,
        "features": workload.features,
        "hidden": workload.hidden,
        "fleets": fleets.sizes.iter().map(size).collect::<Vec<_>>(),
    })
}

/// All figures of a fleet are null where it was left out, and the reason is where it was not.
fn size(size: &FleetSize) -> Value {
    let cost = size.cost.as_ref();
    let us = cost.ok().map(FleetCost::us_per_network);
    let throughput = cost.ok().map(|cost| &cost.throughput);
    json!({
        "networks": size.networks,
        "left_out": cost.err(),
        "us_per_step_and_network": us.map(|it| it.median),
        "us_per_step_and_network_lower_quartile": us.map(|it| it.lower),
        "us_per_step_and_network_upper_quartile": us.map(|it| it.upper),
        "throughput": throughput.map(|it| it.median),
        "throughput_lower_quartile": throughput.map(|it| it.lower),
        "throughput_upper_quartile": throughput.map(|it| it.upper),
        "fleet_is": cost.ok().map(|cost| cost.standing().name()),
        "why_not_faster": cost.ok().and_then(FleetCost::not_faster),
        "fleet": cost.ok().map(|cost| engine(&cost.fleet)),
        "alone": cost.ok().map(|cost| engine(&cost.alone)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::seeds;
    use super::*;

    #[test]
    fn a_fleet_has_its_figures_or_the_reason_for_none() {
        let value = workload(&seeds(&[(2, 250.0), (8, 400.0)]));
        assert_eq!((&value["name"], &value["batch"]), (&"seed".into(), &256.into()));
        let [slower, faster, left_out] = [0, 1, 2].map(|index| &value["fleets"][index]);
        assert_eq!(
            (&faster["networks"], &faster["us_per_step_and_network"]),
            (&8.into(), &50.0.into())
        );
        assert_eq!((&faster["throughput"], &faster["fleet_is"]), (&2.0.into(), &"faster".into()));
        assert_eq!((&faster["why_not_faster"], &faster["left_out"]), (&Value::Null, &Value::Null));
        assert_eq!(faster["fleet"]["us_per_step"], 400.0);
        assert_eq!(faster["fleet"]["gpu_bytes"], 1_500_000);
        assert_eq!(faster["alone"]["us_per_step"], 100.0);
        assert_eq!((&slower["throughput"], &slower["fleet_is"]), (&0.8.into(), &"slower".into()));
        let why = slower["why_not_faster"].as_str().expect("a reason");
        assert!(why.contains("not faster") && why.contains("0.80 times"), "{why}");
        assert_eq!((&left_out["networks"], &left_out["fleet"]), (&4096.into(), &Value::Null));
        assert_eq!(left_out["left_out"], "the GPU ran out of memory");
        assert_eq!(left_out["throughput"], Value::Null);
    }
}
