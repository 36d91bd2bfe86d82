//! Reading a policy. What the grammar forbids is refused; what it allows and is not implemented is kept by name.

use serde_json::{Map, Value};

use super::syntax::{Actions, Condition, Effect, Policy, Statement};

/// The only version of the policy language.
const VERSION: &str = "1";

impl Policy {
    /// Reads a policy; `None` if it breaks the grammar.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let object = value.as_object()?;
        if object.get("Version")?.as_str()? != VERSION {
            return None;
        }
        let further: Vec<String> = names_but(object, &["Version", "Statement"]);
        let mut statements = Vec::new();
        for statement in object.get("Statement")?.as_array()? {
            let mut statement = parse_statement(statement.as_object()?)?;
            statement.unsupported.extend(further.iter().cloned());
            statements.push(statement);
        }
        Some(Self { statements })
    }
}

fn parse_statement(object: &Map<String, Value>) -> Option<Statement> {
    let effect = match object.get("Effect")?.as_str()? {
        "Allow" => Effect::Allow,
        "Deny" => Effect::Deny,
        _ => return None,
    };
    let actions = match (object.get("Action"), object.get("NotAction")) {
        (Some(action), None) => Actions::Only(texts(action)?),
        (None, Some(action)) => Actions::AllBut(texts(action)?),
        _ => return None,
    };
    let resources = match (object.get("Resource"), object.get("NotResource")) {
        (Some(resource), None) => texts(resource)?,
        // An older form of the grammar has this element, which is not implemented.
        (None, Some(_)) => vec!["*".to_owned()],
        _ => return None,
    };
    let conditions = object
        .get("Condition")
        .map_or(Some(Vec::new()), parse_conditions)?;
    let known = ["Effect", "Action", "NotAction", "Resource", "Condition"];
    Some(Statement {
        effect,
        actions,
        resources,
        conditions,
        unsupported: names_but(object, &known),
    })
}

fn parse_conditions(value: &Value) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (operator, keys) in value.as_object()? {
        for (key, values) in keys.as_object()? {
            conditions.push(Condition {
                operator: operator.clone(),
                key: key.clone(),
                values: texts(values)?,
            });
        }
    }
    Some(conditions)
}

/// One text or a list of texts; a condition may also have numbers and truth values.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => values.iter().map(scalar).collect(),
        one => Some(vec![scalar(one)?]),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn names_but(object: &Map<String, Value>, known: &[&str]) -> Vec<String> {
    let names = object.keys().filter(|name| !known.contains(&name.as_str()));
    names.map(|name| format!("element {name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Policy structure and syntax": which elements there are, and which of them are required.
    #[test]
    fn the_grammar_is_that_of_ram() {
        let statement = |inner: &str| format!(r#"{{"Version":"1","Statement":[{{{inner}}}]}}"#);
        let all = r#""Effect":"Allow","Action":"oss:*","Resource":"*""#;
        for good in [
            r#"{"Version":"1","Statement":[]}"#.to_owned(),
            statement(all),
            statement(r#""Effect":"Deny","NotAction":["oss:GetObject"],"Resource":["*"]"#),
            statement(&format!(
                r#"{all},"Condition":{{"Bool":{{"acs:SecureTransport":true}}}}"#
            )),
            statement(&format!(r#"{all},"Condition":{{"Made":{{"up:Key":["a","b"]}}}}"#)),
            statement(&format!(r#"{all},"Sid":"a""#)),
        ] {
            assert!(Policy::parse(&good).is_some(), "{good}");
        }
        for bad in [
            "[]".to_owned(),
            "{".to_owned(),
            r#"{"Version":"1"}"#.to_owned(),
            r#"{"Statement":[]}"#.to_owned(),
            r#"{"Version":"2","Statement":[]}"#.to_owned(),
            r#"{"Version":1,"Statement":[]}"#.to_owned(),
            r#"{"Version":"1","Statement":{}}"#.to_owned(),
            r#"{"Version":"1","Statement":["a"]}"#.to_owned(),
            statement(r#""Action":"oss:*","Resource":"*""#),
            statement(r#""Effect":"allow","Action":"oss:*","Resource":"*""#),
            statement(r#""Effect":"Allow","Resource":"*""#),
            statement(r#""Effect":"Allow","Action":"oss:*""#),
            statement(r#""Effect":"Allow","Action":{},"Resource":"*""#),
            statement(r#""Effect":"Allow","Action":"a","NotAction":"b","Resource":"*""#),
            statement(&format!(r#"{all},"Condition":[]"#)),
            statement(&format!(r#"{all},"Condition":{{"Bool":"true"}}"#)),
        ] {
            assert_eq!(Policy::parse(&bad), None, "{bad}");
        }
    }
}
