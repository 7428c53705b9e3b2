use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{Ap, Judged, JudgedRanking, Measure, Ndcg, Precision, Recall, Rr, Success};

/// A measure with its name as ir_measures writes it: `nDCG@10`, `RR`, `R@50`. Parses and prints the
/// same name; two are equal when their names are.
#[derive(Clone)]
pub struct NamedMeasure {
    family: &'static str,
    cutoff: Option<usize>,
    measure: Arc<dyn Measure>,
}

/// Why a text names no measure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError {
    /// No measure of this name.
    #[error("no measure is called '{name}'; the allowed ones are {}", allowed())]
    Unknown {
        /// What was written.
        name: String,
    },
    /// The measure is known, its cutoff is not right.
    #[error("measure '{name}' {problem}; the allowed ones are {}", allowed())]
    Cutoff {
        /// What was written.
        name: String,
        /// What is wrong with its cutoff.
        problem: &'static str,
    },
}

impl NamedMeasure {
    /// The names there are, `@k` standing for a cutoff.
    pub fn allowed() -> String {
        allowed()
    }

    /// The ranks that count; `None` for all.
    pub fn cutoff(&self) -> Option<usize> {
        self.cutoff
    }
}

impl Measure for NamedMeasure {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        self.measure.of(joined)
    }
}

impl FromStr for NamedMeasure {
    type Err = MeasureError;

    fn from_str(name: &str) -> Result<Self, MeasureError> {
        let cutoff_error = |problem| MeasureError::Cutoff { name: name.to_owned(), problem };
        let (family, cutoff) = match name.split_once('@') {
            Some((family, cutoff)) => (family, Some(cutoff)),
            None => (name, None),
        };
        let entry = REGISTRY
            .iter()
            .find(|entry| entry.family == family)
            .ok_or_else(|| MeasureError::Unknown { name: name.to_owned() })?;
        let cutoff = match cutoff {
            None => None,
            Some(digits) => match digits.parse::<usize>() {
                // `parse` takes a leading plus and zeros, which would not print the same again.
                Ok(cutoff) if cutoff > 0 && cutoff.to_string() == digits => Some(cutoff),
                _ => return Err(cutoff_error("needs a whole number from 1 after '@'")),
            },
        };
        let measure = match (entry.make, cutoff) {
            (Make::MayCut(make), cutoff) => make(cutoff),
            (Make::Cut(make), Some(cutoff)) => make(cutoff),
            (Make::Cut(_), None) => return Err(cutoff_error("needs a cutoff ('@' and a number)")),
        };
        Ok(Self { family: entry.family, cutoff, measure })
    }
}

impl fmt::Display for NamedMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cutoff {
            Some(cutoff) => f.pad(&format!("{}@{cutoff}", self.family)),
            None => f.pad(self.family),
        }
    }
}

impl fmt::Debug for NamedMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedMeasure({self})")
    }
}

impl PartialEq for NamedMeasure {
    fn eq(&self, other: &Self) -> bool {
        (self.family, self.cutoff) == (other.family, other.cutoff)
    }
}

impl Eq for NamedMeasure {}

struct Entry {
    family: &'static str,
    make: Make,
}

#[derive(Clone, Copy)]
enum Make {
    MayCut(fn(Option<usize>) -> Arc<dyn Measure>),
    Cut(fn(usize) -> Arc<dyn Measure>),
}

const REGISTRY: &[Entry] = &[
    Entry { family: "nDCG", make: Make::MayCut(|cutoff| Arc::new(Ndcg { cutoff })) },
    Entry { family: "RR", make: Make::MayCut(|cutoff| Arc::new(Rr { cutoff })) },
    Entry { family: "R", make: Make::Cut(|cutoff| Arc::new(Recall { cutoff })) },
    Entry { family: "AP", make: Make::MayCut(|cutoff| Arc::new(Ap { cutoff })) },
    Entry { family: "P", make: Make::Cut(|cutoff| Arc::new(Precision { cutoff })) },
    Entry { family: "Success", make: Make::Cut(|cutoff| Arc::new(Success { cutoff })) },
    Entry { family: "Judged", make: Make::Cut(|cutoff| Arc::new(Judged { cutoff })) },
];

fn allowed() -> String {
    let names = REGISTRY.iter().map(|Entry { family, make }| match make {
        Make::MayCut(_) => format!("{family}, {family}@k"),
        Make::Cut(_) => format!("{family}@k"),
    });
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in [
            "nDCG",
            "nDCG@10",
            "RR",
            "RR@10",
            "R@50",
            "AP",
            "AP@100",
            "P@5",
            "Success@1",
            "Judged@10",
        ] {
            assert_eq!(name.parse::<NamedMeasure>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn errors_list_what_is_allowed() {
        let message = |name: &str| name.parse::<NamedMeasure>().unwrap_err().to_string();
        assert_eq!(
            message("ndcg@10"),
            "no measure is called 'ndcg@10'; the allowed ones are nDCG, nDCG@k, RR, RR@k, R@k, AP, \
             AP@k, P@k, Success@k, Judged@k"
        );
        assert!(message("R").starts_with("measure 'R' needs a cutoff"));
        for cutoff in ["0", "-1", "+5", "05", "", "ten", "99999999999999999999999"] {
            assert!(message(&format!("P@{cutoff}")).contains("needs a whole number from 1"));
        }
    }
}
