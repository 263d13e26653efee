//! What cannot be exported.

use super::*;

#[test]
fn what_does_not_belong_together_is_refused() {
    let encoder = trained();
    let fitting = network(&encoder, &[5], Activation::Relu);
    let tasks = encoder.tasks();
    let make = |features, hidden: &[usize], tasks: &[_]| {
        Network::new(features, hidden, Activation::Relu, tasks).unwrap()
    };
    let (features, count) = (encoder.features(), fitting.parameter_count());
    let mut diverged = parameters(&fitting);
    diverged[3] = f64::NAN;
    let mut beyond = parameters(&fitting);
    beyond[fitting.layers()[0].bias] = 1e39;
    for (network, parameters, message) in [
        (
            make(features, &[5], &tasks[1..]),
            vec![],
            "the network's tasks are not those of the encoder",
        ),
        (
            make(features + 1, &[5], &tasks),
            vec![],
            "the number of inputs of the encoder is 9, but must be 10",
        ),
        (
            fitting.clone(),
            vec![0.0; count - 1],
            "the number of entries of the parameters is 139, but must be 140",
        ),
        (fitting.clone(), diverged, "element 3 of trunk.0.weight is NaN, no finite float"),
        (fitting, beyond, "element 0 of trunk.0.bias is 1e39, no finite float"),
        (make(features, &[25_000, 25_000], &tasks), vec![], "the model exceeds the 2 GiB"),
    ] {
        let error = onnx(&encoder, &network, &parameters).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}\nfor {message}");
    }
}
