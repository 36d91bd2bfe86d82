//! Patterns with `*` and `?`, and the patterns of resources.

/// How many parts a resource name has: `acs:oss:<region>:<account>:<bucket>/<key>`.
const PARTS: usize = 5;

/// Returns whether a text matches a pattern in which `*` is any number of characters and `?` is exactly one.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut next) = (0, 0);
    // Where to resume after the last star: the pattern behind it, and the text that it has not taken yet.
    let mut resume = None;
    while next < text.len() {
        match pattern.get(at) {
            Some('*') => {
                resume = Some((at + 1, next));
                at += 1;
            }
            Some(c) if *c == '?' || text.get(next) == Some(c) => {
                at += 1;
                next += 1;
            }
            _ => {
                let Some((behind, taken)) = resume else {
                    return false;
                };
                resume = Some((behind, taken + 1));
                at = behind;
                next = taken + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}

/// [`matches`] for names of actions, whose case has no meaning.
pub(super) fn matches_action(pattern: &str, action: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// Returns whether a pattern covers a resource; `None` if it is not the name of a resource.
///
/// The parts are compared one by one: a star for the account takes no colon of a key.
pub(super) fn matches_resource(pattern: &str, resource: &str) -> Option<bool> {
    if pattern == "*" {
        return Some(true);
    }
    let patterns: Vec<&str> = pattern.splitn(PARTS, ':').collect();
    if patterns.len() < PARTS {
        return None;
    }
    let parts = resource.splitn(PARTS, ':');
    Some(
        patterns
            .into_iter()
            .zip(parts)
            .all(|(pattern, part)| matches(pattern, part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_take_any_number_of_characters_and_question_marks_one() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("?", "", false),
            ("?", "图", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*c", "ac", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("*ab*b", "aabb", true),
            ("logs/2026-??/*", "logs/2026-01/a/b", true),
            ("logs/2026-??/*", "logs/2026-1/a", false),
            ("A", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(matches_action("OSS:get*", "oss:GetObject"));
    }

    #[test]
    fn resources_are_compared_part_by_part() {
        let resource = "acs:oss:oss-cn-hangzhou:1:b/x:private";
        for (pattern, expected) in [
            ("*", Some(true)),
            ("acs:oss:*:*:b/*", Some(true)),
            ("acs:oss:*:*:*", Some(true)),
            ("acs:oss:*:1:b/x:*", Some(true)),
            ("acs:oss:*:2:b/*", Some(false)),
            ("acs:ecs:*:*:*", Some(false)),
            ("acs:oss:*:*:private", Some(false)),
            ("acs:oss:*:*:b", Some(false)),
            ("b/*", None),
            ("acs:oss:*", None),
        ] {
            assert_eq!(matches_resource(pattern, resource), expected, "{pattern}");
        }
    }
}
