//! Each text of an error is documented once, in a table on the page of its crate, and each text of a table is one that
//! the crate has. Both sides are compared by what is literal: the string literals of the sources, and the tables.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

mod sources;
mod tables;

use std::collections::BTreeMap;
use std::path::Path;

use sources::Literal;
use tables::{Row, fixed_parts, rows, words};

/// A page, the crates whose texts it lists, and crates whose texts may be part of those.
const PAGES: &str = "acs-client: acs-client
    cli: oss-credentials-cli
    default-chain: oss-credentials
    ecs-ram-role: oss-credentials-ecs-ram-role
    env: oss-credentials-env
    errors: acs-sign oss-credentials-core oss-credentials-http oss-credentials-hyper oss-credentials-reqwest \
        oss-credentials-ureq oss-sign oss-testkit
    fc-context: oss-credentials-fc-context
    kms-client-key: oss-credentials-kms-client-key
    oidc-rrsa: oss-credentials-oidc-rrsa acs-sts + acs-client
    oss-client-errors: oss-client + oss-sign
    process: oss-credentials-process
    profile: oss-credentials-profile
    static: oss-credentials-static
    sts-assume-role: oss-credentials-sts-assume-role acs-sts + acs-client
    uri: oss-credentials-uri
    vending: oss-credentials-vending";

/// Their texts may be part of any other.
const SHARED: &str = "oss-credentials-core oss-credentials-http";

/// A crate that speaks as the services do: the page explains some of that, and the services' own pages the rest.
const STAND_IN: &str = "oss-testkit";

/// How advice begins. The pages give it in their own words.
const ADVICE: &str = "add allow attach await begin build call create check choose compare correct disable discard do download enable fetch \
    find free get give grant install issue keep kill leave let list log look make mount name pass percent-encode \
    put raise read register remove renew report request restart restore retry run save see send set \
    settle shorten sign start store take trust try unset update upload use wait write";

/// How literals begin that are no texts of errors: formats of dates, what services say, help and reports of the command,
/// and parts of advice.
const NO_TEXTS: &str = "%A, %d-|%a %b %e|%a, %d |\
    Invalid signing region|The Param |\
    Examples:|STS |What to do|as asked|at a time out of range|cannot be |not known: |in a |the source of the token |on |\
    beside an agent|or use what|the bucket … cannot be used|the credentials expire then|\
    the response has no usable date|the service allows no longer|there are more;|this machine\"s is …|\
    , or |; attempt_limit |; only endpoint(..) |, and leave out |--oidc-provider-arn or|--role-arn or|the agent, until|\
    the argument ARN|the file of --policy|KMS signed |a program whose name is not shown|access key secret|\
    caFilePath or ca_file(..)|if this is an ECS instance|its message is on stderr|\
    no member has credentials|of the last one: …|oidc_provider_arn, or|one of them|only :port may follow|\
    role_arn, or|stream that can be opened again|the caller\"s key is temporary|the client key (not|\
    the path given to|the path of the client key, |the path of the password file, |\
    the token was not renewed in time|value of the query parameter|…; check the URL, and the HTTP client";

#[test]
fn every_text_is_documented_and_every_documented_text_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut literals: BTreeMap<String, Vec<Literal>> = BTreeMap::new();
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        let of_crate = literals.entry(name.into_string().unwrap()).or_default();
        sources::read(&path.join("src"), of_crate);
    }
    let mut own_rows: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    let mut problems = Vec::new();
    for (page, crates) in PAGES.lines().map(|line| line.trim().split_once(": ").unwrap()) {
        let text = std::fs::read_to_string(root.join(format!("docs/{page}.md"))).unwrap();
        let (own, others) = crates.split_once(" + ").unwrap_or((crates, ""));
        let names = [own, others, SHARED].into_iter().flat_map(str::split_whitespace);
        let texts: Vec<&Literal> = names.flat_map(|name| &literals[name]).collect();
        problems.extend(stale(&rows(page, &text), &texts));
        for name in own.split_whitespace() {
            own_rows.entry(name).or_default().extend(rows(page, &text));
        }
    }
    for (name, literals) in literals.iter().filter(|(name, _)| *name != STAND_IN) {
        let rows = own_rows.remove(name.as_str()).unwrap_or_default();
        problems.extend(undocumented(literals, &rows));
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Sentences that no row has.
fn undocumented(literals: &[Literal], rows: &[Row]) -> Vec<String> {
    let is_text = |literal: &&Literal| {
        let first = literal.text.split([' ', ':', ';']).next().unwrap_or_default();
        let is_other = NO_TEXTS.split('|').any(|start| literal.text.starts_with(start));
        !literal.is_internal && !is_other && !ADVICE.split(' ').any(|verb| verb == first)
    };
    let texts = literals.iter().filter(is_text);
    let lost = texts.filter(|literal| {
        let parts = fixed_parts(&literal.text);
        let Some(longest) = parts.iter().max_by_key(|part| words(part)) else {
            return false;
        };
        let said = longest.split_once(": ").map(|(start, _)| start);
        let said = said.filter(|start| words(start) > 2).unwrap_or(longest);
        let mut documented = rows.iter().flat_map(|row| &row.texts);
        words(said) > 2 && !documented.any(|text| text.contains(said))
    });
    lost.map(|literal| format!("{}: no row has {:?}", literal.place, literal.text))
        .collect()
}

/// What rows have that no literal says.
fn stale(rows: &[Row], literals: &[&Literal]) -> Vec<String> {
    let pieces = literals.iter().flat_map(|literal| fixed_parts(&literal.text));
    let mut pieces: Vec<&str> = pieces.collect();
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    // One literal has it, or several have all its words, and most of them in groups.
    let is_said = |part: &str| {
        let mut left = part.to_owned();
        let mut single = 0;
        for piece in pieces.iter().filter(|piece| part.contains(**piece)) {
            single = if words(piece) > 1 {
                words(&left.replace(piece, ""))
            } else {
                single
            };
            left = left.replace(piece, " ");
        }
        literals.iter().any(|literal| literal.text.contains(part))
            || words(&left) == 0 && single * 2 <= words(part)
    };
    let mut problems = Vec::new();
    for row in rows {
        if !row.is_complete {
            problems.push(format!("{}: an empty cell", row.place));
        }
        let texts = row.texts.iter().filter(|text| words(text) > 1);
        for part in texts
            .flat_map(|text| fixed_parts(text))
            .filter(|part| !is_said(part))
        {
            problems.push(format!("{}: no literal has {part:?}", row.place));
        }
    }
    problems
}

/// A crate and a page that are made up: what the test is for, it finds.
mod made_up {
    use super::*;

    const SOURCE: &str = r#"
        #[error("vault: the door is {state}; open it")]
        struct Closed;
        fn read(limit: usize) -> Wrong {
            tracing::warn!(target: TARGET, limit, "the file was passed over");
            tracing::debug!("the file was looked at");
            invalid(format!("the file {} is empty of all lines", limit), "write a line of text")
        }
        #[cfg(test)]
        mod tests { const TEXT: &str = "the moon is made of cheese"; }
    "#;
    const PAGE: &str = "| error | variant | cause | what to do |\n|---|---|---|---|\n\
        | `vault: the door is …` | `Closed` | a cause | a fix |\n\
        | `the file … is empty of all lines` | `Empty` | a cause | a fix |\n\
        | log: `the file was passed over` | warning | a cause | a fix |\n";

    fn found(source: &str, page: &str) -> Vec<String> {
        let mut literals = Vec::new();
        sources::walk(source.parse().unwrap(), "made_up.rs", false, &mut literals);
        let rows = rows("made-up", page);
        let mut found = undocumented(&literals, &rows);
        found.extend(stale(&rows, &literals.iter().collect::<Vec<_>>()));
        found
    }

    #[test]
    fn what_is_missing_on_either_side_is_found() {
        assert_eq!(found(SOURCE, PAGE), [""; 0]);
        for line in PAGE.lines().skip(2) {
            let found = found(SOURCE, &PAGE.replace(&format!("{line}\n"), ""));
            assert!(
                found.len() == 1 && found[0].contains("no row has"),
                "{line}: {found:?}"
            );
        }
        for text in ["the door is", "empty of all", "passed over"] {
            let found = found(&SOURCE.replace(text, "changed"), PAGE);
            assert!(
                found.iter().any(|problem| problem.contains("no literal has")),
                "{text}: {found:?}"
            );
        }
        let found = found(SOURCE, &PAGE.replacen("a fix", "", 1));
        assert!(
            found.len() == 1 && found[0].contains("an empty cell"),
            "{found:?}"
        );
    }
}
