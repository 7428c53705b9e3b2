//! Which queries gained and which lost: the differences of all queries, sorted.

use std::collections::HashMap;

use plotters::prelude::*;
use secondpass_core::QueryId;
use secondpass_evaluation::{Difference, QueryRow, Record, Role};

use super::axis::Axis;
use super::frame::{Header, HorizontalAxis, Plot, VerticalAxis};
use super::palette::{GAIN, INK, LOSS};
use super::panels::{Panel, Panels, entry};
use super::{Chart, Drawn, MARGIN, Painter, of_role, rerankers};
use crate::{format, marks};

/// Columns drawn at most: more would be finer than a pixel.
const COLUMNS: usize = 360;

/// One panel a reranker.
pub(crate) struct ChangesChart {
    title: String,
    alt: String,
    header: Header,
    panels: Panels,
    sorted: Vec<Vec<f64>>,
}

impl ChangesChart {
    /// Lays out the differences from the first stage that stand in the table; `None` where it holds
    /// no query of both.
    pub(crate) fn new(record: &Record, rows: &[QueryRow]) -> Option<Self> {
        let at = record.measures.iter().position(|measure| *measure == record.primary)?;
        let first_stage = of_role(record, Role::FirstStage)?;
        let mut values: HashMap<&str, HashMap<&QueryId, f64>> = HashMap::new();
        for row in rows {
            if let Some(value) = row.values.get(at).filter(|value| value.is_finite()) {
                values.entry(&row.system).or_default().insert(&row.query, *value);
            }
        }
        let before = values.get(first_stage.name.as_str())?;

        // Of a reranker whose queries failed, what they lost says nothing about its order.
        let found: Vec<_> = rerankers(record)
            .filter(|system| system.failures.is_empty())
            .filter_map(|system| {
                let after = values.get(system.name.as_str())?;
                let mut differences: Vec<f64> = after
                    .iter()
                    .filter_map(|(query, value)| Some(value - before.get(query)?))
                    .collect();
                // Greatest gain first; equal differences need no order among themselves.
                differences.sort_by(|a, b| b.total_cmp(a));
                (!differences.is_empty()).then_some((system, differences))
            })
            .collect();
        if found.is_empty() {
            return None;
        }
        let axis = Axis::difference(found.iter().flat_map(|(_, sorted)| sorted.iter().copied()));
        let measure = format!("difference in {}", record.primary);
        let panels = found.iter().map(|(system, sorted)| {
            Panel::new(
                &marks::label(system),
                &system.versus_first_stage.as_ref().map_or(String::new(), changes),
                VerticalAxis::new(axis.clone(), &measure),
                HorizontalAxis::new(
                    Axis::count(sorted.len()),
                    "queries, greatest gain first, greatest loss last",
                ),
            )
        });
        let title = format!("Queries that gained and lost: {}", record.primary);
        let header = Header::new(
            &title,
            "Each query's difference from the first stage, sorted. Area above the line is gained, \
             area below it lost; where the line runs at 0, nothing changed.",
        )
        .noting(marks::meaning(found.iter().map(|(system, _)| *system)));
        let parts: Vec<String> = found
            .iter()
            .map(|(system, sorted)| {
                let (most, least) = (sorted.first().copied(), sorted.last().copied());
                let extremes = format!(
                    "differences from {} to {}",
                    format::signed(least.unwrap_or(0.0)),
                    format::signed(most.unwrap_or(0.0))
                );
                let name = marks::label(system);
                match &system.versus_first_stage {
                    Some(difference) => {
                        format!("{name}: {}; {extremes}", changes(difference))
                    }
                    None => format!("{name}: {extremes}"),
                }
            })
            .collect();
        Some(Self {
            alt: format!("{title}. {}.", parts.join(". ")),
            panels: Panels::new(header.bottom() + 20.0, panels.collect()),
            sorted: found.into_iter().map(|(_, sorted)| sorted).collect(),
            title,
            header,
        })
    }
}

impl Chart for ChangesChart {
    const NAME: &'static str = "changes";

    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        self.alt.clone()
    }

    fn height(&self) -> f64 {
        self.panels.bottom() + MARGIN
    }

    fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        self.header.draw(painter)?;
        let mut at = (MARGIN, self.header.bottom() + 2.0);
        for (words, color) in [("gained", GAIN), ("lost", LOSS)] {
            at = entry(painter, at, words, |painter, from, to| {
                painter.area(&[from, (to.0, from.1), to, (from.0, to.1)], color, true)
            })?;
        }
        self.panels.draw(painter)?;
        for ((panel, plot), sorted) in self.panels.plots().zip(&self.sorted) {
            let zero = plot.y(&panel.vertical.axis, 0.0);
            for (color, sign) in [(GAIN, 1.0), (LOSS, -1.0)] {
                let outline = outline(panel, plot, sorted, sign);
                if !outline.is_empty() {
                    painter.area(&outline, color, true)?;
                }
            }
            painter.line((plot.left, zero), (plot.right, zero), INK, 1.0)?;
        }
        Ok(())
    }
}

/// The area between the zero line and the differences of one sign, as steps.
fn outline(panel: &Panel, plot: Plot, sorted: &[f64], sign: f64) -> Vec<(f64, f64)> {
    let columns = sorted.len().min(COLUMNS);
    let width = (plot.right - plot.left) / columns as f64;
    let mut outline: Vec<(f64, f64)> = Vec::new();
    for column in 0..columns {
        // The query in the middle of the column stands for its neighbours.
        let query = ((column as f64 + 0.5) * sorted.len() as f64 / columns as f64) as usize;
        let difference = sorted[query.min(sorted.len() - 1)];
        if difference * sign <= 0.0 {
            continue;
        }
        let (x, y) = (plot.left + column as f64 * width, plot.y(&panel.vertical.axis, difference));
        match outline.last() {
            // A run of equal differences is one step.
            Some(&(_, last)) if last == y => {
                outline.pop();
            }
            _ => outline.push((x, y)),
        }
        outline.push((x + width, y));
    }
    if let (Some(&(first, _)), Some(&(last, _))) = (outline.first(), outline.last()) {
        let zero = plot.y(&panel.vertical.axis, 0.0);
        outline.extend([(last, zero), (first, zero)]);
    }
    outline
}

fn changes(difference: &Difference) -> String {
    format!(
        "{} gained, {} lost, {} unchanged",
        format::count(difference.helped as u64),
        format::count(difference.hurt as u64),
        format::count(difference.unchanged as u64)
    )
}
