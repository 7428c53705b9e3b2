//! Quality with intervals: the primary measure of every system, and the ceiling.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use secondpass_evaluation::{Estimate, Record, Role};

use super::axis::Axis;
use super::frame::{Header, HorizontalAxis, LABEL, Lines, Rows, within};
use super::palette::{BASELINE, FIRST_STAGE, INK, Look, reranker, retriever};
use super::{Chart, Drawn, MARGIN, Painter, WIDTH, of_role, primary};
use crate::{format, marks};

/// One row a system, the oracle as a dashed line.
pub(crate) struct QualityChart {
    title: String,
    header: Header,
    systems: Vec<System>,
    rows: Rows,
    axis: HorizontalAxis,
    ceiling: Option<(f64, Lines)>,
}

struct System {
    name: String,
    role: Role,
    look: Look,
    estimate: Option<Estimate>,
}

impl QualityChart {
    /// Lays out the primary measure of a record's systems; `None` where none has any.
    pub(crate) fn new(record: &Record) -> Option<Self> {
        let (mut rerankers, mut retrievers) = (0.., 0..);
        let mut systems = Vec::new();
        for system in record.systems.iter().filter(|system| system.role != Role::Oracle) {
            let look = match system.role {
                Role::Reranker => rerankers.next().map_or(FIRST_STAGE, reranker),
                Role::Retriever => retrievers.next().map_or(FIRST_STAGE, retriever),
                Role::FirstStage | Role::Oracle => FIRST_STAGE,
            };
            let estimate = primary(record, system).cloned();
            systems.push(System { name: marks::label(system), role: system.role, look, estimate });
        }
        if systems.iter().all(|system: &System| system.estimate.is_none()) {
            return None;
        }
        let oracle = of_role(record, Role::Oracle).and_then(|oracle| primary(record, oracle));

        let title = format!("Quality: {}", record.primary);
        let header = Header::new(
            &title,
            &format!(
                "Mean over {} of {}, {} split, with its {} bootstrap interval.",
                format::counted(record.dataset.queries, "query", "queries"),
                record.dataset.name,
                record.dataset.split,
                format::level(record.statistics.alpha),
            ),
        )
        .noting(marks::meaning(&record.systems));
        let ceiling = oracle.map(|oracle| {
            let text = format!(
                "oracle {}: no reranker can exceed this at depth {}",
                format::score(oracle.mean),
                record.candidates.depth,
            );
            (oracle.mean, Lines::new(&text, LABEL, WIDTH - 2.0 * MARGIN, 2))
        });
        let top = header.bottom() + ceiling.as_ref().map_or(0.0, |(_, label)| label.height() + 4.0);
        let texts: Vec<_> = systems
            .iter()
            .map(|system| (system.name.clone(), figures(system.estimate.as_ref())))
            .collect();
        let values = systems
            .iter()
            .filter_map(|system| system.estimate.as_ref())
            .flat_map(|estimate| [estimate.low, estimate.mean, estimate.high])
            .chain(oracle.map(|oracle| oracle.mean));
        Some(Self {
            axis: HorizontalAxis::new(
                Axis::share(values),
                &format!("{} (0 to 1, higher is better)", record.primary),
            ),
            rows: Rows::new(
                top,
                &format!("mean [{} interval]", format::level(record.statistics.alpha)),
                &texts,
            ),
            title,
            header,
            systems,
            ceiling,
        })
    }
}

impl Chart for QualityChart {
    const NAME: &'static str = "quality";

    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let mut parts: Vec<String> = self
            .systems
            .iter()
            .map(|system| format!("{} {}", system.name, figures(system.estimate.as_ref())))
            .collect();
        if let Some((mean, _)) = &self.ceiling {
            parts.push(format!("the oracle's ceiling {}", format::score(*mean)));
        }
        format!("{}. {}.", self.title, parts.join("; "))
    }

    fn height(&self) -> f64 {
        self.rows.plot().bottom + self.axis.height() + MARGIN
    }

    fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        self.header.draw(painter)?;
        let plot = self.rows.plot();
        self.axis.draw(painter, plot)?;
        self.rows.draw(painter)?;

        if let Some((mean, label)) = &self.ceiling {
            let x = plot.x(&self.axis.axis, *mean);
            painter.dashed((x, plot.top - 2.0), (x, plot.bottom), INK, 1.5)?;
            let place = (within(x, label.width() / 2.0), self.header.bottom() - 4.0);
            label.draw(painter, place, HPos::Center)?;
        }
        for system in self.systems.iter().filter(|system| system.role == Role::FirstStage) {
            if let Some(estimate) = &system.estimate {
                let x = plot.x(&self.axis.axis, estimate.mean);
                painter.dotted((x, plot.top), (x, plot.bottom), BASELINE, 1.0)?;
            }
        }
        for (system, y) in self.systems.iter().zip(self.rows.middles()) {
            let Some(estimate) = &system.estimate else { continue };
            let [low, mean, high] = [estimate.low, estimate.mean, estimate.high]
                .map(|value| plot.x(&self.axis.axis, value));
            painter.series(&system.name, || {
                painter.line((low, y), (high, y), system.look.line(), 2.5)?;
                for end in [low, high] {
                    painter.line((end, y - 5.0), (end, y + 5.0), system.look.line(), 2.0)?;
                }
                painter.marker((mean, y), 5.5, system.look)
            })?;
        }
        Ok(())
    }
}

fn figures(estimate: Option<&Estimate>) -> String {
    estimate.map_or("not measured".into(), |e| {
        format!("{} {}", format::score(e.mean), format::interval(e.low, e.high))
    })
}
