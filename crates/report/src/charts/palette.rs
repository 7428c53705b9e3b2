//! Colours and shapes that stay apart for colour-blind readers and in grey print.

use plotters::style::RGBColor;

/// Text and axes.
pub(crate) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Secondary text.
pub(crate) const SOFT: RGBColor = RGBColor(0x59, 0x59, 0x59);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(0xe3, 0xe3, 0xe3);
/// The first stage.
pub(crate) const BASELINE: RGBColor = RGBColor(0x6e, 0x6e, 0x6e);

/// What gained, or is relevant.
pub(crate) const GAIN: RGBColor = COLORS[0];
/// What lost, or is not relevant; apart from [`GAIN`] for every kind of colour vision.
pub(crate) const LOSS: RGBColor = COLORS[1];

/// How one reranker is drawn in every chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) color: RGBColor,
    pub(crate) marker: Marker,
}

impl Look {
    /// The colour of thin lines: yellow is darkened, or it would fade on white.
    pub(crate) fn line(self) -> RGBColor {
        let RGBColor(red, green, blue) = self.color;
        // Rec. 601 luma.
        let luma = 0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue);
        let darker = |part: u8| (f64::from(part) * 0.7) as u8;
        if luma > 190.0 { RGBColor(darker(red), darker(green), darker(blue)) } else { self.color }
    }
}

/// The first stage's look.
pub(crate) const FIRST_STAGE: Look = Look { color: BASELINE, marker: Marker::Circle };

/// The look of the best order there is.
pub(crate) const CEILING: Look = Look { color: INK, marker: Marker::Circle };

/// The look of other first stages: shapes of their own, in the first stage's grey.
pub(crate) fn retriever(index: usize) -> Look {
    Look { color: BASELINE, marker: MARKERS[index % MARKERS.len()] }
}

/// The look of the reranker at `index` in the record. Colour and shape change together up to eight;
/// from the ninth on the pairs differ.
pub(crate) fn reranker(index: usize) -> Look {
    let round = index / COLORS.len();
    Look { color: COLORS[(index + round) % COLORS.len()], marker: MARKERS[index % MARKERS.len()] }
}

/// Okabe and Ito's palette ("Color Universal Design", 2008), darker hues first.
const COLORS: [RGBColor; 8] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0xf0, 0xe4, 0x42),
];

const MARKERS: [Marker; 8] = [
    Marker::Square,
    Marker::Diamond,
    Marker::Up,
    Marker::Down,
    Marker::Cross,
    Marker::Plus,
    Marker::Star,
    Marker::Pentagon,
];

/// The shape of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
    Cross,
    Plus,
    Star,
    Pentagon,
}

impl Marker {
    /// Its outline around the origin, y downwards, in units of its radius; shapes cover about
    /// the same area.
    pub(crate) fn outline(self) -> Vec<(f64, f64)> {
        match self {
            Self::Circle => ring(48, 1.0, 1.0, 0.0),
            Self::Square => ring(4, 1.22, 1.22, 0.125),
            Self::Diamond => ring(4, 1.3, 1.3, 0.0),
            Self::Up => ring(3, 1.4, 1.4, 0.0),
            Self::Down => ring(3, 1.4, 1.4, 0.5),
            Self::Plus => plus(0.0),
            Self::Cross => plus(0.125),
            Self::Star => ring(10, 1.5, 0.66, 0.0),
            Self::Pentagon => ring(5, 1.18, 1.18, 0.0),
        }
    }
}

/// `count` points around the origin, the first at `turn` turns from the top, their distance
/// alternating between two radii.
fn ring(count: usize, even: f64, odd: f64, turn: f64) -> Vec<(f64, f64)> {
    (0..count)
        .map(|index| {
            let angle = (index as f64 / count as f64 + turn) * std::f64::consts::TAU;
            let radius = if index % 2 == 0 { even } else { odd };
            (radius * angle.sin(), -radius * angle.cos())
        })
        .collect()
}

fn plus(turn: f64) -> Vec<(f64, f64)> {
    const LONG: f64 = 1.35;
    const HALF: f64 = 0.45;
    let (sin, cos) = (turn * std::f64::consts::TAU).sin_cos();
    let arm = [(-HALF, -LONG), (HALF, -LONG), (HALF, -HALF)];
    let quarter = |(x, y): (f64, f64), times: usize| (0..times).fold((x, y), |(x, y), _| (-y, x));
    (0..4)
        .flat_map(|side| arm.map(|point| quarter(point, side)))
        .map(|(x, y)| (x * cos - y * sin, x * sin + y * cos))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rerankers_all_look_different() {
        let looks: Vec<Look> = (0..64).map(reranker).collect();
        for (index, look) in looks.iter().enumerate() {
            assert!(!looks[..index].contains(look), "{index} repeats an earlier look");
        }
        for pair in looks[..8].windows(2) {
            assert!(pair[0].color != pair[1].color && pair[0].marker != pair[1].marker);
        }
    }
}
