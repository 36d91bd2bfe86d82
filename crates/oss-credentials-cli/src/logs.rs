//! Log messages of the libraries, on standard error.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The crates whose logs never hold a secret: those of the family. HTTP and TLS libraries log requests.
const TARGETS: [&str; 3] = ["oss_", "acs_", crate::TRACING_TARGET];

/// Shows warnings, and for a service also `info`; each `-v` shows one more level.
pub(crate) fn start(verbose: u8, is_service: bool) {
    let level = match verbose.saturating_add(is_service.into()) {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let targets = TARGETS.iter().map(|target| (*target, level));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false);
    // Fails if there is a subscriber, which then shows them.
    let _ = tracing_subscriber::registry()
        .with(Targets::new().with_targets(targets))
        .with(lines)
        .try_init();
}
