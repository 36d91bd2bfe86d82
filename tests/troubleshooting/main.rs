//! Every text of an error stands on the page for troubleshooting, with its cause and what to do, and every text on
//! that page is one that a program may show. Both sides are read: the page's tables, and the sources of the crates.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

mod advice;
mod evaluate;
mod format;
mod model;
mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use evaluate::{Evaluator, Texts};
use format::with_anything;
use model::{Call, Model};
use page::{Row, Said, is_code, on_its_own, rows, words};

/// Sections of the page, and the crates whose texts stand there.
const SECTIONS: &[(&str, &[&str])] = &[
    ("core", &["oss-credentials-core", "oss-credentials-http"]),
    ("default", &["oss-credentials"]),
    ("acs-client", &["acs-client"]),
    ("vending", &["oss-credentials-vending"]),
    (
        "sts-assume-role",
        &["oss-credentials-sts-assume-role", "acs-sts", "acs-client"],
    ),
    (
        "oidc-rrsa",
        &["oss-credentials-oidc-rrsa", "acs-sts", "acs-client"],
    ),
    ("kms-client-key", &["oss-credentials-kms-client-key"]),
    ("ecs-ram-role", &["oss-credentials-ecs-ram-role"]),
    ("uri", &["oss-credentials-uri"]),
    ("fc-context", &["oss-credentials-fc-context"]),
    ("process", &["oss-credentials-process"]),
    ("profile", &["oss-credentials-profile"]),
    ("acs-sign", &["acs-sign"]),
    ("oss-sign", &["oss-sign"]),
    ("env", &["oss-credentials-env"]),
    ("static", &["oss-credentials-static"]),
    (
        "HTTP clients",
        &[
            "oss-credentials-http",
            "oss-credentials-reqwest",
            "oss-credentials-ureq",
            "oss-credentials-hyper",
        ],
    ),
    ("testkit", &["oss-testkit"]),
    ("oss-client", &["oss-client"]),
];

/// Crates that speak as the services do: the page explains some of that, and the services' own pages the rest.
const STAND_INS: &[&str] = &["oss-testkit"];

/// Literals of several words that nobody is shown.
const NO_TEXTS: &[&str] = &[
    // Formats of dates.
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S GMT",
    // What KMS says, to be recognised.
    "The Param Date is invalid.",
    "The Param Authorization is invalid.",
    "string to sign",
    // A hint that clients add to errors of their own.
    "set the local clock",
    "set the local clock: it is … s … the service's",
    // What OSS says.
    "Invalid signing region",
];

/// Texts around others. The others stand on the page without them: within one, everything would be said.
const FRAMES: &[&str] = &[
    "the answer of … cannot be used (…): ",
    "… has no complete answer (…): ",
];

/// A text that a crate may show.
struct Text {
    words: String,
    said: Said,
    is_log: bool,
    place: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Reads the texts of a crate out of its sources; and such as look like a text and lead nowhere.
struct Reading<'m> {
    model: &'m Model,
    core: &'m Model,
    evaluator: Evaluator<'m>,
    texts: Vec<Text>,
    /// All literals.
    parts: BTreeSet<String>,
}

impl<'m> Reading<'m> {
    fn of(model: &'m Model, core: &'m Model) -> Self {
        let mut reading = Self {
            model,
            core,
            evaluator: Evaluator::new(model, defects(core)),
            texts: Vec::new(),
            parts: model
                .literals
                .iter()
                .map(|(_, text)| on_its_own(&with_anything(text)))
                .collect(),
        };
        for call in &model.calls {
            reading.call(call);
        }
        for (location, format, structure) in &model.attributes {
            for text in reading.evaluator.attribute(format, structure) {
                reading.add(&text, model.shown(*location));
            }
        }
        for (arguments, unit) in &model.writes {
            let arguments = arguments.get(1..).unwrap_or_default();
            let texts = reading.evaluator.format(arguments, *unit);
            if is_sentence(arguments) {
                reading.add_sentences(texts, *unit);
            }
        }
        for log in &model.logs {
            for name in &log.variables {
                reading.evaluator.variable(name, log.unit);
            }
            if log.level != "warn" {
                continue;
            }
            let place = model.shown(log.location);
            reading.push(&with_anything(&log.message), true, place);
        }
        for text in reading.evaluator.among_others() {
            if words(&text) > 2 {
                reading.add(&text, "within another text".to_owned());
            }
        }
        reading
    }

    fn call(&mut self, call: &Call) {
        let unit = call.unit;
        let argument = |index: usize| match call.arguments.get(index) {
            Some(argument) => self.evaluator.texts(argument, unit),
            None => Texts::new(),
        };
        let texts = match (call.qualifier.as_deref(), call.name.as_str()) {
            (Some("ErrorDetail"), "builder") if !self.is_for_others(unit) => argument(1),
            // Listed for each crate that calls it.
            (Some("ErrorDetail"), "builder") => {
                argument(1);
                return;
            }
            (Some("HttpError"), "new") => argument(1).into_iter().filter(|text| words(text) > 0).collect(),
            // Why a file does not count, for the error that lists them.
            (Some("Lookup"), "Absent") => argument(0),
            (None, "with_remark" | "detail") if call.receiver.is_some() => argument(0),
            // A function that chooses hints, by its name.
            (None, "hints") if call.receiver.is_some() => {
                if let Some(chooser) = call.arguments.first() {
                    self.evaluator.returned(chooser);
                }
                return;
            }
            (None, "into_credentials_error") if call.receiver.is_some() => {
                argument(3);
                of_exchanges(self.core, argument(1))
            }
            (None, "write_str") => {
                let texts = argument(0);
                return self.add_sentences(texts, unit);
            }
            // Not what the page is about, but reached.
            (None, "hint" | "setting_label" | "place" | "code" | "message") if call.receiver.is_some() => {
                argument(0);
                return;
            }
            (None, "push_str") if call.receiver.as_ref().is_some_and(is_hint) => {
                argument(0);
                return;
            }
            // Names of fields.
            (Some("BodyDefect"), _) => {
                argument(0);
                return;
            }
            _ => return,
        };
        for text in texts {
            self.add(&text, self.place(unit));
        }
    }

    /// Whether texts are made here in the name of another crate.
    fn is_for_others(&self, unit: usize) -> bool {
        let mut around = self.model.around(unit);
        around.any(|unit| self.model.units[unit].name.as_deref() == Some("into_credentials_error"))
    }

    /// Those that are more than a word, or the frame around others.
    fn add_sentences(&mut self, texts: Texts, unit: usize) {
        for text in texts.into_iter().filter(|text| words(text) > 2) {
            self.add(&text, self.place(unit));
        }
    }

    fn add(&mut self, text: &str, place: String) {
        self.push(text, false, place);
    }

    fn push(&mut self, text: &str, is_log: bool, place: String) {
        let text = on_its_own(text);
        if self
            .texts
            .iter()
            .any(|known| known.words == text && known.is_log == is_log)
        {
            return;
        }
        let said = Said::new(&text);
        self.texts.push(Text {
            words: text,
            said,
            is_log,
            place,
        });
    }

    fn place(&self, unit: usize) -> String {
        self.model.named(unit)
    }

    /// Literals that look like a part of a text and have not been reached.
    fn lost(&self) -> Vec<(String, String)> {
        let literals = self.model.literals.iter();
        let lost = literals.filter(|(location, _)| !self.evaluator.is_reached(location));
        lost.map(|(location, text)| (on_its_own(&with_anything(text)), self.model.shown(*location)))
            .filter(|(text, _)| words(text) > 2 && !NO_TEXTS.contains(&text.as_str()))
            .collect()
    }
}

/// Whether a format string says something itself, and is no frame around other texts.
fn is_sentence(arguments: &[syn::Expr]) -> bool {
    let Some(syn::Expr::Lit(literal)) = arguments.first() else {
        return false;
    };
    matches!(&literal.lit, syn::Lit::Str(text) if words(&with_anything(&text.value())) > 2)
}

fn is_hint(expr: &syn::Expr) -> bool {
    matches!(expr, syn::Expr::Path(path) if path.path.is_ident("hint"))
}

/// What the core says of a failed exchange with one of these.
fn of_exchanges(core: &Model, services: Texts) -> Texts {
    let unit = core
        .units
        .iter()
        .position(|unit| unit.name.as_deref() == Some("into_credentials_error"));
    let unit = unit.unwrap();
    let evaluator = Evaluator::new(core, Texts::new()).with_parameter(unit, "service", services);
    let made = core
        .calls
        .iter()
        .filter(|call| call.name == "builder" && call.unit == unit);
    let texts: Texts = made
        .flat_map(|call| evaluator.texts(&call.arguments[1], unit))
        .collect();
    assert!(texts.len() > 4, "{texts:?}");
    texts
}

/// What a body may be in place of what was expected: the end of a sentence.
fn defects(core: &Model) -> Texts {
    let evaluator = Evaluator::new(core, Texts::new());
    let is_here =
        |unit: usize| core.units[unit].displays && core.units[unit].owner.as_deref() == Some("BodyDefect");
    let written = core.writes.iter().filter(|(_, unit)| is_here(*unit));
    let mut texts: Texts = written
        .flat_map(|(arguments, unit)| evaluator.format(&arguments[1..], *unit))
        .collect();
    for call in core
        .calls
        .iter()
        .filter(|call| call.name == "write_str" && is_here(call.unit))
    {
        texts.extend(evaluator.texts(&call.arguments[0], call.unit));
    }
    assert!(
        texts.contains("is empty") && texts.contains("has no …"),
        "{texts:?}"
    );
    texts
}

/// The rows of each page, under the names of its sections here.
fn all_rows() -> Vec<Row> {
    let mut all = Vec::new();
    for (name, _) in SECTIONS {
        let page = match *name {
            "default" => "default-chain",
            "oss-client" => "oss-client-errors",
            "core" | "acs-sign" | "oss-sign" | "HTTP clients" | "testkit" => "errors",
            name => name,
        };
        let text = std::fs::read_to_string(root().join(format!("docs/{page}.md"))).unwrap();
        for mut row in rows(&text) {
            let here = match row.section.as_str() {
                _ if page == "oss-client-errors" => true,
                "chain" | "endpoint" => *name == "core",
                section => section == *name || (page != "errors" && section == "Errors"),
            };
            if here {
                (*name).clone_into(&mut row.section);
                all.push(row);
            }
        }
    }
    all
}

fn model(names: &[&str]) -> Model {
    let source = |name: &&str| root().join("crates").join(name).join("src");
    Model::read(names.iter().map(source).collect())
}

fn models(sections: &[(&str, &[&'static str])]) -> BTreeMap<&'static str, Model> {
    let names = sections.iter().flat_map(|(_, crates)| *crates);
    names.map(|name| (*name, model(&[name]))).collect()
}

#[test]
fn every_text_has_an_entry_and_every_entry_a_text() {
    let (core, models) = (
        model(&["oss-credentials-core", "oss-credentials-http"]),
        models(SECTIONS),
    );
    let problems = problems(&all_rows(), SECTIONS, &core, &models);
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

/// Of each crate its name, what is read of it, and its sections.
fn problems(
    rows: &[Row],
    sections: &[(&str, &[&str])],
    core: &Model,
    models: &BTreeMap<&'static str, Model>,
) -> Vec<String> {
    let readings: BTreeMap<&str, Reading<'_>> = models
        .iter()
        .map(|(name, model)| (*name, Reading::of(model, core)))
        .collect();
    let mut problems = Vec::new();
    for row in rows {
        if row.texts.iter().any(String::is_empty) || row.cause.is_empty() || row.fix.is_empty() {
            problems.push(format!(
                "line {}: an empty text, no cause, or nothing to do",
                row.line
            ));
        }
    }
    for (name, reading) in readings.iter().filter(|(name, _)| !STAND_INS.contains(name)) {
        let sections = sections.iter().filter(|(_, crates)| crates.contains(name));
        let sections: Vec<&str> = sections.map(|(section, _)| *section).collect();
        let rows: Vec<&Row> = rows
            .iter()
            .filter(|row| sections.contains(&row.section.as_str()))
            .collect();
        problems.extend(
            reading
                .without_entry(&rows)
                .into_iter()
                .map(|problem| format!("{sections:?}: {problem}")),
        );
    }
    for row in rows {
        let framed = FRAMES
            .iter()
            .flat_map(|frame| row.texts.iter().filter_map(move |text| text.strip_prefix(frame)));
        for text in framed.filter(|text| words(text) > 0) {
            problems.push(format!("line {}: {text:?} has to stand alone", row.line));
        }
        let Some((_, crates)) = sections.iter().find(|(section, _)| *section == row.section) else {
            problems.push(format!(
                "line {}: no crate is read for {:?}",
                row.line, row.section
            ));
            continue;
        };
        let crates = crates
            .iter()
            .chain(&["oss-credentials-core", "oss-credentials-http"]);
        let readings: Vec<_> = crates.filter_map(|name| readings.get(name)).collect();
        problems.extend(
            stale(row, &readings)
                .into_iter()
                .map(|text| format!("line {}: nothing says {text:?}", row.line)),
        );
    }
    problems
}

impl Reading<'_> {
    /// What has no entry in the sections of the crate, or says too little.
    fn without_entry(&self, rows: &[&Row]) -> Vec<String> {
        let mut problems = Vec::new();
        for (text, place) in self.lost() {
            if !rows.iter().any(|row| row.shows(&text)) {
                problems.push(format!("no entry has {text:?} ({place})"));
            }
        }
        for place in advice::without_advice(self.model, &self.evaluator) {
            problems.push(format!("an error does not say what to do ({place})"));
        }
        for text in &self.texts {
            match words(&text.words) {
                // What another crate says, handed on.
                0 => continue,
                1 => problems.push(format!(
                    "the sources do not tell what {:?} says ({})",
                    text.words, text.place
                )),
                _ => {}
            }
            if !rows
                .iter()
                .any(|row| row.is_log == text.is_log && row.matching(&text.said).next().is_some())
            {
                problems.push(format!("no entry for {:?} ({})", text.words, text.place));
            }
        }
        problems
    }
}

/// Texts of a row that no program says.
fn stale<'r>(row: &'r Row, readings: &[&Reading<'_>]) -> Vec<&'r str> {
    let texts = || {
        readings
            .iter()
            .flat_map(|reading| &reading.texts)
            .filter(|text| text.is_log == row.is_log)
    };
    let is_said = |index: usize| texts().any(|text| row.matches(index, &text.said));
    let is_part = |entry: &str| readings.iter().any(|reading| reading.parts.contains(entry));
    let entries = row.texts.iter().enumerate();
    entries
        .filter(|(index, entry)| !is_said(*index) && !is_code(entry) && !is_part(entry))
        .map(|(_, entry)| entry.as_str())
        .collect()
}

/// A crate and a page that are made up: what the test is for, it finds.
mod made_up {
    use super::*;

    const SOURCE: &str = r#"
        const NAME: &str = "made-up";
        fn invalid(problem: &str, hint: &'static str) -> CredentialsError {
            CredentialsError::invalid_config(ErrorDetail::builder(NAME, format!("the file {problem}")).hint(hint))
        }
        fn read(limit: usize) -> Result<(), CredentialsError> {
            let (what, hint) = match limit {
                0 => ("is empty of all lines", "write one"),
                _ => ("is larger than I like", "shorten it"),
            };
            tracing::warn!(target: TRACING_TARGET, "the file was passed over");
            Err(invalid(what, hint))
        }
    "#;
    const PAGE: &str = "## made-up\n\n| error | variant | cause | what to do |\n|---|---|---|---|\n\
        | `the file is empty of all lines` / `is larger than I like` | `InvalidConfig` | a cause | a fix |\n\
        | log: `the file was passed over` | warning | a cause | a fix |\n";

    fn found(source: &str, page: &str) -> Vec<String> {
        let mut made_up = Model::default();
        made_up.read_text("made_up.rs".into(), source);
        let models = BTreeMap::from([("made-up", made_up)]);
        problems(
            &rows(page),
            &[("made-up", &["made-up"])],
            &model(&["oss-credentials-core", "oss-credentials-http"]),
            &models,
        )
    }

    fn finds(source: &str, page: &str, problem: &str) {
        assert!(source != SOURCE || page != PAGE, "nothing was changed");
        let found = found(source, page);
        assert!(
            found.len() == 1 && found[0].contains(problem),
            "{problem}: {found:#?}"
        );
    }

    #[test]
    fn a_page_that_is_right() {
        assert_eq!(found(SOURCE, PAGE), [""; 0]);
    }

    #[test]
    fn a_text_without_an_entry() {
        let page = PAGE.replace(" / `is larger than I like`", "");
        finds(SOURCE, &page, "no entry for \"the file is larger than I like\"");
    }

    #[test]
    fn a_log_line_without_an_entry() {
        let (page, _) = PAGE.split_once("| log").unwrap();
        finds(SOURCE, page, "no entry for \"the file was passed over\"");
    }

    #[test]
    fn a_text_that_leads_nowhere() {
        let source = format!("{SOURCE} fn lost() -> &'static str {{ \"the moon is blue\" }}");
        finds(&source, PAGE, "no entry has \"the moon is blue\"");
    }

    #[test]
    fn an_entry_without_a_text() {
        let page = PAGE.replace("than I like`", "than I like` / `is in the wrong place`");
        finds(SOURCE, &page, "nothing says \"is in the wrong place\"");
    }

    #[test]
    fn an_entry_within_a_frame() {
        let page = PAGE.replace(
            "a cause | a fix |\n| log",
            "a cause | a fix |\n\
            | `<a> has no complete answer (<b>): it is x` | `X` | a cause | a fix |\n| log",
        );
        let found = found(SOURCE, &page);
        assert!(found[0].contains("\"it is x\" has to stand alone"), "{found:?}");
    }

    #[test]
    fn a_text_that_may_be_anything_else_too() {
        let source = format!(
            "{SOURCE} struct Wrong {{ what: String }} \
             impl Wrong {{ fn new(what: String) -> Self {{ Self {{ what }} }} }} \
             impl fmt::Display for Wrong {{ fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{ \
             write!(f, \"the file {{}}\", self.what) }} }} \
             fn wrong(told: &str) {{ Wrong::new(told.trim()); Wrong::new(\"the sun is green\"); }}"
        );
        finds(&source, PAGE, "no entry for \"the sun is green\"");
    }

    #[test]
    fn a_section_of_no_crate() {
        let page = format!("{PAGE}## another\n\n| `the file is blue` | `X` | a cause | a fix |\n");
        finds(SOURCE, &page, "no crate is read for \"another\"");
    }

    #[test]
    fn an_entry_without_cause_or_advice() {
        finds(SOURCE, &PAGE.replacen("a cause", "", 1), "no cause");
        finds(SOURCE, &PAGE.replacen("a fix", "", 1), "nothing to do");
    }

    #[test]
    fn an_error_without_advice() {
        finds(
            &SOURCE.replace(".hint(hint)", ""),
            PAGE,
            "does not say what to do (made_up.rs, invalid)",
        );
    }
}
