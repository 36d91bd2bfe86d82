//! Conditions: the values of a request, and whether it meets them.

use std::net::IpAddr;

use super::pattern::matches;
use super::syntax::Condition;

/// What conditions ask about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context<'a> {
    /// `acs:SourceIp`
    pub(crate) source_ip: Option<IpAddr>,
    /// `acs:SourceVpc`; `None` for a request from the internet.
    pub(crate) source_vpc: Option<&'a str>,
    /// `acs:SecureTransport`
    pub(crate) secure_transport: bool,
    /// `oss:Prefix`; `None` for a request that lists no objects.
    pub(crate) prefix: Option<&'a str>,
}

/// How a text is compared with the values of a condition.
type Compare = fn(value: &str, text: &str) -> bool;

/// Returns whether a request meets a condition.
///
/// # Errors
///
/// What is not implemented.
pub(super) fn holds(condition: &Condition, context: &Context<'_>) -> Result<bool, String> {
    let key = condition.key.as_str();
    match key {
        "acs:SourceIp" => address_holds(condition, context.source_ip),
        "acs:SecureTransport" => truth_holds(condition, context.secure_transport),
        "acs:SourceVpc" => text_holds(condition, context.source_vpc),
        "oss:Prefix" => text_holds(condition, context.prefix),
        _ => Err(format!("condition key {key}")),
    }
}

/// The six operators for strings. Several values are alternatives; a negated operator forbids each of them.
fn text_holds(condition: &Condition, found: Option<&str>) -> Result<bool, String> {
    let (negated, compare): (bool, Compare) = match condition.operator.as_str() {
        "StringEquals" => (false, |value, text| value == text),
        "StringNotEquals" => (true, |value, text| value == text),
        "StringEqualsIgnoreCase" => (false, |value, text| value.to_lowercase() == text.to_lowercase()),
        "StringNotEqualsIgnoreCase" => (true, |value, text| value.to_lowercase() == text.to_lowercase()),
        "StringLike" => (false, matches),
        "StringNotLike" => (true, matches),
        _ => return Err(operator(condition)),
    };
    check_variables(&condition.values)?;
    let any = found.is_some_and(|text| condition.values.iter().any(|value| compare(value, text)));
    Ok(any != negated)
}

fn truth_holds(condition: &Condition, found: bool) -> Result<bool, String> {
    if condition.operator != "Bool" {
        return Err(operator(condition));
    }
    let mut any = false;
    for value in &condition.values {
        let wanted: bool = value.parse().map_err(|_| unreadable(condition, value))?;
        any |= wanted == found;
    }
    Ok(any)
}

fn address_holds(condition: &Condition, found: Option<IpAddr>) -> Result<bool, String> {
    let negated = match condition.operator.as_str() {
        "IpAddress" => false,
        "NotIpAddress" => true,
        _ => return Err(operator(condition)),
    };
    let mut any = false;
    for value in &condition.values {
        let network = Network::parse(value).ok_or_else(|| unreadable(condition, value))?;
        any |= found.is_some_and(|address| network.contains(address));
    }
    Ok(any != negated)
}

fn operator(condition: &Condition) -> String {
    format!("condition operator {} for {}", condition.operator, condition.key)
}

fn unreadable(condition: &Condition, value: &str) -> String {
    format!("value {value} of {} for {}", condition.operator, condition.key)
}

/// Refuses variables, which would be compared as if they were text.
pub(super) fn check_variables(values: &[String]) -> Result<(), String> {
    match values.iter().find(|value| value.contains("${")) {
        Some(value) => Err(format!("variable in {value}")),
        None => Ok(()),
    }
}

/// An address, or a range of them in CIDR notation.
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let same = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        same >= self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(operator: &str, key: &str, values: &[&str], context: &Context<'_>) -> Result<bool, String> {
        let condition = Condition {
            operator: operator.to_owned(),
            key: key.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        holds(&condition, context)
    }

    /// "Conditional operators": the six operators for strings, their case, and their wildcards.
    #[test]
    fn strings() {
        let context = Context {
            prefix: Some("hangzhou/2015/a"),
            ..Context::default()
        };
        for (operator, values, expected) in [
            ("StringEquals", &["hangzhou/2015/a"][..], true),
            ("StringEquals", &["x", "hangzhou/2015/a"], true),
            ("StringEquals", &["Hangzhou/2015/a"], false),
            ("StringEquals", &["hangzhou/2015/*"], false),
            ("StringNotEquals", &["x"], true),
            ("StringNotEquals", &["x", "hangzhou/2015/a"], false),
            ("StringEqualsIgnoreCase", &["Hangzhou/2015/A"], true),
            ("StringNotEqualsIgnoreCase", &["Hangzhou/2015/A"], false),
            ("StringLike", &["hangzhou/2015/*"], true),
            ("StringLike", &["hangzhou/201?/a"], true),
            ("StringLike", &["hangzhou/2016/*"], false),
            ("StringNotLike", &["hangzhou/2015/*"], false),
            ("StringNotLike", &["hangzhou/2016/*"], true),
        ] {
            let found = check(operator, "oss:Prefix", values, &context);
            assert_eq!(found, Ok(expected), "{operator} {values:?}");
        }
    }

    /// The page of EC 0030-00000008: `StringNotLike` on `acs:SourceVpc` is how a policy asks for requests that come
    /// from no VPC.
    #[test]
    fn a_key_that_is_missing_meets_negated_operators_alone() {
        let (inside, outside) = (
            Context {
                source_vpc: Some("vpc-1"),
                ..Context::default()
            },
            Context::default(),
        );
        let like = |operator, context| check(operator, "acs:SourceVpc", &["vpc-*"], context);
        assert_eq!(like("StringLike", &inside), Ok(true));
        assert_eq!(like("StringNotLike", &inside), Ok(false));
        assert_eq!(like("StringLike", &outside), Ok(false));
        assert_eq!(like("StringNotLike", &outside), Ok(true));
    }

    /// "Access OSS through an IP address": ranges, one or several of them.
    #[test]
    fn addresses() {
        let ranges = &["192.168.0.0/16", "172.16.0.0/12"][..];
        for (address, values, expected) in [
            ("192.168.7.7", ranges, true),
            ("172.31.255.255", ranges, true),
            ("172.32.0.0", ranges, false),
            ("10.0.0.1", ranges, false),
            ("10.0.0.1", &["10.0.0.1"], true),
            ("10.0.0.2", &["10.0.0.1"], false),
            ("10.0.0.2", &["0.0.0.0/0"], true),
            ("::1", &["0.0.0.0/0"], false),
            ("2001:db8::1", &["2001:db8::/32"], true),
        ] {
            let context = Context {
                source_ip: address.parse().ok(),
                ..Context::default()
            };
            let found = |operator| check(operator, "acs:SourceIp", values, &context);
            assert_eq!(found("IpAddress"), Ok(expected), "{address} {values:?}");
            assert_eq!(found("NotIpAddress"), Ok(!expected), "{address} {values:?}");
        }
    }

    #[test]
    fn transport() {
        let check = |value| check("Bool", "acs:SecureTransport", &[value], &Context::default());
        assert_eq!((check("true"), check("false")), (Ok(false), Ok(true)));
    }

    #[test]
    fn what_is_not_implemented_is_named() {
        for (operator, key, value, named) in [
            (
                "DateLessThan",
                "acs:CurrentTime",
                "x",
                "condition key acs:CurrentTime",
            ),
            (
                "StringEquals",
                "oss:Delimiter",
                "/",
                "condition key oss:Delimiter",
            ),
            (
                "NumericEquals",
                "oss:Prefix",
                "1",
                "condition operator NumericEquals for oss:Prefix",
            ),
            (
                "StringEquals",
                "acs:SourceIp",
                "1.2.3.4",
                "condition operator StringEquals for acs:SourceIp",
            ),
            (
                "IpAddress",
                "acs:SourceIp",
                "10.0.0.0/33",
                "value 10.0.0.0/33 of IpAddress for acs:SourceIp",
            ),
            (
                "Bool",
                "acs:SecureTransport",
                "yes",
                "value yes of Bool for acs:SecureTransport",
            ),
            (
                "StringLike",
                "oss:Prefix",
                "${acs:PrincipalName}/*",
                "variable in ${acs:PrincipalName}/*",
            ),
        ] {
            let found = check(operator, key, &[value], &Context::default());
            assert_eq!(found, Err(named.to_owned()));
        }
    }
}
