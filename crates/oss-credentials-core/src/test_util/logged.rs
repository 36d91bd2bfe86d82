//! Log output as text.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Returns everything that is logged on this thread while `run` runs, at every level: a line for each event, with its
/// level between spaces, its target, its message and its fields.
///
/// All threads of a process share what `tracing` remembers about the interest in an event, so use this in
/// a test binary of its own. Concurrent calls wait for each other.
///
/// ```
/// use oss_credentials_core::test_util::logged;
///
/// let log = logged(|| tracing::warn!(target: "vault", provider = "vault", "no answer"));
/// assert_eq!(log, " WARN vault: no answer provider=\"vault\"\n");
/// ```
pub fn logged(run: impl FnOnce()) -> String {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = Arc::<Mutex<String>>::default();
    tracing::subscriber::with_default(Log(Arc::clone(&text)), run);
    let text = text.lock().unwrap_or_else(PoisonError::into_inner);
    text.clone()
}

struct Log(Arc<Mutex<String>>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line::new(span.metadata());
        span.record(&mut line);
        self.write(&line);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, fields: &Record<'_>) {
        let mut line = Line::default();
        fields.record(&mut line);
        self.write(&line);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::new(event.metadata());
        event.record(&mut line);
        self.write(&line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Log {
    fn write(&self, line: &Line) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&line.head);
        text.push_str(&line.message);
        text.push_str(&line.fields);
        text.push('\n');
    }
}

#[derive(Default)]
struct Line {
    head: String,
    message: String,
    fields: String,
}

impl Line {
    fn new(metadata: &Metadata<'_>) -> Self {
        Self {
            head: format!(" {} {}: ", metadata.level(), metadata.target()),
            ..Self::default()
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
