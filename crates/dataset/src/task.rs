//! One question asked of a market: columns, label, stretch of time.
use crate::columns::{COLUMNS, Columns, column, value_of};
use crate::error::DataError;
use crate::label::{Labelling, class};
use crate::market::{Market, Stock};
use crate::mirror::mirror;
use tickline_model::Contract;
use tickline_model::train::{CLASSES, Dice, NO_CLASS, Rows, Targets};

/// Fewest rows of a part of which something is wanted; below this nothing can be learned or shown.
const ROWS_MIN: usize = 500;
/// Rows before a test part that a model sees without being asked: a window's history, a stateful model's memory.
const CONTEXT: usize = 1000;

/// A stretch of time by shares of all rows, 0 to 1: trains on `from..cut`, tests on `cut..to`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cut {
    /// Where training begins.
    pub from: f64,
    /// Where training ends and the test begins.
    pub cut: f64,
    /// Where the test ends.
    pub to: f64,
    /// Share of the training part, 0 to below 1, that is held out at its end: not trained on, it says when to stop ([`crate::Fitting`]).
    pub held: f64,
}

/// What is wanted of each row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wanted {
    /// The direction of the mid; `flat_share` of the training part's moves are flat.
    Direction {
        /// What a move is.
        labelling: Labelling,
        /// 0 to 1.
        flat_share: f64,
    },
    /// The row itself, as an autoencoder gives it.
    Itself,
}

impl Wanted {
    fn horizon(self) -> usize {
        match self {
            Wanted::Direction { labelling, .. } => labelling.horizon,
            Wanted::Itself => 0,
        }
    }
}

/// Training and test rows, scaled, with all that was taken from the training part.
#[derive(Debug, Clone)]
pub struct Task {
    /// Columns and scaling; its window is 1.
    pub contract: Contract,
    /// Rows trained on. None of them, nor any label of them, has seen the test part.
    pub train: Rows,
    /// Rows of the training part that are held out at its end, after some that are only context; no label of `train` has seen them.
    pub held: Option<Rows>,
    /// Rows tested on, after some that are only context.
    pub test: Rows,
    /// The test rows unscaled, as the line gives them to a model.
    pub test_raw: Vec<f32>,
    /// The persistence forecast of each test row.
    pub persistence: Vec<u8>,
    /// Event of its stock that each test row is: events without a row count as well.
    pub events: Vec<usize>,
    /// Events after its own with which the label of a row becomes known.
    pub horizon: usize,
    /// Stocks whose rows these are, one after another.
    pub stocks: usize,
    /// Mean mid price of the training part, 1/10,000 dollar; NaN where rows have no price.
    pub price: f64,
    /// Moves above this size are up or down, 1/10,000 dollar.
    pub threshold: f64,
    /// First 8 bytes of the SHA-256 of the unscaled training rows and their classes.
    pub data_hash: u64,
}

/// Rows of a stretch of time, instrument after instrument.
#[derive(Default)]
struct Part {
    raw: Vec<f32>,
    classes: Vec<u8>,
    persistence: Vec<u8>,
    starts: Vec<usize>,
    events: Vec<usize>,
    /// Sum of the mids.
    mids: f64,
}

/// What a stock's rows are labelled with.
struct Labelled<'a> {
    stock: &'a Stock,
    moves: Vec<f64>,
    persistence: Vec<u8>,
    first: usize,
    /// Where the rows begin that are held out; `cut` where none are.
    held: usize,
    cut: usize,
    end: usize,
}

impl Task {
    /// Asks `wanted` of a market; threshold, scaling and hash come from the training part alone. With `mirror` that part is there twice,
    /// as it was and turned over, bid for ask.
    ///
    /// # Errors
    /// [`DataError::Data`] when a part is too short or misses a class; the model engine's for columns that do not fit.
    pub fn new(
        market: &Market,
        columns: Columns,
        wanted: Wanted,
        cut: Cut,
        clip: f32,
        mirror: bool,
    ) -> Result<Task, DataError> {
        let names = columns.names();
        let places = places(&names)?;
        let (labelled, threshold) = labelled(market, wanted, cut, None);
        // An autoencoder is asked of every row, so a row before its test is one too many.
        let context = if wanted == Wanted::Itself { 0 } else { CONTEXT };
        let [mut train, held, test] = parts(&labelled, threshold, &places, context);
        if mirror {
            labelled.iter().for_each(|each| train.take_image(each, threshold, &places));
        }
        enough("training", &train, matches!(wanted, Wanted::Itself))?;
        enough("test", &test, matches!(wanted, Wanted::Itself))?;
        if cut.held > 0.0 {
            enough("held-out", &held, true)?;
        }
        let contract = contract(names, &train.raw, clip);
        let data_hash = tickline_model::file::digest(train.bytes().chain(held.bytes()));
        let targets = |classes: &[u8]| match wanted {
            Wanted::Direction { .. } => Targets::Classes(classes.to_vec()),
            Wanted::Itself => Targets::Itself,
        };
        let rows = |part: &Part| Rows::new(&contract, &part.raw, targets(&part.classes), &part.starts);
        Ok(Task {
            train: rows(&train)?,
            held: if cut.held > 0.0 { Some(rows(&held)?) } else { None },
            test: rows(&test)?,
            test_raw: test.raw,
            persistence: test.persistence,
            events: test.events,
            horizon: wanted.horizon(),
            stocks: market.stocks.len(),
            price: train.price(),
            contract,
            threshold,
            data_hash,
        })
    }

    /// The test of a model that is already trained: its own columns and scaling, a threshold that is given. Where the cut leaves no
    /// training part, the training rows are those of the test.
    ///
    /// # Errors
    /// As [`Task::new`]'s.
    pub fn test_of(
        market: &Market,
        contract: &Contract,
        labelling: Labelling,
        threshold: f64,
        cut: Cut,
    ) -> Result<Task, DataError> {
        let contract = Contract { window: 1, ..contract.clone() };
        let wanted = Wanted::Direction { labelling, flat_share: 0.0 };
        let (labelled, threshold) = labelled(market, wanted, cut, Some(threshold));
        let [train, _, test] = parts(&labelled, threshold, &places(&contract.names)?, CONTEXT);
        enough("test", &test, true)?;
        let rows = |part: &Part| {
            Rows::new(&contract, &part.raw, Targets::Classes(part.classes.clone()), &part.starts)
        };
        let price = train.price();
        let train = rows(if train.raw.is_empty() { &test } else { &train })?;
        Ok(Task {
            train,
            held: None,
            test: rows(&test)?,
            test_raw: test.raw,
            persistence: test.persistence,
            events: test.events,
            horizon: labelling.horizon,
            stocks: market.stocks.len(),
            price,
            contract,
            threshold,
            data_hash: 0,
        })
    }

    /// The same task with the training part's labels dealt out anew, at random: nothing can be learned from it.
    #[must_use]
    pub fn shuffled(mut self, seed: u64) -> Task {
        if let Targets::Classes(classes) = self.train.targets() {
            let mut classes = classes.clone();
            let wanted: Vec<usize> = (0..classes.len()).filter(|row| classes[*row] != NO_CLASS).collect();
            let mut dealt: Vec<u8> = wanted.iter().map(|row| classes[*row]).collect();
            Dice::new(seed).shuffle(&mut dealt);
            wanted.iter().zip(dealt).for_each(|(row, class)| classes[*row] = class);
            if let Ok(rows) = self.train.clone().with_targets(Targets::Classes(classes)) {
                self.train = rows;
            }
        }
        self
    }

    /// Rows of each class; all zero where rows have no class.
    pub fn counts(rows: &Rows) -> [u32; 3] {
        let mut counts = [0; 3];
        if let Targets::Classes(classes) = rows.targets() {
            classes.iter().filter_map(|class| counts.get_mut(usize::from(*class)).map(|c| *c += 1)).count();
        }
        counts
    }

    /// Weights that go from 1 each (`balance` 0) to inverse frequency (1), with mean 1 over the training rows.
    pub fn class_weights(&self, balance: f64) -> Vec<f32> {
        let counts = Task::counts(&self.train).map(f64::from);
        let rows: f64 = counts.iter().sum();
        // A mix and no power, so that no system library has a say in the weights.
        let raw = counts.map(|count| (1.0 - balance) + balance * rows / (3.0 * count.max(1.0)));
        let mean: f64 = raw.iter().zip(&counts).map(|(weight, count)| weight * count / rows.max(1.0)).sum();
        raw.map(|weight| if mean > 0.0 { (weight / mean) as f32 } else { 1.0 }).to_vec()
    }
}

fn places(names: &[String]) -> Result<Vec<usize>, DataError> {
    let unknown = |name: &String| {
        DataError::Contract(format!(
            "column {name:?} is not a feature of this build; a model of a capture's columns is needed"
        ))
    };
    let place = |name: &String| column(name).ok_or_else(|| unknown(name));
    names.iter().map(place).collect()
}

fn labelled(market: &Market, wanted: Wanted, cut: Cut, threshold: Option<f64>) -> (Vec<Labelled<'_>>, f64) {
    let held = cut.cut - (cut.cut - cut.from) * cut.held;
    let [from, held, cut, to] = [cut.from, held, cut.cut, cut.to].map(|share| market.time_at(share));
    let mut stocks: Vec<Labelled<'_>> = Vec::new();
    for stock in &market.stocks {
        let row = |time: u64| stock.times.partition_point(|each| *each < time);
        let moves = match wanted {
            Wanted::Direction { labelling, .. } => labelling.moves(&stock.mids),
            Wanted::Itself => vec![0.0; stock.len()],
        };
        let (first, held, cut, end) = (row(from), row(held), row(cut), row(to));
        stocks.push(Labelled { stock, moves, persistence: Vec::new(), first, held, cut, end });
    }
    let Wanted::Direction { labelling, flat_share } = wanted else { return (stocks, 0.0) };
    // A move that ends beyond the cut is the test part's, one that ends beyond `held` that of the rows held out.
    let known = |each: &Labelled<'_>, end: usize| end.saturating_sub(labelling.horizon).max(each.first);
    let sizes = stocks.iter().flat_map(|each| each.moves[each.first..known(each, each.cut)].iter().copied());
    let threshold = threshold.unwrap_or_else(|| labelling.threshold(sizes, flat_share));
    for each in &mut stocks {
        each.persistence = labelling.persistence(&each.moves, threshold);
        for end in [each.held, each.cut] {
            let unknown = known(each, end)..end;
            each.moves[unknown].fill(f64::NAN);
        }
    }
    (stocks, threshold)
}

/// What is trained on, held out and tested.
fn parts(stocks: &[Labelled<'_>], threshold: f64, places: &[usize], context: usize) -> [Part; 3] {
    let mut parts = [Part::default(), Part::default(), Part::default()];
    for each in stocks {
        for (nth, (from, to)) in
            [(each.first, each.held), (each.held, each.cut), (each.cut, each.end)].into_iter().enumerate()
        {
            let start = if nth == 0 { from } else { from.saturating_sub(context) };
            // Nothing held out: no context of it either.
            if from < to || nth != 1 {
                parts[nth].take(each, start, from..to, threshold, places);
            }
        }
    }
    parts
}

impl Part {
    /// Unscaled rows, then classes.
    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.raw.iter().flat_map(|value| value.to_le_bytes()).chain(self.classes.iter().copied())
    }

    /// Mean mid price; NaN when there are no rows.
    fn price(&self) -> f64 {
        self.mids / self.classes.len() as f64
    }

    /// Takes a stock's usable rows from `start` on; of those in `wanted` a class is wanted. A stale row begins a new sequence.
    fn take(
        &mut self,
        each: &Labelled<'_>,
        start: usize,
        wanted: std::ops::Range<usize>,
        threshold: f64,
        places: &[usize],
    ) {
        self.rows_of(each, start, wanted, threshold, &mut |row, out| {
            out.extend(places.iter().map(|place| value_of(row, *place)));
        });
    }

    /// Takes the mirror image of a stock's training part.
    fn take_image(&mut self, each: &Labelled<'_>, threshold: f64, places: &[usize]) {
        let (first, level) = (self.classes.len(), each.stock.mids.first().copied().unwrap_or(0.0) as f32);
        let mut image = Vec::with_capacity(COLUMNS);
        self.rows_of(each, each.first, each.first..each.held, threshold, &mut |row, out| {
            mirror(row, level, &mut image);
            out.extend(places.iter().map(|place| value_of(&image, *place)));
        });
        let turned = self.classes[first..].iter_mut().chain(&mut self.persistence[first..]);
        turned.filter(|class| **class != NO_CLASS).for_each(|class| *class = 2 - *class);
    }

    fn rows_of(
        &mut self,
        each: &Labelled<'_>,
        start: usize,
        wanted: std::ops::Range<usize>,
        threshold: f64,
        give: &mut dyn FnMut(&[f32], &mut Vec<f32>),
    ) {
        let stock = each.stock;
        let mut anew = true;
        for at in start..wanted.end {
            anew |= stock.stale[at];
            if !stock.usable[at] {
                continue;
            }
            if anew {
                self.starts.push(self.classes.len());
            }
            anew = false;
            let row = &stock.values[at * COLUMNS..(at + 1) * COLUMNS];
            give(row, &mut self.raw);
            let known = if wanted.contains(&at) { class(each.moves[at], threshold) } else { None };
            self.classes.push(known.unwrap_or(NO_CLASS));
            self.persistence.push(each.persistence.get(at).copied().unwrap_or(1));
            self.events.push(at);
            self.mids += stock.mids[at];
        }
    }
}

fn enough(name: &str, part: &Part, any_class: bool) -> Result<(), DataError> {
    let count = |class: u8| part.classes.iter().filter(|each| **each == class).count();
    let rows: usize = (0..3).map(count).sum();
    if rows < ROWS_MIN {
        let text = format!(
            "{rows} usable rows in the {name} part, at least {ROWS_MIN} are needed; check the symbols, or use a longer capture"
        );
        return Err(DataError::Data(text));
    }
    match (0..3u8).find(|class| count(*class) == 0 && !any_class) {
        None => Ok(()),
        Some(class) => {
            let class = CLASSES[usize::from(class)];
            let text = format!("no {class} row in the {name} part; use a longer capture or another horizon");
            Err(DataError::Data(text))
        }
    }
}

/// The columns scaled to mean 0 and deviation 1 over the training part; one that never changes there is only shifted.
fn contract(names: Vec<String>, rows: &[f32], clip: f32) -> Contract {
    let columns = names.len();
    let count = (rows.len() / columns).max(1) as f64;
    let (mut mean, mut scale) = (Vec::new(), Vec::new());
    for column in 0..columns {
        let values = || rows.iter().skip(column).step_by(columns).map(|value| f64::from(*value));
        let middle = values().sum::<f64>() / count;
        let square = values().map(|value| (value - middle) * (value - middle)).sum::<f64>() / count;
        let deviation = square.sqrt();
        mean.push(middle as f32);
        scale.push(if deviation > 1e-6 { deviation as f32 } else { 1.0 });
    }
    Contract { names, mean, scale, clip, window: 1 }
}
