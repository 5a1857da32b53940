// @hot
//! A network that only answers, one row at a time: for the running evaluation.
use crate::answer::Answer;
use tickline_model::train::Net;
use tickline_model::{ModelError, Plan};

/// A network with room for one input.
#[derive(Debug, Clone)]
pub(crate) struct Network(Net<f32>);

impl Network {
    pub(crate) fn new(plan: &Plan) -> Result<Network, ModelError> {
        Ok(Network(Net::new(plan, 1, 1)?))
    }

    /// Numbers of the state that it carries.
    pub(crate) fn state(&self) -> usize {
        if self.0.plan().architecture().stateful { self.0.state().len() } else { 0 }
    }

    /// The probabilities that a network without a state answers one input with.
    pub(crate) fn probabilities(&mut self, parameters: &[f32], input: &[f32]) -> &[f32] {
        let outputs = self.0.plan().output().features();
        let answer = self.0.forward(parameters, input, None);
        &answer[answer.len().saturating_sub(outputs)..]
    }

    /// The answer to one input. `state` is taken up and put back.
    pub(crate) fn answer(&mut self, parameters: &[f32], input: &[f32], state: &mut [f32]) -> Answer {
        if !state.is_empty() {
            self.0.set_state(state);
        }
        let outputs = self.0.plan().output().features();
        let answer = self.0.forward(parameters, input, None);
        let answer = Answer::of(&answer[answer.len().saturating_sub(outputs)..]);
        if !state.is_empty() {
            state.copy_from_slice(self.0.state());
        }
        answer
    }
}
