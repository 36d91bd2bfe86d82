//! The examples of docs/oss-client.md; a test holds the two together. Here they run against a local cloud.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use oss_client::{
    Body, Client, CopySource, Method, Operation, PostPolicy, StandardRetry, UploadWriter, blocking,
};
use oss_credentials_core::test_util::FakeEnv;
use oss_credentials_core::{CredentialsProvider, ProcessEnv};
use oss_testkit::{Fault, LocalCloud, Service};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};

type Outcome = Result<(), Box<dyn Error>>;

fn begin(provider: Arc<dyn CredentialsProvider>) -> Result<Client, Box<dyn Error>> {
    let client = Client::builder()
        .region("cn-hangzhou")
        .credentials(provider)
        .build()?;
    Ok(client)
}

/// Needs a region in the environment of the process, so it is compiled and not run.
fn begin_from_env() -> Result<Client, Box<dyn Error>> {
    let client = Client::from_env()?;
    Ok(client)
}

/// The same.
fn begin_from_env_with_an_observer() -> Result<Client, Box<dyn Error>> {
    let client = Client::builder()
        .env(ProcessEnv)
        .observer(|event| println!("{} {}", event.operation, event.outcome))
        .build()?;
    Ok(client)
}

fn begin_from_another_env() -> Result<Client, Box<dyn Error>> {
    let env = FakeEnv::from([("OSS_REGION", "cn-hangzhou")]);
    let client = Client::builder().env(env).internal(true).build()?;
    Ok(client)
}

async fn store(client: &Client) -> Outcome {
    client
        .put_object("examplebucket", "greeting.txt", "hello")
        .content_type("text/plain")
        .metadata("author", "alice")
        .await?;
    Ok(())
}

async fn store_file(client: &Client) -> Outcome {
    let uploaded = client
        .upload_file("examplebucket", "backup.tar", "backup.tar")
        .on_progress(|progress| println!("{} of {:?} bytes", progress.sent, progress.total))
        .await?;
    println!("{} bytes in {} parts", uploaded.size, uploaded.parts);
    Ok(())
}

async fn store_stream(client: &Client) -> Outcome {
    let lines =
        futures_util::stream::iter((0..10).map(|line| Ok::<_, std::io::Error>(format!("{line}\n").into())));
    client
        .upload("examplebucket", "lines.txt", Body::stream(lines))
        .await?;
    Ok(())
}

async fn read(client: &Client) -> Outcome {
    let object = client.get_object("examplebucket", "greeting.txt").await?;
    println!("{:?}", object.head().content_type());
    let text = object.bytes().await?;
    assert_eq!(&text[..], b"hello");
    Ok(())
}

async fn read_pieces(client: &Client) -> Outcome {
    let mut object = client
        .get_object("examplebucket", "backup.tar")
        .range(100..)
        .await?;
    while let Some(piece) = object.chunk().await? {
        println!("{} bytes more", piece.len());
    }
    Ok(())
}

async fn read_file(client: &Client) -> Outcome {
    let downloaded = client
        .download_file("examplebucket", "backup.tar", "restored.tar")
        .on_progress(|progress| println!("{} of {:?} bytes", progress.received, progress.total))
        .await?;
    println!("{} bytes", downloaded.size);
    Ok(())
}

async fn read_lines(client: &Client) -> Outcome {
    let object = client.get_object("examplebucket", "lines.txt").await?;
    let mut lines = object.into_async_read().lines();
    while let Some(line) = lines.next_line().await? {
        println!("{line}");
    }
    Ok(())
}

async fn write_numbers(client: &Client) -> Outcome {
    let mut writer = UploadWriter::new(|body| client.upload("examplebucket", "numbers.txt", body));
    for number in 0..1000 {
        writer.write_all(format!("{number}\n").as_bytes()).await?;
    }
    writer.finish().await?;
    Ok(())
}

async fn resume(client: &Client) -> Outcome {
    client
        .upload_file("examplebucket", "backup.tar", "backup.tar")
        .checkpoint("backup.tar.upload")
        .await?;
    client
        .download_file("examplebucket", "backup.tar", "restored.tar")
        .parallel(3)
        .checkpoint("restored.tar.download")
        .await?;
    Ok(())
}

async fn look(client: &Client) -> Outcome {
    if client.object_exists("examplebucket", "greeting.txt").await? {
        let head = client.head_object("examplebucket", "greeting.txt").await?;
        println!("{:?} bytes of {:?}", head.content_length(), head.last_modified());
    }
    Ok(())
}

async fn copy(client: &Client) -> Outcome {
    let source = CopySource::new("examplebucket", "greeting.txt");
    client.copy_object("examplebucket", "copy.txt", source).await?;
    Ok(())
}

async fn list(client: &Client) -> Outcome {
    let mut objects = client.list_objects_v2("examplebucket").prefix("logs/").objects();
    while let Some(object) = objects.try_next().await? {
        println!("{} has {} bytes", object.key, object.size);
    }
    Ok(())
}

async fn folders(client: &Client) -> Outcome {
    let mut pages = client.list_objects_v2("examplebucket").delimiter("/").pages();
    while let Some(page) = pages.try_next().await? {
        println!("{:?}", page.common_prefixes);
    }
    Ok(())
}

async fn delete(client: &Client) -> Outcome {
    client.delete_object("examplebucket", "copy.txt").await?;
    Ok(())
}

async fn delete_many(client: &Client) -> Outcome {
    let mut pages = client
        .list_objects_v2("examplebucket")
        .prefix("logs/")
        .max_keys(1000)
        .pages();
    while let Some(page) = pages.try_next().await? {
        let keys: Vec<_> = page.objects.into_iter().map(|object| object.key).collect();
        if !keys.is_empty() {
            let deleted = client.delete_objects("examplebucket", keys).await?;
            assert!(deleted.not_deleted.is_empty(), "{:?}", deleted.not_deleted);
        }
    }
    Ok(())
}

async fn buckets(client: &Client) -> Outcome {
    if !client.bucket_exists("another-bucket").await? {
        client.put_bucket("another-bucket").storage_class("IA").await?;
    }
    let mut buckets = client.list_buckets().buckets();
    while let Some(bucket) = buckets.try_next().await? {
        println!("{} in {:?}", bucket.name, bucket.region);
    }
    client.delete_bucket("another-bucket").await?;
    Ok(())
}

async fn presigned(client: &Client) -> Outcome {
    let link = client
        .presign_get("examplebucket", "greeting.txt", Duration::from_secs(900))
        .query(
            "response-content-disposition",
            "attachment; filename=\"greeting.txt\"",
        )
        .await?;
    println!("works until {}: {}", link.valid_until_utc(), link.url());

    let upload = client
        .presign_put("examplebucket", "photo.jpg", Duration::from_secs(900))
        .content_type("image/jpeg")
        .await?;
    for (name, value) in upload.headers() {
        println!("send {name}: {}", String::from_utf8_lossy(value));
    }
    Ok(())
}

async fn presigned_part(client: &Client, upload_id: &str) -> Outcome {
    let url = client
        .upload_part("examplebucket", "big.bin", upload_id, 7, "")
        .presign(Duration::from_secs(900))
        .await?;
    println!("{} {} until {}", url.method(), url.url(), url.valid_until_utc());
    Ok(())
}

async fn form(client: &Client) -> Outcome {
    let policy = PostPolicy::new("examplebucket")
        .starts_with("key", "user/eric/")
        .is_in("content-type", ["image/jpeg", "image/png"])
        .content_length_range(1..=10_485_760);
    let form = client.presign_post(policy, Duration::from_secs(900)).await?;

    let fields = form
        .fields()
        .chain([("key", "user/eric/${filename}"), ("content-type", "image/jpeg")])
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n"));
    let page = format!(
        "<form action=\"{}\" method=\"post\" enctype=\"multipart/form-data\">\n{}\
         <input type=\"file\" name=\"file\"><input type=\"submit\">\n</form>",
        form.url(),
        fields.collect::<String>()
    );
    println!("{page}");
    Ok(())
}

fn public_url(client: &Client) -> Outcome {
    let url = client.object_url("examplebucket", "my photos/100%.jpg")?;
    println!("{url}");
    Ok(())
}

fn own_domain(provider: Arc<dyn CredentialsProvider>) -> Result<Client, Box<dyn Error>> {
    let client = Client::builder()
        .region("cn-hangzhou")
        .endpoint("img.example.com")
        .cname(true)
        .credentials(provider)
        .build()?;
    Ok(client)
}

fn behind_a_proxy(
    provider: Arc<dyn CredentialsProvider>,
    certificate: &[u8],
) -> Result<Client, Box<dyn Error>> {
    let certificate = reqwest::Certificate::from_pem(certificate)?;
    let http = move || reqwest::Client::builder().add_root_certificate(certificate.clone());
    let client = Client::builder()
        .region("cn-hangzhou")
        .proxy("http://user:password@proxy.example.com:3128")
        .client_builder(http)
        .credentials(provider)
        .build()?;
    Ok(client)
}

fn patient(provider: Arc<dyn CredentialsProvider>) -> Result<Client, Box<dyn Error>> {
    let client = Client::builder()
        .region("cn-hangzhou")
        .credentials(provider)
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(60))
        .operation_timeout(Duration::from_secs(300))
        .retry(StandardRetry::new().max_attempts(5))
        .build()?;
    Ok(client)
}

fn without_async(client: &Client) -> Outcome {
    let blocking = blocking::Client::new(client.clone())?;
    blocking.wait(client.put_object("examplebucket", "greeting.txt", "hello"))?;
    blocking.wait(client.download_file("examplebucket", "greeting.txt", "greeting.txt"))?;

    let mut file = std::fs::File::create("again.txt")?;
    std::io::copy(
        &mut blocking.read(client.get_object("examplebucket", "greeting.txt"))?,
        &mut file,
    )?;
    let mut writer = blocking.write(|body| client.upload("examplebucket", "numbers.txt", body))?;
    for number in 0..1000 {
        writeln!(writer, "{number}")?;
    }
    writer.finish()?;

    for object in blocking.iter(client.list_objects_v2("examplebucket").objects()) {
        println!("{}", object?.key);
    }
    Ok(())
}

async fn any_operation(client: &Client) -> Outcome {
    let operation = Operation::new("GetBucketAcl", Method::GET)
        .bucket("examplebucket")
        .query("acl", "")
        .expect_xml();
    let policy = client.send(operation).await?.xml().await?;
    let grants = policy.child("AccessControlList");
    println!("{:?}", grants.and_then(|list| list.text_of("Grant")));
    Ok(())
}

async fn own_request(client: &Client, http: &reqwest::Client) -> Outcome {
    let put = client
        .put_object("examplebucket", "greeting.txt", "hello")
        .content_type("text/plain");
    let request = client.sign(put.into_operation()).await?;
    let response = http.execute(request).await?;
    assert!(response.status().is_success());
    Ok(())
}

async fn own_reqwest(client: &Client, http: &reqwest::Client, url: &str) -> Outcome {
    let mut request = http.get(url).build()?;
    client
        .sign_reqwest(&mut request, Some("examplebucket"), Some("greeting.txt"))
        .await?;
    let response = http.execute(request).await?;
    assert!(response.status().is_success());
    Ok(())
}

fn measured(provider: Arc<dyn CredentialsProvider>) -> Result<Client, Box<dyn Error>> {
    let client = Client::builder()
        .region("cn-hangzhou")
        .credentials(provider)
        .observer(|event| {
            println!("{} attempt {}: {}", event.operation, event.attempt, event.outcome);
            println!("{:?}, EC {:?}, {:?}", event.status, event.ec, event.duration);
            println!("{} bytes up, {} down", event.bytes_sent, event.bytes_received);
        })
        .build()?;
    Ok(client)
}

async fn in_tests() -> Outcome {
    let cloud = LocalCloud::builder().bucket("examplebucket").start().await?;
    cloud.put_object("examplebucket", "greeting.txt", "hello");
    cloud.fault(Service::Oss, Fault::error(503, "ServiceUnavailable"));

    let client = Client::builder()
        .region(cloud.region())
        .endpoint(cloud.oss_endpoint())
        .credentials(cloud.access_key())
        .build()?;
    assert!(client.object_exists("examplebucket", "greeting.txt").await?);
    assert_eq!(cloud.count(Service::Oss, "GetObjectMeta"), 2);
    Ok(())
}

async fn not_there(client: &Client) -> Outcome {
    match client.get_object("examplebucket", "missing.txt").await {
        Ok(object) => println!("{} bytes", object.bytes().await?.len()),
        Err(error) if error.code() == Some("NoSuchKey") => println!("there is none"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn main() -> Outcome {
    let folder = tempfile::tempdir()?;
    std::env::set_current_dir(folder.path())?;
    std::fs::write("backup.tar", vec![7; 200_000])?;
    let cloud = LocalCloud::builder().bucket("examplebucket").start_blocking()?;
    let provider: Arc<dyn CredentialsProvider> = Arc::new(cloud.access_key());
    for client in [begin, measured, own_domain, patient] {
        public_url(&client(Arc::clone(&provider))?)?;
    }
    public_url(&begin_from_another_env()?)?;
    for not_run in [begin_from_env, begin_from_env_with_an_observer] {
        let _: fn() -> Result<Client, Box<dyn Error>> = not_run;
    }
    // A certificate file without certificates.
    public_url(&behind_a_proxy(provider, b"")?)?;
    let client = Client::builder()
        .region(cloud.region())
        .endpoint(cloud.oss_endpoint())
        .credentials(cloud.access_key())
        .build()?;
    without_async(&client)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        store(&client).await?;
        store_file(&client).await?;
        store_stream(&client).await?;
        read(&client).await?;
        read_pieces(&client).await?;
        read_file(&client).await?;
        read_lines(&client).await?;
        write_numbers(&client).await?;
        resume(&client).await?;
        look(&client).await?;
        copy(&client).await?;
        for number in 0..3 {
            client
                .put_object("examplebucket", format!("logs/{number}"), "x")
                .await?;
        }
        list(&client).await?;
        folders(&client).await?;
        delete(&client).await?;
        delete_many(&client).await?;
        buckets(&client).await?;
        presigned(&client).await?;
        presigned_part(&client, "0004B9894A22E5B1888A1E29F8236E2D").await?;
        form(&client).await?;
        any_operation(&client).await?;
        let url = client.object_url("examplebucket", "greeting.txt")?;
        own_request(&client, &reqwest::Client::new()).await?;
        own_reqwest(&client, &reqwest::Client::new(), &url).await?;
        in_tests().await?;
        not_there(&client).await
    })
}
