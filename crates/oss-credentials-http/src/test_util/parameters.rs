//! What a request says to a service that takes parameters.

use crate::HttpRequest;

/// Returns the parameters of a request, decoded: of its query, then of the form in its body.
///
/// ```
/// use oss_credentials_http::HttpRequest;
/// use oss_credentials_http::test_util::parameters;
///
/// let request = HttpRequest::post("http://127.0.0.1/?Action=a%2Fb").with_body(b"Token=c%20d".to_vec());
/// assert_eq!(parameters(&request), [("Action".into(), "a/b".into()), ("Token".into(), "c d".into())]);
/// ```
pub fn parameters(request: &HttpRequest) -> Vec<(String, String)> {
    let query = request.url().split_once('?').map_or("", |(_, query)| query);
    let mut all = decoded_pairs(query);
    all.extend(decoded_pairs(&String::from_utf8_lossy(request.body())));
    all
}

/// Returns the parameters in a query or a form, decoded.
///
/// ```
/// use oss_credentials_http::test_util::decoded_pairs;
/// assert_eq!(decoded_pairs("Action=a%2Fb"), [("Action".to_owned(), "a/b".to_owned())]);
/// ```
pub fn decoded_pairs(encoded: &str) -> Vec<(String, String)> {
    let pairs = encoded.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// Returns the value of one parameter, decoded; `None` if it was not sent.
///
/// # Panics
///
/// If it was sent twice.
///
/// ```
/// use oss_credentials_http::HttpRequest;
/// use oss_credentials_http::test_util::parameter;
///
/// let request = HttpRequest::post("http://127.0.0.1/?Action=GetPolicy");
/// assert_eq!(parameter(&request, "Action").as_deref(), Some("GetPolicy"));
/// assert_eq!(parameter(&request, "Version"), None);
/// ```
pub fn parameter(request: &HttpRequest, name: &str) -> Option<String> {
    let mut values = parameters(request).into_iter().filter(|(own, _)| own == name);
    let value = values.next().map(|(_, value)| value);
    assert!(values.next().is_none(), "{name} was sent twice");
    value
}

/// Without the percent-encoding; what is not UTF-8 is replaced.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = byte.filter(|_| *first == b'%') {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
