//! The door to JavaScript: handles for a GPU, a table and a session, whose methods answer with JSON or arrays of
//! numbers and throw `Error`s. An error's `name` says what the page can do about it: `DeviceLost` (open the GPU again),
//! `NoAdapter`, or just `AwlError`.
//!
//! A handle must not be used again before its last promise has settled.

use crate::{Judgement, Plan, Session, Settings, Study, trajectory};
use awl::{Error, Gpu};
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(text: &str);
}

#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| console_error(&panic.to_string())));
}

type Result<T> = std::result::Result<T, JsValue>;

fn thrown(error: Error) -> JsValue {
    let thrown = js_sys::Error::new(&error.to_string());
    thrown.set_name(match error {
        Error::DeviceLost { .. } => "DeviceLost",
        Error::NoAdapter { .. } | Error::NoDevice { .. } => "NoAdapter",
        _ => "AwlError",
    });
    thrown.into()
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| JsError::new(&error.to_string()).into())
}

fn parsed<T: serde::de::DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|error| JsError::new(&error.to_string()).into())
}

/// An open GPU.
#[wasm_bindgen(js_name = Device)]
pub struct Device(Gpu);

#[wasm_bindgen(js_class = Device)]
impl Device {
    /// Opens the GPU that the browser offers.
    pub async fn open() -> Result<Device> {
        Gpu::new().await.map(Self).map_err(thrown)
    }

    /// Its name, as far as the browser tells.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Gives the device up, as a driver's reset would: for tests.
    pub fn lose(&self) {
        self.0.device().destroy();
    }

    /// The trajectory by which browsers are tested, as JSON.
    pub async fn trajectory(&self, steps: usize) -> Result<String> {
        json(&trajectory(&self.0, steps).await.map_err(thrown)?)
    }
}

/// A table.
#[wasm_bindgen(js_name = Data)]
pub struct Data(Study);

#[wasm_bindgen(js_class = Data)]
impl Data {
    /// The penguins.
    pub fn penguins() -> Result<Data> {
        Study::penguins().map(Self).map_err(thrown)
    }

    /// A CSV file.
    #[wasm_bindgen(js_name = fromCsv)]
    pub fn from_csv(name: &str, bytes: &[u8]) -> Result<Data> {
        Study::from_csv(name, bytes).map(Self).map_err(thrown)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// What its columns are: JSON of `ColumnInfo`s.
    pub fn columns(&self) -> Result<String> {
        json(&self.0.columns())
    }

    /// What might be predicted from what: JSON of a `Plan`.
    pub fn plan(&self) -> Result<String> {
        json(self.0.plan())
    }
}

/// A network in training.
#[wasm_bindgen(js_name = Run)]
pub struct Run(Session);

/// What the page needs to know of a run once.
#[derive(Serialize)]
struct Description {
    tasks: Vec<TaskDescription>,
    tensors: Vec<TensorDescription>,
    rows: usize,
    judged: usize,
    batch: usize,
    steps_per_epoch: usize,
    parameters: usize,
}

#[derive(Serialize)]
struct TaskDescription {
    name: String,
    classes: Option<Vec<String>>,
}

#[derive(Serialize)]
struct TensorDescription {
    name: String,
    shape: Vec<usize>,
    start: usize,
}

#[wasm_bindgen(js_class = Run)]
impl Run {
    /// A fresh network; plan and settings are JSON.
    pub async fn start(device: &Device, data: &Data, plan: &str, settings: &str) -> Result<Run> {
        let (plan, settings): (Plan, Settings) = (parsed(plan)?, parsed(settings)?);
        Session::new(&device.0, &data.0, &plan, &settings).await.map(Self).map_err(thrown)
    }

    /// JSON of tasks, tensors and sizes.
    pub fn describe(&mut self) -> Result<String> {
        let [rows, judged] = self.0.rows();
        let recipe = self.0.recipe();
        let (network, batch) = (recipe.network.clone(), recipe.batch);
        let tensors = network.tensors().into_iter().map(|tensor| TensorDescription {
            name: tensor.name,
            shape: tensor.shape,
            start: tensor.range.start,
        });
        let tasks = self.0.encoder().targets().iter().map(|target| TaskDescription {
            name: target.name.clone(),
            classes: target.encoding.classes().map(<[String]>::to_vec),
        });
        json(&Description {
            tasks: tasks.collect(),
            tensors: tensors.collect(),
            rows,
            judged,
            batch,
            steps_per_epoch: self.0.steps_per_epoch(),
            parameters: network.parameter_count(),
        })
    }

    /// Makes steps. Answers with a flat array of a record a step: its number and the total, then loss, weight and σ of
    /// each task, NaN where there is none.
    pub async fn train(&mut self, steps: usize) -> Result<Vec<f64>> {
        let records = self.0.train(steps).await.map_err(thrown)?;
        let mut flat = Vec::new();
        for record in records {
            flat.extend([record.step as f64, record.total]);
            for task in record.tasks {
                flat.extend([
                    task.loss.unwrap_or(f64::NAN),
                    task.weight,
                    task.sigma.unwrap_or(f64::NAN),
                ]);
            }
        }
        Ok(flat)
    }

    /// Changes the learning rates; `settings` is JSON, of which nothing else is looked at.
    #[wasm_bindgen(js_name = setRates)]
    pub async fn set_rates(&mut self, settings: &str) -> Result<()> {
        let settings: Settings = parsed(settings)?;
        self.0.set_rates(&settings).await.map_err(thrown)
    }

    /// How each task fares on the held-out rows: JSON of `Judgement`s.
    pub async fn judge(&mut self) -> Result<String> {
        let judgements: Vec<Judgement> = self.0.judge().await.map_err(thrown)?;
        json(&judgements)
    }

    /// The network's parameters, flat; `describe` says which tensor starts where.
    pub async fn parameters(&mut self) -> Result<Vec<f32>> {
        let state = self.0.state().await.map_err(thrown)?;
        Ok(state.parameters.into_iter().map(|parameter| parameter as f32).collect())
    }

    /// The bytes of a safetensors file of the weights.
    pub async fn safetensors(&mut self) -> Result<Vec<u8>> {
        self.0.safetensors().await.map_err(thrown)
    }
}
