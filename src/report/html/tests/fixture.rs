//! Run directories to make pages of, and what is in those pages.

use crate::report::html;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// A run directory that goes when the test ends.
pub(super) struct Fixture {
    pub(super) path: PathBuf,
    pub(super) config: String,
    pub(super) results: Value,
    pub(super) lines: Vec<Value>,
}

impl Fixture {
    /// A run of two tasks, `kind` (three classes) and `mass`, over some epochs of ten steps; epoch 2 was the best.
    pub(super) fn new(name: &str, epochs: u64) -> Self {
        let path = std::env::temp_dir().join(format!("awl-report-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let mut lines = Vec::new();
        for epoch in 1..=epochs {
            for step in 10 * epoch - 9..=10 * epoch {
                lines.push(step_line(step));
            }
            let losses = json!({"kind": 1.0 / epoch as f64, "mass": 0.5 / epoch as f64});
            lines.push(json!({
                "epoch": epoch, "step": 10 * epoch, "learning_rate": 0.001 / epoch as f64, "seconds": 0.5,
                "train": {"losses": losses, "total": 1.0},
                "validation": {"losses": losses, "score": 1.0},
            }));
        }
        // As it was written before 0.1.0.
        let first = lines.iter_mut().find(|line| line["epoch"] == 1).unwrap();
        first["validation"]["metrics"] =
            json!({"kind": {"accuracy": 0.5, "confusion": [[1, 1], [0, 0]]}, "mass": null});
        let kind = json!({
            "loss": 0.3, "labelled": 40, "accuracy": 0.9, "macro_f1": 0.88, "auc": 0.97, "log_loss": 0.3,
            "confusion": [[18, 1, 0], [2, 12, 1], [0, 0, 6]],
        });
        let mass = json!({"loss": 0.2, "labelled": 39, "rmse": 312.4, "mae": 246.8, "r2": 0.85});
        let part = json!({"kind": kind, "mass": mass});
        let results = json!({
            "best_epoch": 2, "epochs": epochs, "steps": 10 * epochs, "seconds": 12.3, "adapter": "A GPU (vulkan, driver 1)",
            "rows": {"train": 320, "validation": 40, "test": 40},
            "tasks": [
                {"name": "kind", "loss": "cross_entropy", "columns": ["kind"], "classes": ["owl", "hawk", "wren"]},
                {"name": "mass", "loss": "mse", "columns": ["mass"], "classes": null},
            ],
            "parts": {"validation": part, "test": part},
            "scatter": {"mass": {"mass": [[4000.0, 4100.0], [5000.0, 4800.0], [3000.0, null]]}},
        });
        Self { path, config: "[train]\nepochs = 3\n".into(), results, lines }
    }

    pub(super) fn write(&self) {
        let lines: Vec<String> = self.lines.iter().map(Value::to_string).collect();
        fs::write(self.path.join("config.toml"), &self.config).unwrap();
        fs::write(self.path.join("results.json"), self.results.to_string()).unwrap();
        fs::write(self.path.join("metrics.jsonl"), lines.join("\n") + "\n").unwrap();
    }

    pub(super) fn page(&self) -> String {
        self.write();
        html(&self.path).unwrap()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

pub(super) fn step_line(step: u64) -> Value {
    let x = step as f64;
    json!({
        "step": step, "losses": {"kind": 1.0 / x, "mass": 2.0 / x}, "total": 1.0,
        "sigma": {"kind": 1.0 + 0.01 * x, "mass": 1.0}, "weight": {"kind": 0.5, "mass": 0.5},
    })
}

/// The pictures of a page, each checked: it is well-formed, and every coordinate is a number within its view box.
pub(super) fn pictures(page: &str) -> Vec<String> {
    let starts = page.match_indices("<svg").map(|(start, _)| &page[start..]);
    let pictures: Vec<String> =
        starts.map(|rest| rest[..rest.find("</svg>").unwrap() + 6].to_string()).collect();
    for text in &pictures {
        let picture = roxmltree::Document::parse(text).unwrap_or_else(|error| {
            panic!("{error} in {text}");
        });
        let view: Vec<f64> = picture
            .root_element()
            .attribute("viewBox")
            .unwrap()
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        for node in picture.descendants() {
            for (name, most) in [("x", view[2]), ("x1", view[2]), ("x2", view[2]), ("cx", view[2])]
                .into_iter()
                .chain([("y", view[3]), ("y1", view[3]), ("y2", view[3]), ("cy", view[3])])
            {
                let Some(value) = node.attribute(name) else { continue };
                let value: f64 = value.parse().unwrap();
                assert!((0.0..=most).contains(&value), "{name}={value} in {text}");
            }
            if let Some(path) = node.attribute("d").filter(|_| view[3] > 10.0) {
                for (x, y) in points(path) {
                    assert!((0.0..=view[2]).contains(&x), "{path}");
                    assert!((0.0..=view[3]).contains(&y), "{path}");
                }
            }
        }
    }
    pictures
}

/// The points of a path of `M`, `L` and, at an end, `Z` or `h2`.
pub(super) fn points(path: &str) -> Vec<(f64, f64)> {
    let path = path.replace("h2", "").replace('Z', "");
    let places = path.split(['M', 'L']).filter(|place| !place.is_empty());
    let point = |place: &str| {
        let (x, y) = place.split_once(' ').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    places.map(point).collect()
}

/// The picture whose title is this.
pub(super) fn picture(page: &str, title: &str) -> String {
    let titled = format!("<title>{title}</title>");
    pictures(page).into_iter().find(|picture| picture.contains(&titled)).unwrap()
}

/// The `d` of the path of exactly these classes.
pub(super) fn path_of(picture: &str, class: &str) -> String {
    let document = roxmltree::Document::parse(picture).unwrap();
    let is_it = |node: &roxmltree::Node| node.attribute("class") == Some(class);
    document.descendants().find(is_it).unwrap().attribute("d").unwrap().to_string()
}

/// Where a picture's x axis starts and ends.
pub(super) fn axis(picture: &str) -> [f64; 2] {
    let document = roxmltree::Document::parse(picture).unwrap();
    let axis = document.descendants().find(|node| node.attribute("class") == Some("axis")).unwrap();
    ["x1", "x2"].map(|end| axis.attribute(end).unwrap().parse().unwrap())
}
