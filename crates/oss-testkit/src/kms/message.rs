//! What goes over the wire of the instance gateway, as Protocol Buffers.
//!
//! Names and numbers as in the classes of the vendor's client `alibabacloud-dkms-gcs`; [`Refused`] also in the
//! vendor document "Common error codes" of the KMS instance API.

use prost::Message;
use serde_json::{Map, Value, json};

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetSecretValueRequest {
    #[prost(string, tag = "1")]
    pub(super) secret_name: String,
    #[prost(string, tag = "2")]
    pub(super) version_stage: String,
    #[prost(string, tag = "3")]
    pub(super) version_id: String,
    #[prost(bool, tag = "4")]
    pub(super) fetch_extended_config: bool,
}

/// The answer of both gateways; what is empty is left out.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct SecretValue {
    #[prost(string, tag = "1")]
    pub(super) secret_name: String,
    #[prost(string, tag = "2")]
    pub(super) secret_type: String,
    #[prost(string, tag = "3")]
    pub(super) secret_data: String,
    #[prost(string, tag = "4")]
    pub(super) secret_data_type: String,
    #[prost(string, repeated, tag = "5")]
    pub(super) version_stages: Vec<String>,
    #[prost(string, tag = "6")]
    pub(super) version_id: String,
    #[prost(string, tag = "7")]
    pub(super) create_time: String,
    #[prost(string, tag = "8")]
    pub(super) request_id: String,
    #[prost(string, tag = "9")]
    pub(super) last_rotation_date: String,
    #[prost(string, tag = "10")]
    pub(super) next_rotation_date: String,
    #[prost(string, tag = "11")]
    pub(super) extended_config: String,
    #[prost(string, tag = "12")]
    pub(super) automatic_rotation: String,
    #[prost(string, tag = "13")]
    pub(super) rotation_interval: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Refused {
    #[prost(int32, tag = "1")]
    pub(super) status_code: i32,
    #[prost(string, tag = "2")]
    pub(super) code: String,
    #[prost(string, tag = "3")]
    pub(super) message: String,
    #[prost(string, tag = "4")]
    pub(super) request_id: String,
}

impl SecretValue {
    /// The form of the shared gateway, which wraps the list of stages.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        let mut fields: Map<String, Value> = self
            .clone()
            .fields()
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.as_str().into()))
            .collect();
        fields.insert(
            "VersionStages".to_owned(),
            json!({ "VersionStage": self.version_stages }),
        );
        fields
    }

    /// Empties the field of this name.
    pub(super) fn clear_field(&mut self, name: &str) {
        if name == "VersionStages" {
            self.version_stages.clear();
        }
        for (own, value) in self.fields() {
            if own == name {
                value.clear();
            }
        }
    }

    /// All fields but the stages, by the names of the vendor document.
    fn fields(&mut self) -> [(&'static str, &mut String); 12] {
        [
            ("SecretName", &mut self.secret_name),
            ("SecretType", &mut self.secret_type),
            ("SecretData", &mut self.secret_data),
            ("SecretDataType", &mut self.secret_data_type),
            ("VersionId", &mut self.version_id),
            ("CreateTime", &mut self.create_time),
            ("RequestId", &mut self.request_id),
            ("LastRotationDate", &mut self.last_rotation_date),
            ("NextRotationDate", &mut self.next_rotation_date),
            ("ExtendedConfig", &mut self.extended_config),
            ("AutomaticRotation", &mut self.automatic_rotation),
            ("RotationInterval", &mut self.rotation_interval),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    /// The bytes are those of the vendor's classes.
    #[test]
    fn messages_are_encoded_as_the_vendors_client_does() {
        let request = GetSecretValueRequest {
            secret_name: "acs/ram/user/oss-reader".to_owned(),
            version_stage: "ACSCurrent".to_owned(),
            version_id: String::new(),
            fetch_extended_config: true,
        };
        let encoded = bytes("0a176163732f72616d2f757365722f6f73732d726561646572120a41435343757272656e742001");
        assert_eq!(request.encode_to_vec(), encoded);
        assert_eq!(
            GetSecretValueRequest::decode(encoded.as_slice()).unwrap(),
            request
        );

        let generic = SecretValue {
            secret_name: "my-ak".to_owned(),
            secret_type: "Generic".to_owned(),
            secret_data: "testdata1".to_owned(),
            secret_data_type: "text".to_owned(),
            version_stages: vec!["ACSCurrent".to_owned(), "UStage1".to_owned()],
            version_id: "v1".to_owned(),
            create_time: "2025-09-01T02:03:04Z".to_owned(),
            request_id: "00000000-0000-4000-8000-000000000003".to_owned(),
            ..SecretValue::default()
        };
        let encoded = bytes(
            "0a056d792d616b120747656e657269631a097465737464617461312204746578742a0a41435343757272656e742a075553\
             7461676531320276313a14323032352d30392d30315430323a30333a30345a422430303030303030302d303030302d3430\
             30302d383030302d303030303030303030303033",
        );
        assert_eq!(generic.encode_to_vec(), encoded);

        let refused = Refused {
            status_code: 404,
            code: "Forbidden.ResourceNotFound".to_owned(),
            message: "Resource not found.".to_owned(),
            request_id: "00000000-0000-4000-8000-0000000000ee".to_owned(),
        };
        let encoded = bytes(
            "089403121a466f7262696464656e2e5265736f757263654e6f74466f756e641a135265736f75726365206e6f7420666f75\
             6e642e222430303030303030302d303030302d343030302d383030302d303030303030303030306565",
        );
        assert_eq!(refused.encode_to_vec(), encoded);
    }

    /// Each field of the answer has its number: those of a RAM secret, by the vendor's classes.
    #[test]
    fn every_field_has_the_vendors_number() {
        let mut value = SecretValue::default();
        let names: Vec<&str> = value.fields().into_iter().map(|(name, _)| name).collect();
        let numbers = [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13];
        for (name, number) in names.into_iter().zip(numbers) {
            let mut value = SecretValue::default();
            for (own, field) in value.fields() {
                if own == name {
                    "x".clone_into(field);
                }
            }
            assert_eq!(value.encode_to_vec(), [number << 3 | 2, 1, b'x'], "{name}");
            value.clear_field(name);
            assert!(value == SecretValue::default(), "{name}");
        }
    }
}
