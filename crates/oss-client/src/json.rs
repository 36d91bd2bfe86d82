//! Reading error documents in JSON.

use serde_json::Value;

/// The fields of `{"Error": {…}}`, or of an object without that: names and texts, in no order.
///
/// Observed from the vendor's Python SDK V2. `None` if the document is not a JSON object.
pub(crate) fn error_fields(document: &str) -> Option<Vec<(String, String)>> {
    let Value::Object(mut root) = serde_json::from_str(document).ok()? else {
        return None;
    };
    let fields = match root.remove("Error") {
        Some(Value::Object(inner)) => inner,
        _ => root,
    };
    let text = |value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let named = |(name, value)| Some((canonical(name), text(value)?));
    Some(fields.into_iter().filter_map(named).collect())
}

/// The name as the XML document has it. The table service begins it with a small letter.
fn canonical(name: String) -> String {
    match name.as_str() {
        "code" => "Code".to_owned(),
        "message" => "Message".to_owned(),
        "requestId" => "RequestId".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(document: &str) -> Option<String> {
        let mut fields = error_fields(document)?;
        fields.sort();
        let shown: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Some(shown.join("|"))
    }

    #[test]
    fn both_forms_are_read() {
        let expected = Some("Code=NoSuchKey|EC=0026-00000001|Message=not there|RequestId=R1");
        let document =
            r#"{"Error":{"Code":"NoSuchKey","Message":"not there","RequestId":"R1","EC":"0026-00000001"}}"#;
        assert_eq!(pairs(document).as_deref(), expected);
        assert_eq!(
            pairs(r#"{"message":"no such table"}"#).as_deref(),
            Some("Message=no such table")
        );
        assert_eq!(
            pairs(r#"{"Error":{"Code":1,"Message":null,"Details":{"Code":"x"}}}"#).as_deref(),
            Some("Code=1")
        );
    }

    #[test]
    fn other_documents_are_none() {
        for other in ["", "[]", "\"text\"", "{", "{\"Error\":", "<Error/>"] {
            assert_eq!(pairs(other), None, "{other}");
        }
    }
}
