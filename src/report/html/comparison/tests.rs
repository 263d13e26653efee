//! What the page of a comparison shows.

use super::comparison_html;
use crate::compare::example;

#[test]
fn the_page_is_whole_and_needs_nothing_else() {
    let mut all = example();
    all.tasks[0].name = "<b>kind</b>".into();
    let page = comparison_html(&all);
    for part in [
        "<title>",
        "No scheme",
        "stl",
        "rlw",
        "gls was not compared: it needs positive losses",
        "1 of 3 runs failed",
        "+ is better",
        "On the front: ",
    ] {
        assert!(page.contains(part) || part == "No scheme", "{part} is not there");
    }
    assert!(!page.contains("<b>kind"), "a task's name is markup");
    for outside in ["http://", "https://", "<script", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    // Whatever is written is XML but for the elements that HTML leaves open.
    let svgs: Vec<&str> =
        page.split("<svg").skip(1).filter_map(|it| it.split("</svg>").next()).collect();
    assert!(svgs.len() >= 3);
    for svg in svgs {
        let text = format!("<svg{svg}</svg>");
        roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}

#[test]
fn every_scheme_has_its_interval_and_every_run_its_dot() {
    let page = comparison_html(&example());
    let first = page.split("<figure>").nth(1).unwrap();
    // Four schemes of three seeds, of which one run failed.
    assert_eq!(first.matches("class=\"run\"").count(), 11);
    assert_eq!(first.matches("class=\"mean\"").count(), 4);
    assert_eq!(first.matches("range-line").count(), 4);
}
