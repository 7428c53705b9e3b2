use secondpass_core::{FirstStage, FirstStageError, Query, Run};

use crate::{Fusion, FusionError};

/// A first stage made of several, whose candidates are fused.
pub struct Hybrid {
    fusion: Fusion,
    parts: Vec<HybridPart>,
}

/// One stage of a [`Hybrid`].
pub struct HybridPart {
    /// Finds its own candidates.
    pub stage: Box<dyn FirstStage>,
    /// How much it counts beside the others; 1 for as much.
    pub weight: f64,
    /// How many candidates it gives to the fusion, whatever is asked of the whole: with more, later
    /// places of one stage can meet in the other.
    pub depth: usize,
}

impl Hybrid {
    /// Fuses the candidates of `parts`.
    ///
    /// # Errors
    /// Fewer than two parts, weights or settings that cannot fuse.
    pub fn new(fusion: Fusion, parts: Vec<HybridPart>) -> Result<Self, FusionError> {
        fusion.check(&parts.iter().map(|part| part.weight).collect::<Vec<_>>())?;
        Ok(Self { fusion, parts })
    }
}

impl FirstStage for Hybrid {
    /// `hybrid rrf k=60 of [BM25 … weight=1 depth=100] [dense … weight=1 depth=100]`.
    fn describe(&self) -> String {
        let part = |part: &HybridPart| {
            let HybridPart { stage, weight, depth } = part;
            format!("[{} weight={weight} depth={depth}]", stage.describe())
        };
        let parts: Vec<String> = self.parts.iter().map(part).collect();
        format!("hybrid {} of {}", self.fusion, parts.join(" "))
    }

    fn retrieve(&self, queries: &[Query], depth: usize) -> Result<Run, FirstStageError> {
        let run = |part: &HybridPart| part.stage.retrieve(queries, part.depth);
        let runs: Vec<Run> = self.parts.iter().map(run).collect::<Result<_, _>>()?;
        let weighted: Vec<(&Run, f64)> =
            runs.iter().zip(&self.parts).map(|(run, part)| (run, part.weight)).collect();
        let fused = self.fusion.fuse(&weighted).map_err(|error| match error {
            FusionError::Ranking { query, source } => FirstStageError::Ranking { query, source },
            error => FirstStageError::Failed { source: error.into() },
        })?;
        Ok(Run { name: "hybrid".into(), rankings: fused.cut(depth).rankings })
    }
}

#[cfg(test)]
mod tests {
    use secondpass_core::{Corpus, Document};

    use super::*;
    use crate::{Analyzer, Bm25, Bm25Parameters};

    fn part(analyzer: Analyzer, depth: usize) -> HybridPart {
        let texts = ["reds", "red", "red reds tree"];
        let document = |(at, text): (usize, &&str)| Document {
            id: format!("d{at}").into(),
            title: String::new(),
            text: (*text).into(),
        };
        let corpus = Corpus::new(texts.iter().enumerate().map(document).collect()).unwrap();
        let stage = Bm25::with_analyzer(&corpus, Bm25Parameters::default(), analyzer).unwrap();
        HybridPart { stage: Box::new(stage), weight: 1.0, depth }
    }

    fn query(id: &str, text: &str) -> Query {
        Query { id: id.into(), text: text.into(), attributes: Default::default() }
    }

    #[test]
    fn each_part_gives_its_depth_and_the_whole_is_cut() {
        let parts = vec![part(Analyzer::English, 3), part(Analyzer::None, 1)];
        let hybrid = Hybrid::new(Fusion::default(), parts).unwrap();
        let run = hybrid.retrieve(&[query("q", "red"), query("r", "zebra")], 2).unwrap();
        // Only "red" itself is found by words, and at rank 2 of the stems: 1/61 + 1/62.
        let places = run.rankings["q"].ranked();
        assert_eq!((places.len(), places[0].document.as_str()), (2, "d1"));
        assert!(run.rankings["r"].is_empty());
        assert_eq!(
            hybrid.describe(),
            "hybrid rrf k=60 of [BM25 k1=0.9 b=0.4 english-porter title+text weight=1 depth=3] \
             [BM25 k1=0.9 b=0.4 words title+text weight=1 depth=1]"
        );
    }

    #[test]
    fn one_part_is_no_hybrid() {
        let error = Hybrid::new(Fusion::default(), vec![part(Analyzer::None, 9)]).err();
        assert_eq!(error, Some(FusionError::TooFew(1)));
    }
}
