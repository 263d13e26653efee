//! Normal scores, which ONNX has no operator for.

use super::interpreter::{Grid, Value, evaluate};
use crate::export::graph::{Graph, Kind};
use crate::export::normal;
use crate::export::proto::ModelProto;
use std::collections::HashMap;

/// By `scipy.stats.norm.ppf`.
#[test]
fn normal_scores_are_those_of_the_distribution() {
    let mut graph = Graph::default();
    graph.input("rank", Kind::Double, String::new()).unwrap();
    normal::scores(&mut graph, "rank").unwrap();
    let expected = [
        (0.0, -5.199_337_582_192_816_5),
        (1e-5, -4.264_890_793_922_825),
        (0.001, -3.090_232_306_167_813_7),
        (0.02, -2.053_748_910_631_823),
        (0.074_9, -1.440_238_267_527_963_5),
        (0.075_1, -1.438_825_392_752_540_3),
        (0.3, -0.524_400_512_708_040_9),
        (0.5, 0.0),
        (0.625, 0.318_639_363_964_375_14),
        (0.999_9, 3.719_016_485_455_709),
    ];
    let cells = expected.iter().map(|(rank, _)| *rank).collect();
    let ranks = HashMap::from([("rank".into(), Value::Numbers(Grid { columns: 1, cells }))]);
    let model = ModelProto { graph: Some(graph.finish("scores")), ..Default::default() };
    let values = evaluate(&model, ranks);
    for (found, (rank, score)) in values["/scores"].numbers().cells.iter().zip(expected) {
        // Of a rank near 0, half less half less the rank loses some digits.
        assert!((found - score).abs() < 1e-10, "{rank}: {found} for {score}");
    }
}
