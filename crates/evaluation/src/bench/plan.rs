use std::fmt;

use serde::{Deserialize, Serialize};

use super::jobs::DocumentLength;
use super::load::{Arrivals, Load};
use crate::plural::counted;

/// Candidates a query, unless something else is asked for.
pub const CANDIDATES: usize = 50;

/// One combination of settings that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Candidates a query.
    pub candidates: usize,
    /// How long their documents are.
    pub length: DocumentLength,
    /// Tokens a batch of the reranker may hold; `None` for its own choice.
    pub batch_tokens: Option<usize>,
    /// How queries arrive.
    pub load: Load,
}

/// What is varied. An empty list leaves the base's value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Candidates a query.
    pub candidates: Vec<usize>,
    /// Lengths of documents.
    pub lengths: Vec<DocumentLength>,
    /// Batch budgets in tokens.
    pub batch_tokens: Vec<usize>,
    /// Loads.
    pub loads: Vec<Load>,
    /// Every combination, instead of one setting after the other.
    pub crossed: bool,
}

impl Default for Cell {
    /// 50 candidates as they are, one client after the other.
    fn default() -> Self {
        Self {
            candidates: CANDIDATES,
            length: DocumentLength::Own,
            batch_tokens: None,
            load: Load::Closed { clients: 1 },
        }
    }
}

impl fmt::Display for Cell {
    /// `50 candidates, own length, 1 client, batches of 4096 tokens`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let candidates = counted(self.candidates, "candidate", "candidates");
        write!(f, "{candidates}, {}, {}", self.length, self.load)?;
        match self.batch_tokens {
            Some(tokens) => write!(f, ", batches of {}", counted(tokens, "token", "tokens")),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DocumentLength {
    /// `own length`, `128 tokens`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own length"),
            Self::Tokens(tokens) => f.write_str(&counted(*tokens, "token", "tokens")),
        }
    }
}

impl fmt::Display for Load {
    /// `4 clients`, `2.5 a second (Poisson)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Closed { clients } => f.write_str(&counted(clients, "client", "clients")),
            Self::Open { rate, arrivals: Arrivals::Constant, .. } => {
                write!(f, "{rate} a second (constant)")
            }
            Self::Open { rate, .. } => write!(f, "{rate} a second (Poisson)"),
        }
    }
}

impl Sweep {
    /// The cells to measure, each once, the base first.
    pub fn cells(&self, base: Cell) -> Vec<Cell> {
        let changes: [Vec<Change>; 4] = [
            self.candidates.iter().map(|&value| Change::Candidates(value)).collect(),
            self.lengths.iter().map(|&value| Change::Length(value)).collect(),
            self.batch_tokens.iter().map(|&value| Change::Batch(value)).collect(),
            self.loads.iter().map(|&value| Change::Load(value)).collect(),
        ];
        let mut cells = vec![base];
        for changes in &changes {
            let from = if self.crossed { cells.clone() } else { vec![base] };
            for cell in from {
                cells.extend(changes.iter().map(|change| change.of(cell)));
            }
        }
        let mut once: Vec<Cell> = Vec::new();
        for cell in cells {
            if !once.contains(&cell) {
                once.push(cell);
            }
        }
        once
    }
}

enum Change {
    Candidates(usize),
    Length(DocumentLength),
    Batch(usize),
    Load(Load),
}

impl Change {
    fn of(&self, cell: Cell) -> Cell {
        match *self {
            Self::Candidates(candidates) => Cell { candidates, ..cell },
            Self::Length(length) => Cell { length, ..cell },
            Self::Batch(tokens) => Cell { batch_tokens: Some(tokens), ..cell },
            Self::Load(load) => Cell { load, ..cell },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep() -> Sweep {
        Sweep {
            candidates: vec![10, 50, 200],
            lengths: vec![DocumentLength::Tokens(64), DocumentLength::Own],
            loads: [1, 4].map(|clients| Load::Closed { clients }).to_vec(),
            ..Sweep::default()
        }
    }

    #[test]
    fn one_setting_after_the_other() {
        let cells = sweep().cells(Cell::default());
        assert_eq!(cells.len(), 5);
        assert_eq!(cells[0], Cell::default());
        let candidates: Vec<usize> = cells.iter().map(|cell| cell.candidates).collect();
        assert_eq!(candidates, [50, 10, 200, 50, 50]);
        assert_eq!(cells[3].length, DocumentLength::Tokens(64));
        assert_eq!(cells[4].load, Load::Closed { clients: 4 });
        assert_eq!(Sweep::default().cells(Cell::default()), [Cell::default()]);
    }

    #[test]
    fn every_combination_once() {
        let crossed = Sweep { crossed: true, batch_tokens: vec![4096], ..sweep() };
        let cells = crossed.cells(Cell::default());
        assert_eq!(cells.len(), 3 * 2 * 2 * 2);
        assert!(cells.iter().enumerate().all(|(place, cell)| !cells[..place].contains(cell)));
    }

    #[test]
    fn a_cell_is_told_in_a_line() {
        let open = Load::Open { rate: 2.5, arrivals: Arrivals::Poisson { seed: 1 }, workers: 3 };
        let cell = Cell { candidates: 1, batch_tokens: Some(64), load: open, ..Cell::default() };
        let told = "1 candidate, own length, 2.5 a second (Poisson), batches of 64 tokens";
        assert_eq!(cell.to_string(), told);
        assert_eq!(Cell::default().to_string(), "50 candidates, own length, 1 client");
    }

    #[test]
    fn a_cell_is_read_back_as_it_was_written() {
        for cell in sweep().cells(Cell::default()) {
            let text = serde_json::to_string(&cell).unwrap();
            assert_eq!(serde_json::from_str::<Cell>(&text).unwrap(), cell, "{text}");
        }
    }
}
