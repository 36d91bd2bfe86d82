//! `oss://bucket/key` on the command line.

/// A bucket, and a key or prefix in it, which may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OssUrl {
    pub(super) bucket: String,
    pub(super) key: String,
}

impl OssUrl {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text
            .strip_prefix("oss://")
            .ok_or("write it as oss://bucket/key")?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err("it names no bucket; write it as oss://bucket/key");
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_everything_after_the_bucket() {
        let url = |bucket: &str, key: &str| {
            Ok(OssUrl {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            })
        };
        assert_eq!(OssUrl::parse("oss://logs/a/b c?d"), url("logs", "a/b c?d"));
        assert_eq!(OssUrl::parse("oss://logs"), url("logs", ""));
        assert_eq!(OssUrl::parse("oss://logs/"), url("logs", ""));
        assert!(OssUrl::parse("oss:///key").is_err() && OssUrl::parse("logs/key").is_err());
    }
}
