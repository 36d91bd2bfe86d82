//! Simulated lives: real provider code over a simulated service and clock, for two days or more per row of a table.
//!
//! The service's true time judges whether a key is valid, not our own arithmetic. One limit is documented and not
//! simulated: where no clock counts suspended time, a machine that is suspended and whose wall clock is then set back
//! by as much looks as if no time had passed. Nor are steps and suspends planned for the moment at which a response is
//! on its way: the source would measure the service's clock wrongly, by up to as much.
//!
//! `LIVES_HOURS` sets the simulated hours per row (default: 48).
#![allow(clippy::print_stdout, reason = "the table is what this program is for")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

mod events;
mod life;
mod service;
mod shape;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use events::Weather;
use life::{Life, Tally};
use oss_credentials_core::{Env, ProcessEnv};
use shape::Shape;

const DEFAULT_HOURS: u64 = 48;
/// Most requests that a service receives in a minute, whatever happens.
const MOST_REQUESTS: usize = 30;

/// One row of the table.
#[derive(Clone, Copy)]
struct Row {
    shape: Shape,
    weather: Weather,
    driver: bool,
}

impl Row {
    fn all() -> Vec<Self> {
        let mut rows = Vec::new();
        for shape in Shape::ALL {
            for weather in Weather::ALL {
                rows.extend([true, false].map(|driver| Self {
                    shape,
                    weather,
                    driver,
                }));
            }
        }
        rows
    }

    fn is_good(self, tally: &Tally) -> bool {
        tally.calls > 0
            && tally.failed_with_valid_key == 0
            && tally.returned_past_expiry == 0
            && (tally.waits_with_valid_key == 0 || !self.driver)
            && tally.most_requests <= MOST_REQUESTS
    }
}

fn main() -> ExitCode {
    let hours = ProcessEnv.non_empty("LIVES_HOURS");
    let hours = hours.map_or(DEFAULT_HOURS, |hours| {
        hours
            .parse()
            .unwrap_or_else(|_| panic!("LIVES_HOURS is not a number: {hours}"))
    });
    let rows = Row::all();
    let tallies = live(&rows, Duration::from_secs(hours * 3600));

    println!(
        "{hours} h per row; goal: 0 failed, 0 expired, 0 waits with a driver, at most {MOST_REQUESTS} requests"
    );
    println!(
        "{:<14} {:<28} {:<7} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "provider", "events", "driver", "calls", "fetches", "failed", "expired", "waits", "requests"
    );
    let mut bad = 0;
    for (row, tally) in rows.iter().zip(&tallies) {
        let is_good = row.is_good(tally);
        bad += usize::from(!is_good);
        println!(
            "{:<14} {:<28} {:<7} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}{}",
            row.shape.name(),
            row.weather.name(),
            if row.driver { "yes" } else { "no" },
            tally.calls,
            tally.fetches,
            tally.failed_with_valid_key,
            tally.returned_past_expiry,
            tally.waits_with_valid_key,
            tally.most_requests,
            if is_good { "" } else { "  <- misses the goal" }
        );
        for note in &tally.notes {
            println!("    {note}");
        }
    }
    println!("lives: {} rows, {bad} miss the goal", rows.len());
    if bad == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Rows are independent, so that all processors take part.
fn live(rows: &[Row], length: Duration) -> Vec<Tally> {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(row) = rows.get(index) else { return done };
            let seed = 1 + u64::try_from(index).unwrap();
            done.push((
                index,
                Life::new(row.shape, row.weather, row.driver, seed).run(length),
            ));
        }
    };
    let mut tallies: Vec<(usize, Tally)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    tallies.sort_by_key(|(index, _)| *index);
    tallies.into_iter().map(|(_, tally)| tally).collect()
}
