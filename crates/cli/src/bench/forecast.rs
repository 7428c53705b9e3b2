use anyhow::Result;
use secondpass_core::Quote;
use secondpass_evaluation::{BenchSpec, Forecast};

use super::timed::{Source, Timed};

/// Probes that a search takes, usually: brackets by doubling, then halves.
const PROBES: usize = 8;
/// Queries that stand for all of a cell.
const SAMPLE: usize = 20;

/// What those that bill will be asked for: each cell's queries with two windows of warming up, and a
/// search's probes. The most is a warm-up that never settles and a search whose probes all repeat.
pub fn forecasts(
    timed: &[Timed<'_>],
    spec: &BenchSpec,
    source: Source<'_>,
) -> Result<Vec<Forecast>> {
    let mut all = Vec::new();
    for timed in timed {
        let Some(tariff) = timed.reranker.tariff() else { continue };
        let (mut queries, mut quote) = (0, Quote::default());
        let mut add = |likely: usize, most: usize, mean: Quote| {
            queries += likely;
            quote.units = quote.units.saturating_add(mean.units.saturating_mul(likely as u64));
            quote.most = quote.most.saturating_add(mean.most.saturating_mul(most as u64));
        };
        for (number, cell) in timed.cells.iter().enumerate() {
            let work = timed.workload(source, cell, spec.queries)?;
            let jobs = work.jobs.iter().take(SAMPLE);
            // The dearest of some, so that nobody is told too little.
            let quotes = jobs.filter_map(|job| timed.reranker.quote(job));
            let dearest = quotes.fold(Quote::default(), |sum, quote| Quote {
                units: sum.units.max(quote.units),
                most: sum.most.max(quote.most),
            });
            let (likely, most) = (2 * spec.warm_up.window, spec.warm_up.at_most);
            add(likely + spec.queries, most + spec.queries, dearest);
            if let (0, Some(find)) = (number, spec.find_rate) {
                let search = find.search(1.0, 1, 0);
                let most = search.probes * search.queries * (search.repeats + 1);
                add(PROBES.min(search.probes) * search.queries, most, dearest);
            }
        }
        all.push(Forecast {
            system: timed.name.to_owned(),
            tariff: tariff.clone(),
            queries,
            units: quote.units,
            most_units: quote.most,
            usd: tariff.cost(quote.units),
            most_usd: tariff.cost(quote.most),
            spent_usd: 0.0,
        });
    }
    Ok(all)
}
