//! How many labels each task has, in words and figures: which are missing and by which word, which classes there are, which
//! of them cannot be learned, and what the choice of the epoch rests on.

use super::Told;
use super::features::listed;
use crate::cli::failure::Failure;
use awl::tables::{LabelCounts, TargetColumn, TargetEncoding};
use awl::{Encoder, Loss, Table};
use serde_json::{Map, Value, json};

/// The table and its parts.
pub struct Parts<'a> {
    pub whole: &'a Table,
    pub training: &'a Table,
    pub validation: Option<&'a Table>,
    pub test: Option<&'a Table>,
}

/// Classes in a line are no more than these.
const MOST_CLASSES: usize = 12;
/// A class with fewer training rows is told of.
const RARE: usize = 3;
/// A choice that rests on fewer labels of a task is told of.
const FEW: usize = 5;
/// Labels that are missing by a word are asked about if they are this part of all.
const FREQUENT: f64 = 0.05;

/// Tells of every task's labels; `words` for missing cells are those that the user named.
pub fn tell(
    encoder: &Encoder,
    parts: &Parts<'_>,
    words: &[String],
    told: &mut Told,
) -> Result<(), Failure> {
    let mut tasks = Map::new();
    let mut thin = Vec::new();
    for target in encoder.targets() {
        let whole = target.count(parts.whole)?;
        let training = target.count(parts.training)?;
        let missing = missing(target, parts.whole)?;
        let reason = told.reasons.get(&target.name).map(String::as_str);
        told.choices.push(summary(target, reason, &whole, &missing, parts.whole));
        told.warnings.extend(asked(target, &missing, words, parts.whole));
        told.warnings.extend(partial(target, parts.whole)?);
        thin.extend(unlearnable(target, &whole, &training, told));
        let labelled = |part: Option<&Table>| -> Result<usize, Failure> {
            Ok(part.map(|part| target.count(part)).transpose()?.map_or(0, |counts| counts.labelled))
        };
        let facts = json!({
            "labels": {
                "train": training.labelled,
                "validation": labelled(parts.validation)?,
                "test": labelled(parts.test)?,
            },
            "missing": missing.iter().cloned().map(|(word, cells)| (word, cells.into())).collect::<Map<_, Value>>(),
            "classes": class_counts(target, &whole),
            "training_classes": class_counts(target, &training),
        });
        tasks.insert(target.name.clone(), facts);
    }
    if !thin.is_empty() {
        told.warnings.push(format!(
            "few training rows to learn from: {}",
            thin.iter().take(MOST_CLASSES).cloned().collect::<Vec<_>>().join(", ")
                + &more(thin.len(), MOST_CLASSES)
        ));
    }
    let unlabelled = unlabelled(encoder, parts.whole)?;
    if unlabelled > 0 {
        told.choices.push(format!(
            "{unlabelled} of {} rows {} nothing, without a label of any task",
            parts.whole.rows(),
            if unlabelled == 1 { "teaches" } else { "teach" }
        ));
    }
    told.data["tasks"] = tasks.into();
    told.data["rows"] = json!({
        "read": parts.whole.rows() + parts.whole.reading().empty_rows.count,
        "empty": parts.whole.reading().empty_rows.count,
        "without_a_label": unlabelled,
    });
    choice(encoder, parts, told)
}

/// By which words the labels of a task are missing, over its columns.
fn missing(target: &TargetColumn, table: &Table) -> Result<Vec<(String, usize)>, Failure> {
    let mut words: Vec<(String, usize)> = Vec::new();
    for column in &target.columns {
        for (word, cells) in table.missing(column)? {
            match words.iter_mut().find(|(known, _)| **known == **word) {
                Some((_, known)) => *known += cells,
                None => words.push((word.to_string(), *cells)),
            }
        }
    }
    Ok(words)
}

/// `task "sex": bce (two values, …), 333 labels in 344 rows: female 165, male 168; missing: 11 "NA"`
fn summary(
    target: &TargetColumn,
    reason: Option<&str>,
    counts: &LabelCounts,
    missing: &[(String, usize)],
    table: &Table,
) -> String {
    let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
    let of = format!("task \"{}\": {}{reason}", target.name, target.loss.name());
    let labels = match counts.labelled == table.rows() {
        true => format!("{} labels", counts.labelled),
        false => format!("{} labels in {} rows", counts.labelled, table.rows()),
    };
    let mut parts = vec![match detail(target, counts, table) {
        Some(detail) => format!("{of}, {labels}: {detail}"),
        None => format!("{of}, {labels}"),
    }];
    let by_word = |(word, cells): &(String, usize)| match word.as_str() {
        "" => format!("{cells} empty"),
        word => format!("{cells} \"{word}\""),
    };
    if !missing.is_empty() {
        let words: Vec<String> = missing.iter().take(MOST_CLASSES).map(by_word).collect();
        parts.push(format!("missing: {}", words.join(", ")));
    }
    parts.join("; ")
}

/// How many rows have some but not all columns of a task, which are left out of it.
fn partial(target: &TargetColumn, table: &Table) -> Result<Option<String>, Failure> {
    let columns: Vec<_> =
        target.columns.iter().map(|name| table.column(name)).collect::<Result<_, _>>()?;
    let mut lacking = vec![0; columns.len()];
    let mut rows = 0;
    for row in 0..table.rows() {
        let gaps: Vec<bool> = columns.iter().map(|column| column.is_missing(row)).collect();
        if gaps.contains(&true) && gaps.contains(&false) {
            rows += 1;
            lacking.iter_mut().zip(&gaps).for_each(|(count, gap)| *count += usize::from(*gap));
        }
    }
    let named = target.columns.iter().zip(lacking).filter(|(_, count)| *count > 0);
    let named: Vec<String> = named.map(|(name, count)| format!("\"{name}\" in {count}")).collect();
    Ok((rows > 0).then(|| {
        format!(
            "{rows} of {} rows have some columns of task \"{}\" but not all, and are left out of it (missing: {}): to learn \
             from what is there, make each column a task of its own",
            table.rows(),
            target.name,
            named.iter().take(MOST_CLASSES).cloned().collect::<Vec<_>>().join(", ")
                + &more(named.len(), MOST_CLASSES)
        )
    }))
}

/// The classes with their counts, or the range of the numbers.
fn detail(target: &TargetColumn, counts: &LabelCounts, table: &Table) -> Option<String> {
    match &target.encoding {
        TargetEncoding::Numbers(_) => {
            let numbers = table.numbers(&target.columns[0]).ok()?;
            let present = || numbers.iter().copied().filter(|number| !number.is_nan());
            let (low, high) = (
                present().fold(f64::INFINITY, f64::min),
                present().fold(f64::NEG_INFINITY, f64::max),
            );
            (target.columns.len() == 1).then(|| format!("{} to {}", short(low), short(high)))
        }
        _ => {
            let named: Vec<String> = classes(target)
                .into_iter()
                .zip(&counts.classes)
                .map(|(class, count)| format!("{} {count}", clipped(&class)))
                .collect();
            let shown: Vec<String> = named.iter().take(MOST_CLASSES).cloned().collect();
            Some(shown.join(", ") + &more(named.len(), MOST_CLASSES))
        }
    }
}

/// The names of a task's classes in the order of its counts; with the column, where there are several.
fn classes(target: &TargetColumn) -> Vec<String> {
    match &target.encoding {
        TargetEncoding::Numbers(_) => Vec::new(),
        TargetEncoding::Classes(names) => names.clone(),
        TargetEncoding::Binary(pairs) => {
            let several = pairs.len() > 1;
            let named = |(column, class): (&String, &String)| match several {
                true => format!("{column}={class}"),
                false => class.clone(),
            };
            let columns = target.columns.iter().zip(pairs);
            columns
                .flat_map(|(column, pair)| pair.iter().map(move |class| named((column, class))))
                .collect()
        }
    }
}

fn class_counts(target: &TargetColumn, counts: &LabelCounts) -> Value {
    if counts.classes.is_empty() {
        return Value::Null;
    }
    let pairs = classes(target).into_iter().zip(&counts.classes);
    pairs.map(|(class, &count)| (class, count.into())).collect::<Map<_, Value>>().into()
}

/// Whether a word that many labels are missing by was meant so: only a person can know.
fn asked(
    target: &TargetColumn,
    missing: &[(String, usize)],
    named: &[String],
    table: &Table,
) -> Option<String> {
    let is_text = target.columns.iter().any(|name| table.column(name).is_ok_and(|it| it.is_text()));
    let is_named = |word: &str| {
        let same = |named: &str| named.trim().eq_ignore_ascii_case(word);
        named.iter().any(|it| same(it) || it.rsplit_once('=').is_some_and(|(_, own)| same(own)))
    };
    let words = missing.iter().filter(|(word, _)| !word.is_empty() && !is_named(word));
    let (word, cells) = words.max_by_key(|(_, cells)| *cells)?;
    let is_frequent = *cells as f64 >= FREQUENT * table.rows() as f64;
    (is_text && is_frequent).then(|| {
        format!(
            "{cells} of {} labels of task \"{}\" are \"{word}\", which counts as missing: if it is a class, put it in \
             quotes in the file, or say --missing \"\"",
            table.rows(),
            target.name
        )
    })
}

/// Warns of classes that no training row has, and gives those that few have.
fn unlearnable(
    target: &TargetColumn,
    whole: &LabelCounts,
    training: &LabelCounts,
    told: &mut Told,
) -> Vec<String> {
    let mut thin = Vec::new();
    let mut never = Vec::new();
    if classes(target).is_empty() && training.labelled < RARE {
        let (own, all) = (training.labelled, whole.labelled);
        thin.push(format!("numbers of \"{}\" ({own} of {all})", target.name));
    }
    for ((class, &all), &own) in
        classes(target).into_iter().zip(&whole.classes).zip(&training.classes)
    {
        let class = clipped(&class);
        match own {
            0 => never.push(format!("{class} ({all} in other parts)")),
            _ if own < RARE => {
                thin.push(format!("{class} of \"{}\" ({own} of {all})", target.name))
            }
            _ => {}
        }
    }
    if !never.is_empty() {
        told.warnings.push(format!(
            "task \"{}\": no training row has {}, so that it cannot be learned: change --split-seed or the column of --split, or leave the \
             task out",
            target.name,
            never.iter().take(MOST_CLASSES).cloned().collect::<Vec<_>>().join(", ") + &more(never.len(), MOST_CLASSES)
        ));
    }
    if let [TargetEncoding::Classes(_) | TargetEncoding::Binary(_)] = [&target.encoding]
        && target.columns.len() == 1
        && training.classes.iter().filter(|&&count| count > 0).count() == 1
    {
        told.warnings.push(format!(
            "task \"{}\": every training row has the same label, so that there is nothing to learn: leave the task out",
            target.name
        ));
    }
    thin
}

/// ` … (30 in all)`
fn more(all: usize, most: usize) -> String {
    if all > most { format!(" … ({all} in all)") } else { String::new() }
}

/// A number as people read it: six digits.
fn short(number: f64) -> String {
    let rounded: f64 = format!("{number:.5e}").parse().unwrap_or(number);
    match rounded.abs() {
        0.0 => "0".into(),
        size if (1e-4..1e9).contains(&size) => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}

/// A class's name, cut where it is a text of its own.
fn clipped(class: &str) -> String {
    const LONGEST: usize = 40;
    match class.chars().count() > LONGEST {
        true => class.chars().take(LONGEST).chain(['…']).collect(),
        false => class.into(),
    }
}

/// Number of rows without a label of any task.
fn unlabelled(encoder: &Encoder, table: &Table) -> Result<usize, Failure> {
    let mut labelled = vec![false; table.rows()];
    for target in encoder.targets() {
        let columns: Vec<_> =
            target.columns.iter().map(|name| table.column(name)).collect::<Result<_, _>>()?;
        for (row, labelled) in labelled.iter_mut().enumerate() {
            *labelled |= columns.iter().all(|column| !column.is_missing(row));
        }
    }
    Ok(labelled.iter().filter(|&&labelled| !labelled).count())
}

/// How many labels have a part in a task's loss: those of classes whose weight is 0 have none.
fn judging(target: &TargetColumn, counts: &LabelCounts) -> usize {
    match &target.loss {
        Loss::CrossEntropy { class_weights: Some(weights), .. } => {
            let weighed = counts.classes.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
            weighed.map(|(count, _)| count).sum()
        }
        _ => counts.labelled,
    }
}

/// Says on which labels the choice of the epoch rests, where not on many of every task.
fn choice(encoder: &Encoder, parts: &Parts<'_>, told: &mut Told) -> Result<(), Failure> {
    let Some(validation) = parts.validation else { return Ok(()) };
    let mut with = Vec::new();
    let mut without = Vec::new();
    let mut few = Vec::new();
    for target in encoder.targets() {
        match judging(target, &target.count(validation)?) {
            0 => without.push(target.name.clone()),
            count => {
                with.push(target.name.clone());
                if count < FEW {
                    few.push(format!("{count} of \"{}\"", target.name));
                }
            }
        }
    }
    told.data["chosen_by"] = json!(with);
    if with.is_empty() {
        told.warnings.push(
            "no validation row has a label of any task: no epoch can be chosen, so that the last one's weights are kept \
             (--validation 0 trains on all rows)"
                .into(),
        );
    } else if !without.is_empty() {
        told.warnings.push(format!(
            "no validation row has a label of {}: the best epoch is chosen by {} alone",
            listed(&without),
            listed(&with)
        ));
    }
    if !few.is_empty() {
        told.warnings.push(format!(
            "the best epoch is chosen by few validation labels: {}",
            few.iter().take(MOST_CLASSES).cloned().collect::<Vec<_>>().join(", ")
                + &more(few.len(), MOST_CLASSES)
        ));
    }
    Ok(())
}
