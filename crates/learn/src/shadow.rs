//! A shadow: a model file that answers every row beside the live one and never trades.
use crate::answer::Answer;
use crate::bytes::{In, Out};
use crate::error::LearnError;
use crate::history::History;
use crate::network::Network;
use tickline_model::file::Loaded;

/// A shadow as the line declares it.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its name in the line file.
    pub name: String,
    /// Its model.
    pub loaded: Loaded,
}

/// What a shadow has of one instrument.
#[derive(Debug, Clone)]
struct Own {
    history: History,
    state: Vec<f32>,
}

/// A shadow at work.
#[derive(Debug, Clone)]
pub(crate) struct Shadow {
    pub(crate) name: String,
    pub(crate) loaded: Loaded,
    network: Network,
    /// Where its columns begin among a row's values.
    from: usize,
    /// They are the live model's, and no others of the row's.
    shares: bool,
    scaled: Vec<f32>,
    instruments: Vec<Own>,
}

impl Shadow {
    /// `from`: where its columns begin among a row's values.
    ///
    /// # Errors
    /// [`LearnError::Setting`] for a model that does not answer down, flat, up; [`LearnError::Model`].
    pub(crate) fn new(declared: Declared, instruments: usize, from: usize) -> Result<Shadow, LearnError> {
        let Declared { name, loaded } = declared;
        let plan = loaded.model.verify()?;
        if !loaded.model.architecture.classifies() || plan.outputs() != tickline_model::train::CLASSES.len() {
            let text = format!(
                "shadow {name:?}: model {:?} does not end in a softmax over down, flat, up",
                loaded.model.name
            );
            return Err(LearnError::Setting(text));
        }
        let network = Network::new(&plan)?;
        let (columns, window) = (loaded.model.contract.names.len(), loaded.model.contract.window);
        let own = Own { history: History::new(columns, window), state: vec![0.0; network.state()] };
        let (scaled, instruments) = (vec![0.0; columns], vec![own; instruments]);
        Ok(Shadow { name, loaded, network, from, shares: false, scaled, instruments })
    }

    /// One that takes the live model's own columns.
    ///
    /// # Errors
    /// As [`Shadow::new`]'s.
    pub(crate) fn sharing(declared: Declared, instruments: usize) -> Result<Shadow, LearnError> {
        Ok(Shadow { shares: true, ..Shadow::new(declared, instruments, 0)? })
    }

    /// Columns that it adds to a row's values.
    pub(crate) fn columns(&self) -> usize {
        if self.shares { 0 } else { self.scaled.len() }
    }

    /// State of a stateful network in one instrument's stream; empty for others.
    pub(crate) fn state(&self, instrument: usize) -> &[f32] {
        self.instruments.get(instrument).map_or(&[], |own| &own.state)
    }

    /// Another model of the same architecture and columns answers in its place. It has seen no row: a stateful one begins with nothing.
    pub(crate) fn replace(&mut self, loaded: Loaded) {
        self.loaded = loaded;
        self.instruments.iter_mut().for_each(|own| own.state.fill(0.0));
    }

    /// Answers a row; none where its columns are no numbers or its window is not full.
    pub(crate) fn answer(&mut self, instrument: usize, values: &[f32]) -> Answer {
        let own = values.get(self.from..self.from + self.scaled.len());
        let Some((values, instrument)) = own.zip(self.instruments.get_mut(instrument)) else {
            return Answer::NONE;
        };
        if !values.iter().all(|value| value.is_finite()) {
            return Answer::NONE;
        }
        let model = &self.loaded.model;
        self.scaled.copy_from_slice(values);
        model.contract.scale_rows(&mut self.scaled);
        let place = instrument.history.push(&self.scaled);
        let Some(input) = instrument.history.span(place, model.contract.window) else { return Answer::NONE };
        self.network.answer(&model.parameters, input, &mut instrument.state)
    }

    /// Forgets an instrument's rows: those before and after are not of one stream.
    pub(crate) fn reset(&mut self, instrument: usize) {
        if let Some(own) = self.instruments.get_mut(instrument) {
            own.history.reset();
            own.state.fill(0.0);
        }
    }

    pub(crate) fn save(&self, out: &mut Out) {
        for own in &self.instruments {
            own.history.save(out);
            out.floats(&own.state);
        }
    }

    pub(crate) fn load(&mut self, from: &mut In<'_>) -> Option<()> {
        self.instruments.iter_mut().try_for_each(|own| {
            own.history.load(from)?;
            from.fill_floats(&mut own.state)
        })
    }
}
