//! The rules that decide which cross-origin requests a bucket accepts, and the headers that state it in responses.
//!
//! Vendor documents: "`PutBucketCors`" and "Options" (Object Storage Service, API reference).

use super::xml::Node;
use crate::policy::matches;
use crate::wire::{Answer, Request, element};

const ORIGIN: &str = "origin";
const REQUEST_METHOD: &str = "access-control-request-method";
const REQUEST_HEADERS: &str = "access-control-request-headers";

/// A rule: which origins may send which methods and headers, and which headers of the response they may read.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    origins: Vec<String>,
    methods: Vec<String>,
    headers: Vec<String>,
    exposed: Vec<String>,
    max_age: Option<u32>,
}

impl Rule {
    /// `None` for a rule that lacks what each must have.
    pub(super) fn read(node: &Node) -> Option<Self> {
        let texts = |name: &str| node.children(name).map(|child| child.text().to_owned()).collect();
        let max_age = node.child_text("MaxAgeSeconds").map(str::parse);
        let rule = Self {
            origins: texts("AllowedOrigin"),
            methods: texts("AllowedMethod"),
            headers: texts("AllowedHeader"),
            exposed: texts("ExposeHeader"),
            max_age: max_age.transpose().ok()?,
        };
        (!rule.origins.is_empty() && !rule.methods.is_empty()).then_some(rule)
    }

    pub(super) fn document(&self) -> String {
        let max_age = self.max_age.map(|seconds| seconds.to_string());
        let fields = [
            ("AllowedOrigin", &self.origins),
            ("AllowedMethod", &self.methods),
            ("AllowedHeader", &self.headers),
            ("ExposeHeader", &self.exposed),
        ];
        let texts = fields
            .iter()
            .flat_map(|(name, texts)| texts.iter().map(|text| element(name, text)));
        let max_age = max_age.iter().map(|seconds| element("MaxAgeSeconds", seconds));
        format!(
            "<CORSRule>{}</CORSRule>",
            texts.chain(max_age).collect::<String>()
        )
    }

    pub(super) fn covers(&self, asked: &Asked<'_>) -> bool {
        let any = |patterns: &[String], text: &str| patterns.iter().any(|pattern| matches(pattern, text));
        let header = |name: &str| {
            let name = name.to_ascii_lowercase();
            self.headers
                .iter()
                .any(|pattern| matches(&pattern.to_ascii_lowercase(), &name))
        };
        any(&self.origins, asked.origin)
            && self.methods.iter().any(|method| method == asked.method)
            && asked.headers().all(header)
    }

    /// Adds the headers that a browser reads.
    pub(super) fn add_to(&self, asked: &Asked<'_>, mut answer: Answer) -> Answer {
        answer = answer
            .with("access-control-allow-origin", asked.origin)
            .with("access-control-allow-methods", asked.method);
        if !asked.headers.is_empty() {
            answer = answer.with("access-control-allow-headers", asked.headers);
        }
        if !self.exposed.is_empty() {
            answer = answer.with("access-control-expose-headers", self.exposed.join(", "));
        }
        match self.max_age {
            Some(seconds) => answer.with("access-control-max-age", seconds.to_string()),
            None => answer,
        }
    }
}

/// What a page of another origin does, or requests to do.
pub(super) struct Asked<'a> {
    origin: &'a str,
    method: &'a str,
    /// As the request lists them.
    headers: &'a str,
}

impl<'a> Asked<'a> {
    /// `None` if the request is not a cross-origin request.
    pub(super) fn of(request: &'a Request) -> Option<Self> {
        let method = match request.method.as_str() {
            "OPTIONS" => request.header(REQUEST_METHOD).unwrap_or_default(),
            method => method,
        };
        Some(Self {
            origin: request.header(ORIGIN)?,
            method,
            headers: request.header(REQUEST_HEADERS).unwrap_or_default(),
        })
    }

    fn headers(&self) -> impl Iterator<Item = &'a str> {
        self.headers
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }
}
