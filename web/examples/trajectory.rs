//! Prints the trajectory that a browser must follow, as this machine's native GPU computes it: JSON on stdout.
//!
//! `cargo run --release -p awl-web --example trajectory -- [STEPS]`, 50 steps if you do not say.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let steps = std::env::args().nth(1).map_or(Ok(50), |steps| steps.parse())?;
    let gpu = pollster::block_on(awl::Gpu::new())?;
    eprintln!("trajectory: {}", gpu.name());
    let trajectory = pollster::block_on(awl_web::trajectory(&gpu, steps))?;
    println!("{}", serde_json::to_string(&trajectory)?);
    Ok(())
}
