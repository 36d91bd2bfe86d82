//! The rotated pair from KMS in use: fetched over HTTP with a client key file, and taken to STS and OSS, by a local
//! cloud that checks every signature.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use acs_sts::StsClient;
use futures_util::future::join_all;
use oss_client::{Client, NoRetry};
use oss_credentials_core::test_util::{FakeEnv, RecordedSleep};
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, CredentialsSource as _};
use oss_credentials_kms_client_key::{
    ClientKey, KmsClientKey, KmsClientKeyBuilder, KmsClientKeyProvider, KmsInstance, KmsRegion,
};
use oss_credentials_reqwest::ReqwestClient;
use oss_testkit::{ClientKeyFiles, Fault, LocalCloud, RecordedRequest, Service};
use tempfile::TempDir;

/// More than a process opens connections in one go, so that some callers are late.
const CALLERS: usize = 64;
/// The cloud's own region, and the other one that its KMS serves.
const REGIONS: [&str; 2] = ["cn-hangzhou", "cn-shanghai"];

struct Setup {
    cloud: LocalCloud,
    files: ClientKeyFiles,
    _folder: TempDir,
}

/// A cloud whose client key is in files.
async fn setup() -> Setup {
    let cloud = LocalCloud::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = cloud.write_client_key(folder.path()).unwrap();
    Setup {
        cloud,
        files,
        _folder: folder,
    }
}

impl Setup {
    /// As a program has it that is set up like one with the vendor's client.
    fn by_environment(&self) -> KmsClientKeyBuilder {
        let env: FakeEnv = self.cloud.env().into_iter().collect();
        KmsClientKey::from_env(&env).unwrap()
    }

    /// With the client key file, and no place to ask yet.
    fn bare(&self) -> KmsClientKeyBuilder {
        KmsClientKey::builder()
            .secret_name(self.cloud.secret_name())
            .client_key_file(self.files.key())
            .client_key_password_file(self.files.password())
            .sleep(RecordedSleep::default())
    }

    fn region(&self, id: &str) -> KmsRegion {
        KmsRegion::new(id).endpoint(self.cloud.kms_endpoint())
    }

    fn instance(&self) -> KmsInstance {
        KmsInstance::new(REGIONS[0], self.cloud.kms_instance_endpoint())
    }

    fn client(&self, provider: impl CredentialsProvider) -> Client {
        Client::builder()
            .region(self.cloud.region())
            .endpoint(self.cloud.oss_endpoint())
            .credentials(provider)
            .retry(NoRetry)
            .build()
            .unwrap()
    }

    fn current(&self) -> Credentials {
        self.cloud.secret_credentials(&self.cloud.secret_name()).unwrap()
    }

    fn rotate_immediately(&self) -> Credentials {
        let rotated = self.cloud.rotate_secret_immediately(&self.cloud.secret_name());
        rotated.unwrap()
    }

    fn asked(&self, service: Service) -> Vec<RecordedRequest> {
        let mut requests = self.cloud.requests();
        requests.retain(|request| request.service() == service);
        requests
    }

    /// The regions that were asked since the requests were forgotten.
    fn regions_asked(&self) -> Vec<String> {
        let asked = self.asked(Service::Kms);
        let region = |request: &RecordedRequest| request.query_value("RegionId").unwrap().to_owned();
        let regions = asked.iter().map(region).collect();
        self.cloud.forget_requests();
        regions
    }
}

fn same(credentials: &Credentials, expected: &Credentials) -> bool {
    credentials.same_key_as(expected) && credentials.access_key_secret() == expected.access_key_secret()
}

#[tokio::test]
async fn the_variables_of_the_vendors_clients_lead_to_a_pair_that_works() {
    let setup = setup().await;
    let (cloud, provider) = (&setup.cloud, setup.by_environment().build().unwrap());
    let credentials = provider.credentials().await.unwrap();
    assert!(same(&credentials, &setup.current()));

    let sts = StsClient::builder(Arc::new(ReqwestClient::new()))
        .endpoint(cloud.sts_endpoint())
        .build()
        .unwrap();
    let identity = sts.get_caller_identity(&credentials).await.unwrap();
    assert_eq!(
        identity.arn(),
        format!("acs:ram::{}:user/example-rotated-user", cloud.account_id())
    );
    let client = setup.client(provider);
    client
        .put_object(cloud.bucket(), "k", "content")
        .send()
        .await
        .unwrap();
    assert_eq!(cloud.object(cloud.bucket(), "k").unwrap(), "content");
    let [request] = &setup.asked(Service::Kms)[..] else {
        unreachable!("one request to KMS for all of it")
    };
    assert_eq!(request.access_key_id(), Some(cloud.client_key_id()));
}

#[tokio::test]
async fn what_is_sent_is_what_the_gateways_want_and_no_more() {
    let setup = setup().await;
    let builder = setup.bare().region(setup.region(REGIONS[0]));
    builder.build_source().unwrap().fetch().await.unwrap();
    let builder = setup.bare().instance(setup.instance());
    builder.build_source().unwrap().fetch().await.unwrap();
    // An instance gets a name of 33 bytes, a stage of 10 and a switch, each but the switch behind two bytes.
    for (service, length, own) in [(Service::Kms, "0", 0), (Service::KmsInstance, "49", 4)] {
        let request = setup.asked(service).swap_remove(0);
        let values = |wanted: &str| -> Vec<&str> {
            let headers = request.headers().iter();
            let named = headers.filter(|(name, _)| name == wanted);
            named.map(|(_, value)| value.as_str()).collect()
        };
        // Once: some clients leave it out where there is no body, and the service wants it.
        assert_eq!(values("content-length"), [length], "{service:?}");
        let [agent] = values("user-agent")[..] else {
            unreachable!("one user agent")
        };
        assert!(agent.starts_with("oss-credentials-kms-client-key/"), "{agent}");
        let prefixed = |prefix: &str| {
            let headers = request.headers().iter();
            headers.filter(|(name, _)| name.starts_with(prefix)).count()
        };
        assert_eq!((prefixed("x-kms-"), prefixed("x-acs-")), (own, 0), "{service:?}");
        assert_eq!(prefixed("authorization"), usize::from(own > 0), "{service:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let setup = setup().await;
    let elsewhere = Fault::redirect(302, setup.cloud.oss_endpoint());
    setup.cloud.fault(Service::Kms, elsewhere);
    let builder = setup.bare().regions(REGIONS.map(|id| setup.region(id)));
    let error = builder.build_source().unwrap().fetch().await.unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidResponse(_)), "{error:?}");
    assert_eq!(error.detail().unwrap().http_status(), Some(302));
    assert_eq!(setup.cloud.requests().len(), 1);
}

#[tokio::test]
async fn a_closed_port_leads_to_the_next_region_and_a_refusal_does_not() {
    let setup = setup().await;
    // Bound and closed again: nobody listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let refusal = Fault::error(403, "Forbidden.NoPermission");
    setup
        .cloud
        .fault(Service::Kms, refusal.parameter("RegionId", REGIONS[0]));
    let source = setup
        .bare()
        .region(KmsRegion::new("cn-beijing").endpoint(closed))
        .region(setup.region(REGIONS[0]))
        .region(setup.region(REGIONS[1]))
        .build_source()
        .unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    assert_eq!(error.detail().unwrap().code(), Some("Forbidden.NoPermission"));
    assert_eq!(setup.regions_asked(), [REGIONS[0]]);
}

/// Everybody has the old pair when it is deleted, so that OSS rejects all of them.
async fn many_rejections(setup: &Setup, provider: KmsClientKeyProvider, gateway: Service) {
    let cloud = &setup.cloud;
    cloud.put_object(cloud.bucket(), "k", "content");
    assert!(same(&provider.credentials().await.unwrap(), &setup.current()));
    let rotated = setup.rotate_immediately();
    cloud.forget_requests();

    let client = setup.client(provider.clone());
    let calls = (0..CALLERS).map(|_| client.head_object(cloud.bucket(), "k").send());
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
    let asked = setup.asked(Service::Oss);
    let mut codes: Vec<_> = asked.iter().filter_map(RecordedRequest::error_code).collect();
    assert_eq!(codes.len(), CALLERS, "each was rejected once");
    codes.dedup();
    assert_eq!(codes, ["InvalidAccessKeyId"]);
    assert_eq!(asked.len(), 2 * CALLERS, "and tried once more");
    assert_eq!(cloud.count(gateway, "GetSecretValue"), 1);
    assert!(same(&provider.cached().unwrap(), &rotated));

    // And again: what is left of the first round takes nothing from the second.
    let rotated = setup.rotate_immediately();
    client.head_object(cloud.bucket(), "k").send().await.unwrap();
    assert_eq!(cloud.count(gateway, "GetSecretValue"), 2);
    assert!(same(&provider.cached().unwrap(), &rotated));
}

#[tokio::test]
async fn after_a_rotation_many_rejections_cost_one_call_to_kms() {
    let setup = setup().await;
    many_rejections(&setup, setup.by_environment().build().unwrap(), Service::Kms).await;
}

#[tokio::test]
async fn after_a_rotation_many_rejections_cost_one_call_to_the_instance() {
    let setup = setup().await;
    let provider = setup.bare().instance(setup.instance()).build().unwrap();
    many_rejections(&setup, provider, Service::KmsInstance).await;
    assert!(setup.asked(Service::Kms).is_empty());
}

#[tokio::test]
async fn a_pair_that_was_deleted_for_good_does_not_flood_kms() {
    let setup = setup().await;
    let provider = setup.by_environment().build().unwrap();
    let client = setup.client(provider.clone());
    let credentials = provider.credentials().await.unwrap();
    assert!(setup.cloud.revoke(credentials.access_key_id()));
    for _ in 0..20 {
        let error = client.head_object(setup.cloud.bucket(), "k").send().await;
        assert!(error.is_err());
    }
    // The first one, and the five that may follow at once.
    assert_eq!(setup.cloud.count(Service::Kms, "GetSecretValue"), 6);
}

#[tokio::test]
async fn the_other_region_answers_for_one_that_is_down() {
    for (name, fault, attempts) in [
        (
            "an error of the server",
            Fault::error(503, "ServiceUnavailableTemporary"),
            1,
        ),
        ("throttling", Fault::throttling(), 1),
        ("a proxy's page", Fault::html(502), 1),
        ("no answer", Fault::hang(), 1),
        ("half an answer", Fault::cut_body(), 1),
        ("nonsense", Fault::garbage(), 1),
        (
            "a nonce that was used",
            Fault::error(400, "SignatureNonceUsed"),
            2,
        ),
    ] {
        let setup = setup().await;
        let down = fault.parameter("RegionId", REGIONS[0]).always();
        setup.cloud.fault(Service::Kms, down);
        let source = setup
            .bare()
            .regions(REGIONS.map(|id| setup.region(id)))
            // Of these only the one without an answer takes so long.
            .timeout(Duration::from_secs(1))
            .build_source()
            .unwrap();
        let fetched = source.fetch().await.unwrap();
        assert!(same(fetched.credentials(), &setup.current()), "{name}");
        let mut expected = vec![REGIONS[0]; attempts];
        expected.push(REGIONS[1]);
        assert_eq!(setup.regions_asked(), expected, "{name}");

        // The one that answered is asked first from now on.
        source.fetch().await.unwrap();
        assert_eq!(setup.regions_asked(), [REGIONS[1]], "{name}");
        setup.cloud.clear_faults();
        let down = Fault::error(500, "InternalFailure").parameter("RegionId", REGIONS[1]);
        setup.cloud.fault(Service::Kms, down.always());
        source.fetch().await.unwrap();
        assert_eq!(setup.regions_asked(), [REGIONS[1], REGIONS[0]], "{name}");
    }
}

#[tokio::test]
async fn a_region_answers_for_an_instance_that_is_down() {
    let setup = setup().await;
    let fault = Fault::error(503, "ServiceUnavailableTemporary").always();
    setup.cloud.fault(Service::KmsInstance, fault);
    let builder = setup.bare().instance(setup.instance());
    let source = builder.region(setup.region(REGIONS[1])).build_source().unwrap();
    let fetched = source.fetch().await.unwrap();
    assert!(same(fetched.credentials(), &setup.current()));
    assert_eq!(setup.asked(Service::KmsInstance).len(), 1);
    assert_eq!(setup.regions_asked(), [REGIONS[1]]);
}

#[tokio::test]
async fn a_pair_outlives_the_failure_of_every_region() {
    let setup = setup().await;
    let builder = setup.bare().regions(REGIONS.map(|id| setup.region(id)));
    let provider = builder.build().unwrap();
    let credentials = provider.credentials().await.unwrap();
    setup.cloud.forget_requests();
    setup.cloud.fault(Service::Kms, Fault::throttling().always());
    let error = provider.refresh_now().await.unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with("kms-client-key: GetSecretValue failed in all 2 regions; of the last one: "),
        "{text}"
    );
    // Three passes.
    assert_eq!(setup.regions_asked().len(), 6);
    assert!(same(&provider.cached().unwrap(), &credentials));
    let client = setup.client(provider);
    client
        .put_object(setup.cloud.bucket(), "k", "content")
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_refusal_is_final() {
    let setup = setup().await;
    let shared = || setup.bare().regions(REGIONS.map(|id| setup.region(id)));
    let instance = || {
        setup
            .bare()
            .instance(setup.instance())
            .region(setup.region(REGIONS[1]))
    };
    let impostor = impostor(setup.cloud.client_key_id());
    let nobody = ClientKey::new("KAAP.nobody", Impostor(impostor.clone()));
    for (builder, gateway, status, code, hint) in [
        (
            shared().client_key(impostor.clone()),
            Service::Kms,
            400,
            "SignatureDoesNotMatch",
            // Only if the local cloud, which has this from the vendor's clients, signs the very same text.
            "KMS signed the same text, so the private key is not the one that it knows by this key ID",
        ),
        (
            instance().client_key(impostor.clone()),
            Service::KmsInstance,
            401,
            "SignatureNotMatch",
            "check the client key, and whether a proxy changes requests",
        ),
        (
            shared().client_key(nobody.clone()),
            Service::Kms,
            404,
            "InvalidAccessKeyId.NotFound",
            "the client key (not the access key in the secret) is deleted",
        ),
        (
            instance().client_key(nobody),
            Service::KmsInstance,
            404,
            "Unauthorized",
            "the client key (not the access key in the secret) is deleted",
        ),
        (
            shared().secret_name("no-such-secret"),
            Service::Kms,
            404,
            "Forbidden.ResourceNotFound",
            "check the name of the secret, no-such-secret, and whether it is in the region cn-hangzhou",
        ),
    ] {
        setup.cloud.forget_requests();
        let error = builder.build_source().unwrap().fetch().await.unwrap_err();
        assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
        let detail = error.detail().unwrap();
        assert_eq!((detail.http_status(), detail.code()), (Some(status), Some(code)));
        assert!(detail.hint().unwrap().starts_with(hint), "{error}");
        assert!(detail.request_id().is_some(), "{error}");
        assert_eq!(setup.cloud.requests().len(), 1, "{code}");
        assert_eq!(setup.asked(gateway).len(), 1, "{code}");
    }
}

/// Another key, under this id.
fn impostor(key_id: &str) -> ClientKey {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/kms/client-keys");
    let other = ClientKey::from_file(vectors.join("openssl-legacy-2048.json"), "Throw-Away_01").unwrap();
    ClientKey::new(key_id, Impostor(other))
}

#[derive(Debug)]
struct Impostor(ClientKey);

impl acs_sign::ClientKeySigner for Impostor {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, acs_sign::SignError> {
        self.0.signer().sign(message)
    }
}

#[tokio::test]
async fn a_clock_that_is_far_off_is_corrected_by_the_answer() {
    for (offset, gateway) in [
        (3600, Service::Kms),
        (-3600, Service::Kms),
        (3600, Service::KmsInstance),
        (-3600, Service::KmsInstance),
    ] {
        let setup = setup().await;
        setup.cloud.set_clock_offset(offset);
        let builder = match gateway {
            Service::Kms => setup.bare().region(setup.region(REGIONS[0])),
            _ => setup.bare().instance(setup.instance()),
        };
        let source = builder.build_source().unwrap();
        let fetched = source.fetch().await.unwrap();
        assert!(same(fetched.credentials(), &setup.current()));
        assert_eq!(setup.asked(gateway).len(), 2, "refused, and corrected");
        // What was learned is kept.
        source.fetch().await.unwrap();
        assert_eq!(setup.asked(gateway).len(), 3);
    }
}
