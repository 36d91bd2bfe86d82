//! What a policy allows and denies is what the local cloud enforces.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

use oss_client::{Client, Error, NoRetry};
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_credentials_vending::{Policy, PolicyBuilder, SessionRequest, Vendor};
use oss_testkit::LocalCloud;

/// A cloud with an object of two tenants each, and a vendor over its role.
async fn cloud() -> (LocalCloud, Vendor) {
    let cloud = LocalCloud::start().await.unwrap();
    for key in ["tenants/4/a", "tenants/42/a"] {
        assert!(cloud.put_object(cloud.bucket(), key, "content"));
    }
    let role = StsAssumeRole::builder(cloud.access_key())
        .role_arn(cloud.role_arn())
        .endpoint(cloud.sts_endpoint())
        .build_source()
        .unwrap();
    (cloud, Vendor::builder(role).build())
}

async fn client(cloud: &LocalCloud, vendor: &Vendor, policy: Policy) -> Client {
    let request = SessionRequest::new("tenant-4").policy(policy);
    let session = vendor.session(&request).await.unwrap();
    Client::builder()
        .region(cloud.region())
        .endpoint(cloud.oss_endpoint())
        .credentials(session.into_credentials())
        .retry(NoRetry)
        .build()
        .unwrap()
}

fn allowed<T>(result: Result<T, Error>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => {
            let status = error.service().map(|service| service.status().as_u16());
            assert_eq!(status, Some(403), "{error}");
            false
        }
    }
}

/// Read, write, list and delete below a prefix.
async fn attempts(client: &Client, bucket: &str, prefix: &str) -> [bool; 4] {
    let key = format!("{prefix}a");
    [
        allowed(client.get_object(bucket, key.as_str()).send().await),
        allowed(client.put_object(bucket, key.as_str(), "content").send().await),
        allowed(client.list_objects_v2(bucket).prefix(prefix).send().await),
        allowed(client.delete_object(bucket, key.as_str()).send().await),
    ]
}

#[tokio::test]
async fn each_permission_allows_itself_below_its_prefix_and_nothing_else() {
    let (cloud, vendor) = cloud().await;
    let below = || PolicyBuilder::new(cloud.bucket()).prefix("tenants/4/");
    let cases = [
        (below().read(), [true, false, false, false]),
        (below().write(), [false, true, false, false]),
        (below().list(), [false, false, true, false]),
        (below().delete(), [false, false, false, true]),
        (below().read().write().list(), [true, true, true, false]),
    ];
    for (policy, expected) in cases {
        cloud.put_object(cloud.bucket(), "tenants/4/a", "content");
        let client = client(&cloud, &vendor, policy.build().unwrap()).await;
        assert_eq!(attempts(&client, cloud.bucket(), "tenants/4/").await, expected);
        assert_eq!(attempts(&client, cloud.bucket(), "tenants/42/").await, [false; 4]);
        assert_eq!(attempts(&client, cloud.bucket(), "tenants/").await, [false; 4]);
    }
    // Every call had a policy of its own, and so a session of its own.
    assert_eq!(vendor.metrics().sts_calls, 5);
}

#[tokio::test]
async fn a_policy_for_one_key_allows_that_key() {
    let (cloud, vendor) = cloud().await;
    let policy = PolicyBuilder::new(cloud.bucket())
        .key("tenants/4/a")
        .read()
        .build()
        .unwrap();
    let client = client(&cloud, &vendor, policy).await;
    assert!(allowed(
        client.get_object(cloud.bucket(), "tenants/4/a").send().await
    ));
    assert!(!allowed(
        client.get_object(cloud.bucket(), "tenants/4/ab").send().await
    ));
}

#[tokio::test]
async fn conditions_hold_for_every_action() {
    let (cloud, vendor) = cloud().await;
    let below = || {
        PolicyBuilder::new(cloud.bucket())
            .prefix("tenants/4/")
            .read()
            .write()
            .list()
            .delete()
    };
    let cases = [
        (below().source_address("127.0.0.0/8"), true),
        (below().source_address("192.0.2.0/24"), false),
        (
            below().source_address("192.0.2.0/24").source_address("127.0.0.1"),
            true,
        ),
        // The local cloud speaks plain HTTP.
        (below().secure_transport(true), false),
        (below().vpc("vpc-1"), true),
        (below().vpc("vpc-2"), false),
    ];
    cloud.set_source_vpc(Some("vpc-1"));
    for (policy, expected) in cases {
        cloud.put_object(cloud.bucket(), "tenants/4/a", "content");
        let client = client(&cloud, &vendor, policy.build().unwrap()).await;
        assert_eq!(
            attempts(&client, cloud.bucket(), "tenants/4/").await,
            [expected; 4]
        );
    }
}
