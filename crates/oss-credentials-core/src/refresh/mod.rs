//! The only cache: returns a value while it is valid, and fetches the next one in time.
//!
//! Readers load a snapshot and compare two instants (`read`). Everything else, in the order of the calls:
//! `join` (a caller that waits) and `driver` (background) take part in an attempt of `shared`, whose
//! bookkeeping is `slot`, whose arithmetic is `policy` over a `moment` of the clocks, and whose waiters are in `wake`.

mod builder;
mod driver;
mod event;
mod join;
mod moment;
mod policy;
mod provider;
mod read;
mod report;
mod shared;
mod slot;
mod spawn;
mod updates;
mod wake;

pub use builder::RefreshingProviderBuilder;
pub use driver::RefreshDriver;
pub use event::RefreshEvent;
pub use policy::Backoff;
pub use provider::RefreshingProvider;
#[cfg(feature = "tokio")]
pub use spawn::NoRuntime;
pub use updates::Updates;
