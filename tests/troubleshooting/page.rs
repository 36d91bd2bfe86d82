//! The rows of `docs/troubleshooting.md`, and which texts they stand for.

/// Who says something, in front of a text.
const NAMES: &[&str] = &[
    "acs-client",
    "acs-sign",
    "acs-sts",
    "chain",
    "default",
    "ecs-ram-role",
    "endpoint",
    "env",
    "fc-context",
    "kms-client-key",
    "oidc-rrsa",
    "oss-client",
    "oss-sign",
    "process",
    "profile",
    "static",
    "sts-assume-role",
    "uri",
    "vending",
];

/// A row of a section's table.
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) section: String,
    /// What the first cell shows in code font: a text, and others that end (or all) differently. Empty for what is no text.
    pub(crate) texts: Vec<String>,
    /// The same in full, each in every way to read it.
    patterns: Vec<Vec<Vec<char>>>,
    /// They are log lines.
    pub(crate) is_log: bool,
    pub(crate) cause: String,
    pub(crate) fix: String,
}

pub(crate) fn rows(page: &str) -> Vec<Row> {
    let mut section = String::new();
    let mut rows = Vec::new();
    for (index, line) in page.lines().enumerate() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut section);
        }
        let Some(cells) = line.strip_prefix("| ") else {
            continue;
        };
        let mut cells = cells.trim_end_matches('|').split(" | ").map(str::trim);
        let [first, variant, cause, fix] = [(); 4].map(|()| cells.next().unwrap_or_default());
        if first == "error" && variant == "variant" {
            continue;
        }
        let texts: Vec<String> = in_code_font(first)
            .iter()
            .map(|text| without_provider(text))
            .collect();
        rows.push(Row {
            line: index + 1,
            patterns: (0..texts.len()).map(|index| complete(&texts, index)).collect(),
            texts,
            is_log: first.starts_with("log: "),
            cause: cause.to_owned(),
            fix: fix.to_owned(),
            section: section.clone(),
        });
    }
    rows
}

fn in_code_font(cell: &str) -> Vec<String> {
    // A text that holds ticks itself stands between two of them.
    let mark = if cell.contains("``") { "``" } else { "`" };
    cell.split(mark)
        .skip(1)
        .step_by(2)
        .map(|text| text.trim().to_owned())
        .collect()
}

/// Placeholders are all `…`.
fn without_provider(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        let Some((_, after)) = behind.split_once('>') else {
            break;
        };
        plain.push_str(before);
        plain.push('…');
        rest = after;
    }
    plain.push_str(rest);
    on_its_own(&plain)
}

/// The text without the name of who says it and what else stands before it, and in one line. What stands in a section
/// of an INI file is a profile, too.
pub(crate) fn on_its_own(text: &str) -> String {
    let text = text.trim();
    for start in ["…: ", "…; ", "…, "] {
        if let Some(rest) = text.strip_prefix(start) {
            return on_its_own(rest);
        }
    }
    let start = text.split_once(": ").filter(|(name, _)| NAMES.contains(name));
    let text = start.map_or(text, |(_, text)| text);
    let text = text.trim_start_matches([':', ',', ';', ' ']);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace('`', "\"");
    text.replace("section \"…\"", "profile \"…\"")
}

impl Row {
    /// Whether one of its texts has this in it.
    pub(crate) fn shows(&self, part: &str) -> bool {
        self.texts.iter().any(|text| text.contains(part))
    }

    /// Which of the texts in the first cell stand for this text of a program.
    pub(crate) fn matching<'a>(&'a self, said: &'a Said) -> impl Iterator<Item = usize> + 'a {
        (0..self.patterns.len()).filter(|index| self.matches(*index, said))
    }

    /// Whether this one of the texts in the first cell stands for this text of a program.
    pub(crate) fn matches(&self, index: usize, said: &Said) -> bool {
        self.patterns[index].iter().any(|entry| said.is_told_by(entry))
    }
}

/// A text in full: one that is a continuation has the beginning of the first one, wherever that ends.
fn complete(texts: &[String], index: usize) -> Vec<Vec<char>> {
    let text = &texts[index];
    // That would stand for everything.
    if words(text) == 0 {
        return Vec::new();
    }
    let mut all = variants(text);
    if index > 0 {
        for beginning in variants(&texts[0]) {
            let words: Vec<&str> = beginning.split(' ').collect();
            all.extend((1..words.len()).map(|count| format!("{} {text}", words[..count].join(" "))));
        }
    }
    all.sort();
    all.dedup();
    all.iter().map(|text| text.chars().collect()).collect()
}

/// `an id (secret, security token) is empty` stands for three texts: each word in brackets takes the place of one or
/// more words before it.
fn variants(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    let Some((before, rest)) = text.split_once(" (") else {
        return all;
    };
    let Some((inside, after)) = rest.split_once(')') else {
        return all;
    };
    // What a program puts there itself.
    if inside.contains('…') {
        return all;
    }
    let words: Vec<&str> = before.split(' ').collect();
    all.extend(variants(&format!("{before}{after}")));
    for other in inside.split(", ") {
        for kept in 0..words.len() {
            let kept = words[..kept].iter().copied().chain([other]);
            all.extend(variants(&format!(
                "{}{after}",
                kept.collect::<Vec<_>>().join(" ")
            )));
        }
    }
    all
}

/// A text of a program, as it may begin. A program puts place, code and advice behind it.
pub(crate) struct Said {
    ways: Vec<(Vec<char>, bool)>,
}

impl Said {
    pub(crate) fn new(text: &str) -> Self {
        // Its first words, up to some mark.
        let ends = text
            .match_indices([',', ':', ';'])
            .chain(text.match_indices(" ("));
        let beginnings = ends
            .filter_map(|(end, _)| text.get(..end))
            .filter(|text| words(text) > 2);
        let mut ways = Vec::new();
        for text in beginnings.chain([text]) {
            let says_enough = words(text) > 2 || !text.contains('…');
            for end in ["", " (…)", " (…", ": …", "; …"] {
                ways.push((text.chars().chain(end.chars()).collect(), says_enough));
            }
        }
        Self { ways }
    }

    /// Whether an entry of the page stands for this text, or is one case of it.
    fn is_told_by(&self, entry: &[char]) -> bool {
        self.ways.iter().any(|(text, says_enough)| {
            // Most differ from the beginning.
            let mut both = entry
                .iter()
                .zip(text)
                .take_while(|(a, b)| **a != '…' && **b != '…');
            both.all(|(a, b)| a == b) && (holds(entry, text) || (*says_enough && holds(text, entry)))
        })
    }
}

/// Whether this is what a service says, and not one of us: `NoPermission`, and what may follow it.
pub(crate) fn is_code(entry: &str) -> bool {
    let end = entry.find([',', ' ']).unwrap_or(entry.len());
    let (code, rest) = entry.split_at(end);
    code.starts_with(|c: char| c.is_ascii_uppercase())
        && (code.contains('.') || code.chars().filter(char::is_ascii_uppercase).count() > 1)
        && code.contains(|c: char| c.is_ascii_lowercase())
        && (rest.is_empty() || rest.starts_with(", ") || rest.starts_with(" (instance: "))
}

/// Whether every text that the second one may be is one that the first one may be.
fn holds(wide: &[char], narrow: &[char]) -> bool {
    // Which beginnings of `narrow` are done with so far.
    let mut done = vec![false; narrow.len() + 1];
    done[0] = true;
    for &c in wide {
        let mut next = vec![false; narrow.len() + 1];
        if c == '…' {
            let from = done.iter().position(|is_done| *is_done).unwrap_or(done.len());
            next.iter_mut().skip(from).for_each(|is_done| *is_done = true);
        } else {
            for (index, is_done) in done.iter().enumerate() {
                if *is_done && narrow.get(index) == Some(&c) {
                    next[index + 1] = true;
                }
            }
        }
        done = next;
    }
    done.last() == Some(&true)
}

/// How many words a text has for certain.
pub(crate) fn words(text: &str) -> usize {
    text.split_whitespace()
        .filter(|word| word.contains(char::is_alphabetic))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_told(entry: &str, text: &str) -> bool {
        Said::new(text).is_told_by(&entry.chars().collect::<Vec<_>>())
    }

    #[test]
    fn entries_stand_for_texts() {
        for (entry, text) in [
            ("no file is set", "no file is set"),
            ("the file \"…\" is …", "the file \"…\" is empty"),
            ("the program failed with signal: …", "the program failed with …"),
            ("no profile (…)", "no profile"),
            ("no answer: Code", "no answer"),
        ] {
            assert!(is_told(entry, text), "{entry} {text}");
        }
        for (entry, text) in [
            ("no file is set", "no file was set"),
            ("no file is", "no file is set"),
            ("the file is empty", "the …"),
            ("the file …", "the … is empty"),
        ] {
            assert!(!is_told(entry, text), "{entry} {text}");
        }
    }

    #[test]
    fn a_row_has_texts_in_short() {
        let page = "## env\n| error | variant | cause | what to do |\n|---|---|---|---|\n\
            | `env: the id (secret, security token) is empty` / `has blanks` | `InvalidConfig` | cause | fix |\n";
        let rows = rows(page);
        let [row] = rows.as_slice() else {
            panic!("{}", rows.len())
        };
        assert_eq!(
            (row.line, row.cause.as_str(), row.fix.as_str()),
            (4, "cause", "fix")
        );
        for (text, index) in [
            ("the id is empty", 0),
            ("the secret is empty", 0),
            ("the security token is empty", 0),
            ("the id has blanks", 1),
            ("the security token has blanks", 1),
        ] {
            assert_eq!(
                row.matching(&Said::new(text)).collect::<Vec<_>>(),
                [index],
                "{text}"
            );
        }
        assert_eq!(row.matching(&Said::new("the name is empty")).count(), 0);
    }
}
