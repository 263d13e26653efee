//! A fleet of engines that take turns: for engines that have one network each.

use super::checks::check_member;
use super::recipe::Recipe;
use super::state::State;
use super::step::{Record, Step};
use super::{Answer, Engine};
use crate::data::{Dataset, Matrix};
use crate::error::{Error, Result};
use std::time::Duration;

/// Engines of one network each, over the same rows, as the members of a fleet: what
/// [`GpuEngine::fleet`](super::GpuEngine::fleet) does in the same dispatches, these do one after the other.
#[derive(Clone, Debug)]
pub struct Turns<E> {
    engines: Vec<E>,
    recipes: Vec<Recipe>,
    resting: Vec<bool>,
}

impl<E: Engine> Turns<E> {
    /// A fleet of these engines.
    ///
    /// # Errors
    /// [`Error::Invalid`] for none, or where one differs from the first in its rows, network, batch, shuffling or clipping.
    pub fn new(engines: Vec<E>) -> Result<Self> {
        let recipes: Vec<Recipe> = engines.iter().map(|engine| engine.recipe().clone()).collect();
        super::fleet::check(&recipes)?;
        let rows = engines[0].rows();
        if let Some(member) = engines.iter().position(|engine| engine.rows() != rows) {
            return Err(Error::invalid(
                format!("member {member} of the fleet has other rows than member 0"),
                "give all members the same dataset",
            ));
        }
        let resting = vec![false; engines.len()];
        Ok(Self { engines, recipes, resting })
    }

    fn trains(&self, member: usize) -> bool {
        !self.resting[member] && self.engines[member].failure(0).is_none()
    }

    fn engine(&mut self, member: usize) -> Result<&mut E> {
        check_member(member, self.engines.len())?;
        Ok(&mut self.engines[member])
    }
}

impl<E: Engine> Engine for Turns<E> {
    fn name(&self) -> &'static str {
        self.engines[0].name()
    }

    fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    fn rows(&self) -> usize {
        self.engines[0].rows()
    }

    fn submit(&mut self, steps: &[Step]) -> Result<()> {
        for member in 0..self.engines.len() {
            if self.trains(member) {
                self.engines[member].submit(steps)?;
            }
        }
        Ok(())
    }

    fn collect(&mut self) -> Answer<'_, Vec<Record>> {
        Box::pin(async move {
            let mut records = Vec::new();
            for (member, engine) in self.engines.iter_mut().enumerate() {
                match engine.collect().await {
                    Ok(of_member) => {
                        records.extend(of_member.into_iter().map(|it| Record { member, ..it }));
                    }
                    // Known by `failure` from now on.
                    Err(error) if error.is_of_training() => {}
                    Err(error) => return Err(error),
                }
            }
            records.sort_by_key(|record| (record.step, record.member));
            let members = 0..self.engines.len();
            let trains = members.clone().any(|member| self.trains(member));
            let failed = || members.into_iter().find_map(|member| self.failure(member));
            match records.is_empty() && !trains {
                true => failed().map_or(Ok(records), Err),
                false => Ok(records),
            }
        })
    }

    fn failure(&self, member: usize) -> Option<Error> {
        self.engines.get(member)?.failure(0)
    }

    fn rest(&mut self, member: usize) {
        self.resting.iter_mut().skip(member).take(1).for_each(|rests| *rests = true);
    }

    fn wake(&mut self, member: usize) {
        self.resting.iter_mut().skip(member).take(1).for_each(|rests| *rests = false);
    }

    fn rests(&self, member: usize) -> bool {
        self.resting.get(member).is_some_and(|rests| *rests)
    }

    fn predict_by<'a>(&'a mut self, member: usize, features: &'a Matrix) -> Answer<'a, Matrix> {
        Box::pin(async move { self.engine(member)?.predict(features).await })
    }

    fn hold_out<'a>(&'a mut self, rows: &'a Dataset) -> Answer<'a, ()> {
        Box::pin(async move {
            for engine in &mut self.engines {
                engine.hold_out(rows).await?;
            }
            Ok(())
        })
    }

    fn validate_members(&mut self) -> Answer<'_, Vec<Vec<Option<f64>>>> {
        Box::pin(async move {
            let mut losses = Vec::with_capacity(self.engines.len());
            for (engine, rests) in self.engines.iter_mut().zip(&self.resting) {
                losses.push(if *rests { Vec::new() } else { engine.validate().await? });
            }
            Ok(losses)
        })
    }

    fn states_of<'a>(&'a mut self, members: &'a [usize]) -> Answer<'a, Vec<State>> {
        Box::pin(async move {
            let mut states = Vec::with_capacity(members.len());
            for &member in members {
                states.push(self.engine(member)?.state().await?);
            }
            Ok(states)
        })
    }

    fn load_into(&mut self, member: usize, state: &State) -> Result<()> {
        self.engine(member)?.load(state)?;
        self.resting[member] = false;
        Ok(())
    }

    fn last_step(&self) -> u64 {
        let all = self.engines.iter().map(Engine::last_step);
        let trains = |(member, _): &(usize, u64)| self.trains(*member);
        let training = all.clone().enumerate().filter(trains).map(|(_, step)| step);
        training.max().or(all.max()).unwrap_or(0)
    }

    fn gpu_time(&self) -> Option<Duration> {
        self.engines.iter().map(Engine::gpu_time).sum()
    }

    fn is_streamed(&self) -> bool {
        self.engines.iter().any(Engine::is_streamed)
    }
}
