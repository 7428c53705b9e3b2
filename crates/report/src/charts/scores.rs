//! How scores lie, by relevance: one panel a reranker, since scores of two never compare.

use plotters::prelude::*;
use secondpass_evaluation::{Record, ScoreDistribution};

use super::axis::Axis;
use super::frame::{Header, HorizontalAxis, Plot, VerticalAxis};
use super::palette::{GAIN, LOSS, SOFT};
use super::panels::{Panel, Panels, entry};
use super::{Chart, Drawn, MARGIN, Painter, rerankers};
use crate::{format, marks};

/// Steps of the shares of relevant, not relevant and unjudged pairs.
pub(crate) struct ScoresChart {
    title: String,
    alt: String,
    header: Header,
    panels: Panels,
    shares: Vec<Shares>,
    kinds: [&'static str; 3],
}

/// What pairs are in the report of an experiment.
const JUDGED: [&str; 3] = ["relevant", "not relevant", "unjudged"];

/// What they are where negatives were mined.
const MINED: [&str; 3] = ["positives", "negatives", "left out"];

/// A distribution as shares of each kind of pair, so that few relevant pairs show beside many others.
struct Shares {
    edges: Vec<f64>,
    relevant: Vec<f64>,
    not_relevant: Vec<f64>,
    unjudged: Vec<f64>,
}

impl ScoresChart {
    /// Lays out the distributions; `None` where there are none.
    pub(crate) fn new(record: &Record) -> Option<Self> {
        let found: Vec<_> = rerankers(record)
            .filter_map(|system| {
                Some((system, system.scores.as_ref().filter(|scores| well_formed(scores))?))
            })
            .collect();
        if found.is_empty() {
            return None;
        }
        let shares: Vec<Shares> = found.iter().map(|(_, scores)| Shares::of(scores)).collect();
        let panels = found.iter().zip(&shares).map(|((system, scores), shares)| {
            Panel::new(
                &marks::label(system),
                &pairs(scores),
                VerticalAxis::new(Axis::percent(shares.all()), "share of the pairs of each kind"),
                HorizontalAxis::new(
                    Axis::number(shares.edges.iter().copied()),
                    "score (this reranker's own scale)",
                ),
            )
        });
        let title = "Scores of relevant and other pairs".to_owned();
        let header = Header::new(
            &title,
            "Scores sort the candidates of one query; they are not probabilities, and the panels' \
             scales do not compare. The further apart the two areas, the better a threshold can be \
             set.",
        )
        .noting(marks::meaning(found.iter().map(|(system, _)| *system)));
        let parts: Vec<String> = found
            .iter()
            .map(|(system, scores)| {
                let kinds = [
                    ("relevant", &scores.relevant),
                    ("not relevant", &scores.not_relevant),
                    ("unjudged", &scores.unjudged),
                ];
                let medians = kinds.into_iter().filter_map(|(kind, counts)| {
                    let (low, high) = middle(scores, counts)?;
                    let (low, high) = (format::number(low), format::number(high));
                    Some(format!("the median score of {kind} pairs lies between {low} and {high}"))
                });
                let medians: Vec<String> = medians.collect();
                match medians.is_empty() {
                    true => format!("{}: no pairs", marks::label(system)),
                    false => format!("{}: {}", marks::label(system), medians.join(", ")),
                }
            })
            .collect();
        Some(Self {
            alt: format!("{title}. {}.", parts.join("; ")),
            panels: Panels::new(header.bottom() + 20.0, panels.collect()),
            title,
            header,
            shares,
            kinds: JUDGED,
        })
    }

    /// Lays out how positives (`relevant`), mined negatives (`not relevant`) and the candidates that a
    /// margin left out (`unjudged`) score; `None` of a distribution that is misshapen.
    pub(crate) fn mined(scores: &ScoreDistribution, label: &str) -> Option<Self> {
        if !well_formed(scores) {
            return None;
        }
        let shares = Shares::of(scores);
        let counts = [&scores.relevant, &scores.not_relevant, &scores.unjudged];
        let counted: Vec<String> = MINED
            .iter()
            .zip(counts)
            .map(|(kind, counts)| format!("{} {kind}", format::count(total(counts))))
            .collect();
        let panel = Panel::new(
            label,
            &counted.join(", "),
            VerticalAxis::new(Axis::percent(shares.all()), "share of the documents of each kind"),
            HorizontalAxis::new(Axis::number(shares.edges.iter().copied()), "score"),
        );
        let title = "Scores of positives and mined negatives".to_owned();
        let header = Header::new(
            &title,
            "Negatives under the positives are hard ones. Those that score like positives may well be \
             relevant, and nobody judged them: look at some, or mine with a wider margin.",
        );
        let medians = MINED.iter().zip(counts).filter_map(|(kind, counts)| {
            let (low, high) = middle(scores, counts)?;
            let (low, high) = (format::number(low), format::number(high));
            Some(format!("the median score of {kind} lies between {low} and {high}"))
        });
        Some(Self {
            alt: format!("{title}. {}.", medians.collect::<Vec<_>>().join(", ")),
            panels: Panels::new(header.bottom() + 20.0, vec![panel]),
            title,
            header,
            shares: vec![shares],
            kinds: MINED,
        })
    }
}

impl Chart for ScoresChart {
    const NAME: &'static str = "scores";

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
        let at = (MARGIN, self.header.bottom() + 2.0);
        let at = entry(painter, at, self.kinds[0], |painter, from, to| {
            painter.area(&[from, (to.0, from.1), to, (from.0, to.1)], GAIN, false)?;
            painter.line(from, (to.0, from.1), GAIN, 2.0)
        })?;
        let at = entry(painter, at, self.kinds[1], |painter, from, to| {
            let middle = (from.1 + to.1) / 2.0;
            painter.dashed((from.0, middle), (to.0, middle), LOSS, 2.0)
        })?;
        entry(painter, at, self.kinds[2], |painter, from, to| {
            let middle = (from.1 + to.1) / 2.0;
            painter.line((from.0, middle), (to.0, middle), SOFT, 1.0)
        })?;
        self.panels.draw(painter)?;
        for ((panel, plot), shares) in self.panels.plots().zip(&self.shares) {
            let steps = |counts: &[f64]| steps(panel, plot, &shares.edges, counts);
            if let Some(relevant) = steps(&shares.relevant) {
                painter.area(&relevant, GAIN, false)?;
                painter.path(&relevant, GAIN, 2.0)?;
            }
            if let Some(unjudged) = steps(&shares.unjudged) {
                painter.path(&unjudged, SOFT, 1.0)?;
            }
            if let Some(not_relevant) = steps(&shares.not_relevant) {
                painter.dashed_path(&not_relevant, LOSS, 2.0)?;
            }
        }
        Ok(())
    }
}

impl Shares {
    fn of(scores: &ScoreDistribution) -> Self {
        let shares = |counts: &[u64]| {
            let all = total(counts).max(1) as f64;
            counts.iter().map(|count| *count as f64 / all).collect()
        };
        Self {
            edges: scores.edges.clone(),
            relevant: shares(&scores.relevant),
            not_relevant: shares(&scores.not_relevant),
            unjudged: shares(&scores.unjudged),
        }
    }

    fn all(&self) -> impl Iterator<Item = f64> {
        self.relevant.iter().chain(&self.not_relevant).chain(&self.unjudged).copied()
    }
}

/// Whether the edges ascend and every kind has a count for each bin.
pub(crate) fn well_formed(scores: &ScoreDistribution) -> bool {
    let bins = scores.edges.len().saturating_sub(1);
    bins > 0
        && scores.edges.iter().all(|edge| edge.is_finite())
        && scores.edges.windows(2).all(|pair| pair[0] <= pair[1])
        && [&scores.relevant, &scores.not_relevant, &scores.unjudged]
            .into_iter()
            .all(|counts| counts.len() == bins)
}

/// Pairs of a kind.
pub(crate) fn total(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// The bin that the median of these pairs lies in; `None` without any pair.
pub(crate) fn middle(scores: &ScoreDistribution, counts: &[u64]) -> Option<(f64, f64)> {
    let all: u128 = counts.iter().copied().map(u128::from).sum();
    let mut before = 0;
    for (count, edges) in counts.iter().zip(scores.edges.windows(2)) {
        before += u128::from(*count);
        if all > 0 && 2 * before >= all {
            return Some((edges[0], edges[1]));
        }
    }
    None
}

/// The outline of a histogram from the first bin to the last; `None` where every bin is empty.
fn steps(panel: &Panel, plot: Plot, edges: &[f64], counts: &[f64]) -> Option<Vec<(f64, f64)>> {
    if counts.iter().all(|count| *count == 0.0) {
        return None;
    }
    let x = |edge: f64| plot.x(&panel.horizontal.axis, edge);
    let mut outline = vec![(x(edges[0]), plot.bottom)];
    for (count, edges) in counts.iter().zip(edges.windows(2)) {
        let y = plot.y(&panel.vertical.axis, *count);
        outline.extend([(x(edges[0]), y), (x(edges[1]), y)]);
    }
    outline.push((outline.last()?.0, plot.bottom));
    Some(outline)
}

fn pairs(scores: &ScoreDistribution) -> String {
    let sum = |counts: &[u64]| format::count(total(counts));
    format!(
        "{} relevant, {} not relevant, {} unjudged",
        sum(&scores.relevant),
        sum(&scores.not_relevant),
        sum(&scores.unjudged)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(relevant: [u64; 3]) -> ScoreDistribution {
        ScoreDistribution {
            edges: vec![-1.0, 0.0, 1.0, 2.0],
            relevant: relevant.to_vec(),
            not_relevant: vec![3, 0, 0],
            unjudged: vec![0; 3],
        }
    }

    #[test]
    fn the_median_lies_in_the_bin_that_reaches_half() {
        let of = |relevant| {
            let scores = distribution(relevant);
            middle(&scores, &scores.relevant)
        };
        assert_eq!(of([1, 0, 1]), Some((-1.0, 0.0)));
        assert_eq!(of([1, 1, 1]), Some((0.0, 1.0)));
        assert_eq!(of([0, 0, 1]), Some((1.0, 2.0)));
        assert_eq!(of([0, 0, 0]), None);
    }

    #[test]
    fn misshapen_distributions_are_refused() {
        let good = distribution([1, 1, 1]);
        assert!(well_formed(&good));
        let mut scores = good.clone();
        scores.relevant.pop();
        assert!(!well_formed(&scores));
        let mut scores = good.clone();
        scores.edges.swap(0, 1);
        assert!(!well_formed(&scores));
        let mut scores = good.clone();
        scores.edges[0] = f64::NAN;
        assert!(!well_formed(&scores));
        assert!(!well_formed(&ScoreDistribution { edges: Vec::new(), ..good }));
    }
}
