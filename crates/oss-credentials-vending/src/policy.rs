//! Session policies for a bucket and a prefix.

use std::fmt;
use std::net::IpAddr;

use oss_sign::is_bucket_name;
use serde_json::{Map, Value, json};

/// Longest policy that STS accepts, in characters.
///
/// Source: the vendor's documentation of `AssumeRole`, parameter `Policy`.
pub const POLICY_MAX_CHARS: usize = 2048;

/// A session policy: JSON text that STS accepts.
///
/// A session may do what both its policy and its role allow, so a policy can only narrow the role.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Policy(String);

impl Policy {
    /// Returns the JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Policy").field(&self.0).finish()
    }
}

impl From<Policy> for String {
    fn from(policy: Policy) -> Self {
        policy.0
    }
}

/// A reason why [`PolicyBuilder::build`] refuses to make a policy, or a grant refuses a bucket or a prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A name contains `*`, `?` or `${`, which a policy would read as a pattern or a variable. No way to escape them is
    /// documented, so a policy that names exactly this bucket, prefix or key does not exist.
    #[error(
        "vending: the {part} {name:?} contains {found:?}, which a policy reads as a pattern; choose names without it"
    )]
    Pattern {
        /// Which name: `"bucket"`, `"prefix"` or `"key"`.
        part: &'static str,
        /// The name as it was given.
        name: String,
        /// What it contains.
        found: &'static str,
    },
    /// The bucket name is empty or contains a character that no bucket name has.
    #[error(
        "vending: the bucket name {0:?} is malformed; use 3 to 63 of a-z, 0-9 and -, with a letter or digit at both ends"
    )]
    Bucket(String),
    /// The prefix does not end with `/`, so it would also match keys of a neighbor: `tenants/4` matches `tenants/42/a`.
    #[error(
        "vending: the prefix {0:?} does not end with /, so it would also match its neighbors; end it with /, or use key(..)"
    )]
    OpenPrefix(String),
    /// The key is empty, and with [`PolicyBuilder::list`] it would be the prefix of every key.
    #[error("vending: the key of the policy is empty; name the object, or leave it out for the whole bucket")]
    NoKey,
    /// Nothing is allowed.
    #[error("vending: the policy allows nothing; call read, write, list or delete")]
    Empty,
    /// A network has more bits than its address.
    #[error("vending: the network {0} is malformed; write an address, or a network such as 192.0.2.0/24")]
    Network(String),
    /// The policy is longer than [`POLICY_MAX_CHARS`].
    #[error(
        "vending: the policy has {chars} characters and STS accepts 2048; use shorter names or fewer conditions"
    )]
    TooLong {
        /// Its length in characters.
        chars: usize,
    },
}

/// What part of the bucket a policy covers.
#[derive(Clone, Debug)]
enum Scope {
    Bucket,
    Prefix(String),
    Key(String),
}

/// Builds a policy that allows some actions on a bucket, a prefix or one key.
///
/// # Examples
///
/// ```
/// use oss_credentials_vending::PolicyBuilder;
///
/// let policy = PolicyBuilder::new("uploads")
///     .prefix("tenants/42/")
///     .read()
///     .list()
///     .source_address("192.0.2.0/24")
///     .build()?;
/// assert!(policy.as_str().contains("acs:oss:*:*:uploads/tenants/42/*"));
/// # Ok::<(), oss_credentials_vending::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PolicyBuilder {
    bucket: String,
    scope: Scope,
    actions: Vec<&'static str>,
    list: bool,
    source_addresses: Vec<String>,
    vpcs: Vec<String>,
    secure_transport: bool,
}

impl PolicyBuilder {
    /// Starts a policy for a bucket that allows nothing yet.
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            scope: Scope::Bucket,
            actions: Vec::new(),
            list: false,
            source_addresses: Vec::new(),
            vpcs: Vec::new(),
            secure_transport: false,
        }
    }

    /// Covers the keys below a prefix that ends with `/`, such as `tenants/42/`. Default: the whole bucket.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.scope = Scope::Prefix(prefix.into());
        self
    }

    /// Covers exactly one key. [`PolicyBuilder::list`] then allows listing with exactly this prefix, which also returns the
    /// names of other keys that begin with it.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.scope = Scope::Key(key.into());
        self
    }

    /// Allows reading objects and their metadata: `oss:GetObject`.
    pub fn read(self) -> Self {
        self.allow(&["oss:GetObject"])
    }

    /// Allows writing objects, also in parts: `oss:PutObject`, `oss:ListParts`, `oss:AbortMultipartUpload`.
    pub fn write(self) -> Self {
        self.allow(&["oss:PutObject", "oss:ListParts", "oss:AbortMultipartUpload"])
    }

    /// Allows deleting objects: `oss:DeleteObject`.
    pub fn delete(self) -> Self {
        self.allow(&["oss:DeleteObject"])
    }

    /// Allows listing the keys below the prefix: `oss:ListObjects` with a condition on `oss:Prefix`.
    pub fn list(mut self) -> Self {
        self.list = true;
        self
    }

    /// Allows requests only from an address or a network, such as `192.0.2.7` or `192.0.2.0/24`. Several calls are
    /// alternatives. Default: from everywhere.
    pub fn source_address(mut self, network: impl Into<String>) -> Self {
        self.source_addresses.push(network.into());
        self
    }

    /// Allows requests only from a VPC, such as `vpc-t4nlw426y44rd3iq4xxxx`. Several calls are alternatives. Default: from
    /// everywhere.
    pub fn vpc(mut self, id: impl Into<String>) -> Self {
        self.vpcs.push(id.into());
        self
    }

    /// Allows requests only over HTTPS. Default: `false`.
    pub fn secure_transport(mut self, required: bool) -> Self {
        self.secure_transport = required;
        self
    }

    /// Makes the policy.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if a name cannot be expressed exactly, nothing is allowed, or the text is longer than
    /// [`POLICY_MAX_CHARS`].
    pub fn build(self) -> Result<Policy, PolicyError> {
        self.check()?;
        let conditions = self.conditions();
        let mut statements = Vec::new();
        if !self.actions.is_empty() {
            statements.push(statement(&self.actions, &self.objects(), conditions.clone()));
        }
        if self.list {
            statements.push(self.listing(conditions));
        }
        let text = json!({ "Version": "1", "Statement": statements }).to_string();
        let chars = text.chars().count();
        if chars > POLICY_MAX_CHARS {
            return Err(PolicyError::TooLong { chars });
        }
        Ok(Policy(text))
    }

    fn allow(mut self, actions: &[&'static str]) -> Self {
        for action in actions {
            if !self.actions.contains(action) {
                self.actions.push(action);
            }
        }
        self
    }

    fn check(&self) -> Result<(), PolicyError> {
        plain("bucket", &self.bucket)?;
        check_bucket(&self.bucket)?;
        match &self.scope {
            Scope::Bucket => {}
            Scope::Prefix(prefix) => check_prefix(prefix)?,
            Scope::Key(key) if key.is_empty() => return Err(PolicyError::NoKey),
            Scope::Key(key) => plain("key", key)?,
        }
        for network in &self.source_addresses {
            check_network(network)?;
        }
        if self.actions.is_empty() && !self.list {
            return Err(PolicyError::Empty);
        }
        Ok(())
    }

    /// The objects that are covered, as a resource of a policy.
    fn objects(&self) -> String {
        let bucket = &self.bucket;
        match &self.scope {
            Scope::Bucket => format!("acs:oss:*:*:{bucket}/*"),
            Scope::Prefix(prefix) => format!("acs:oss:*:*:{bucket}/{prefix}*"),
            Scope::Key(key) => format!("acs:oss:*:*:{bucket}/{key}"),
        }
    }

    fn listing(&self, mut conditions: Map<String, Value>) -> Value {
        match &self.scope {
            Scope::Bucket => {}
            Scope::Prefix(prefix) => {
                conditions.insert(
                    "StringLike".into(),
                    json!({ "oss:Prefix": [format!("{prefix}*")] }),
                );
            }
            Scope::Key(key) => add_equal(&mut conditions, "oss:Prefix", std::slice::from_ref(key)),
        }
        let bucket = format!("acs:oss:*:*:{}", self.bucket);
        statement(&["oss:ListObjects"], &bucket, conditions)
    }

    fn conditions(&self) -> Map<String, Value> {
        let mut conditions = Map::new();
        if !self.source_addresses.is_empty() {
            conditions.insert(
                "IpAddress".into(),
                json!({ "acs:SourceIp": self.source_addresses }),
            );
        }
        if !self.vpcs.is_empty() {
            add_equal(&mut conditions, "acs:SourceVpc", &self.vpcs);
        }
        if self.secure_transport {
            conditions.insert("Bool".into(), json!({ "acs:SecureTransport": ["true"] }));
        }
        conditions
    }
}

fn add_equal(conditions: &mut Map<String, Value>, key: &str, values: &[String]) {
    let equals = conditions.entry("StringEquals").or_insert_with(|| json!({}));
    if let Some(equals) = equals.as_object_mut() {
        equals.insert(key.to_owned(), json!(values));
    }
}

fn statement(actions: &[&str], resource: &str, conditions: Map<String, Value>) -> Value {
    let mut statement = Map::new();
    statement.insert("Effect".into(), json!("Allow"));
    statement.insert("Action".into(), json!(actions));
    statement.insert("Resource".into(), json!([resource]));
    if !conditions.is_empty() {
        statement.insert("Condition".into(), Value::Object(conditions));
    }
    Value::Object(statement)
}

fn plain(part: &'static str, name: &str) -> Result<(), PolicyError> {
    match ["*", "?", "${"]
        .into_iter()
        .find(|pattern| name.contains(pattern))
    {
        None => Ok(()),
        Some(found) => Err(PolicyError::Pattern {
            part,
            name: name.to_owned(),
            found,
        }),
    }
}

/// Refuses a name that no bucket has: 3 to 63 of a-z, 0-9 and -, with a letter or digit at both ends.
pub(crate) fn check_bucket(name: &str) -> Result<(), PolicyError> {
    if is_bucket_name(name) {
        Ok(())
    } else {
        Err(PolicyError::Bucket(name.to_owned()))
    }
}

/// Refuses a prefix that a policy cannot express, or that also matches keys of a neighbor.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), PolicyError> {
    plain("prefix", prefix)?;
    if prefix.ends_with('/') {
        Ok(())
    } else {
        Err(PolicyError::OpenPrefix(prefix.to_owned()))
    }
}

fn check_network(network: &str) -> Result<(), PolicyError> {
    let malformed = || PolicyError::Network(network.to_owned());
    let (address, bits) = match network.split_once('/') {
        None => (network, None),
        // `parse` would accept a plus sign.
        Some((_, bits)) if !bits.bytes().all(|byte| byte.is_ascii_digit()) => return Err(malformed()),
        Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| malformed())?)),
    };
    let most = match address.parse().map_err(|_| malformed())? {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    if bits.is_some_and(|bits| bits > most) {
        return Err(malformed());
    }
    Ok(())
}
