//! What may stand in the parentheses of a measure's name.

use secondpass_core::Grade;

use super::ndcg::Gain;

/// Everything that a name can say beside its family.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub cutoff: Option<usize>,
    pub recall: f64,
    /// `None` where it was not written.
    pub rel: Option<Grade>,
    pub gain: Gain,
    pub judged_only: bool,
    pub relative: bool,
    pub beta: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cutoff: None,
            recall: 0.0,
            rel: None,
            gain: Gain::Linear,
            judged_only: false,
            relative: false,
            beta: 1.0,
        }
    }
}

impl Settings {
    /// The lowest grade that is relevant.
    pub(super) fn rel(&self) -> Grade {
        self.rel.unwrap_or(1)
    }

    /// The cutoff of a family that must have one.
    pub(super) fn depth(&self) -> usize {
        self.cutoff.unwrap_or(usize::MAX)
    }

    /// Reads `name=value` pairs between commas; says what is wrong.
    pub(super) fn read(&mut self, inside: &str, known: &[Parameter]) -> Result<(), String> {
        let mut seen = Vec::new();
        for pair in inside.split(',').map(str::trim).filter(|_| !inside.trim().is_empty()) {
            let (name, value) =
                pair.split_once('=').ok_or_else(|| format!("has '{pair}' without a name"))?;
            let (name, value) = (name.trim(), value.trim());
            let parameter = known
                .iter()
                .find(|parameter| parameter.name() == name)
                .ok_or_else(|| format!("has no parameter '{name}'"))?;
            if seen.contains(&name) {
                return Err(format!("has {name} twice"));
            }
            seen.push(name);
            parameter.set(self, value).ok_or_else(|| format!("has {name}={value}"))?;
        }
        Ok(())
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parameter {
    /// The lowest relevant grade, 1 by default.
    Rel,
    /// The lowest relevant grade, any document by default.
    OptionalRel,
    Dcg,
    JudgedOnly,
    Relative,
    Beta,
}

impl Parameter {
    fn name(self) -> &'static str {
        match self {
            Self::Rel | Self::OptionalRel => "rel",
            Self::Dcg => "dcg",
            Self::JudgedOnly => "judged_only",
            Self::Relative => "relative",
            Self::Beta => "beta",
        }
    }

    fn allowed(self) -> &'static str {
        match self {
            Self::Rel | Self::OptionalRel => "a whole number from 1",
            Self::Dcg => "'log2' or 'exp-log2'",
            Self::JudgedOnly | Self::Relative => "True or False",
            Self::Beta => "a number above 0",
        }
    }

    fn set(self, settings: &mut Settings, value: &str) -> Option<()> {
        match self {
            Self::Rel | Self::OptionalRel => {
                let rel = value.parse().ok().filter(|&rel: &Grade| rel >= 1)?;
                settings.rel = Some(rel);
            }
            Self::Dcg => {
                settings.gain = match unquoted(value)? {
                    "log2" => Gain::Linear,
                    "exp-log2" => Gain::Exponential,
                    _ => return None,
                }
            }
            Self::JudgedOnly => settings.judged_only = flag(value)?,
            Self::Relative => settings.relative = flag(value)?,
            Self::Beta => {
                let beta = value.parse().ok().filter(|&b: &f64| b.is_finite() && b > 0.0)?;
                settings.beta = beta;
            }
        }
        Some(())
    }

    /// How it is printed; `None` where it stands at its default.
    pub(super) fn written(self, settings: &Settings) -> Option<String> {
        let value = match self {
            Self::Rel => settings.rel.filter(|&rel| rel != 1)?.to_string(),
            Self::OptionalRel => settings.rel?.to_string(),
            Self::Dcg => (settings.gain == Gain::Exponential).then(|| "'exp-log2'".to_owned())?,
            Self::JudgedOnly => settings.judged_only.then(|| "True".to_owned())?,
            Self::Relative => settings.relative.then(|| "True".to_owned())?,
            Self::Beta => (settings.beta != 1.0).then(|| format!("{:?}", settings.beta))?,
        };
        Some(format!("{}={value}", self.name()))
    }
}

/// The parameters with what each allows.
pub(super) fn listed(parameters: &[Parameter]) -> String {
    let each = parameters.iter().map(|one| format!("{} ({})", one.name(), one.allowed()));
    each.collect::<Vec<_>>().join(", ")
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

fn unquoted(value: &str) -> Option<&str> {
    let within = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    within('\'').or_else(|| within('"'))
}
