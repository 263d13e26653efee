//! What charts look like: colours, axes, and how many points they have.

use super::fixture::{Fixture, path_of, picture, points};
use serde_json::json;

/// Neither two tasks nor a task and the validation may look the same: the lines of σ, say.
#[test]
fn twelve_tasks_have_twelve_looks() {
    let looks: std::collections::BTreeSet<String> = (0..12).map(super::super::class).collect();
    assert_eq!(looks.len(), 12);
    let css = include_str!("../page.css");
    for look in &looks {
        let (colour, dashes) = look.split_once(' ').unwrap();
        // In light and in dark.
        assert_eq!(css.matches(&format!("--{colour}: #")).count(), 2, "{colour}");
        let is_told = dashes == "d0" || css.contains(&format!(".line.{dashes} {{"));
        assert!(is_told && css.contains(&format!(".{colour} {{")), "{look}");
    }
    for mode in css.split("@media").take(2) {
        let shade = |colour: usize| {
            let name = format!("--c{colour}: ");
            rgb(&mode[mode.find(&name).unwrap() + name.len()..])
        };
        let colours: std::collections::BTreeSet<[u8; 3]> = (0..6).map(shade).collect();
        assert_eq!(colours.len(), 6);
        let card = rgb(&mode[mode.find("--card: ").unwrap() + 8..]);
        let mark = rgb(&mode[mode.find("--mark: ").unwrap() + 8..]);
        for colour in colours {
            // What the Web Content Accessibility Guidelines ask of graphics.
            assert!(contrast(colour, card) >= 3.0, "{colour:?} on {card:?}");
            // No grey, which is the validation's.
            let spread = |it: [u8; 3]| it.iter().max().unwrap() - it.iter().min().unwrap();
            assert!(spread(colour) > 60 && spread(mark) < 30, "{colour:?} beside {mark:?}");
        }
    }
}

fn rgb(text: &str) -> [u8; 3] {
    let digits: String = text[1..].chars().take_while(char::is_ascii_hexdigit).collect();
    let of = |place: usize| match digits.len() {
        3 => 17 * u8::from_str_radix(&digits[place..=place], 16).unwrap(),
        _ => u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).unwrap(),
    };
    [of(0), of(1), of(2)]
}

/// The ratio of two colours' relative luminances, as the Web Content Accessibility Guidelines 2.2 define it.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let linear = |part: u8| match f64::from(part) / 255.0 {
        low if low <= 0.04045 => low / 12.92,
        high => ((high + 0.055) / 1.055).powf(2.4),
    };
    let luminance =
        |it: [u8; 3]| 0.2126 * linear(it[0]) + 0.7152 * linear(it[1]) + 0.0722 * linear(it[2]);
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Whatever the size of the numbers: a digit of DejaVu Sans is 7 wide at the size of the labels.
#[test]
fn labels_of_axes_are_whole() {
    for factor in [1e-3, 1.0, 300.0, 1e5] {
        let mut run = Fixture::new("wide", 3);
        let [low, high] = [-3456.0 * factor, 5000.0 * factor];
        run.results["scatter"]["mass"] = json!({"mass": [[low, high], [high, low]]});
        let page = run.page();
        for title in ["mass: predicted against true", "mass: residuals"] {
            let text = picture(&page, title);
            let chart = roxmltree::Document::parse(&text).unwrap();
            let labels = chart.descendants().filter(|it| it.has_tag_name("text"));
            let mut count = 0;
            for label in labels.filter(|it| it.attribute("class").is_none()) {
                let width = 7.0 * label.text().unwrap().chars().count() as f64;
                let x: f64 = label.attribute("x").unwrap().parse().unwrap();
                let start = match label.attribute("text-anchor").unwrap() {
                    "end" => x - width,
                    _ => x - width / 2.0,
                };
                assert!(start >= 0.0 && start + width <= 340.0, "{label:?} at {start}");
                count += 1;
            }
            assert!(count > 4, "{text}");
        }
    }
}

#[test]
fn a_plot_of_some_of_the_rows_says_so() {
    let mut run = Fixture::new("some", 1);
    assert!(run.page().contains("2 of the 39 labelled rows of the test part, evenly taken."));
    run.results["parts"]["test"]["mass"]["labelled"] = json!(2);
    assert!(run.page().contains("All 2 labelled rows of the test part."));
    // On the zero line nothing is left: 5000 was predicted as 4800, 4000 as 4100.
    assert!(run.page().contains("predicted 4100, true is −100 more"));
}

#[test]
fn ten_thousand_steps_are_drawn_as_a_few_hundred_means() {
    let mut run = Fixture::new("long", 1);
    run.lines = (1..=10_000)
        .map(|step| {
            let loss = if step % 2 == 0 { 1.0 } else { 3.0 };
            json!({"step": step, "losses": {"kind": loss, "mass": null}, "weight": {"kind": 1.0, "mass": 1.0}})
        })
        .collect();
    let page = run.page();
    let line = points(&path_of(&picture(&page, "Loss of kind"), "line c0 faint"));
    assert!((200..=300).contains(&line.len()), "{} points", line.len());
    // 34 steps a point, 17 of each loss: all means are the same but for roundings.
    assert!(line.iter().all(|point| (point.1 - line[0].1).abs() < 0.2), "{line:?}");
    assert!(page.len() < 60_000, "{} bytes", page.len());
}

/// Of round millions only 0 is on the axis in steps of five: there are others, whose labels do not touch.
#[test]
fn an_axis_of_large_numbers_has_more_than_one_label() {
    let mut run = Fixture::new("large", 1);
    run.results["scatter"]["mass"] = json!({"mass": [[-4.5e6, 4.2e6], [4.5e6, -4.1e6]]});
    let chart = picture(&run.page(), "mass: predicted against true");
    let chart = roxmltree::Document::parse(&chart).unwrap();
    let labels = chart.descendants().filter(|it| it.attribute("text-anchor") == Some("middle"));
    let labels = labels.filter(|it| it.attribute("class").is_none());
    let ends: Vec<[f64; 2]> = labels
        .map(|label| {
            let half = 3.5 * label.text().unwrap().chars().count() as f64;
            let middle: f64 = label.attribute("x").unwrap().parse().unwrap();
            [middle - half, middle + half]
        })
        .collect();
    assert!(ends.len() > 1, "{ends:?}");
    assert!(ends.windows(2).all(|pair| pair[0][1] < pair[1][0]), "{ends:?}");
}

#[test]
fn numbers_learned_by_their_logarithm_are_said_and_drawn_so() {
    let mut run = Fixture::new("factors", 1);
    run.results["scatter"]["mass"] = json!({"mass": [[1.0, 10.0], [10.0, 10.0], [1000.0, 100.0]]});
    assert!(!picture(&run.page(), "mass: predicted against true").contains("(log)"));
    run.results["tasks"][1]["transform"] = json!("log");
    let page = run.page();
    assert!(page.contains("mse of the log</span>"), "{page}");
    let chart = picture(&page, "mass: predicted against true");
    assert!(chart.contains("predicted (log)"), "{chart}");
    // A tenth, ten times and a hundred times as much are equally far apart: 10 is midway between 1 and 100.
    let dots = roxmltree::Document::parse(&chart).unwrap();
    let dots = dots.descendants().filter(|it| it.has_tag_name("circle"));
    let places: Vec<f64> = dots.map(|it| it.attribute("cx").unwrap().parse().unwrap()).collect();
    let [one, ten, thousand] = places[..] else { panic!("{places:?}") };
    assert!(((thousand - ten) - 2.0 * (ten - one)).abs() < 0.3, "{places:?}");
}
