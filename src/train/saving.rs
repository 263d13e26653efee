//! A trainer's state as a file, and back.

use super::{Checkpoint, Saved, Trainer};
use crate::durable;
use crate::engine::Engine;
use crate::error::{Error, Result};
use std::path::Path;

impl<E: Engine> Trainer<E> {
    /// Writes all that training goes on from, of every member, as a safetensors file whose weights PyTorch takes
    /// ([`Checkpoint`] says what is in it). Where a file of that name is there, either it or the whole new one is left, whatever
    /// happens.
    ///
    /// ```
    /// use awl::*;
    /// # pollster::block_on(async {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("state.safetensors");
    /// let features = Matrix::new(1, vec![-1.0, 0.0, 1.0])?;
    /// let data = Dataset::new(features.clone(), vec![Target::numbers(features)])?;
    /// let network = Network::new(1, &[4], Activation::Tanh, &[Task::new("same", Loss::Mse, 1)])?;
    /// let recipe = Recipe::new(network, AutomaticWeightedLoss::new(1), Adam::new(0.01));
    /// let gpu = Gpu::new().await?;
    ///
    /// let mut trainer = Trainer::new(GpuEngine::fused(&gpu, recipe.clone(), &data).await?);
    /// trainer.epochs(20).await?;
    /// trainer.save(&path).await?;
    ///
    /// // Another day: the same recipe and rows.
    /// let mut resumed = Trainer::load(GpuEngine::fused(&gpu, recipe, &data).await?, &path)?;
    /// assert_eq!(resumed.epochs(10).await?, trainer.epochs(10).await?);
    /// # Ok::<(), Error>(()) })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be written, [`Error::Invalid`] for names that the format cannot hold, or whatever the device
    /// says.
    pub async fn save(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let engine = self.engine();
        let all: Vec<usize> = (0..engine.recipes().len()).collect();
        let states = engine.states_of(&all).await?;
        let members = states.into_iter().map(|state| Saved { state, best: None }).collect();
        let checkpoint = Checkpoint { members, notes: serde_json::Value::Null };
        let bytes = checkpoint.to_bytes(engine.recipes())?;
        durable::write(path, &bytes).map_err(|source| Error::File { path: path.into(), source })
    }

    /// A loop that goes on from a [saved](Self::save) file, or from the checkpoint of a run: on the same adapter, bit for bit as if
    /// it had never stopped. As with [`resume`](Self::resume), recipes and rows must be those that it was made with.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, [`Error::Tensors`] where it is no such file or of another network, and those of
    /// [`Engine::load_into`].
    pub fn load(mut engine: E, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes =
            std::fs::read(path).map_err(|source| Error::File { path: path.into(), source })?;
        let name = path.display().to_string();
        let checkpoint = Checkpoint::from_bytes(&name, &bytes, engine.recipes())?;
        for (member, saved) in checkpoint.members.iter().enumerate() {
            engine.load_into(member, &saved.state)?;
        }
        Ok(Self::new(engine))
    }
}
