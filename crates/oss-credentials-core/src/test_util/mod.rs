//! Fakes for tests of sources and providers, and log output as text.

mod fake_env;
mod logged;
mod manual_clock;
mod recorded_sleep;
mod scripted_source;

pub use fake_env::{FakeEnv, PanickingEnv};
pub use logged::logged;
pub use manual_clock::{ManualClock, unix_time};
pub use recorded_sleep::RecordedSleep;
pub use scripted_source::{Gate, ScriptedSource};
