use secondpass_core::ContentHash;

use super::Settings;
use super::moment::Moment;

/// Lines that stay together.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    /// Their places.
    pub lines: Vec<usize>,
    /// The first of their queries by the alphabet.
    pub name: String,
    /// The time of the youngest.
    pub latest: Option<Moment>,
}

/// The part of each cluster. By time, parts follow each other, so that no line of a part is younger
/// than the youngest of each later cluster: a line that belongs to a younger one goes with it.
/// Otherwise clusters come in an order drawn by the seed, each to the part that lacks most.
pub(super) fn assigned(clusters: &[Cluster], settings: &Settings) -> Vec<usize> {
    let lines: usize = clusters.iter().map(|cluster| cluster.lines.len()).sum();
    let shares: f64 = settings.parts.iter().map(|(_, share)| share).sum();
    let wanted: Vec<f64> =
        settings.parts.iter().map(|(_, share)| share / shares * lines as f64).collect();
    let mut order: Vec<usize> = (0..clusters.len()).collect();
    let drawn = |cluster: &Cluster| {
        ContentHash::of(format!("{} {}", settings.seed, cluster.name).as_bytes())
    };
    order.sort_by_cached_key(|&place| (clusters[place].latest, drawn(&clusters[place])));
    let mut parts = vec![0; clusters.len()];
    let mut given = vec![0.0; wanted.len()];
    if settings.by_time.is_some() {
        let ends: Vec<f64> = wanted
            .iter()
            .scan(0.0, |sum, wanted| {
                *sum += wanted;
                Some(*sum)
            })
            .collect();
        let mut before = 0.0;
        for place in order {
            let size = clusters[place].lines.len() as f64;
            // Where its middle falls.
            let middle = before + size / 2.0;
            let part = ends.iter().position(|&end| middle < end);
            parts[place] = part.unwrap_or(wanted.len() - 1);
            before += size;
        }
        return parts;
    }
    for place in order {
        let lack = |part: &usize| wanted[*part] - given[*part];
        let part = (0..wanted.len()).max_by(|a, b| lack(a).total_cmp(&lack(b)).then(b.cmp(a)));
        parts[place] = part.unwrap_or(0);
        given[parts[place]] += clusters[place].lines.len() as f64;
    }
    parts
}
