//! Pages of names, with those that share a beginning rolled up.

/// One entry of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a, T> {
    Item(&'a str, T),
    CommonPrefix(&'a str),
}

impl<T> Entry<'_, T> {
    /// The key, or the beginning that keys share.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Item(name, _) | Self::CommonPrefix(name) => name,
        }
    }
}

/// The parameters of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter<'a> {
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
    pub(super) max: usize,
}

impl Filter<'_> {
    /// The first entries of names in order, and whether there are more.
    pub(super) fn page<'b, T>(&self, names: impl Iterator<Item = (&'b str, T)>) -> (Vec<Entry<'b, T>>, bool) {
        let mut entries: Vec<Entry<'b, T>> = Vec::new();
        for (name, item) in names {
            let Some(rest) = name.strip_prefix(self.prefix) else {
                continue;
            };
            let end = self
                .delimiter
                .and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
            let entry = match end {
                Some(end) => Entry::CommonPrefix(&name[..self.prefix.len() + end]),
                None => Entry::Item(name, item),
            };
            let is_known = matches!(
                (&entry, entries.last()),
                (Entry::CommonPrefix(one), Some(Entry::CommonPrefix(last))) if one == last
            );
            if is_known {
                continue;
            }
            if entries.len() == self.max {
                return (entries, true);
            }
            entries.push(entry);
        }
        (entries, false)
    }

    /// Returns whether a marker is a shared beginning, so that all names under it have been listed.
    pub(super) fn is_common_prefix(&self, marker: &str) -> bool {
        let rest = marker.strip_prefix(self.prefix);
        self.delimiter.zip(rest).is_some_and(|(delimiter, rest)| {
            let end = rest.find(delimiter).map(|at| at + delimiter.len());
            end == Some(rest.len())
        })
    }

    /// Returns whether a name comes after a marker.
    pub(super) fn is_after(&self, name: &str, marker: &str) -> bool {
        name > marker && !(self.is_common_prefix(marker) && name.starts_with(marker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder's own object, whose key is the prefix, is not a common prefix: what is in the folder comes after it.
    #[test]
    fn only_what_ends_with_the_delimiter_is_a_common_prefix() {
        for (delimiter, marker, is_prefix) in [
            ("/", "dir/", false),
            ("/", "dir/a", false),
            ("/", "dir/a/", true),
            ("/", "dir/a/b/", false),
            ("//", "dir/a", false),
            ("//", "dir/a//", true),
        ] {
            let filter = Filter {
                prefix: "dir/",
                delimiter: Some(delimiter),
                max: 1,
            };
            assert_eq!(filter.is_common_prefix(marker), is_prefix, "{delimiter} {marker}");
            let below = format!("{marker}z");
            assert_eq!(
                filter.is_after(&below, marker),
                !is_prefix,
                "{delimiter} {marker}"
            );
        }
    }
}
