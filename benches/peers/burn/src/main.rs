//! burn's worker: makes as many training steps as each line of stdin says, and answers with their seconds and the total
//! that the last one saw. Started as `awl-peer-burn WORKLOAD FEATURES WIDTH BATCH FILE`; `../workloads.py` says what is
//! in the file.
#![recursion_limit = "256"]

use burn::module::Param;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig, Relu};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use burn::tensor::DeviceKind;
use std::io::{BufRead, Write};
use std::time::Instant;

const CLASSES: usize = 10;

/// The network with the weighting's σ, so that one optimizer holds all parameters.
#[derive(Module, Debug)]
struct Model {
    first: Linear,
    second: Linear,
    value: Linear,
    kind: Linear,
    relu: Relu,
    sigma: Param<Tensor<1>>,
}

/// A batch, which stays on the device.
struct Batch {
    features: Tensor<2>,
    value: Tensor<2>,
    kind: Tensor<1, Int>,
}

impl Model {
    fn total(&self, batch: &Batch, cross_entropy: &CrossEntropyLoss) -> Tensor<1> {
        let hidden = self.relu.forward(self.first.forward(batch.features.clone()));
        let hidden = self.relu.forward(self.second.forward(hidden));
        let value = self.value.forward(hidden.clone());
        let losses = Tensor::cat(
            vec![
                MseLoss::new().forward(value, batch.value.clone(), Reduction::Mean),
                cross_entropy.forward(self.kind.forward(hidden), batch.kind.clone()),
            ],
            0,
        );
        let squares = self.sigma.val().square();
        (losses * 0.5 / squares.clone() + (squares + 1.0).log()).sum()
    }
}

/// What is trained, and its optimizer.
struct Training {
    model: Model,
    optimizer: ModuleOptimizer,
    batch: Batch,
    cross_entropy: CrossEntropyLoss,
}

impl Training {
    /// Makes this many steps (one at least) and waits for the device; the total that the last one saw.
    fn steps(&mut self, count: usize) -> f32 {
        let mut last = None;
        for _ in 0..count {
            let total = self.model.total(&self.batch, &self.cross_entropy);
            let gradients = GradientsParams::from_grads(total.backward(), &self.model);
            self.model = self.optimizer.step(1e-3, self.model.clone(), gradients);
            last = Some(total);
        }
        let total = last.expect("at least one step").into_scalar();
        self.batch.features.device().sync().expect("the device works");
        total
    }
}

/// The words of the inputs' file, in order.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self, count: usize) -> impl Iterator<Item = [u8; 4]> {
        let (words, rest) = self.0.split_at(4 * count);
        self.0 = rest;
        words.chunks_exact(4).map(|word| word.try_into().expect("four bytes"))
    }

    fn matrix(&mut self, rows: usize, columns: usize, device: &Device) -> Tensor<2> {
        self.vector(rows * columns, device).reshape([rows, columns])
    }

    fn vector(&mut self, length: usize, device: &Device) -> Tensor<1> {
        let values: Vec<f32> = self.next(length).map(f32::from_le_bytes).collect();
        Tensor::from_floats(values.as_slice(), device)
    }

    fn linear(&mut self, inputs: usize, outputs: usize, device: &Device) -> Linear {
        let weight = self.matrix(outputs, inputs, device).transpose();
        linear(weight, self.vector(outputs, device), device)
    }
}

/// A layer of this weight `[inputs, outputs]` and bias.
fn linear(weight: Tensor<2>, bias: Tensor<1>, device: &Device) -> Linear {
    let [inputs, outputs] = weight.dims();
    let mut layer = LinearConfig::new(inputs, outputs).init(device);
    // Through the host, so that every parameter is a contiguous tensor of its own.
    layer.weight = Param::from_data(weight.into_data(), device);
    layer.bias = Some(Param::from_data(bias.into_data(), device));
    layer
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [_, features, width, batch, file] = arguments.as_slice() else {
        return Err("usage: awl-peer-burn WORKLOAD FEATURES WIDTH BATCH FILE".into());
    };
    let (features, width, rows) = (features.parse()?, width.parse()?, batch.parse()?);
    let bytes = std::fs::read(file)?;
    let mut words = Words(&bytes);

    let plain = Device::wgpu(DeviceKind::DefaultDevice);
    let device = plain.clone().autodiff();
    let batch = Batch {
        features: words.matrix(rows, features, &device),
        value: words.matrix(rows, 1, &device),
        kind: {
            let kinds: Vec<i32> = words.next(rows).map(i32::from_le_bytes).collect();
            Tensor::from_ints(kinds.as_slice(), &device)
        },
    };
    let first = words.linear(features, width, &device);
    let second = words.linear(width, width, &device);
    let heads = words.matrix(1 + CLASSES, width, &device).transpose();
    let bias = words.vector(1 + CLASSES, &device);
    let model = Model {
        first,
        second,
        value: linear(heads.clone().narrow(1, 0, 1), bias.clone().narrow(0, 0, 1), &device),
        kind: linear(heads.narrow(1, 1, CLASSES), bias.narrow(0, 1, CLASSES), &device),
        relu: Relu::new(),
        sigma: Param::from_data([1f32, 1.0], &device),
    };
    let mut training = Training {
        model,
        optimizer: AdamConfig::new().with_epsilon(1e-8).init(),
        batch,
        cross_entropy: CrossEntropyLossConfig::new().init(&device),
    };

    let mut out = std::io::stdout().lock();
    let device = plain.identity().map_or_else(|| format!("{plain:?}"), |it| it.name);
    writeln!(out, r#"{{"version": "burn {}", "device": {device:?}}}"#, env!("CARGO_PKG_VERSION"))?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let count = line?.trim().parse()?;
        let started = Instant::now();
        let total = training.steps(count);
        let seconds = started.elapsed().as_secs_f64();
        writeln!(out, r#"{{"seconds": {seconds}, "total": {total}}}"#)?;
        out.flush()?;
    }
    Ok(())
}
