//! The networks of a run, which answer together, and what computes their answers.

use super::failure::Failure;
use super::run_dir::RunDir;
use super::train::config::{Config, EngineName};
use awl::engine::Predictor;
use awl::train::Ensemble;
use awl::{Gpu, Matrix, Network, Result};

/// What computes the answers of a run.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct EngineFlag {
    /// What computes the answers: the GPU (fused or unfused, which are one here), or the CPU (reference, in f64), which takes no
    /// adapter [default: what the run was trained by].
    #[arg(long, value_enum, value_name = "ENGINE")]
    engine: Option<EngineName>,
}

impl EngineFlag {
    /// What was asked for, or what the run's configuration says.
    fn of(self, run: &RunDir) -> Result<EngineName, Failure> {
        match self.engine {
            Some(engine) => Ok(engine),
            None => Ok(Config::of_run(&run.config())?.train.engine),
        }
    }
}

/// The networks of a run.
pub struct Networks {
    network: Network,
    predictor: Predictor,
}

impl Networks {
    /// Those of a run with these parameters.
    pub async fn of(
        run: &RunDir,
        flag: EngineFlag,
        network: &Network,
        parameters: &[Vec<f64>],
    ) -> Result<Self, Failure> {
        let predictor = match flag.of(run)? {
            EngineName::Reference => Predictor::on_cpu(network, parameters)?,
            EngineName::Fused | EngineName::Unfused => {
                Predictor::fleet(&Gpu::new().await?, network, parameters).await?
            }
        };
        Ok(Self { network: network.clone(), predictor })
    }

    /// One's predictions.
    pub async fn by(&self, member: usize, features: &Matrix) -> Result<Matrix> {
        self.predictor.predict_by(member, features).await
    }

    /// Their predictions together; each one's alone are handed over as they come.
    pub async fn each(
        &self,
        features: &Matrix,
        mut take: impl FnMut(&Matrix) -> Result<()>,
    ) -> Result<Matrix> {
        let mut ensemble = Ensemble::new(&self.network);
        for member in 0..self.predictor.members() {
            let predictions = self.predictor.predict_by(member, features).await?;
            take(&predictions)?;
            ensemble.add(&predictions)?;
        }
        ensemble.predictions()
    }
}
