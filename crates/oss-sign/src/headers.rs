//! The headers that are signed, in the form in which they are signed.
//!
//! What the signer adds comes as finished text and is merged with what the request has, so that the usual request,
//! which has no such headers, costs a handful of copies.

use std::cmp::Ordering;

use crate::encode::TextSink;
use crate::list::{FEW, List, sort};
use crate::wipe::wipe;
use crate::{RequestView, SignError};

/// Takes bytes piece by piece; text as well.
pub(crate) trait Sink: TextSink {
    fn put(&mut self, piece: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }
}

/// A canonical request of usual length without the heap. It may hold the security token: what is on the heap is
/// overwritten when it is dropped, and when it has to move.
pub(crate) struct Scratch(List<u8, 1024>);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(List::new(0))
    }

    pub(crate) fn extend(&mut self, piece: &[u8]) {
        let spilled = self.0.spilled_mut();
        if spilled.capacity() > 0 && spilled.capacity() - spilled.len() < piece.len() {
            move_out(spilled, piece.len());
        }
        self.0.extend(piece);
    }

    pub(crate) fn items(&self) -> &[u8] {
        self.0.items()
    }

    pub(crate) fn items_mut(&mut self) -> &mut [u8] {
        self.0.items_mut()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let spilled = self.0.spilled_mut();
        if spilled.capacity() > 0 {
            wipe(spilled);
        }
    }
}

#[cold]
fn move_out(spilled: &mut Vec<u8>, more: usize) {
    let mut larger = Vec::with_capacity(2 * spilled.capacity() + more);
    larger.extend_from_slice(spilled);
    wipe(spilled);
    *spilled = larger;
}

impl Sink for Scratch {
    fn put(&mut self, piece: &[u8]) {
        self.extend(piece);
    }
}

impl TextSink for Scratch {
    fn put_str(&mut self, piece: &str) {
        self.extend(piece.as_bytes());
    }
}

/// Which headers of the request take part.
pub(crate) struct Rules<'r, F> {
    /// Whether a name, in any case, is in the list of additional headers.
    pub(crate) is_additional: F,
    /// Names whose value the signer sets itself.
    pub(crate) replaced: &'r [&'static str],
    /// Whether an additional header without value counts.
    pub(crate) keep_empty: bool,
}

#[derive(Clone, Copy)]
struct SignedHeader<'a> {
    /// In the request's case.
    name: &'a str,
    value: &'a [u8],
    additional: bool,
}

/// The headers of the request that are signed, in the order of their lower-case names.
pub(crate) struct SignedHeaders<'a>(List<SignedHeader<'a>, FEW>);

impl<'a> SignedHeaders<'a> {
    pub(crate) fn new() -> Self {
        Self(List::new(SignedHeader {
            name: "",
            value: &[],
            additional: false,
        }))
    }

    /// Takes the signed headers of `view` by the rules.
    pub(crate) fn collect(
        &mut self,
        view: &RequestView<'a>,
        rules: &Rules<'_, impl Fn(&str) -> bool>,
    ) -> Result<(), SignError> {
        let list = &mut self.0;
        let replaced = |name: &str| rules.replaced.iter().any(|own| own.eq_ignore_ascii_case(name));
        view.header_source().each(
            |name| (is_signed_always(name) || (rules.is_additional)(name)) && !replaced(name),
            |name, value| {
                let additional = !is_signed_always(name);
                if !additional || rules.keep_empty || !value.is_empty() {
                    list.push(SignedHeader {
                        name,
                        value,
                        additional,
                    });
                }
            },
        )?;
        sort(list.items_mut(), |one, two| cmp_names(one.name, two.name));
        Ok(())
    }

    /// Takes the headers of `view` whose names begin with `x-oss-`, but those in `replaced`, and adds `own`.
    #[cfg(feature = "v1")]
    pub(crate) fn collect_oss(
        &mut self,
        view: &RequestView<'a>,
        own: Option<(&'a str, &'a [u8])>,
        replaced: &[&str],
    ) -> Result<(), SignError> {
        let list = &mut self.0;
        let mut push = |name, value| {
            list.push(SignedHeader {
                name,
                value,
                additional: false,
            });
        };
        let replaced = |name: &str| replaced.iter().any(|own| own.eq_ignore_ascii_case(name));
        view.header_source()
            .each(|name| is_oss_header(name) && !replaced(name), &mut push)?;
        if let Some((name, value)) = own {
            push(name, value);
        }
        sort(list.items_mut(), |one, two| cmp_names(one.name, two.name));
        Ok(())
    }

    /// Writes the lines `name:value`, each with its line end. `own` are lines of other headers, by their
    /// names, in order; several values of one header are joined by commas.
    pub(crate) fn put_lines(&self, out: &mut impl Sink, own: &[(&str, &[u8])]) {
        let mut own = own.iter().peekable();
        let mut last = "";
        for header in self.0.items() {
            if cmp_names(last, header.name).is_eq() {
                out.put(b",");
            } else {
                if !last.is_empty() {
                    out.put(b"\n");
                }
                while let Some((_, line)) = own.next_if(|(name, _)| cmp_names(name, header.name).is_lt()) {
                    out.put(line);
                }
                put_lower(out, header.name);
                out.put(b":");
                last = header.name;
            }
            out.put(header.value);
        }
        if !last.is_empty() {
            out.put(b"\n");
        }
        own.for_each(|(_, line)| out.put(line));
    }

    /// An upper bound of what [`SignedHeaders::put_lines`] writes for these headers.
    pub(crate) fn lines_len(&self) -> usize {
        self.0
            .items()
            .iter()
            .map(|header| header.name.len() + header.value.len() + 2)
            .sum()
    }

    /// The names of the additional headers among these: lower case, sorted, joined by `;`.
    pub(crate) fn additional(&self) -> String {
        // The usual case.
        if !self.0.items().iter().any(|header| header.additional) {
            return String::new();
        }
        let mut names = String::new();
        let mut last = "";
        for header in self.0.items().iter().filter(|header| header.additional) {
            if cmp_names(last, header.name).is_ne() {
                if !last.is_empty() {
                    names.push(';');
                }
                names.extend(header.name.chars().map(|letter| letter.to_ascii_lowercase()));
                last = header.name;
            }
        }
        names
    }

    /// The value of the first header of that name.
    pub(crate) fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.0
            .items()
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
    }
}

/// Returns whether a header is signed without being listed.
pub(crate) fn is_signed_always(name: &str) -> bool {
    is_oss_header(name)
        || name.eq_ignore_ascii_case("content-type")
        || name.eq_ignore_ascii_case("content-md5")
}

/// Returns whether a header is one of the service's own.
fn is_oss_header(name: &str) -> bool {
    name.get(..6)
        .is_some_and(|start| start.eq_ignore_ascii_case("x-oss-"))
}

fn cmp_names(one: &str, two: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    one.bytes().map(lower).cmp(two.bytes().map(lower))
}

fn put_lower(out: &mut impl Sink, name: &str) {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.bytes()
            .for_each(|byte| out.put(&[byte.to_ascii_lowercase()]));
    } else {
        out.put_str(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(headers: &[(&str, &[u8])], own: &[(&str, &[u8])]) -> String {
        let mut signed = SignedHeaders::new();
        let rules = Rules {
            is_additional: |_: &str| true,
            replaced: &[],
            keep_empty: true,
        };
        signed
            .collect(&RequestView::new("GET").headers(headers), &rules)
            .unwrap();
        let mut out = b">".to_vec();
        signed.put_lines(&mut out, own);
        let own_length: usize = own.iter().map(|(_, line)| line.len()).sum();
        assert!(out.len() - 1 <= signed.lines_len() + own_length);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn own_lines_are_merged_at_their_places() {
        let own: &[(&str, &[u8])] = &[("b", b"b:1\n"), ("d", b"d:2\n")];
        assert_eq!(lines(&[], own), ">b:1\nd:2\n");
        assert_eq!(
            lines(&[("C", b"x"), ("a", b""), ("e", b"y")], own),
            ">a:\nb:1\nc:x\nd:2\ne:y\n"
        );
        assert_eq!(lines(&[("c", b"x")], &[]), ">c:x\n");
        assert_eq!(lines(&[], &[]), ">");
    }

    #[test]
    fn values_of_one_header_are_joined_in_their_order() {
        assert_eq!(
            lines(&[("B", b"2"), ("a", b"0"), ("b", b" 1 ")], &[]),
            ">a:0\nb:2,1\n"
        );
    }

    #[test]
    fn a_long_list_sorts_like_a_short_one() {
        let names: Vec<String> = (0..40).map(|at| format!("h{:02}", (at * 7) % 40)).collect();
        let headers: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"v"[..])).collect();
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(lines(&headers, &[]), format!(">{}:v\n", sorted.join(":v\n")));
    }
}
