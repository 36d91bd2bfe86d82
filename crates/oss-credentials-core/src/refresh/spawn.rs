//! The one place that starts a task or a timer.

#[cfg(feature = "tokio")]
pub use with_tokio::NoRuntime;
#[cfg(feature = "tokio")]
pub(super) use with_tokio::{on_begin, spawn, timer};
#[cfg(not(feature = "tokio"))]
pub(super) use without_tokio::{on_begin, timer};

/// Without tokio, no task can be started.
#[cfg(not(feature = "tokio"))]
mod without_tokio {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::future::BoxFuture;
    use crate::refresh::shared::Shared;

    pub(in crate::refresh) fn on_begin(_: &Arc<Shared>) {}

    pub(in crate::refresh) fn timer(_: &Shared, _: Duration) -> Option<BoxFuture<'static, ()>> {
        None
    }
}

#[cfg(feature = "tokio")]
mod with_tokio {
    use std::sync::{Arc, PoisonError};
    use std::time::Duration;

    use tokio::runtime::Handle;

    use crate::future::BoxFuture;
    use crate::refresh::RefreshDriver;
    use crate::refresh::shared::Shared;
    use crate::time::{Sleep, TokioSleep};

    /// There is no tokio runtime with a timer here, so background refresh is not possible.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    #[error("no tokio runtime with time enabled here; call spawn inside one, or poll driver() yourself")]
    #[non_exhaustive]
    pub struct NoRuntime;

    /// Starts the driver where a fetch begins, if the provider was built so.
    pub(in crate::refresh) fn on_begin(shared: &Arc<Shared>) {
        if shared.settings.background_refresh && !shared.has_driver(shared.now()) {
            // Without a runtime the read path does all that is needed.
            let _ = spawn(shared);
        }
    }

    pub(in crate::refresh) fn spawn(shared: &Arc<Shared>) -> Result<(), NoRuntime> {
        let handle = runtime_with_timer(shared).ok_or(NoRuntime)?;
        if let Some(driver) = RefreshDriver::attach(shared, Arc::new(TokioSleep)) {
            handle.spawn(driver);
        }
        Ok(())
    }

    /// A timer for a caller that waits, if the provider may use the runtime.
    pub(in crate::refresh) fn timer(shared: &Shared, wait: Duration) -> Option<BoxFuture<'static, ()>> {
        if !shared.settings.background_refresh {
            return None;
        }
        runtime_with_timer(shared).map(|_| TokioSleep.sleep(wait))
    }

    /// The current runtime, if it has a timer. Each runtime is asked once: see [`TokioSleep::try_current`].
    fn runtime_with_timer(shared: &Shared) -> Option<Handle> {
        let handle = Handle::try_current().ok()?;
        let mut known = shared.timer_of.lock().unwrap_or_else(PoisonError::into_inner);
        let has_timer = match *known {
            Some((runtime, has_timer)) if runtime == handle.id() => has_timer,
            _ => {
                let has_timer = TokioSleep::try_current().is_some();
                *known = Some((handle.id(), has_timer));
                has_timer
            }
        };
        has_timer.then_some(handle)
    }
}
