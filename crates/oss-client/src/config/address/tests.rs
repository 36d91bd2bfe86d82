use super::*;
use crate::client::Client;

type Set = fn(ClientBuilder) -> ClientBuilder;

fn resolved(set: Set) -> Resolved {
    set(Client::builder()).address.resolve(true).unwrap()
}

fn refused(set: Set) -> String {
    set(Client::builder())
        .address
        .resolve(true)
        .unwrap_err()
        .to_string()
}

const REGION: Set = |b| b.region("cn-hangzhou");
const BEIJING: Set = |b| b.region("cn-beijing");

/// Inputs and URLs observed with the vendor's Python V2 SDK, and with the Go V2 SDK for IPv6: for the object
/// `a b/c` in `bkt`, for the bucket, and for the service. `localhost` is the exception: there the official clients
/// write `bkt.localhost`, which most resolvers do not know.
#[test]
fn urls_are_those_of_the_official_clients() {
    let rows: [(Set, &str, &str, &str); 9] = [
        (
            REGION,
            "https://bkt.oss-cn-hangzhou.aliyuncs.com/a%20b/c",
            "https://bkt.oss-cn-hangzhou.aliyuncs.com/",
            "https://oss-cn-hangzhou.aliyuncs.com/",
        ),
        (
            |b| REGION(b).disable_ssl(true),
            "http://bkt.oss-cn-hangzhou.aliyuncs.com/a%20b/c",
            "http://bkt.oss-cn-hangzhou.aliyuncs.com/",
            "http://oss-cn-hangzhou.aliyuncs.com/",
        ),
        (
            |b| REGION(b).internal(true),
            "https://bkt.oss-cn-hangzhou-internal.aliyuncs.com/a%20b/c",
            "https://bkt.oss-cn-hangzhou-internal.aliyuncs.com/",
            "https://oss-cn-hangzhou-internal.aliyuncs.com/",
        ),
        (
            |b| REGION(b).accelerate(true),
            "https://bkt.oss-accelerate.aliyuncs.com/a%20b/c",
            "https://bkt.oss-accelerate.aliyuncs.com/",
            "https://oss-accelerate.aliyuncs.com/",
        ),
        (
            |b| REGION(b).dual_stack(true),
            "https://bkt.cn-hangzhou.oss.aliyuncs.com/a%20b/c",
            "https://bkt.cn-hangzhou.oss.aliyuncs.com/",
            "https://cn-hangzhou.oss.aliyuncs.com/",
        ),
        (
            |b| REGION(b).path_style(true),
            "https://oss-cn-hangzhou.aliyuncs.com/bkt/a%20b/c",
            "https://oss-cn-hangzhou.aliyuncs.com/bkt/",
            "https://oss-cn-hangzhou.aliyuncs.com/",
        ),
        (
            |b| REGION(b).endpoint("https://www.example.com").cname(true),
            "https://www.example.com/a%20b/c",
            "https://www.example.com/",
            "https://www.example.com/",
        ),
        (
            |b| REGION(b).endpoint("http://192.168.1.2:8080"),
            "http://192.168.1.2:8080/bkt/a%20b/c",
            "http://192.168.1.2:8080/bkt/",
            "http://192.168.1.2:8080/",
        ),
        (
            |b| REGION(b).endpoint("http://localhost:8080"),
            "http://localhost:8080/bkt/a%20b/c",
            "http://localhost:8080/bkt/",
            "http://localhost:8080/",
        ),
    ];
    for (set, object, bucket, service) in rows {
        let Resolved {
            endpoint,
            region,
            product,
        } = resolved(set);
        assert_eq!(endpoint.url(Some("bkt"), Some("a b/c")), object);
        assert_eq!(endpoint.url(Some("bkt"), None), bucket);
        assert_eq!(endpoint.url(None, None), service);
        assert_eq!((&*region, product), ("cn-hangzhou", "oss"), "{object}");
    }
}

/// Rows of the same table of which only the object's URL was observed.
#[test]
fn urls_of_explicit_endpoints_are_those_of_the_official_clients() {
    let rows: [(Set, &str); 9] = [
        (
            |b| BEIJING(b).endpoint("oss-cn-beijing.aliyuncs.com"),
            "https://bkt.oss-cn-beijing.aliyuncs.com/a%20b/c",
        ),
        (
            |b| {
                BEIJING(b)
                    .endpoint("oss-cn-beijing.aliyuncs.com")
                    .disable_ssl(true)
            },
            "http://bkt.oss-cn-beijing.aliyuncs.com/a%20b/c",
        ),
        (
            |b| BEIJING(b).endpoint("http://oss-cn-beijing.aliyuncs.com"),
            "http://bkt.oss-cn-beijing.aliyuncs.com/a%20b/c",
        ),
        (
            |b| {
                let beijing = BEIJING(b).endpoint("https://oss-cn-beijing.aliyuncs.com");
                beijing.disable_ssl(true).internal(true)
            },
            "https://bkt.oss-cn-beijing.aliyuncs.com/a%20b/c",
        ),
        (
            |b| REGION(b).endpoint("192.168.1.2:8080").cname(true),
            "https://192.168.1.2:8080/bkt/a%20b/c",
        ),
        (
            |b| REGION(b).endpoint("http://[::1]:8080"),
            "http://[::1]:8080/bkt/a%20b/c",
        ),
        (
            |b| REGION(b).endpoint("e.com:8443"),
            "https://bkt.e.com:8443/a%20b/c",
        ),
        (
            |b| REGION(b).endpoint("https://e.com/base/path"),
            "https://bkt.e.com/a%20b/c",
        ),
        // Not in the table, but in the precedence that goes with it.
        (
            |b| REGION(b).endpoint("www.example.com").cname(true).path_style(true),
            "https://www.example.com/a%20b/c",
        ),
    ];
    for (set, object) in rows {
        let resolved = resolved(set);
        assert_eq!(resolved.endpoint.url(Some("bkt"), Some("a b/c")), object);
        let region = if object.contains("beijing") {
            "cn-beijing"
        } else {
            "cn-hangzhou"
        };
        assert_eq!(resolved.region, region, "{object}");
    }
}

#[test]
fn cloud_boxes_are_signed_for_by_their_id() {
    const BOX: &str = "cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com";
    const BOX_URL: &str = "https://bkt.cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com/a%20b/c";
    const REGION_URL: &str = "https://bkt.oss-cn-hangzhou.aliyuncs.com/a%20b/c";
    let rows: [(Set, &str, &str, &str); 7] = [
        (
            |b| REGION(b).cloud_box("cb-1"),
            REGION_URL,
            "cb-1",
            "oss-cloudbox",
        ),
        (
            |b| REGION(b).endpoint(BOX).detect_cloud_box(true),
            BOX_URL,
            "cb-123",
            "oss-cloudbox",
        ),
        (|b| REGION(b).endpoint(BOX), BOX_URL, "cn-hangzhou", "oss"),
        // The id is all that is signed.
        (
            |b| b.endpoint(BOX).detect_cloud_box(true),
            BOX_URL,
            "cb-123",
            "oss-cloudbox",
        ),
        (
            |b| b.endpoint(BOX).detect_cloud_box(true).cloud_box("cb-9"),
            BOX_URL,
            "cb-9",
            "oss-cloudbox",
        ),
        (
            |b| REGION(b).detect_cloud_box(true),
            REGION_URL,
            "cn-hangzhou",
            "oss",
        ),
        (
            |b| {
                let other = REGION(b).endpoint("cb-123.oss-cloudbox.aliyuncs.com");
                other.detect_cloud_box(true)
            },
            "https://bkt.cb-123.oss-cloudbox.aliyuncs.com/a%20b/c",
            "cn-hangzhou",
            "oss",
        ),
    ];
    for (set, url, region, product) in rows {
        let resolved = resolved(set);
        assert_eq!(resolved.endpoint.url(Some("bkt"), Some("a b/c")), url);
        assert_eq!((&*resolved.region, resolved.product), (region, product), "{url}");
    }
    assert_eq!(
        detected("cb-1.cn-hangzhou.oss-cloudbox-control.aliyuncs.com"),
        Some("cb-1")
    );
    for other in [
        "xb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com",
        "b.cb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com",
        "cb-1.cn-hangzhou.oss-cloudbox.aliyuncs.com.evil.example",
        "oss-cn-hangzhou.aliyuncs.com",
    ] {
        assert_eq!(detected(other), None, "{other}");
    }
}

#[test]
fn contradictions_are_refused_and_both_settings_named() {
    let rows: [(Set, &str); 4] = [
        (
            |b| REGION(b).dual_stack(true).internal(true),
            "`internal` and `dual_stack` are both set",
        ),
        (
            |b| REGION(b).internal(true).accelerate(true),
            "`internal` and `accelerate` are both set",
        ),
        (
            |b| REGION(b).dual_stack(true).accelerate(true),
            "`accelerate` and `dual_stack` are both set",
        ),
        (|b| REGION(b).cname(true), "`cname` is set without `endpoint`"),
    ];
    for (set, expected) in rows {
        let error = refused(set);
        assert!(error.starts_with(&format!("oss-client: {expected}; ")), "{error}");
    }
    assert!(refused(|b| REGION(b).cname(true).path_style(true)).contains("`endpoint`"));
}

#[test]
fn the_endpoint_of_another_region_is_refused() {
    for endpoint in [
        "oss-cn-beijing.aliyuncs.com",
        "http://oss-cn-beijing-internal.aliyuncs.com",
        "cn-beijing.oss.aliyuncs.com",
        "bkt.oss-cn-beijing.aliyuncs.com.",
    ] {
        let error = Client::builder()
            .region("cn-hangzhou")
            .endpoint(endpoint)
            .address
            .resolve(true)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "oss-client: `region` is \"cn-hangzhou\" and `endpoint` is that of \"cn-beijing\"; set both to the \
             bucket's region, or leave `endpoint` out",
            "{endpoint}"
        );
    }
    // V1 does not sign the region.
    let v1 = REGION(Client::builder()).endpoint("oss-cn-beijing.aliyuncs.com");
    assert!(v1.address.resolve(false).is_ok());
    for (region, endpoint) in [
        ("cn-hangzhou", "oss-cn-hangzhou-internal.aliyuncs.com"),
        ("cn-hangzhou", "bkt.cn-hangzhou.oss.aliyuncs.com"),
        ("cn-hangzhou", "oss-accelerate-overseas.aliyuncs.com"),
        ("cn-hangzhou", "oss.aliyuncs.com"),
        ("cn-hangzhou-finance", "oss-cn-hzjbp-a-internal.aliyuncs.com"),
        ("cn-hangzhou", "oss-cn-beijing.aliyuncs.com.example.com"),
        ("cn-hangzhou", "oss-cn-beijing.example.com"),
    ] {
        let both = Client::builder().region(region).endpoint(endpoint);
        assert!(both.address.resolve(true).is_ok(), "{region} {endpoint}");
    }
}

#[test]
fn without_signed_region_an_endpoint_is_enough() {
    let beijing = Client::builder().endpoint("oss-cn-beijing.aliyuncs.com");
    let resolved = beijing.address.resolve(false).unwrap();
    assert_eq!(
        resolved.endpoint.url(Some("bkt"), Some("k")),
        "https://bkt.oss-cn-beijing.aliyuncs.com/k"
    );
    assert!(Client::builder().address.resolve(false).is_err());
}

#[test]
fn what_leads_nowhere_is_refused() {
    for set in [
        |b| b,
        |b: ClientBuilder| b.region(""),
        |b: ClientBuilder| b.endpoint("oss-cn-beijing.aliyuncs.com"),
        |b: ClientBuilder| b.cloud_box("cb-1"),
    ] {
        assert!(refused(set).starts_with("oss-client: no region is set"));
    }
    assert!(refused(|b| b.region("CN_Bad")).starts_with("oss-sign: the region \"CN_Bad\" is malformed"));
    let beside_a_box: Set = |b| b.region("evil.example/").cloud_box("cb-1");
    assert!(refused(beside_a_box).contains("is malformed"));
    assert!(refused(|b| REGION(b).endpoint("ftp://e.com")).contains("scheme that is not supported"));
}
