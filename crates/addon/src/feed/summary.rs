//! What a feed has done, as JSON for summaries.

use super::source::FrameSource;
use serde_json::{Value, json};
use tickline_packet::LINES;
use tickline_pipeline::Pipeline;
use tickline_units::Side;

/// Totals, lines, gaps, sockets, books of the instruments.
pub(super) fn summary(
    pipeline: &Pipeline,
    source: &FrameSource,
    instruments: &[String],
    admit_waits: u64,
) -> Value {
    let counts = pipeline.counts();
    let anomalies = pipeline.books().anomalies();
    let lines: Vec<Value> = (0..LINES as u8)
        .zip(["A", "B", "recovery"])
        .map(|(line, name)| {
            let line = pipeline.arbiter().line(line);
            json!({
                "line": name,
                "packets": line.packets,
                "first": line.first,
                "duplicates": line.duplicates,
                "lost": line.lost,
                "heartbeats": line.heartbeats,
                "malformed": line.malformed,
            })
        })
        .collect();
    let gaps: Vec<Value> = pipeline
        .gaps()
        .iter()
        .map(|gap| json!({ "first": gap.first, "count": gap.count, "time_ns": gap.time.0.to_string() }))
        .collect();
    let books: Vec<Value> = pipeline
        .books()
        .by_symbol()
        .filter(|book| instruments.contains(&book.symbol().text()))
        .map(|book| {
            let (bid, ask) = (book.best(Side::Buy), book.best(Side::Sell));
            json!({
                "symbol": book.symbol().text(),
                "bid": bid.price.0,
                "bid_qty": bid.qty,
                "ask": ask.price.0,
                "ask_qty": ask.qty,
                "orders": book.orders_resting(),
                "stale": book.is_stale(),
            })
        })
        .collect();
    json!({
        "frames": counts.frames,
        "messages": counts.messages,
        "updates": counts.updates,
        "features": counts.rows,
        "malformed": counts.malformed,
        "unknown": counts.unknown,
        "gaps": counts.gaps,
        "gap_messages": counts.gap_messages,
        "gap_list": gaps,
        "sessions": counts.sessions,
        "resyncs": counts.caught_up,
        "anomalies": anomalies.total(),
        "admit_waits": admit_waits,
        "books": pipeline.books().len(),
        "book_hash": hash_text(pipeline),
        "lines": lines,
        "instruments": books,
        "sockets": sockets(source),
        "ended": matches!(source, FrameSource::Replay(replay) if replay.ended),
    })
}

/// What the sockets dropped before anyone saw it, and what was asked for again; null in replay.
fn sockets(source: &FrameSource) -> Value {
    let FrameSource::Live(live) = source else { return Value::Null };
    let requests = live.rerequest.as_ref().map(|client| client.counts()).unwrap_or_default();
    json!({
        "dropped_by_kernel": live.lines.iter().map(|line| u64::from(line.dropped())).sum::<u64>(),
        "too_long": live.lines.iter().map(|line| line.truncated()).sum::<u64>(),
        "requests": requests.requests,
        "answers": requests.answers,
        "requests_refused": requests.refused,
    })
}

/// Hash of all books as 16 hexadecimal digits.
pub(super) fn hash_text(pipeline: &Pipeline) -> String {
    format!("{:016x}", pipeline.books().hash())
}
