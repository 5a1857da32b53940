//! Goal: learning by reward finds what earns, nothing where nothing is to be found, knows no future, and goes on after a crash as if nothing had
//! happened. Method: synthetic walks with a column that tells the future or noise, on real learners that are told no label.
mod walk;

use tickline_learn::{ActorCritic, Beside, Cadence, Replay, Retrain, Settings};
use tickline_model::file::Loaded;
use tickline_model::train::{Loss, Recipe};
use tickline_model::{Activation, zoo};
use walk::{COLUMNS, load, mlp, restarts, run, score, settings, start, turned_after, walk};

const ASKED: ActorCritic =
    ActorCritic { discount: 0.5, explore: 0.1, critic_rate: 1e-3, trades: 100, cost: 0.0 };

fn by_reward(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings { actor_critic: Some(ASKED), ..settings() };
    change(&mut settings);
    settings
}

fn sharpe(beside: &Beside) -> f64 {
    beside.sharpe().expect("it learns by reward").0
}

#[test]
fn what_earns_is_found_and_noise_earns_nothing() {
    for (cadence, batch) in [(Cadence::Tick, 1), (Cadence::Every(8_000), 8)] {
        let own = || by_reward(|settings| (settings.cadence, settings.batch) = (cadence, batch));
        let mut beside = start(mlp(), own(), 1);
        let rows = walk(20_000, 3, true);
        run(&mut beside, &rows[..120]);
        let at_first = sharpe(&beside);
        run(&mut beside, &rows[120..]);
        let (learning, frozen) = (score(&beside, "learning"), score(&beside, "frozen"));
        assert!(
            sharpe(&beside) > 1.0 && sharpe(&beside) > at_first + 0.3,
            "{at_first} then {}",
            sharpe(&beside)
        );
        assert!(learning.mcc > frozen.mcc + 0.3, "{learning:?} {frozen:?}");
        let mut noise = start(mlp(), own(), 1);
        run(&mut noise, &walk(20_000, 3, false));
        assert!(
            sharpe(&noise).abs() < 0.4 && score(&noise, "learning").mcc.abs() < 0.15,
            "{}",
            sharpe(&noise)
        );
    }
}

/// Goal: what a trade costs decides whether it is made. Method: the same walk, whose moves are some 1e-4 of the price, with costs far above.
#[test]
fn trades_that_cost_more_than_they_earn_are_left() {
    let rows = walk(20_000, 5, true);
    let coverage = |cost| {
        let mut beside =
            start(mlp(), by_reward(|own| own.actor_critic = Some(ActorCritic { cost, ..ASKED })), 1);
        run(&mut beside, &rows);
        score(&beside, "learning").coverage
    };
    let (free, dear) = (coverage(0.0), coverage(1e-2));
    assert!(free > 0.5 && dear < 0.2, "{free} of the rows without cost, {dear} with");
}

fn kinds() -> Vec<(Loaded, Settings)> {
    let retrain = Retrain { every_ns: 300_000, labels: 50, each: 1, batch: 8, steps: 40, rate: 1e-2 };
    vec![
        (mlp(), by_reward(|_| {})),
        (
            load(zoo::mlp(COLUMNS, 3, &[8], Activation::Relu, 3, false)),
            by_reward(|own| {
                (own.cadence, own.batch, own.dropout) = (Cadence::Every(10_000), 8, Some(0.1));
                own.retrain = Some(retrain);
            }),
        ),
        (mlp(), by_reward(|own| (own.cadence, own.batch) = (Cadence::Trade, 4))),
    ]
}

#[test]
fn a_restart_changes_nothing_and_no_row_knows_what_comes_after() {
    let rows = walk(1_000, 11, true);
    let other = turned_after(&rows, 600);
    for (kind, (model, settings)) in kinds().into_iter().enumerate() {
        let fresh = || start(model.clone(), settings.clone(), 42);
        let whole = restarts(fresh, &rows, &[0, 1, 13, 333, 500, 999], &format!("kind {kind}"));
        assert!(whole.counts().steps > 50, "{:?}", whole.counts());
        let [mut one, mut two] = [fresh(), fresh()];
        run(&mut one, &rows[..=600]);
        run(&mut two, &other[..=600]);
        assert!(one.checkpoint() == two.checkpoint(), "kind {kind}");
    }
}

#[test]
fn lost_rows_end_what_waits_for_its_successor() {
    let rows = walk(400, 17, true);
    let mut beside = start(mlp(), by_reward(|_| {}), 1);
    run(&mut beside, &rows[..200]);
    beside.gap();
    let before = beside.counts();
    run(&mut beside, &rows[200..260]);
    let (labels, steps) = (beside.counts().labels - before.labels, beside.counts().steps - before.steps);
    // The first decision of each of two instruments after the gap follows none.
    assert_eq!(steps + 2, labels);
}

#[test]
fn what_does_not_go_together_is_refused_by_name() {
    let refused = |model: Loaded, change: &dyn Fn(&mut Settings)| {
        Beside::new(model, Vec::new(), by_reward(|own| change(own)), 1).expect_err("refused").to_string()
    };
    assert!(refused(load(zoo::lstm(COLUMNS, &[6], 3)), &|_| {}).contains("networks without a state"));
    let replay = Replay { capacity: 64, oversample: 1.0, sharpness: 0.0, correction: 0.0 };
    assert!(refused(mlp(), &|own| own.replay = Some(replay.clone())).contains("remove learner.replay"));
    let squares = Recipe { loss: Loss::Squares, ..Recipe::default() };
    assert!(refused(mlp(), &|own| own.recipe = squares.clone()).contains("learner.loss"));
    let with = |change: &dyn Fn(&mut ActorCritic)| {
        refused(mlp(), &|own| own.actor_critic.iter_mut().for_each(change))
    };
    assert!(with(&|asked| asked.discount = 1.0).contains("discount 1,"));
    assert!(with(&|asked| asked.explore = 1.0).contains("exploring 1,"));
    assert!(with(&|asked| asked.critic_rate = 0.0).contains("critic rate 0,"));
    assert!(with(&|asked| asked.trades = 1).contains("1 trades"));
    assert!(with(&|asked| asked.cost = f64::NAN).contains("cost NaN"));
}
