//! The networks of a run, which answer together.

use awl::engine::Predictor;
use awl::train::Ensemble;
use awl::{Gpu, Matrix, Network, Result};

/// The networks of a run on the GPU.
pub struct Networks {
    network: Network,
    predictor: Predictor,
}

impl Networks {
    /// Those with these parameters.
    pub async fn new(gpu: &Gpu, network: &Network, parameters: &[Vec<f64>]) -> Result<Self> {
        let predictor = Predictor::fleet(gpu, network, parameters).await?;
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
