//! Percentiles of every cell with what bounds them: one row a cell.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use secondpass_evaluation::bench::{BenchRecord, CellRecord, Percentile};

use super::charts::named;
use crate::charts::axis::Axis;
use crate::charts::font::width;
use crate::charts::frame::{Header, HorizontalAxis, NOTE, Rows};
use crate::charts::palette::{INK, Look, Marker, SOFT, reranker};
use crate::charts::{Chart, Drawn, MARGIN, Painter};
use crate::format;

/// Cells above which a picture tells less than the table.
const MOST: usize = 24;

/// The median, the 95th and the 99th percentile of each cell, in milliseconds.
pub(super) struct PercentilesChart {
    title: String,
    header: Header,
    cells: Vec<Cell>,
    rows: Rows,
    axis: HorizontalAxis,
}

struct Cell {
    name: String,
    color: RGBColor,
    marks: Vec<Mark>,
}

/// A percentile and its bounds, in milliseconds.
#[derive(Clone, Copy)]
struct Mark {
    share: f64,
    value: f64,
    low: f64,
    /// `None` where too few samples give none.
    high: Option<f64>,
}

/// What is shown, and as what.
const SHOWN: [(f64, Marker); 3] =
    [(0.5, Marker::Circle), (0.95, Marker::Diamond), (0.99, Marker::Square)];

impl PercentilesChart {
    pub(super) const NAME: &'static str = "bench-percentiles";

    /// Lays out the cells; `None` where none was answered, or there are too many to be seen.
    pub(super) fn new(record: &BenchRecord) -> Option<Self> {
        let several = record.systems.len() > 1;
        let cells: Vec<Cell> = record
            .systems
            .iter()
            .enumerate()
            .flat_map(|(index, system)| {
                let name = named(system);
                let answered = |cell: &&CellRecord| !cell.measured.latency.is_empty();
                system.cells.iter().filter(answered).map(move |cell| Cell {
                    // The mark of what is not live stands in each row.
                    name: match several || !system.is_live() {
                        true => format!("{name}: {}", cell.cell),
                        false => cell.cell.to_string(),
                    },
                    color: reranker(index).line(),
                    marks: marks(cell),
                })
            })
            .collect();
        if cells.is_empty() || cells.len() > MOST {
            return None;
        }
        let title = "Percentiles of every cell".to_owned();
        let header = Header::new(
            &title,
            "Bars are what a percentile lies above and below, each with 95%, over time blocks: queries \
             that hang together count as fewer. An open end has too few samples for a bound.",
        );
        let values = cells.iter().flat_map(|cell| &cell.marks);
        let values =
            values.flat_map(|mark| [mark.low, mark.value, mark.high.unwrap_or(mark.value)]);
        let axis = Axis::milliseconds(values);
        let scale = if axis.logarithmic() { ", logarithmic scale" } else { "" };
        let texts: Vec<(String, String)> =
            cells.iter().map(|cell| (cell.name.clone(), figures(&cell.marks))).collect();
        Some(Self {
            axis: HorizontalAxis::new(axis, &format!("milliseconds per query{scale}")),
            rows: Rows::new(header.bottom() + 24.0, "p50 / p95 / p99", &texts),
            title,
            header,
            cells,
        })
    }
}

impl Chart for PercentilesChart {
    const NAME: &'static str = PercentilesChart::NAME;

    fn title(&self) -> String {
        self.title.clone()
    }

    fn alt(&self) -> String {
        let parts: Vec<String> = self
            .cells
            .iter()
            .map(|cell| format!("{}: p50, p95 and p99 {}", cell.name, figures(&cell.marks)))
            .collect();
        format!("{}. {}.", self.title, parts.join("; "))
    }

    fn height(&self) -> f64 {
        self.rows.plot().bottom + self.axis.height() + MARGIN
    }

    fn draw<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        self.header.draw(painter)?;
        self.legend(painter)?;
        let plot = self.rows.plot();
        self.axis.draw(painter, plot)?;
        self.rows.draw(painter)?;
        let x = |value: f64| plot.x(&self.axis.axis, value);
        for (cell, y) in self.cells.iter().zip(self.rows.middles()) {
            for (mark, (place, marker)) in cell.marks.iter().zip((-1..).zip(SHOWN.map(|s| s.1))) {
                // One above the other, so that overlapping bars stay apart.
                let y = y + f64::from(place) * 7.0;
                let (low, high) = (x(mark.low), x(mark.high.unwrap_or(mark.value)));
                painter.line((low, y), (high, y), cell.color, 2.0)?;
                painter.line((low, y - 3.0), (low, y + 3.0), cell.color, 2.0)?;
                if mark.high.is_some() {
                    painter.line((high, y - 3.0), (high, y + 3.0), cell.color, 2.0)?;
                }
                painter.hollow((x(mark.value), y), 4.0, Look { color: cell.color, marker })?;
            }
        }
        Ok(())
    }
}

impl PercentilesChart {
    fn legend<DB: DrawingBackend>(&self, painter: &Painter<'_, DB>) -> Drawn<DB> {
        let (y, mut x) = (self.header.bottom() + 2.0, MARGIN + 6.0);
        for (share, marker) in SHOWN {
            painter.hollow((x, y), 4.0, Look { color: INK, marker })?;
            let words = format!("p{}", share * 100.0);
            painter.text(&words, (x + 12.0, y + 4.4), HPos::Left, NOTE)?;
            x += 12.0 + width(&words, NOTE.em, NOTE.bold) + 26.0;
        }
        painter.line((x, y), (x + 22.0, y), SOFT, 2.0)?;
        for end in [x, x + 22.0] {
            painter.line((end, y - 3.0), (end, y + 3.0), SOFT, 2.0)?;
        }
        painter.text("bounds", (x + 30.0, y + 4.4), HPos::Left, NOTE)
    }
}

fn marks(cell: &CellRecord) -> Vec<Mark> {
    let mark = |found: &Percentile| {
        let value = found.value * 1e3;
        Mark {
            share: found.share,
            value,
            low: found.low.map_or(value, |low| low * 1e3).min(value),
            high: found.high.map(|high| (high * 1e3).max(value)),
        }
    };
    SHOWN.iter().filter_map(|(share, _)| cell.measured.percentile(*share).map(mark)).collect()
}

fn figures(marks: &[Mark]) -> String {
    let mut told: Vec<String> = Vec::new();
    for (share, _) in SHOWN {
        let mark = marks.iter().find(|mark| mark.share == share);
        told.push(mark.map_or(format::NONE.into(), |mark| format::time(mark.value / 1e3)));
    }
    told.join(" / ")
}
