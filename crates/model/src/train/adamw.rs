use burn::tensor::Tensor;
use secondpass_text::Rates;

use crate::weights::Kind;

/// A gradient, or a moment of one, of any parameter.
#[derive(Clone)]
pub(crate) enum Values {
    Matrix(Tensor<2>),
    Vector(Tensor<1>),
}

/// AdamW with PyTorch's order of operations.
#[derive(Default)]
pub(crate) struct AdamW {
    steps: i32,
    /// First and second moment of each parameter, in the network's order.
    moments: Vec<Option<(Values, Values)>>,
}

impl AdamW {
    /// Begins a step over this many parameters.
    pub fn begin(&mut self, parameters: usize) {
        self.steps += 1;
        self.moments.resize(parameters, None);
    }

    /// As it was after `steps` steps with these moments.
    pub fn restored(steps: u32, moments: Vec<Option<(Values, Values)>>) -> Self {
        Self { steps: i32::try_from(steps).unwrap_or(i32::MAX), moments }
    }

    /// Steps made.
    pub fn steps(&self) -> u32 {
        self.steps.unsigned_abs()
    }

    /// First and second moment of a parameter that had a step.
    pub fn moments(&self, index: usize) -> Option<&(Values, Values)> {
        self.moments.get(index)?.as_ref()
    }

    /// The parameter after this step.
    pub fn matrix(
        &mut self,
        index: usize,
        kind: Kind,
        parameter: Tensor<2>,
        gradient: Tensor<2>,
        rates: &Rates,
    ) -> Tensor<2> {
        let moments = match self.moments[index].take() {
            Some((Values::Matrix(first), Values::Matrix(second))) => Some((first, second)),
            _ => None,
        };
        let (parameter, first, second) = self.step(kind, parameter, gradient, moments, rates);
        self.moments[index] = Some((Values::Matrix(first), Values::Matrix(second)));
        parameter
    }

    /// As [`AdamW::matrix`].
    pub fn vector(
        &mut self,
        index: usize,
        kind: Kind,
        parameter: Tensor<1>,
        gradient: Tensor<1>,
        rates: &Rates,
    ) -> Tensor<1> {
        let moments = match self.moments[index].take() {
            Some((Values::Vector(first), Values::Vector(second))) => Some((first, second)),
            _ => None,
        };
        let (parameter, first, second) = self.step(kind, parameter, gradient, moments, rates);
        self.moments[index] = Some((Values::Vector(first), Values::Vector(second)));
        parameter
    }

    fn step<const D: usize>(
        &self,
        kind: Kind,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        moments: Option<(Tensor<D>, Tensor<D>)>,
        rates: &Rates,
    ) -> (Tensor<D>, Tensor<D>, Tensor<D>) {
        let secondpass_text::AdamW { beta_1, beta_2, epsilon } = rates.adamw;
        let square = gradient.clone() * gradient.clone();
        let (first, second) = match moments {
            Some((first, second)) => (
                first * beta_1 + gradient * (1.0 - beta_1),
                second * beta_2 + square * (1.0 - beta_2),
            ),
            None => (gradient * (1.0 - beta_1), square * (1.0 - beta_2)),
        };
        let correction_1 = 1.0 - beta_1.powi(self.steps);
        let correction_2 = 1.0 - beta_2.powi(self.steps);
        let denominator = second.clone().sqrt() / correction_2.sqrt() + epsilon;
        let step = first.clone() / denominator * (rates.learning_rate / correction_1);
        let kept = match kind {
            Kind::Embedding | Kind::Projection => {
                parameter * (1.0 - rates.learning_rate * rates.weight_decay)
            }
            Kind::Bias | Kind::Scale | Kind::Shift => parameter,
        };
        (kept - step, first, second)
    }
}
