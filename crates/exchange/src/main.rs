//! The simulated venue as a process: sockets, pacing, the control block. Rules of the market are `tickline-venue`'s.
#![deny(unsafe_code)]

mod background_flow;
mod config;
mod follow;
mod generate;
mod live;
mod opening;
mod sessions;
mod status;
mod summary;
mod survey;
mod sys;

use background_flow::BackgroundFlow;
use clap::Parser;
use config::{Config, Instrument, Mode};
use follow::Follow;
use live::Live;
use status::Status;
use std::path::PathBuf;
use std::process::ExitCode;
use summary::Summary;
use sys::StopSignal;
use tickline_venue::flow::Rates;

/// The simulated venue: matches orders against generated or recorded flow, publishes ITCH 5.0, speaks OUCH 5.0.
#[derive(Parser, Debug)]
#[command(name = "tickline-exchange", version)]
struct Arguments {
    /// What to run: JSON derived from the line's YAML (see crates/exchange/README.md).
    #[arg(long, conflicts_with = "generate", required_unless_present = "generate")]
    config: Option<PathBuf>,
    /// The line's control segment; the service block `exchange` is written.
    #[arg(long)]
    control: Option<PathBuf>,
    /// Process that starts this one; its death is a SIGTERM.
    #[arg(long)]
    parent: Option<u32>,
    /// Write a capture of generated flow to this file, and nothing else.
    #[arg(long)]
    generate: Option<PathBuf>,
    /// Length of the generated session, seconds.
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Seed of the generated flow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Symbols of the generated flow.
    #[arg(long, value_delimiter = ',', default_values_t = ["TLKA".to_string(), "TLKB".to_string()])]
    symbols: Vec<String>,
    /// Price step of the generated symbols, 1/10,000 dollar.
    #[arg(long, default_value_t = opening::TICK)]
    tick: u32,
    /// Events a second of each symbol, on average.
    #[arg(long, default_value_t = 400.0)]
    rate: f64,
    /// Peak of a burst as a multiple of the average.
    #[arg(long, default_value_t = 20.0)]
    burst: f64,
    /// Delete every order at the end, so that the capture can be played in a circle.
    #[arg(long)]
    flat: bool,
    /// Write line B too.
    #[arg(long)]
    line_b: bool,
}

/// Usage, configuration or input error.
const EXIT_INPUT: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.generate {
        Some(file) => generate(&arguments, file),
        None => run(&arguments),
    };
    match outcome {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("tickline-exchange: {error}");
            ExitCode::from(EXIT_INPUT)
        }
    }
}

fn run(arguments: &Arguments) -> Result<String, String> {
    let file = arguments.config.as_deref().ok_or("--config or --generate is needed")?;
    let config = Config::read(file).map_err(|error| error.to_string())?;
    let status = Status::attach(arguments.control.as_deref()).map_err(|error| error.to_string())?;
    let stop = StopSignal::new(arguments.parent).map_err(|error| format!("signals: {error}"))?;
    let summary = match config.mode {
        Mode::Live => live(&config, status, stop),
        Mode::Follow => Follow::new(&config, status, stop).map(Follow::run),
    }?;
    serde_json::to_string(&summary).map_err(|error| error.to_string())
}

fn live(config: &Config, status: Status, stop: StopSignal) -> Result<Summary, String> {
    let flow = BackgroundFlow::new(config).map_err(|fault| fault.to_string());
    match flow.and_then(|flow| Live::new(config, flow, status.clone(), stop)) {
        Ok(live) => Ok(live.run()),
        Err(error) => {
            status.fail(&error);
            Err(error)
        }
    }
}

fn generate(arguments: &Arguments, file: &std::path::Path) -> Result<String, String> {
    let Arguments { seed, seconds, rate, burst, tick, flat, line_b, .. } = *arguments;
    let instrument = |symbol: &String| Instrument { symbol: symbol.clone(), tick };
    let instruments: Vec<Instrument> = arguments.symbols.iter().map(instrument).collect();
    if opening::symbols(&instruments).len() != instruments.len() {
        return Err("--symbols: each must have 1 to 8 printable characters".into());
    }
    if !(tick >= 1 && seconds > 0.0 && seconds <= 50_000.0 && rate > 0.0 && (0.0..=1000.0).contains(&burst)) {
        return Err(
            "--tick, --seconds (at most 50000) and --rate must be above 0, --burst from 0 to 1000".into()
        );
    }
    let rates = Rates { per_second: rate, burst };
    let recipe = generate::Recipe { seed, seconds, instruments, rates, flat, line_b };
    let written = generate::generate(&recipe, file)
        .map_err(|error| format!("{}: cannot be written ({error})", file.display()))?;
    Ok(serde_json::json!({ "file": file, "messages": written.messages, "frames": written.frames })
        .to_string())
}
