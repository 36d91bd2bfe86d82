//! The query parameters that are signed.

use crate::encode::{Text, TextSink};
use crate::error::shown;
use crate::list::{FEW, List, sort};
use crate::{RequestView, SignError};

#[derive(Clone, Copy)]
pub(crate) struct Parameter<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) value: Text<'a>,
}

impl Parameter<'static> {
    pub(crate) const EMPTY: Self = Self {
        name: Text::EMPTY,
        value: Text::EMPTY,
    };
}

/// The query parameters of the request that are signed, in the order of their encoded names.
pub(crate) struct Parameters<'a>(List<Parameter<'a>, FEW>);

impl<'a> Parameters<'a> {
    pub(crate) fn new() -> Self {
        Self(List::new(Parameter::EMPTY))
    }

    /// Takes the parameters of `view` but those in `replaced`.
    pub(crate) fn collect(&mut self, view: &RequestView<'a>, replaced: &[&str]) -> Result<(), SignError> {
        let list = &mut self.0;
        view.each_parameter(|name, value| {
            if !replaced.iter().any(|own| name.is(own)) {
                list.push(Parameter { name, value });
            }
        })?;
        let items = list.items_mut();
        sort(items, |one, two| one.name.cmp_encoded(two.name));
        for pair in items.windows(2) {
            if let [one, two] = pair
                && one.name.cmp_encoded(two.name).is_eq()
            {
                return Err(SignError::DuplicateParameter {
                    name: shown(&one.name.decoded()),
                });
            }
        }
        Ok(())
    }

    /// Adds a parameter of the signer's own, decoded, whose name was replaced in the request.
    #[cfg(feature = "v1")]
    pub(crate) fn add(&mut self, name: &'a str, value: &'a str) {
        let (name, value) = (Text::Plain(name), Text::Plain(value));
        self.0.push(Parameter { name, value });
        sort(self.0.items_mut(), |one, two| one.name.cmp_encoded(two.name));
    }

    /// In the order of their encoded names.
    #[cfg(feature = "v1")]
    pub(crate) fn items(&self) -> &[Parameter<'a>] {
        self.0.items()
    }

    /// Writes `name=value`, or `name` where there is no value, joined by `&`. `own` are encoded parameters,
    /// by their names, in order; those without text are left out.
    pub(crate) fn put(&self, out: &mut impl TextSink, own: &[(&str, &str)]) {
        let mut own = own.iter().filter(|(_, encoded)| !encoded.is_empty()).peekable();
        let mut separator = "";
        for Parameter { name, value } in self.0.items() {
            while let Some((_, encoded)) = own.next_if(|(own, _)| Text::Plain(own).cmp_encoded(*name).is_lt())
            {
                out.put_str(separator);
                out.put_str(encoded);
                separator = "&";
            }
            out.put_str(separator);
            name.put(out);
            if !value.is_empty() {
                out.put_str("=");
                value.put(out);
            }
            separator = "&";
        }
        for (_, encoded) in own {
            out.put_str(separator);
            out.put_str(encoded);
            separator = "&";
        }
    }

    /// An upper bound of what [`Parameters::put`] writes for these parameters.
    pub(crate) fn len(&self) -> usize {
        self.0
            .items()
            .iter()
            .map(|one| one.name.encoded_len() + one.value.encoded_len() + 2)
            .sum()
    }
}
