//! The decision: an explicit Deny takes precedence over an Allow, and what nothing allows is denied.

use super::condition::{Context, check_variables, holds};
use super::pattern::{matches_action, matches_resource};
use super::syntax::{Actions, Effect, Policy, Statement};

/// What a request needs to be allowed to do: one action on one resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access<'a> {
    /// `oss:GetObject`
    pub(crate) action: &'a str,
    /// The ways to write the resource: `acs:oss:<region>:<account>:<bucket>/<key>`.
    pub(crate) resources: &'a [String],
}

/// What a policy says about an [`Access`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Allow,
    ExplicitDeny,
    ImplicitDeny,
    /// It depends on this, which is not implemented.
    Undecidable(String),
}

/// Whether a statement is about an access.
enum Applies {
    Yes,
    No,
    /// It depends on this, which is not implemented.
    Unknown(String),
}

impl Policy {
    /// Decides about one access.
    pub(crate) fn decide(&self, access: &Access<'_>, context: &Context<'_>) -> Decision {
        for (effect, decision) in [
            (Effect::Deny, Decision::ExplicitDeny),
            (Effect::Allow, Decision::Allow),
        ] {
            let statements = self.statements.iter();
            let mut unknown = None;
            for statement in statements.filter(|statement| statement.effect == effect) {
                match applies(statement, access, context) {
                    Applies::Yes => return decision,
                    Applies::No => {}
                    Applies::Unknown(what) => unknown = unknown.or(Some(what)),
                }
            }
            if let Some(what) = unknown {
                return Decision::Undecidable(what);
            }
        }
        Decision::ImplicitDeny
    }
}

fn applies(statement: &Statement, access: &Access<'_>, context: &Context<'_>) -> Applies {
    if !covers_action(&statement.actions, access.action) {
        return Applies::No;
    }
    let mut unknown = statement.unsupported.first().cloned();
    match covers_resource(&statement.resources, access.resources) {
        Ok(true) => {}
        Ok(false) => return Applies::No,
        Err(what) => unknown = unknown.or(Some(what)),
    }
    // All conditions have to be met: one that is not settles it, whatever is unknown.
    for condition in &statement.conditions {
        match holds(condition, context) {
            Ok(true) => {}
            Ok(false) => return Applies::No,
            Err(what) => unknown = unknown.or(Some(what)),
        }
    }
    unknown.map_or(Applies::Yes, Applies::Unknown)
}

fn covers_action(actions: &Actions, action: &str) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|pattern| matches_action(pattern, action));
    match actions {
        Actions::Only(patterns) => any(patterns),
        Actions::AllBut(patterns) => !any(patterns),
    }
}

fn covers_resource(patterns: &[String], resources: &[String]) -> Result<bool, String> {
    let mut unknown = None;
    for pattern in patterns {
        if let Err(what) = check_variables(std::slice::from_ref(pattern)) {
            unknown = Some(what);
            continue;
        }
        for resource in resources {
            match matches_resource(pattern, resource) {
                Some(true) => return Ok(true),
                Some(false) => {}
                None => unknown = Some(format!("resource {pattern}")),
            }
        }
    }
    unknown.map_or(Ok(false), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(policy: &str, action: &str, name: &str, context: &Context<'_>) -> Decision {
        let resources = ["oss-cn-hangzhou", "cn-hangzhou"].map(|region| format!("acs:oss:{region}:1:{name}"));
        let access = Access {
            action,
            resources: &resources,
        };
        Policy::parse(policy).unwrap().decide(&access, context)
    }

    fn statement(effect: &str, action: &str, resource: &str, more: &str) -> String {
        format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"{more}}}"#)
    }

    fn policy(statements: &[String]) -> String {
        format!(r#"{{"Version":"1","Statement":[{}]}}"#, statements.join(","))
    }

    /// The example of "Conditional operators": a folder can be listed and read, and nothing else.
    #[test]
    fn a_folder() {
        let folder = r#"{"Version":"1","Statement":[
            {"Effect":"Allow","Action":["oss:GetObject"],"Resource":["acs:oss:*:*:myphotos/hangzhou/2015/*"]},
            {"Effect":"Allow","Action":["oss:ListObjects"],"Resource":["acs:oss:*:*:myphotos"],
             "Condition":{"StringLike":{"oss:Prefix":"hangzhou/2015/*"}}}]}"#;
        for (action, name, prefix, expected) in [
            ("oss:GetObject", "myphotos/hangzhou/2015/a", None, Decision::Allow),
            (
                "oss:GetObject",
                "myphotos/hangzhou/2016/a",
                None,
                Decision::ImplicitDeny,
            ),
            (
                "oss:GetObject",
                "other/hangzhou/2015/a",
                None,
                Decision::ImplicitDeny,
            ),
            (
                "oss:PutObject",
                "myphotos/hangzhou/2015/a",
                None,
                Decision::ImplicitDeny,
            ),
            (
                "oss:ListObjects",
                "myphotos",
                Some("hangzhou/2015/"),
                Decision::Allow,
            ),
            (
                "oss:ListObjects",
                "myphotos",
                Some("hangzhou/"),
                Decision::ImplicitDeny,
            ),
            ("oss:ListObjects", "myphotos", Some(""), Decision::ImplicitDeny),
        ] {
            let context = Context {
                prefix,
                ..Context::default()
            };
            assert_eq!(
                decide(folder, action, name, &context),
                expected,
                "{action} {name} {prefix:?}"
            );
        }
    }

    /// "RAM Policy", how it works: explicit Deny first, then Allow, and otherwise denied.
    #[test]
    fn deny_comes_first_and_is_the_default() {
        let allow = statement("Allow", "oss:*", "*", "");
        let deny = statement("Deny", "oss:DeleteObject", "acs:oss:*:*:b/private/*", "");
        let (none, delete) = (Context::default(), "oss:DeleteObject");
        for both in [
            policy(&[allow.clone(), deny.clone()]),
            policy(&[deny.clone(), allow]),
        ] {
            assert_eq!(
                decide(&both, delete, "b/private/a", &none),
                Decision::ExplicitDeny
            );
            assert_eq!(decide(&both, delete, "b/public/a", &none), Decision::Allow);
            assert_eq!(
                decide(&both, "oss:GetObject", "b/private/a", &none),
                Decision::Allow
            );
        }
        assert_eq!(decide(&policy(&[]), delete, "b/a", &none), Decision::ImplicitDeny);
        assert_eq!(
            decide(&policy(&[deny]), delete, "b/a", &none),
            Decision::ImplicitDeny
        );
    }

    /// "Permission policy elements": `NotAction` covers all operations but those that it names.
    #[test]
    fn not_action_covers_the_others() {
        let policy = r#"{"Version":"1","Statement":[
            {"Effect":"Allow","NotAction":["oss:Delete*"],"Resource":"*"}]}"#;
        let none = Context::default();
        assert_eq!(decide(policy, "oss:GetObject", "b/a", &none), Decision::Allow);
        assert_eq!(
            decide(policy, "oss:DeleteObject", "b/a", &none),
            Decision::ImplicitDeny
        );
    }

    #[test]
    fn what_is_not_implemented_is_named_where_the_decision_needs_it() {
        let time = r#","Condition":{"DateLessThan":{"acs:CurrentTime":"2026-01-01T00:00:00Z"}}"#;
        let outside =
            r#","Condition":{"DateLessThan":{"acs:CurrentTime":"x"},"Bool":{"acs:SecureTransport":"true"}}"#;
        let get = |effect, more: &str| statement(effect, "oss:GetObject", "*", more);
        let unknown = |what: &str| Decision::Undecidable(what.to_owned());
        let key = || unknown("condition key acs:CurrentTime");
        for (statements, expected) in [
            (vec![get("Allow", time)], key()),
            (vec![get("Deny", time)], key()),
            // An Allow that may be overruled is none.
            (vec![get("Allow", ""), get("Deny", time)], key()),
            // Another statement settles it.
            (vec![get("Allow", time), get("Allow", "")], Decision::Allow),
            (vec![get("Deny", time), get("Deny", "")], Decision::ExplicitDeny),
            (vec![get("Allow", time), get("Deny", "")], Decision::ExplicitDeny),
            // Another condition settles it.
            (vec![get("Allow", outside)], Decision::ImplicitDeny),
            (vec![get("Allow", ""), get("Deny", outside)], Decision::Allow),
            // It is about other requests.
            (
                vec![get("Allow", ""), statement("Deny", "oss:PutObject", "*", time)],
                Decision::Allow,
            ),
            (
                vec![get("Allow", r#","Principal":["*"]"#)],
                unknown("element Principal"),
            ),
            (
                vec![statement("Allow", "oss:*", "b/*", "")],
                unknown("resource b/*"),
            ),
            (
                vec![statement(
                    "Allow",
                    "oss:*",
                    "acs:oss:*:*:b/${acs:PrincipalName}/*",
                    "",
                )],
                unknown("variable in acs:oss:*:*:b/${acs:PrincipalName}/*"),
            ),
            (
                vec![
                    r#"{"Effect":"Deny","Action":"oss:*","NotResource":"acs:oss:*:*:b/*"}"#.to_owned(),
                    get("Allow", ""),
                ],
                unknown("element NotResource"),
            ),
        ] {
            let policy = policy(&statements);
            let found = decide(&policy, "oss:GetObject", "b/a", &Context::default());
            assert_eq!(found, expected, "{policy}");
        }
    }

    #[test]
    fn the_region_may_be_written_in_both_ways() {
        let none = Context::default();
        for (region, expected) in [
            ("oss-cn-hangzhou", Decision::Allow),
            ("cn-hangzhou", Decision::Allow),
            ("oss-cn-beijing", Decision::ImplicitDeny),
        ] {
            let policy = policy(&[statement(
                "Allow",
                "oss:*",
                &format!("acs:oss:{region}:1:b/*"),
                "",
            )]);
            assert_eq!(
                decide(&policy, "oss:GetObject", "b/a", &none),
                expected,
                "{region}"
            );
        }
    }
}
