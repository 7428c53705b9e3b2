//! That letters and edges stand out from their ground in every theme, computed from the style itself.

use std::collections::HashMap;

use plotters::style::RGBColor;

use crate::charts::contrast;

const STYLE: &str = include_str!("../style.css");

/// Letters need 4.5 to 1, edges of controls 3 to 1 (WCAG 2.1, 1.4.3 and 1.4.11).
const LETTERS: [(&str, &str); 22] = [
    ("ink", "ground"),
    ("ink", "card"),
    ("ink", "tint"),
    ("ink", "alert"),
    ("soft", "ground"),
    ("soft", "card"),
    ("soft", "tint"),
    ("accent", "ground"),
    ("accent", "card"),
    ("accent", "tint"),
    ("good", "card"),
    ("bad", "card"),
    ("unsure", "card"),
    ("ink", "chart"),
    ("soft", "chart"),
    ("accent", "chart"),
    ("good", "ground"),
    ("bad", "ground"),
    ("unsure", "ground"),
    ("edge", "ground"),
    ("edge", "alert"),
    ("edge", "tint"),
];

#[test]
fn every_theme_has_enough_contrast() {
    let themes = themes();
    assert_eq!(themes.len(), 3, "light, dark and paper");
    for (name, colors) in themes {
        for (letters, ground) in LETTERS {
            let found = contrast(colors[letters], colors[ground]);
            let enough = if letters == "edge" { 3.0 } else { 4.5 };
            assert!(found >= enough, "{name}: {letters} on {ground}: {found:.2}");
        }
    }
}

#[test]
fn every_colour_is_one_of_the_theme() {
    let (_, rules) = STYLE.split_once("* { box-sizing").unwrap();
    for line in rules.lines().filter(|line| !line.contains(":root")) {
        assert!(!line.contains('#'), "{line}");
    }
}

/// The variables of each `:root`, later ones over the first.
fn themes() -> Vec<(&'static str, HashMap<&'static str, RGBColor>)> {
    let blocks = STYLE.split(":root {").skip(1).map(|rest| rest.split('}').next().unwrap());
    let mut base = HashMap::new();
    let of = |(name, block): (&'static str, &'static str)| {
        let variables = block.split(';').filter_map(|rule| rule.trim().strip_prefix("--"));
        base.extend(variables.map(|rule| {
            let (variable, value) = rule.split_once(": ").unwrap();
            (variable, color(value))
        }));
        (name, base.clone())
    };
    ["light", "dark", "paper"].into_iter().zip(blocks).map(of).collect()
}

fn color(hex: &str) -> RGBColor {
    let digits = hex.strip_prefix('#').unwrap();
    let long: String = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => digits.to_owned(),
    };
    let part = |at: usize| u8::from_str_radix(&long[at..at + 2], 16).unwrap();
    RGBColor(part(0), part(2), part(4))
}
