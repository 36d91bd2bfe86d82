//! The regions of the public cloud, whose endpoints name them.

use oss_credentials_core::text;

use crate::error::InvalidInput;

/// The regions whose endpoints serve no other region. Regions of the financial and government clouds are left out,
/// because some of their endpoints have other names.
///
/// Vendor document: "Regions and endpoints" (Object Storage Service, user guide), public cloud.
const PUBLIC_REGIONS: [&str; 31] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "cn-beijing",
    "cn-chengdu",
    "cn-fuzhou",
    "cn-guangzhou",
    "cn-hangzhou",
    "cn-heyuan",
    "cn-hongkong",
    "cn-huhehaote",
    "cn-nanjing",
    "cn-qingdao",
    "cn-shanghai",
    "cn-shenzhen",
    "cn-wuhan-lr",
    "cn-wulanchabu",
    "cn-zhangjiakou",
    "cn-zhongwei",
    "eu-central-1",
    "eu-west-1",
    "me-central-1",
    "me-east-1",
    "na-south-1",
    "us-east-1",
    "us-southeast-1",
    "us-west-1",
];

/// Refuses the endpoint of one public region with the name of another: the service would reject every signature.
pub(super) fn check_region(host: &str, region: &str) -> Result<(), InvalidInput> {
    let Some(named) = public_region(host).filter(|named| *named != region) else {
        return Ok(());
    };
    let shown: String = region.chars().map(text::safe).take(64).collect();
    Err(InvalidInput::new(
        format!("`region` is {shown:?} and `endpoint` is that of {named:?}"),
        "set both to the bucket's region, or leave `endpoint` out",
    ))
}

/// The public region that a host of the service belongs to, with or without a bucket in front.
fn public_region(host: &str) -> Option<&'static str> {
    let host = host
        .strip_suffix('.')
        .unwrap_or(host)
        .strip_suffix(".aliyuncs.com")?;
    let named = if let Some(dual_stack) = host.strip_suffix(".oss") {
        dual_stack.rsplit('.').next()?
    } else {
        let label = host.rsplit('.').next()?.strip_prefix("oss-")?;
        label.strip_suffix("-internal").unwrap_or(label)
    };
    PUBLIC_REGIONS.into_iter().find(|region| *region == named)
}
