//! Quality against latency: what a better order costs in time.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use secondpass_evaluation::{Estimate, Record, Role};

use super::axis::Axis;
use super::font::width;
use super::frame::{Header, HorizontalAxis, LABEL, Lines, NOTE, Plot, name};
use super::palette::{BASELINE, GRID, INK, Look, SOFT, reranker};
use super::{Chart, Drawn, MARGIN, Painter, WIDTH, of_role, primary, rerankers};
use crate::format;

/// The plot's own height.
const TALL: f64 = 300.0;

/// One point a reranker, first stage and oracle as lines.
pub(crate) struct TradeoffChart {
    title: String,
    header: Header,
    measure: String,
    lines: Vec<Level>,
    systems: Vec<System>,
    vertical: Axis,
    horizontal: HorizontalAxis,
}

/// A system without a time of its own.
struct Level {
    label: String,
    estimate: Estimate,
    role: Role,
}

struct System {
    name: String,
    look: Look,
    legend: Lines,
    figures: String,
    point: Option<(f64, Estimate)>,
}

impl TradeoffChart {
    /// Lays out the primary measure against the median time.
    pub(crate) fn new(record: &Record) -> Self {
        let systems: Vec<System> = rerankers(record)
            .enumerate()
            .map(|(index, system)| {
                let seconds = system.latency.as_ref().map(|latency| latency.p50);
                let seconds = seconds.filter(|s| s.is_finite() && *s >= 0.0);
                let estimate = primary(record, system).cloned();
                let figures = format!(
                    "{}, {}",
                    estimate.as_ref().map_or("no quality".into(), |e| format::score(e.mean)),
                    seconds.map_or("latency not measured".into(), format::time),
                );
                System {
                    name: system.name.clone(),
                    look: reranker(index),
                    legend: name(&system.name, 480.0),
                    figures,
                    point: seconds.map(|s| s * 1e3).zip(estimate),
                }
            })
            .collect();
        let lines: Vec<Level> = [(Role::Oracle, "oracle"), (Role::FirstStage, "first stage")]
            .into_iter()
            .filter_map(|(role, word)| {
                let estimate = primary(record, of_role(record, role)?)?.clone();
                let label = format!("{word} {}", format::score(estimate.mean));
                Some(Level { label, estimate, role })
            })
            .collect();

        let title = format!("Quality against latency: {}", record.primary);
        let measured = systems.iter().any(|system| system.point.is_some());
        let subtitle = if measured {
            "Further up is better, further left is faster. Bars are 95% bootstrap intervals over \
             queries. The first stage is a line: reranking starts from its candidates, at 0 ms."
        } else if systems.is_empty() {
            "Not measured: the experiment names no reranker."
        } else {
            "Not measured: no reranker was timed, as when scores come from a cache or a replay."
        };
        let points = || systems.iter().filter_map(|system| system.point.as_ref());
        let vertical = Axis::share(
            points()
                .map(|(_, estimate)| estimate)
                .flat_map(|e| [e.low, e.mean, e.high])
                .chain(lines.iter().map(|line| line.estimate.mean)),
        );
        let horizontal = Axis::milliseconds(points().map(|(milliseconds, _)| *milliseconds));
        let scale = if horizontal.logarithmic() { ", logarithmic scale" } else { "" };
        Self {
            header: Header::new(&title, subtitle),
            measure: record.primary.clone(),
            vertical,
            horizontal: HorizontalAxis::new(
                horizontal,
                &format!("median milliseconds per query{scale}"),
            ),
            title,
            lines,
            systems,
        }
    }

    fn measured(&self) -> bool {
        self.systems.iter().any(|system| system.point.is_some())
    }

    fn plot(&self) -> Plot {
        let ticks = self.vertical.ticks().iter().map(|(_, label)| width(label, NOTE.em, false));
        let labels = self.lines.iter().map(|line| width(&line.label, LABEL.em, false));
        // The measure's name stands above the vertical axis, where it needs no turned letters.
        let top = self.header.bottom() + 22.0;
        Plot {
            left: MARGIN + ticks.fold(0.0, f64::max) + 12.0,
            right: WIDTH - MARGIN - labels.fold(0.0, f64::max) - 14.0,
            top,
            bottom: top + TALL,
        }
    }

    fn legend_top(&self) -> f64 {
        self.plot().bottom + self.horizontal.height() + 12.0
    }

    fn vertical_axis<DB: DrawingBackend>(
        &self,
        painter: &Painter<'_, DB>,
        plot: Plot,
    ) -> Drawn<DB> {
        for (value, label) in self.vertical.ticks() {
            let y = plot.y(&self.vertical, *value);
            painter.line((plot.left, y), (plot.right, y), GRID, 1.0)?;
            painter.text(label, (plot.left - 8.0, y + 4.4), HPos::Right, NOTE)?;
        }
        painter.line((plot.left, plot.top), (plot.left, plot.bottom), SOFT, 1.0)?;
        let title = format!("{} (0 to 1, higher is better)", self.measure);
        let title = Lines::new(&title, NOTE, WIDTH - 2.0 * MARGIN, 1);
        title.draw(painter, (MARGIN, plot.top - 27.0), HPos::Left)
    }

    /// Lines of first stage and oracle, their labels at the right kept a line apart.
    fn levels<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>, plot: Plot) -> Drawn<DB> {
        let mut free_from = f64::NEG_INFINITY;
        let mut lines: Vec<(f64, &Level)> = self
            .lines
            .iter()
            .map(|line| (plot.y(&self.vertical, line.estimate.mean), line))
            .collect();
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (y, line) in lines {
            let (from, to) = ((plot.left, y), (plot.right, y));
            match line.role {
                Role::FirstStage => painter.dotted(from, to, BASELINE, 2.0)?,
                Role::Oracle | Role::Retriever | Role::Reranker => {
                    painter.dashed(from, to, INK, 1.5)?
                }
            }
            let middle = f64::max(y, free_from);
            free_from = middle + 18.0;
            painter.text(&line.label, (plot.right + 8.0, middle + 4.7), HPos::Left, LABEL)?;
        }
        Ok(())
    }
}

impl Chart for TradeoffChart {
    const NAME: &'static str = "quality-latency";

    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        if !self.measured() {
            return format!("{}: not measured.", self.title);
        }
        let systems = self.systems.iter().map(|s| format!("{}: {}", s.name, s.figures));
        let lines = self.lines.iter().map(|line| line.label.clone());
        format!("{}. {}.", self.title, systems.chain(lines).collect::<Vec<_>>().join("; "))
    }

    fn height(&self) -> f64 {
        if !self.measured() {
            return self.header.bottom() + MARGIN;
        }
        let legend: f64 = self.systems.iter().map(|system| row_height(&system.legend)).sum();
        self.legend_top() + legend + MARGIN
    }

    fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        self.header.draw(painter)?;
        if !self.measured() {
            return Ok(());
        }
        let plot = self.plot();
        self.horizontal.draw(painter, plot)?;
        self.vertical_axis(painter, plot)?;
        self.levels(painter, plot)?;

        let points = || self.systems.iter().filter_map(|s| s.point.as_ref().map(|p| (p, s.look)));
        let x = |milliseconds: f64| plot.x(&self.horizontal.axis, milliseconds);
        for ((milliseconds, estimate), look) in points() {
            let [low, high] = [estimate.low, estimate.high].map(|v| plot.y(&self.vertical, v));
            let x = x(*milliseconds);
            painter.line((x, low), (x, high), look.line(), 2.0)?;
            for end in [low, high] {
                painter.line((x - 4.0, end), (x + 4.0, end), look.line(), 2.0)?;
            }
        }
        // Markers go over every bar, so that none is hidden.
        for ((milliseconds, estimate), look) in points() {
            painter.marker((x(*milliseconds), plot.y(&self.vertical, estimate.mean)), 6.0, look)?;
        }

        let mut top = self.legend_top();
        for system in &self.systems {
            let y = top + row_height(&system.legend) / 2.0;
            painter.marker((MARGIN + 8.0, y), 5.5, system.look)?;
            system.legend.draw_centred(painter, (MARGIN + 24.0, y), HPos::Left)?;
            painter.text(&system.figures, (WIDTH - MARGIN, y + 4.7), HPos::Right, LABEL)?;
            top += row_height(&system.legend);
        }
        Ok(())
    }
}

fn row_height(legend: &Lines) -> f64 {
    legend.height().max(17.0) + 6.0
}
