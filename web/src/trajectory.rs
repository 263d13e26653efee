//! The run by which a browser's GPU is held against a native one: the penguins, from the first step on.

use crate::session::{Session, Settings};
use crate::study::Study;
use awl::{Gpu, Result};
use serde::Serialize;

/// What every step saw, before the update that it made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trajectory {
    /// Names of the tasks.
    pub tasks: Vec<String>,
    /// The weighted total, shape `[steps]`.
    pub totals: Vec<f64>,
    /// Each task's loss, shape `[steps][tasks]`; `None` where the batch had no label.
    pub losses: Vec<Vec<Option<f64>>>,
    /// Each task's σ, shape `[steps][tasks]`.
    pub sigma: Vec<Vec<Option<f64>>>,
}

/// Makes this many steps on the penguins with the page's own settings.
///
/// # Errors
/// Those of [`Session::new`] and [`Session::train`].
pub async fn trajectory(gpu: &Gpu, steps: usize) -> Result<Trajectory> {
    let study = Study::penguins()?;
    let mut session = Session::new(gpu, &study, study.plan(), &Settings::default()).await?;
    let records = session.train(steps).await?;
    let tasks = |record: &awl::engine::Record| record.tasks.clone().into_iter();
    Ok(Trajectory {
        tasks: study.plan().tasks.clone(),
        totals: records.iter().map(|record| record.total).collect(),
        losses: records
            .iter()
            .map(|record| tasks(record).map(|task| task.loss).collect())
            .collect(),
        sigma: records
            .iter()
            .map(|record| tasks(record).map(|task| task.sigma).collect())
            .collect(),
    })
}
