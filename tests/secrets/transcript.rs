//! Everything that a person could read: log lines, errors with their causes, `Debug` texts.

use std::error::Error;
use std::fmt::Debug;
use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// All log lines of the process.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static INSTALL: Once = Once::new();

pub(crate) struct Transcript {
    texts: Mutex<Vec<String>>,
    forbidden: Mutex<Vec<String>>,
}

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl Transcript {
    /// Captures from now on; the tests of this process share the log, which only makes them stricter.
    pub(crate) fn start(forbidden: &[&str]) -> Self {
        INSTALL.call_once(|| {
            tracing_subscriber::fmt()
                .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
                .with_writer(Log)
                .with_ansi(false)
                .init();
        });
        Self {
            texts: Mutex::default(),
            forbidden: Mutex::new(forbidden.iter().map(|&word| word.to_owned()).collect()),
        }
    }

    pub(crate) fn forbid(&self, words: &[&str]) {
        assert!(
            words.iter().all(|word| word.len() > 5),
            "too short to search for: {words:?}"
        );
        self.forbidden
            .lock()
            .unwrap()
            .extend(words.iter().map(|&word| word.to_owned()));
    }

    /// An error in every way it can be shown, with all its causes.
    pub(crate) fn note(&self, error: &(dyn Error + 'static)) {
        let mut current = Some(error);
        while let Some(error) = current {
            self.texts
                .lock()
                .unwrap()
                .push(format!("{error}\n{error:#}\n{error:?}\n{error:#?}"));
            current = error.source();
        }
    }

    pub(crate) fn note_debug(&self, value: &dyn Debug) {
        self.texts.lock().unwrap().push(format!("{value:?}\n{value:#?}"));
    }

    pub(crate) fn note_text(&self, text: String) {
        self.texts.lock().unwrap().push(text);
    }

    /// Whether the word is in a log line or in what was noted, in whatever case: names of hosts are in lower case.
    pub(crate) fn shows(&self, word: &str) -> bool {
        let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        let log = String::from_utf8_lossy(&log).into_owned();
        let word = word.to_lowercase();
        let texts = self.texts.lock().unwrap();
        texts
            .iter()
            .chain([&log])
            .any(|text| text.to_lowercase().contains(&word))
    }

    /// How many log lines there are.
    pub(crate) fn lines(&self) -> usize {
        let _ = self;
        let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&log).lines().count()
    }

    #[track_caller]
    pub(crate) fn check(&self) {
        let log = String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
        let mut texts = self.texts.lock().unwrap().clone();
        texts.extend(log.lines().map(str::to_owned));
        for word in self.forbidden.lock().unwrap().iter() {
            if let Some(text) = texts.iter().find(|text| text.contains(word.as_str())) {
                panic!("a secret is shown: {word:?} in {text}");
            }
        }
    }
}
