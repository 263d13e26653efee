//! The fused losses, and Adam on σ, between burn's network and burn's optimizer, on burn's own wgpu device.
//!
//! burn takes the rows forward; its predictions are copied, on the GPU, to where the loss pass reads them, and the gradient that it
//! finds there is copied back into a tensor of burn's. The way back is burn's own: of `Σ predictions·gradient`, with the gradient
//! held constant, the gradient at the predictions is that gradient. Nothing is read back. The same network trained by burn alone, by
//! its own losses and the formula of the weighting, must arrive at the same totals.
#![recursion_limit = "256"]

use awl::loss::{Labels, LossBuffers, LossPass, LossResults, Sums};
use awl::optimizer::AdamPass;
use awl::wgpu::{self, BufferUsages, util::DeviceExt};
use awl::{Adam, AutomaticWeightedLoss, Gpu, Loss, Matrix, Target, Task};
use burn::module::{Module, Param};
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig, Tanh};
use burn::optim::{AdamConfig, GradientsParams};
use burn::prelude::*;
use burn_wgpu::{Wgpu, WgpuResource};
use cubecl::wgpu::{AutoCompiler, WgpuServer};

const ROWS: usize = 64;
const OUTPUTS: usize = 4;
const STEPS: usize = 100;
const RATE: f64 = 0.02;

/// A trunk, and two heads side by side: a height, and the logits of three kinds. σ is for burn's own way alone.
#[derive(Module, Debug)]
struct Model {
    trunk: Linear,
    tanh: Tanh,
    heads: Linear,
    sigma: Param<Tensor<1>>,
}

impl Model {
    fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.heads.forward(self.tanh.forward(self.trunk.forward(features)))
    }
}

/// The library's part: what stands between burn's way forward and its way back.
struct Fused {
    gpu: Gpu,
    losses: LossPass,
    adam: AdamPass,
    predictions: wgpu::Buffer,
    gradient: wgpu::Buffer,
}

impl Fused {
    async fn new(gpu: Gpu, heights: &[f32], kinds: &[u32]) -> awl::Result<Self> {
        let tasks =
            [Task::new("height", Loss::Mse, 1), Task::new("kind", Loss::cross_entropy(), 3)];
        let heights = Target::numbers(Matrix::new(1, heights.to_vec())?);
        let labels = Labels::pack(&tasks, &[heights, Target::classes(kinds.to_vec())])?;
        let buffer = |contents: &[u8]| {
            let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC;
            let descriptor = wgpu::util::BufferInitDescriptor { label: None, contents, usage };
            gpu.device().create_buffer_init(&descriptor)
        };
        let [predictions, gradient] =
            [(); 2].map(|()| buffer(bytemuck::bytes_of(&[0f32; ROWS * OUTPUTS])));
        let words = buffer(bytemuck::cast_slice(&labels.words));
        let sigma = buffer(bytemuck::bytes_of(&[1f32; 2]));
        let buffers = LossBuffers {
            predictions: predictions.slice(..),
            labels: words.slice(..),
            sigma: sigma.slice(..),
            gradient: gradient.slice(..),
        };
        let awl = AutomaticWeightedLoss::new(2).into();
        let sums = Sums::Repeatable;
        let losses = LossPass::new(&gpu, &labels.layouts, ROWS, &awl, buffers, sums).await?;
        let adam = AdamPass::new(&gpu, &Adam::new(RATE), &[], Some(&losses)).await?;
        Ok(Self { gpu, losses, adam, predictions, gradient })
    }

    /// The gradient of the weighted total at each of these predictions; σ has made a step.
    fn gradient_at(&self, predictions: &Tensor<2>) -> Tensor<2> {
        let predictions = predictions.clone().inner();
        let gradient = Tensor::<2>::empty(predictions.dims(), &predictions.device());
        let [from, to] = [predictions, gradient.clone()].map(behind);
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        let bytes = self.predictions.size();
        encoder.copy_buffer_to_buffer(&from.buffer, from.offset, &self.predictions, 0, bytes);
        self.losses.encode(&mut encoder);
        self.adam.encode(&mut encoder);
        encoder.copy_buffer_to_buffer(&self.gradient, 0, &to.buffer, to.offset, bytes);
        self.gpu.queue().submit([encoder.finish()]);
        gradient.autodiff()
    }

    fn read(&self) -> LossResults {
        pollster::block_on(self.losses.read()).expect("results")
    }
}

/// Where a tensor lies, with all that burn has to do before it submitted.
fn behind(tensor: Tensor<2>) -> WgpuResource {
    let tensor = tensor.try_into_primitive::<Wgpu>().expect("a tensor on wgpu");
    assert!(tensor.is_contiguous(), "rows one after the other");
    let resource = tensor.client.get_resource::<WgpuServer<AutoCompiler>>(tensor.handle.clone());
    let resource = resource.expect("a buffer").resource().clone();
    tensor.client.flush().expect("burn's work submitted");
    resource
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let points: Vec<[f32; 2]> =
        (0..ROWS).map(|i| [(i % 8) as f32 / 4.0 - 0.9, (i / 8) as f32 / 4.0 - 0.9]).collect();
    let heights: Vec<f32> = points.iter().map(|[x, y]| (1.5 * x).sin() + 0.5 * y).collect();
    let kinds: Vec<u32> =
        points.iter().map(|[x, y]| u32::from(*y > x * x - 0.3) + u32::from(*y > 0.5)).collect();

    let (plain, setup) = Device::wgpu_options().init_with_setup()?;
    let device = plain.autodiff();
    let features = Tensor::<1>::from_floats(points.as_flattened(), &device).reshape([ROWS, 2]);
    let height = Tensor::<1>::from_floats(heights.as_slice(), &device).reshape([ROWS, 1]);
    let classes: Vec<i32> = kinds.iter().map(|&kind| kind as i32).collect();
    let kind = Tensor::<1, Int>::from_ints(classes.as_slice(), &device);
    device.seed(0);
    let start = Model {
        trunk: LinearConfig::new(2, 16).init(&device),
        tanh: Tanh::new(),
        heads: LinearConfig::new(16, OUTPUTS).init(&device),
        sigma: Param::from_data([1f32, 1.0], &device),
    };
    let optimizer = || AdamConfig::new().with_epsilon(1e-8).init();

    let fused = Fused::new(Gpu::from_device(setup.device, setup.queue)?, &heights, &kinds);
    let fused = pollster::block_on(fused)?;
    let (mut model, mut adam) = (start.clone(), optimizer());
    let mut totals = Vec::new();
    for step in 1..=STEPS {
        let predictions = model.forward(features.clone());
        let gradient = fused.gradient_at(&predictions);
        let gradients =
            GradientsParams::from_grads((predictions * gradient).sum().backward(), &model);
        model = adam.step(RATE, model, gradients);
        if step % 20 == 0 {
            let LossResults { total, losses, .. } = fused.read();
            println!("step {step}: total {total:.5}, losses {losses:.5?}");
            totals.push(total);
        }
    }

    let cross_entropy = CrossEntropyLossConfig::new().init(&device);
    let (mut model, mut adam) = (start, optimizer());
    for step in 1..=STEPS {
        let predictions = model.forward(features.clone());
        let losses = Tensor::cat(
            vec![
                MseLoss::new().forward(
                    predictions.clone().narrow(1, 0, 1),
                    height.clone(),
                    Reduction::Mean,
                ),
                cross_entropy.forward(predictions.narrow(1, 1, 3), kind.clone()),
            ],
            0,
        );
        let squares = model.sigma.val().square();
        let total = (losses * 0.5 / squares.clone() + (squares + 1.0).log()).sum();
        let gradients = GradientsParams::from_grads(total.backward(), &model);
        model = adam.step(RATE, model, gradients);
        if step % 20 == 0 {
            let (total, fused): (f32, f32) = (total.into_scalar(), totals[step / 20 - 1]);
            println!("step {step}: burn alone {total:.5}, with the fused losses {fused:.5}");
            assert!((total - fused).abs() < 1e-3 * total.abs(), "they part");
        }
    }
    Ok(())
}
