//! The one place that starts a task.

#[cfg(feature = "tokio")]
pub use with_tokio::NoRuntime;
#[cfg(feature = "tokio")]
pub(super) use with_tokio::{on_begin, spawn};

/// Without tokio there is nothing to start a driver on.
#[cfg(not(feature = "tokio"))]
pub(super) fn on_begin(_shared: &std::sync::Arc<super::shared::Shared>) {}

#[cfg(feature = "tokio")]
mod with_tokio {
    use std::panic::catch_unwind;
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use crate::refresh::RefreshDriver;
    use crate::refresh::shared::Shared;
    use crate::time::TokioSleep;

    /// There is no tokio runtime with a timer here, so that nothing can be refreshed in the background.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    #[error("no tokio runtime with time enabled here; call spawn inside one, or poll driver() yourself")]
    #[non_exhaustive]
    pub struct NoRuntime;

    /// Starts the driver where a fetch begins, if the provider was built so.
    pub(in crate::refresh) fn on_begin(shared: &Arc<Shared>) {
        if shared.settings.background_refresh
            && !shared.has_driver(shared.clock.now())
            && !shared.runtime_has_no_timer.load(Ordering::Relaxed)
        {
            // Without a runtime the read path does all that is needed.
            let _ = spawn(shared);
        }
    }

    pub(in crate::refresh) fn spawn(shared: &Arc<Shared>) -> Result<(), NoRuntime> {
        let handle = tokio::runtime::Handle::try_current().map_err(|_| NoRuntime)?;
        if !has_timer() {
            shared.runtime_has_no_timer.store(true, Ordering::Relaxed);
            return Err(NoRuntime);
        }
        if let Some(driver) = RefreshDriver::attach(shared, Arc::new(TokioSleep)) {
            handle.spawn(driver);
        }
        Ok(())
    }

    /// Whether the current runtime has a timer. Tokio tells only by panicking.
    fn has_timer() -> bool {
        #[expect(clippy::disallowed_methods, reason = "made and dropped, never waited for")]
        catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok()
    }
}
