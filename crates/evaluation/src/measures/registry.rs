use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::parameters::{Parameter, Settings, listed};
use super::{
    Ap, Bpref, Iprec, Judged, JudgedRanking, Measure, Ndcg, NumQueries, NumRelevant, NumRetrieved,
    Precision, Recall, RecallRounding, Rprec, Rr, SetAp, SetF, SetPrecision, SetRecall, Success,
};

/// A measure with its name as ir_measures writes it: `nDCG@10`, `RR`, `P(rel=2)@5`,
/// `nDCG(dcg='exp-log2')@10`, `IPrec@0.1`.
///
/// It parses what ir_measures parses, aliases (`MRR`, `MAP`) and spaces included, and prints the name
/// that ir_measures prints: defaults are left out, parameters stand in ir_measures' own order. Two
/// are equal when their names are.
///
/// With `judged_only=True` the measure sees the condensed list (see [`JudgedRanking::condensed`]).
#[derive(Clone)]
pub struct NamedMeasure {
    name: Arc<str>,
    cutoff: Option<usize>,
    summary: Summary,
    judged_only: bool,
    measure: Arc<dyn Measure>,
}

/// How the values of many queries become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summary {
    /// Their mean.
    Mean,
    /// Their sum: counts, which are not within 0 and 1.
    Sum,
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
    /// The measure is known, what stands in its parentheses is not right.
    #[error("measure '{name}' {problem}")]
    Parameter {
        /// What was written.
        name: String,
        /// What is wrong with its parameters, and what is allowed.
        problem: String,
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

    /// Whether its values are shares, whose mean is told, or counts, whose sum is.
    pub fn summary(&self) -> Summary {
        self.summary
    }
}

impl Measure for NamedMeasure {
    fn of(&self, joined: &JudgedRanking) -> f64 {
        match self.judged_only {
            true => self.measure.of(&joined.condensed()),
            false => self.measure.of(joined),
        }
    }
}

impl FromStr for NamedMeasure {
    type Err = MeasureError;

    fn from_str(written: &str) -> Result<Self, MeasureError> {
        let (call, at) = match written.rsplit_once('@') {
            Some((call, at)) => (call.trim(), Some(at.trim())),
            None => (written.trim(), None),
        };
        let (family, inside) = match call.strip_suffix(')').and_then(|call| call.split_once('(')) {
            Some((family, inside)) => (family.trim(), Some(inside)),
            None => (call, None),
        };
        let entry = REGISTRY
            .iter()
            .find(|entry| entry.family == family || entry.aliases.contains(&family))
            .ok_or_else(|| MeasureError::Unknown { name: written.to_owned() })?;
        let mut settings = Settings::default();
        if let Some((_, alias)) = PRESETS.iter().find(|(name, _)| *name == family) {
            alias(&mut settings);
        }
        settings.read(inside.unwrap_or_default(), entry.parameters).map_err(|problem| {
            let problem = format!("{problem}; {} takes {}", entry.family, takes(entry));
            MeasureError::Parameter { name: written.to_owned(), problem }
        })?;
        entry.at.read(at, &mut settings).map_err(|problem| {
            let name = written.to_owned();
            MeasureError::Cutoff { name, problem }
        })?;
        Ok(Self {
            name: entry.name(&settings).into(),
            cutoff: settings.cutoff,
            summary: entry.summary,
            judged_only: settings.judged_only,
            measure: (entry.make)(&settings),
        })
    }
}

impl fmt::Display for NamedMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

impl fmt::Debug for NamedMeasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamedMeasure({self})")
    }
}

impl PartialEq for NamedMeasure {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for NamedMeasure {}

/// One family of measures.
struct Entry {
    family: &'static str,
    /// Other names ir_measures has for it; it prints `family` for them too.
    aliases: &'static [&'static str],
    at: At,
    parameters: &'static [Parameter],
    summary: Summary,
    make: fn(&Settings) -> Arc<dyn Measure>,
}

/// What stands after `@`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Nothing,
    MayCut,
    Cut,
    Recall,
}

impl At {
    fn read(self, at: Option<&str>, settings: &mut Settings) -> Result<(), &'static str> {
        match (self, at) {
            (Self::Nothing | Self::MayCut, None) => {}
            (Self::Nothing, Some(_)) => return Err("takes no cutoff (nothing after '@')"),
            (Self::MayCut | Self::Cut, Some(digits)) => match digits.parse::<usize>() {
                // `parse` takes a leading plus and zeros, which would not print the same again.
                Ok(cutoff) if cutoff > 0 && cutoff.to_string() == digits => {
                    settings.cutoff = Some(cutoff);
                }
                _ => return Err("needs a whole number from 1 after '@'"),
            },
            (Self::Cut, None) => return Err("needs a cutoff ('@' and a number)"),
            (Self::Recall, Some(recall)) => match recall.parse::<f64>() {
                // Negative zero would print a sign.
                Ok(recall) if (0.0..=1.0).contains(&recall) => settings.recall = recall.abs(),
                _ => return Err("needs a recall from 0 to 1 after '@'"),
            },
            (Self::Recall, None) => return Err("needs a recall ('@' and a number from 0 to 1)"),
        }
        Ok(())
    }
}

impl Entry {
    fn name(&self, settings: &Settings) -> String {
        let written: Vec<String> =
            self.parameters.iter().filter_map(|parameter| parameter.written(settings)).collect();
        let mut name = self.family.to_owned();
        if !written.is_empty() {
            name += &format!("({})", written.join(","));
        }
        match (self.at, settings.cutoff) {
            (At::Recall, _) => name += &format!("@{:?}", settings.recall),
            (_, Some(cutoff)) => name += &format!("@{cutoff}"),
            (_, None) => {}
        }
        name
    }
}

/// An alias that sets a parameter.
type Preset = (&'static str, fn(&mut Settings));

const PRESETS: &[Preset] = &[
    ("NumRelRet", |settings| settings.rel = Some(1)),
    ("SetRelP", |settings| settings.relative = true),
];

const RANKED: &[Parameter] = &[Parameter::Rel, Parameter::JudgedOnly];

/// Parameters stand in the order of ir_measures' own definitions.
const REGISTRY: &[Entry] = &[
    Entry {
        family: "nDCG",
        aliases: &["NDCG"],
        at: At::MayCut,
        parameters: &[Parameter::Dcg, Parameter::JudgedOnly],
        summary: Summary::Mean,
        make: |s| Arc::new(Ndcg { cutoff: s.cutoff, gain: s.gain }),
    },
    Entry {
        family: "RR",
        aliases: &["MRR"],
        at: At::MayCut,
        parameters: RANKED,
        summary: Summary::Mean,
        make: |s| Arc::new(Rr { cutoff: s.cutoff, rel: s.rel() }),
    },
    Entry {
        family: "R",
        aliases: &["Recall"],
        at: At::Cut,
        parameters: RANKED,
        summary: Summary::Mean,
        make: |s| Arc::new(Recall { cutoff: s.depth(), rel: s.rel() }),
    },
    Entry {
        family: "AP",
        aliases: &["MAP"],
        at: At::MayCut,
        parameters: RANKED,
        summary: Summary::Mean,
        make: |s| Arc::new(Ap { cutoff: s.cutoff, rel: s.rel() }),
    },
    Entry {
        family: "P",
        aliases: &["Precision"],
        at: At::Cut,
        parameters: RANKED,
        summary: Summary::Mean,
        make: |s| Arc::new(Precision { cutoff: s.depth(), rel: s.rel() }),
    },
    Entry {
        family: "Success",
        aliases: &[],
        at: At::Cut,
        parameters: RANKED,
        summary: Summary::Mean,
        make: |s| Arc::new(Success { cutoff: s.depth(), rel: s.rel() }),
    },
    Entry {
        family: "Judged",
        aliases: &[],
        at: At::MayCut,
        parameters: &[],
        summary: Summary::Mean,
        make: |s| Arc::new(Judged { cutoff: s.cutoff }),
    },
    Entry {
        family: "Rprec",
        aliases: &["RPrec"],
        at: At::Nothing,
        parameters: RANKED,
        summary: Summary::Mean,
        make: |s| Arc::new(Rprec { rel: s.rel() }),
    },
    Entry {
        family: "Bpref",
        aliases: &["BPref"],
        at: At::Nothing,
        parameters: &[Parameter::Rel],
        summary: Summary::Mean,
        make: |s| Arc::new(Bpref { rel: s.rel() }),
    },
    Entry {
        family: "IPrec",
        aliases: &[],
        at: At::Recall,
        parameters: RANKED,
        summary: Summary::Mean,
        make: |s| {
            let rounding = RecallRounding::FromATenth;
            Arc::new(Iprec { recall: s.recall, rounding, rel: s.rel() })
        },
    },
    Entry {
        family: "SetP",
        aliases: &["SetRelP"],
        at: At::Nothing,
        parameters: &[Parameter::Rel, Parameter::Relative, Parameter::JudgedOnly],
        summary: Summary::Mean,
        make: |s| Arc::new(SetPrecision { rel: s.rel(), relative: s.relative }),
    },
    Entry {
        family: "SetR",
        aliases: &[],
        at: At::Nothing,
        parameters: &[Parameter::Rel],
        summary: Summary::Mean,
        make: |s| Arc::new(SetRecall { rel: s.rel() }),
    },
    Entry {
        family: "SetF",
        aliases: &[],
        at: At::Nothing,
        parameters: &[Parameter::Rel, Parameter::Beta, Parameter::JudgedOnly],
        summary: Summary::Mean,
        make: |s| Arc::new(SetF { rel: s.rel(), beta: s.beta }),
    },
    Entry {
        family: "SetAP",
        aliases: &[],
        at: At::Nothing,
        parameters: RANKED,
        summary: Summary::Mean,
        make: |s| Arc::new(SetAp { rel: s.rel() }),
    },
    Entry {
        family: "NumQ",
        aliases: &[],
        at: At::Nothing,
        parameters: &[],
        summary: Summary::Sum,
        make: |_| Arc::new(NumQueries),
    },
    Entry {
        family: "NumRet",
        aliases: &["NumRelRet"],
        at: At::Nothing,
        parameters: &[Parameter::OptionalRel],
        summary: Summary::Sum,
        make: |s| Arc::new(NumRetrieved { rel: s.rel }),
    },
    Entry {
        family: "NumRel",
        aliases: &[],
        at: At::Nothing,
        parameters: &[Parameter::Rel],
        summary: Summary::Sum,
        make: |s| Arc::new(NumRelevant { rel: s.rel() }),
    },
];

fn allowed() -> String {
    let names = REGISTRY.iter().map(|Entry { family, at, .. }| match at {
        At::MayCut => format!("{family}, {family}@k"),
        At::Cut => format!("{family}@k"),
        At::Recall => format!("{family}@recall"),
        At::Nothing => (*family).to_owned(),
    });
    let names: Vec<String> = names.collect();
    format!("{} (with parameters as in P(rel=2)@5)", names.join(", "))
}

fn takes(entry: &Entry) -> String {
    match entry.parameters {
        [] => "no parameters".to_owned(),
        parameters => listed(parameters),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(name: &str) -> String {
        name.parse::<NamedMeasure>().unwrap().to_string()
    }

    #[test]
    fn names_round_trip() {
        for name in [
            "nDCG",
            "nDCG@10",
            "nDCG(dcg='exp-log2')@10",
            "nDCG(dcg='exp-log2',judged_only=True)@10",
            "RR",
            "RR@10",
            "RR(judged_only=True)",
            "R@50",
            "AP",
            "AP@100",
            "AP(rel=2,judged_only=True)@100",
            "P@5",
            "P@1000",
            "P(rel=2)@5",
            "Success@1",
            "Judged",
            "Judged@10",
            "Rprec",
            "Bpref",
            "Bpref(rel=2)",
            "IPrec@0.0",
            "IPrec@0.1",
            "IPrec@1.0",
            "IPrec(rel=2)@0.25",
            "SetP",
            "SetP(relative=True)",
            "SetR(rel=3)",
            "SetF",
            "SetF(rel=2,beta=0.5)",
            "SetF(beta=2.0)",
            "SetAP",
            "NumQ",
            "NumRet",
            "NumRet(rel=1)",
            "NumRel",
            "NumRel(rel=2)",
        ] {
            assert_eq!(printed(name), name);
        }
    }

    #[test]
    fn other_spellings_print_as_in_ir_measures() {
        for (written, name) in [
            ("NumRelRet", "NumRet(rel=1)"),
            ("NumRelRet(rel=2)", "NumRet(rel=2)"),
            ("SetRelP", "SetP(relative=True)"),
            ("MRR@10", "RR@10"),
            ("MAP", "AP"),
            ("P( rel = 2 )@ 5", "P(rel=2)@5"),
            ("P(rel=1)@5", "P@5"),
            ("P()@5", "P@5"),
            ("nDCG(dcg=\"exp-log2\")@5", "nDCG(dcg='exp-log2')@5"),
            ("nDCG(dcg='log2')@5", "nDCG@5"),
            ("IPrec@0.10", "IPrec@0.1"),
            ("IPrec@1", "IPrec@1.0"),
            ("SetF(beta=2)", "SetF(beta=2.0)"),
            ("SetF(beta=1.0)", "SetF"),
            ("AP(judged_only=True,rel=2)", "AP(rel=2,judged_only=True)"),
            ("AP(judged_only=False)", "AP"),
        ] {
            assert_eq!(printed(written), name, "{written}");
        }
    }

    #[test]
    fn errors_list_what_is_allowed() {
        let message = |name: &str| name.parse::<NamedMeasure>().unwrap_err().to_string();
        assert_eq!(
            message("ndcg@10"),
            "no measure is called 'ndcg@10'; the allowed ones are nDCG, nDCG@k, RR, RR@k, R@k, AP, \
             AP@k, P@k, Success@k, Judged, Judged@k, Rprec, Bpref, IPrec@recall, SetP, SetR, SetF, \
             SetAP, NumQ, NumRet, NumRel (with parameters as in P(rel=2)@5)"
        );
        assert!(message("R").starts_with("measure 'R' needs a cutoff"));
        for cutoff in ["0", "-1", "+5", "05", "", "ten", "99999999999999999999999"] {
            assert!(message(&format!("P@{cutoff}")).contains("needs a whole number from 1"));
        }
        for recall in ["-0.1", "1.5", "nan", "", "x"] {
            assert!(message(&format!("IPrec@{recall}")).contains("needs a recall from 0 to 1"));
        }
        assert!(message("Rprec@5").contains("takes no cutoff"));
        assert_eq!(
            message("P(relevance=2)@5"),
            "measure 'P(relevance=2)@5' has no parameter 'relevance'; P takes rel (a whole number \
             from 1), judged_only (True or False)"
        );
        assert_eq!(
            message("nDCG(dcg='exp')@10"),
            "measure 'nDCG(dcg='exp')@10' has dcg='exp'; nDCG takes dcg ('log2' or 'exp-log2'), \
             judged_only (True or False)"
        );
        assert!(message("Judged(rel=2)@5").ends_with("Judged takes no parameters"));
        for rel in ["0", "-1", "1.5", "'2'", "", "99999999999"] {
            assert!(message(&format!("AP(rel={rel})")).contains(&format!("has rel={rel}")));
        }
        for beta in ["0", "-1", "inf", "nan"] {
            assert!(message(&format!("SetF(beta={beta})")).contains(&format!("has beta={beta}")));
        }
        assert!(message("AP(rel=1,rel=2)").contains("has rel twice"));
        assert!(message("AP(2)").contains("has '2' without a name"));
        for name in ["", "@", "@5", "()", "P(rel=2@5", "Prel=2)@5", "P(rel=2))@5"] {
            assert!(name.parse::<NamedMeasure>().is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_prints_a_name_that_parses_to_the_same(
            name in "(nDCG|AP|P|IPrec|SetF|NumRet|MRR|[A-Za-z@() ]{0,5})\\(?((rel|dcg|beta|judged_only|\
                x)= ?(1|2|0\\.5|'exp-log2'|True|.{0,3}),?){0,3}\\)?(@ ?[0-9.]{0,4})?",
        ) {
            if let Ok(measure) = name.parse::<NamedMeasure>() {
                let printed = measure.to_string();
                prop_assert_eq!(printed.parse::<NamedMeasure>().unwrap().to_string(), printed);
            }
        }
    }
}
