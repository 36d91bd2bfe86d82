//! What all benchmarks share: rounds that take the contenders in turn, medians of ratios, and a table with goals.
//!
//! Only ratios within one run are reported. A time says something about the machine; a ratio of two things that
//! ran in the same millisecond says something about the code.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How far beyond its goal a ratio may be before `--gate` fails: machines differ, and so does their load.
const SLACK: f64 = 0.15;

/// How much of a bound that nobody can exceed has to be reached where the goal lies beyond it.
const REACH: f64 = 0.75;

/// Takes the time of the part of a round that counts.
#[derive(Debug, Default)]
pub struct Stopwatch {
    spent: Duration,
}

impl Stopwatch {
    /// Runs `work` and counts its time. Everything outside is preparation.
    #[expect(clippy::disallowed_methods, reason = "a benchmark takes the time")]
    pub fn time<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = work();
        self.spent += start.elapsed();
        result
    }
}

/// One thing to measure: does one batch and times it.
pub type Contender<'a> = Box<dyn FnMut(&mut Stopwatch) + 'a>;

/// Seconds of each contender in each round.
#[derive(Debug)]
pub struct Rounds(Vec<Vec<f64>>);

/// Runs all contenders `rounds` times, in turn, so that a change of clock speed or load meets all of them.
pub fn interleaved(rounds: usize, contenders: &mut [Contender<'_>]) -> Rounds {
    let mut one_round = |contender: &mut Contender<'_>| {
        let mut watch = Stopwatch::default();
        contender(&mut watch);
        watch.spent.as_secs_f64()
    };
    // Caches, branch predictors and lazily made tables.
    for contender in contenders.iter_mut() {
        for _ in 0..rounds / 10 + 1 {
            one_round(contender);
        }
    }
    Rounds(
        (0..rounds)
            .map(|_| contenders.iter_mut().map(&mut one_round).collect())
            .collect(),
    )
}

impl Rounds {
    /// Median over the rounds of `time of contender / time of base`.
    pub fn ratio(&self, contender: usize, base: usize) -> f64 {
        let mut ratios: Vec<f64> = self
            .0
            .iter()
            .map(|round| round[contender] / round[base])
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }

    /// Seconds of the quickest round.
    pub fn best(&self, contender: usize) -> f64 {
        self.0
            .iter()
            .map(|round| round[contender])
            .fold(f64::INFINITY, f64::min)
    }
}

/// What a measured number has to be.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// Measured to tell, not to judge.
    None,
    AtMost(f64),
    AtLeast(f64),
    /// As much as the goal, or [`REACH`] of the bound if that is less. The bound is measured in the same run: nobody
    /// can exceed it.
    AtLeastUpTo {
        goal: f64,
        bound: f64,
    },
}

impl Goal {
    fn is_met(self, measured: f64, slack: f64) -> bool {
        match self {
            Self::None => true,
            Self::AtMost(goal) => measured <= goal * (1.0 + slack),
            Self::AtLeast(goal) => measured >= goal / (1.0 + slack),
            Self::AtLeastUpTo { goal, bound } => measured >= goal.min(REACH * bound) / (1.0 + slack),
        }
    }

    fn shown(self) -> String {
        match self {
            Self::None => "-".to_owned(),
            Self::AtMost(goal) => format!("<= {goal:.2}"),
            Self::AtLeast(goal) | Self::AtLeastUpTo { goal, .. } => format!(">= {goal:.2}"),
        }
    }

    /// What the table says of a measured number.
    fn verdict(self, measured: f64) -> String {
        match self {
            Self::None => "-".to_owned(),
            Self::AtLeastUpTo { goal, bound } if measured < goal => {
                let share = 100.0 * measured / bound;
                format!("NO, but {share:.0} % of {bound:.2}, which is the most")
            }
            _ if self.is_met(measured, 0.0) => "yes".to_owned(),
            _ => "NO".to_owned(),
        }
    }
}

/// Collects rows, prints them, and says whether the run passes.
#[derive(Debug, Default)]
pub struct Table(Vec<(String, Goal, f64)>);

impl Table {
    pub fn row(&mut self, what: impl Into<String>, goal: Goal, measured: f64) {
        self.0.push((what.into(), goal, measured));
    }

    /// Prints the table. With `--gate` among the arguments the exit code is a failure if a row is beyond its goal
    /// by more than the slack.
    pub fn finish(self) -> ExitCode {
        let width = self.0.iter().map(|(what, ..)| what.len()).max().unwrap_or(0);
        println!("{:width$}  {:>9}  {:>9}  ok", "", "goal", "measured");
        for (what, goal, measured) in &self.0 {
            let ok = goal.verdict(*measured);
            println!("{what:width$}  {:>9}  {measured:>9.2}  {ok}", goal.shown());
        }
        let gate = std::env::args().any(|argument| argument == "--gate");
        if gate
            && self
                .0
                .iter()
                .any(|(_, goal, measured)| !goal.is_met(*measured, SLACK))
        {
            println!("a row is beyond its goal by more than {:.0} %", SLACK * 100.0);
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }
}
