//! The query parameters that V1 signs.

use std::cmp::Ordering;

use super::error::ambiguous;
use crate::SignError;
use crate::encode::Text;
use crate::headers::Sink;
use crate::list::{FEW, List, sort};
use crate::parameters::{Parameter, Parameters};

/// Names that are signed, in the order of their bytes; they are case-sensitive. In addition, everything that begins
/// with
/// [`PREFIX`] is signed.
///
/// The union of what the vendor's clients sign: oss2 2.19 for Python, the V2 clients for Python and Go with
/// what they add per operation, and the older clients for Go, Java and PHP. The vendor's page "Include a V1 signature
/// in the Authorization header" names only some of them. Where a client has a parameter in its list and the others
/// do not know it, they never send it, so that the union agrees with each.
const NAMES: &[&str] = &[
    "accessPoint",
    "accessPointConfigForObjectProcess",
    "accessPointForObjectProcess",
    "accessPointPolicy",
    "accessPointPolicyForObjectProcess",
    "acl",
    "append",
    "asyncFetch",
    "bucketArchiveDirectRead",
    "bucketInfo",
    "callback",
    "callback-var",
    "cleanRestoredObject",
    "cloudboxes",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "dataPipeline",
    "delete",
    "encryption",
    "endTime",
    "group",
    "httpsConfig",
    "img",
    "inventory",
    "inventoryId",
    "legalHold",
    "lifecycle",
    "link",
    "live",
    "location",
    "logging",
    "metaQuery",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "objectInfo",
    "objectMeta",
    "objectWorm",
    "overwriteConfig",
    "partNumber",
    "policy",
    "policyStatus",
    "position",
    "processConfiguration",
    "publicAccessBlock",
    "qos",
    "qosInfo",
    "qosRequester",
    "quota",
    "redundancyTransition",
    "referer",
    "regionList",
    "regions",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "requesterQosInfo",
    "resourceGroup",
    "resourcePool",
    "resourcePoolBuckets",
    "resourcePoolInfo",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "responseHeader",
    "restore",
    "retention",
    "rtc",
    "seal",
    "security-token",
    "sequential",
    "startTime",
    "stat",
    "status",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "udf",
    "udfApplication",
    "udfApplicationLog",
    "udfId",
    "udfImage",
    "udfImageDesc",
    "udfName",
    "uploadId",
    "uploads",
    "userDefinedLogFieldsConfig",
    "versionId",
    "versioning",
    "versions",
    "vip",
    "vod",
    "vpcip",
    "website",
    "withHashContext",
    "worm",
    "wormExtend",
    "wormId",
];

/// Prefix of further names that are signed: the rule of the V2 client for Go, with which the lists of the
/// others agree.
const PREFIX: &[u8] = b"x-oss-";

/// The query parameters of a request that are signed, decoded, in the order of their names.
pub(crate) struct SubResources<'a> {
    list: List<Parameter<'a>, FEW>,
    /// Names that count besides the known ones.
    extra: Extra<'a>,
}

/// Names that a caller adds to the known ones.
#[derive(Clone, Copy)]
pub(crate) enum Extra<'a> {
    Owned(&'a [String]),
    Borrowed(&'a [&'a str]),
}

impl Extra<'_> {
    fn contains(self, name: &[u8]) -> bool {
        match self {
            Self::Owned(names) => names.iter().any(|listed| listed.as_bytes() == name),
            Self::Borrowed(names) => names.iter().any(|listed| listed.as_bytes() == name),
        }
    }
}

impl<'a> SubResources<'a> {
    /// Those among `parameters`; `extra` are names that count besides the known ones.
    pub(crate) fn of(parameters: &Parameters<'a>, extra: Extra<'a>) -> Self {
        let mut list = List::new(Parameter::EMPTY);
        for parameter in parameters.items() {
            let name = parameter.name.decoded();
            if is_known(&name) || extra.contains(&name) {
                list.push(*parameter);
            }
        }
        // Nearly always they are in order already: names that need no escape sort alike in both forms.
        sort(list.items_mut(), |one, two| cmp_decoded(one.name, two.name));
        Self { list, extra }
    }

    /// Checks that the text of these parameters has no reading with more parameters than there are.
    ///
    /// # Errors
    ///
    /// [`SignError::AmbiguousResource`].
    pub(super) fn check_values(&self) -> Result<(), SignError> {
        let items = self.list.items();
        // The first parameter with a value: all that follows it can be read as part of that value.
        let mut first_with_value = None;
        for (at, Parameter { name, value }) in items.iter().enumerate() {
            let name = name.decoded();
            if name.iter().any(|byte| matches!(byte, b'=' | b'&')) {
                return Err(ambiguous("name of the query parameter", &name));
            }
            if value.is_empty() {
                continue;
            }
            let value = value.decoded();
            for split in value
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'&')
                .map(|(at, _)| at)
            {
                // Names are in order, and one that is followed by `=` has a value.
                let before = match &first_with_value {
                    Some(earlier) => earlier,
                    None if split == 0 => continue,
                    None => &name,
                };
                let mut rest = value.get(split + 1..).unwrap_or_default().to_vec();
                self.put_from(at + 1, b"&", &mut rest);
                if self.is_readable(&rest, before) {
                    return Err(ambiguous("value of the query parameter", &name));
                }
            }
            first_with_value.get_or_insert(name);
        }
        Ok(())
    }

    /// Whether `query` has a reading as signed parameters in their order, none of them before `least`. A name may
    /// appear twice: not every service refuses that.
    ///
    /// One reading is enough, and a name that is followed by a value makes one: the rest can be that value.
    pub(super) fn is_readable(&self, query: &[u8], least: &[u8]) -> bool {
        let mut least = least;
        let mut rest = query;
        loop {
            let end = rest
                .iter()
                .position(|byte| matches!(byte, b'=' | b'&'))
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name < least || !(is_known(name) || self.extra.contains(name)) {
                return false;
            }
            match after.split_first() {
                None => return true,
                Some((b'=', value)) => return !value.is_empty(),
                Some((_, further)) => (least, rest) = (name, further),
            }
        }
    }

    /// Writes `?name=value&name`, or nothing if there are none.
    pub(crate) fn put(&self, out: &mut impl Sink) {
        self.put_from(0, b"?", out);
    }

    /// Writes the parameters from the one at `start`, the first of them behind `separator`.
    fn put_from(&self, start: usize, separator: &[u8], out: &mut impl Sink) {
        for (at, Parameter { name, value }) in self.list.items().iter().enumerate().skip(start) {
            out.put(if at == start { separator } else { b"&" });
            out.put(&name.decoded());
            if !value.is_empty() {
                out.put(b"=");
                out.put(&value.decoded());
            }
        }
    }
}

fn cmp_decoded(one: Text<'_>, two: Text<'_>) -> Ordering {
    one.decoded().cmp(&two.decoded())
}

fn is_known(name: &[u8]) -> bool {
    name.starts_with(PREFIX) || NAMES.binary_search_by(|known| known.as_bytes().cmp(name)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_lists_of_the_official_clients_are_known_and_nothing_else() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/oss-sign/v1-subresources.json");
        let whole: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let listed: BTreeSet<&str> = whole
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_array)
            .flatten()
            .map(|name| name.as_str().unwrap())
            .collect();
        assert_eq!(listed.len(), 123);
        assert!(listed.iter().all(|name| is_known(name.as_bytes())));
        assert!(NAMES.iter().all(|name| listed.contains(name)));
        assert!(NAMES.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn case_counts_and_the_prefix_is_enough() {
        for name in ["x-oss-", "x-oss-anything-new", "uploadId"] {
            assert!(is_known(name.as_bytes()), "{name}");
        }
        for name in [
            "uploadid",
            "ACL",
            "X-Oss-Process",
            "x-oss",
            "prefix",
            "",
            "OSSAccessKeyId",
            "Expires",
            "Signature",
        ] {
            assert!(!is_known(name.as_bytes()), "{name}");
        }
    }
}
