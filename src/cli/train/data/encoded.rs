//! What is lost of the features' cells as they become inputs: columns that say nothing, texts that share an input, and cells of
//! other parts that training does not know.

use super::Told;
use super::features::{cut, listed};
use crate::cli::failure::Failure;
use awl::tables::{EncoderOptions, Rare};
use awl::{Encoder, Table};
use serde_json::{Map, json};

/// Tells of all of it. `apart` are the other parts, by name.
pub fn tell(
    encoder: &Encoder,
    options: EncoderOptions,
    training: &Table,
    apart: [(&str, &Option<Table>); 2],
    told: &mut Told,
) -> Result<(), Failure> {
    silent(encoder, options, training, told)?;
    rare(encoder, options, told);
    for (part, table) in apart {
        let Some(table) = table else { continue };
        let unknown = [
            (encoder.unseen(table)?, "no training row has, and count as none of the known ones"),
            (encoder.rare(table)?, "few training rows have, or none, and count as rare"),
        ];
        for (columns, what) in unknown.into_iter().filter(|(columns, _)| !columns.is_empty()) {
            let counts = columns.iter().map(|(column, cells)| format!("\"{column}\" ({cells})"));
            told.warnings.push(format!(
                "cells of the {part} part hold texts that {what}: {}",
                cut(counts.collect())
            ));
        }
    }
    Ok(())
}

/// Says which features say nothing: they are the same everywhere, or all of their texts are rare.
fn silent(
    encoder: &Encoder,
    options: EncoderOptions,
    training: &Table,
    told: &mut Told,
) -> Result<(), Failure> {
    let (mut same, mut rare) = (Vec::new(), Vec::new());
    for name in encoder.constant() {
        let column = training.column(name)?;
        if column.is_constant() { &mut same } else { &mut rare }.push(name.to_string());
    }
    if !same.is_empty() {
        let (verb, they) =
            if same.len() == 1 { ("is", "it says") } else { ("are each", "they say") };
        told.warnings.push(format!(
            "{} {verb} the same in every training row, so that {they} nothing and no input is made",
            listed(&same)
        ));
    }
    if !rare.is_empty() {
        told.warnings.push(format!(
            "no text of {} is in {} training rows or more, so that no input is made of {} (--rare 1 keeps all apart)",
            listed(&rare),
            options.rare,
            if rare.len() == 1 { "it" } else { "them" }
        ));
    }
    Ok(())
}

/// Says of which features some texts share an input: those of few rows, or the rarest of too many.
fn rare(encoder: &Encoder, options: EncoderOptions, told: &mut Told) {
    let columns = encoder.feature_columns().iter();
    let columns: Vec<_> = columns.filter_map(|it| Some((it, it.rare()?))).collect();
    let count = |number: usize, noun: &str| match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    };
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for (column, rare) in &columns {
        let (texts, rows) = (count(rare.categories, "text"), count(rare.rows, "row"));
        // One input is theirs.
        let apart = column.width() - 1;
        let words = if apart == Rare::MOST_APART { &mut many } else { &mut few };
        words.push(format!("\"{}\" ({texts} in {rows}, beside {apart} others)", column.column));
    }
    if !few.is_empty() {
        told.choices.push(format!(
            "texts that fewer than {} training rows have share one input of their feature: {}",
            options.rare,
            cut(few)
        ));
    }
    if !many.is_empty() {
        told.choices.push(format!(
            "of too many texts the {} most frequent keep inputs of their own, and the others share one: {}",
            Rare::MOST_APART,
            cut(many)
        ));
    }
    let counts = columns.iter().map(|(it, rare)| (it.column.clone(), json!(rare)));
    told.data["rare_in_features"] = counts.collect::<Map<_, _>>().into();
}
