//! The canonical request, written piece by piece into a hash or a buffer.
//!
//! Vendor document: "Include a V4 signature in the Authorization header" (Object Storage Service, API reference).

use std::cmp::Ordering;

use sha2::{Digest, Sha256};

use crate::encode::{Text, TextSink, encoded_len, put_encoded, put_resource};
use crate::error::shown;
use crate::list::List;
use crate::{RequestView, SignError};

/// Stands for the hash of the body, which OSS clients do not sign.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Headers and parameters up to these numbers need no heap.
const FEW: usize = 16;

/// Takes bytes piece by piece.
pub(crate) trait Sink {
    fn put(&mut self, piece: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }
}

impl<S: Sink> TextSink for S {
    fn put_str(&mut self, piece: &str) {
        self.put(piece.as_bytes());
    }
}

/// Collects small pieces so that the hash sees whole blocks.
pub(crate) struct HashSink {
    hash: Sha256,
    buffer: [u8; 256],
    filled: usize,
}

impl HashSink {
    pub(crate) fn new() -> Self {
        Self {
            hash: Sha256::new(),
            buffer: [0; 256],
            filled: 0,
        }
    }

    pub(crate) fn finish(mut self) -> [u8; 32] {
        self.hash
            .update(self.buffer.get(..self.filled).unwrap_or_default());
        self.hash.finalize().into()
    }
}

impl Sink for HashSink {
    fn put(&mut self, mut piece: &[u8]) {
        while let Some(room) = self
            .buffer
            .get_mut(self.filled..)
            .filter(|room| room.len() <= piece.len())
        {
            let (now, later) = piece.split_at(room.len());
            room.copy_from_slice(now);
            self.hash.update(self.buffer);
            self.filled = 0;
            piece = later;
        }
        if let Some(place) = self.buffer.get_mut(self.filled..self.filled + piece.len()) {
            place.copy_from_slice(piece);
            self.filled += piece.len();
        }
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

/// The headers that are signed, in the order of their lower-case names.
pub(crate) struct SignedHeaders<'a>(List<SignedHeader<'a>, FEW>);

impl<'a> SignedHeaders<'a> {
    /// Picks the signed headers of `view` by the rules, and adds `own`.
    pub(crate) fn collect(
        view: &RequestView<'a>,
        rules: &Rules<'_, impl Fn(&str) -> bool>,
        own: &[(&'static str, &'a [u8])],
    ) -> Result<Self, SignError> {
        let mut list = List::new(SignedHeader {
            name: "",
            value: &[],
            additional: false,
        });
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
        for (name, value) in own {
            let additional = !is_signed_always(name);
            if !additional || (rules.is_additional)(name) {
                list.push(SignedHeader {
                    name,
                    value,
                    additional,
                });
            }
        }
        // Stable and in place for short lists: values of one name keep their order.
        insertion_sort(list.items_mut(), |one, two| cmp_names(one.name, two.name));
        Ok(Self(list))
    }

    /// The lines `name:value`, each with its line end.
    pub(crate) fn put_lines(&self, out: &mut impl Sink) {
        let mut last = "";
        for header in self.0.items() {
            if cmp_names(last, header.name).is_eq() {
                out.put(b",");
            } else {
                if !last.is_empty() {
                    out.put(b"\n");
                }
                put_lower(out, header.name);
                out.put(b":");
            }
            out.put(header.value);
            last = header.name;
        }
        if !last.is_empty() {
            out.put(b"\n");
        }
    }

    /// An upper bound of what [`SignedHeaders::put_lines`] writes.
    pub(crate) fn lines_len(&self) -> usize {
        self.0
            .items()
            .iter()
            .map(|header| header.name.len() + header.value.len() + 2)
            .sum()
    }

    pub(crate) fn has_additional(&self) -> bool {
        self.0.items().iter().any(|header| header.additional)
    }

    /// The names of the additional headers that the request has: lower case, sorted, joined by `;`.
    pub(crate) fn each_additional_byte(&self, mut take: impl FnMut(u8)) {
        let mut last = "";
        for header in self.0.items().iter().filter(|header| header.additional) {
            if cmp_names(last, header.name).is_ne() {
                if !last.is_empty() {
                    take(b';');
                }
                header
                    .name
                    .bytes()
                    .for_each(|byte| take(byte.to_ascii_lowercase()));
                last = header.name;
            }
        }
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

/// Whether a header is signed without being listed.
pub(crate) fn is_signed_always(name: &str) -> bool {
    name.get(..6)
        .is_some_and(|start| start.eq_ignore_ascii_case("x-oss-"))
        || name.eq_ignore_ascii_case("content-type")
        || name.eq_ignore_ascii_case("content-md5")
}

fn cmp_names(one: &str, two: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    one.bytes().map(lower).cmp(two.bytes().map(lower))
}

/// Sorts a short list in place, keeping the order of equals.
fn insertion_sort<T: Copy>(items: &mut [T], cmp: impl Fn(&T, &T) -> Ordering) {
    if items.len() > FEW {
        // More than fits without the heap anyway.
        return items.sort_by(cmp);
    }
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && cmp(&items[at - 1], &items[at]).is_gt() {
            items.swap(at - 1, at);
            at -= 1;
        }
    }
}

fn put_lower(out: &mut impl Sink, name: &str) {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.bytes()
            .for_each(|byte| out.put(&[byte.to_ascii_lowercase()]));
    } else {
        out.put(name.as_bytes());
    }
}

/// The value of a query parameter.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(Text<'a>),
    /// Two pieces of one value.
    Joined(&'a str, &'a str),
    /// The list of additional headers.
    Additional(&'a SignedHeaders<'a>),
}

#[derive(Clone, Copy)]
struct Parameter<'a> {
    name: Text<'a>,
    value: Value<'a>,
}

impl Parameter<'_> {
    fn has_value(&self) -> bool {
        !matches!(self.value, Value::Text(text) if text.is_empty())
    }

    fn put_value(&self, out: &mut impl TextSink) {
        match self.value {
            Value::Text(text) => text.put(out),
            Value::Joined(one, two) => {
                put_encoded(out, one.as_bytes());
                put_encoded(out, two.as_bytes());
            }
            Value::Additional(headers) => headers.each_additional_byte(|byte| put_encoded(out, &[byte])),
        }
    }

    fn len(&self) -> usize {
        let value = match self.value {
            Value::Text(text) => text.encoded_len(),
            Value::Joined(one, two) => encoded_len(one.as_bytes()) + encoded_len(two.as_bytes()),
            Value::Additional(headers) => {
                let mut length = 0;
                headers.each_additional_byte(|byte| length += encoded_len(&[byte]));
                length
            }
        };
        self.name.encoded_len() + value + 2
    }
}

/// The query parameters that are signed, in the order of their encoded names.
pub(crate) struct Parameters<'a>(List<Parameter<'a>, FEW>);

impl<'a> Parameters<'a> {
    /// The parameters of `view` without those in `replaced`, and `own`.
    pub(crate) fn collect(
        view: &RequestView<'a>,
        replaced: &[&str],
        own: &[(&'static str, Value<'a>)],
    ) -> Result<Self, SignError> {
        let mut list = List::new(Parameter {
            name: Text::EMPTY,
            value: Value::Text(Text::EMPTY),
        });
        view.each_parameter(|name, value| {
            if !replaced.iter().any(|own| name.is(own)) {
                list.push(Parameter {
                    name,
                    value: Value::Text(value),
                });
            }
        })?;
        for (name, value) in own {
            list.push(Parameter {
                name: Text::Plain(name.as_bytes()),
                value: *value,
            });
        }
        let items = list.items_mut();
        insertion_sort(items, |one, two| one.name.cmp_encoded(two.name));
        for pair in items.windows(2) {
            if let [one, two] = pair
                && one.name.cmp_encoded(two.name).is_eq()
            {
                return Err(SignError::DuplicateParameter {
                    name: shown(&one.name.decoded()),
                });
            }
        }
        Ok(Self(list))
    }

    /// Writes `name=value`, or `name` where there is no value, joined by `&`.
    pub(crate) fn put(&self, out: &mut impl TextSink) {
        for (at, parameter) in self.0.items().iter().enumerate() {
            if at > 0 {
                out.put_str("&");
            }
            parameter.name.put(out);
            if parameter.has_value() {
                out.put_str("=");
                parameter.put_value(out);
            }
        }
    }

    /// An upper bound of what [`Parameters::put`] writes.
    pub(crate) fn len(&self) -> usize {
        self.0.items().iter().map(Parameter::len).sum()
    }
}

/// The canonical query, written already or not yet.
pub(crate) enum CanonicalQuery<'a> {
    Parameters(&'a Parameters<'a>),
    Written(&'a str),
}

/// Writes the canonical request. `additional` is the list of additional headers as it is sent.
pub(crate) fn put_request<S: Sink>(
    out: &mut S,
    view: &RequestView<'_>,
    query: &CanonicalQuery<'_>,
    headers: &SignedHeaders<'_>,
    additional: impl FnOnce(&mut S),
    payload: &[u8],
) -> Result<(), SignError> {
    let (bucket, key) = view.resource()?;
    if view.method().bytes().any(|byte| byte.is_ascii_lowercase()) {
        view.method()
            .bytes()
            .for_each(|byte| out.put(&[byte.to_ascii_uppercase()]));
    } else {
        out.put(view.method().as_bytes());
    }
    out.put(b"\n");
    put_resource(out, bucket, key);
    out.put(b"\n");
    match query {
        CanonicalQuery::Parameters(parameters) => parameters.put(out),
        CanonicalQuery::Written(query) => out.put(query.as_bytes()),
    }
    out.put(b"\n");
    headers.put_lines(out);
    out.put(b"\n");
    additional(out);
    out.put(b"\n");
    out.put(payload);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_does_not_depend_on_how_the_text_is_cut() {
        let text: Vec<u8> = (0..=255_u8).cycle().take(1500).collect();
        let whole: [u8; 32] = Sha256::digest(&text).into();
        for size in [1, 7, 64, 255, 256, 257, 512, 1499, 1500] {
            let mut sink = HashSink::new();
            text.chunks(size).for_each(|piece| sink.put(piece));
            assert_eq!(sink.finish(), whole, "pieces of {size}");
        }
        assert_eq!(HashSink::new().finish(), <[u8; 32]>::from(Sha256::digest(b"")));
    }
}
