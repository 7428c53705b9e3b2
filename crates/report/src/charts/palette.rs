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

/// The ground of charts on a dark page.
const DARK_GROUND: RGBColor = RGBColor(0x1b, 0x1e, 0x22);

/// Each colour that charts are drawn in, and the one that stands for it on a dark page.
pub(crate) fn dark() -> Vec<(RGBColor, RGBColor)> {
    let mut pairs = vec![
        (RGBColor(0xff, 0xff, 0xff), DARK_GROUND),
        (INK, RGBColor(0xe4, 0xe7, 0xea)),
        (SOFT, RGBColor(0xb0, 0xb6, 0xbd)),
        (GRID, RGBColor(0x35, 0x3a, 0x40)),
        (BASELINE, RGBColor(0x9a, 0xa1, 0xa8)),
        (tint(BASELINE, WHITE), tint(RGBColor(0x9a, 0xa1, 0xa8), DARK_GROUND)),
        (tint(SOFT, WHITE), tint(RGBColor(0xb0, 0xb6, 0xbd), DARK_GROUND)),
    ];
    for color in COLORS {
        let line = Look { color, marker: Marker::Circle }.line();
        let lit = lightened(color);
        pairs.extend([(color, lit), (tint(color, WHITE), tint(lit, DARK_GROUND))]);
        if line != color {
            pairs.push((line, lit));
        }
    }
    pairs
}

/// A third of a colour on a ground, opaque.
pub(crate) fn tint(color: RGBColor, ground: RGBColor) -> RGBColor {
    let mixed = |part: u8, ground: u8| ((u32::from(part) + 2 * u32::from(ground)) / 3) as u8;
    RGBColor(mixed(color.0, ground.0), mixed(color.1, ground.1), mixed(color.2, ground.2))
}

/// White, which charts are drawn on.
pub(crate) const WHITE: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// The colour, mixed with white until it stands out from a dark ground: shapes need 3 to 1 (WCAG 2.1,
/// 1.4.11).
fn lightened(color: RGBColor) -> RGBColor {
    let mixed = |part: u8, share: u32| ((u32::from(part) * (20 - share) + 255 * share) / 20) as u8;
    let steps = (0..=20).map(|n| RGBColor(mixed(color.0, n), mixed(color.1, n), mixed(color.2, n)));
    let stands_out = |color: &RGBColor| contrast(*color, DARK_GROUND) >= 3.6;
    steps.into_iter().find(stands_out).unwrap_or(WHITE)
}

/// The contrast of two colours, 1 to 21 (WCAG 2.1, "contrast ratio").
pub(crate) fn contrast(a: RGBColor, b: RGBColor) -> f64 {
    let luminance = |RGBColor(red, green, blue): RGBColor| {
        let linear = |part: u8| match f64::from(part) / 255.0 {
            low if low <= 0.040_45 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    };
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    f64::max(a, b) / f64::min(a, b)
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
    fn letters_and_shapes_stand_out_on_both_grounds() {
        assert!((contrast(WHITE, RGBColor(0, 0, 0)) - 21.0).abs() < 1e-9);
        // #777 on white is the well-known near miss.
        assert!((contrast(WHITE, RGBColor(0x77, 0x77, 0x77)) - 4.478).abs() < 0.001);
        let dark = dark();
        let of = |light: RGBColor| dark.iter().find(|(from, _)| *from == light).unwrap().1;
        for text in [INK, SOFT] {
            assert!(contrast(text, WHITE) >= 4.5, "{text:?}");
            assert!(contrast(of(text), DARK_GROUND) >= 4.5, "{text:?}");
        }
        for color in COLORS {
            // On white, light colours are edged in ink, or drawn as darker lines.
            assert!(contrast(of(color), DARK_GROUND) >= 3.0, "{color:?}");
        }
        for (index, (light, _)) in dark.iter().enumerate() {
            assert!(dark[..index].iter().all(|(other, _)| other != light), "{light:?} twice");
        }
    }

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
