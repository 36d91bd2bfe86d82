//! The messages of the instance gateway, as Protocol Buffers.
//!
//! Names and numbers as in the classes of the vendor's client `alibabacloud-dkms-gcs`; [`Refused`] also in the
//! vendor document "Common error codes" of the KMS instance API.

use prost::DecodeError;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, bool, int32, skip_field, string};
use serde_json::{Map, Value, json};

/// The only operation.
pub(super) const ACTION: &str = "GetSecretValue";

// By hand, not derived: the derive macro would bring a second syn into the workspace's builds.

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GetSecretValueRequest {
    pub(super) secret_name: String,
    pub(super) version_stage: String,
    pub(super) version_id: String,
    pub(super) fetch_extended_config: bool,
}

/// The response of both gateways; what is empty is left out.
#[derive(Clone, Default, PartialEq)]
pub(super) struct SecretValue {
    pub(super) secret_name: String,
    pub(super) secret_type: String,
    pub(super) secret_data: String,
    pub(super) secret_data_type: String,
    pub(super) version_stages: Vec<String>,
    pub(super) version_id: String,
    pub(super) create_time: String,
    pub(super) request_id: String,
    pub(super) last_rotation_date: String,
    pub(super) next_rotation_date: String,
    pub(super) extended_config: String,
    pub(super) automatic_rotation: String,
    pub(super) rotation_interval: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Refused {
    pub(super) status_code: i32,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) request_id: String,
}

/// Number of the only repeated field.
const VERSION_STAGES: u32 = 5;

impl prost::Message for GetSecretValueRequest {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        put(1, &self.secret_name, buf);
        put(2, &self.version_stage, buf);
        put(3, &self.version_id, buf);
        if self.fetch_extended_config {
            bool::encode(4, &true, buf);
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            1 => string::merge(wire_type, &mut self.secret_name, buf, context),
            2 => string::merge(wire_type, &mut self.version_stage, buf, context),
            3 => string::merge(wire_type, &mut self.version_id, buf, context),
            4 => bool::merge(wire_type, &mut self.fetch_extended_config, buf, context),
            _ => skip_field(wire_type, tag, buf, context),
        }
    }

    fn encoded_len(&self) -> usize {
        length(1, &self.secret_name)
            + length(2, &self.version_stage)
            + length(3, &self.version_id)
            + usize::from(self.fetch_extended_config) * bool::encoded_len(4, &true)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl prost::Message for SecretValue {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        let mut value = self.clone();
        let (before, after): (Vec<_>, Vec<_>) = value
            .fields()
            .into_iter()
            .partition(|(number, ..)| *number < VERSION_STAGES);
        for (number, _, text) in before {
            put(number, text, buf);
        }
        string::encode_repeated(VERSION_STAGES, &self.version_stages, buf);
        for (number, _, text) in after {
            put(number, text, buf);
        }
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        if tag == VERSION_STAGES {
            return string::merge_repeated(wire_type, &mut self.version_stages, buf, context);
        }
        match self.fields().into_iter().find(|(number, ..)| *number == tag) {
            Some((_, _, text)) => string::merge(wire_type, text, buf, context),
            None => skip_field(wire_type, tag, buf, context),
        }
    }

    fn encoded_len(&self) -> usize {
        let mut value = self.clone();
        let fields = value.fields();
        let single: usize = fields.iter().map(|(number, _, text)| length(*number, text)).sum();
        single + string::encoded_len_repeated(VERSION_STAGES, &self.version_stages)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl prost::Message for Refused {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        int32::encode(1, &self.status_code, buf);
        put(2, &self.code, buf);
        put(3, &self.message, buf);
        put(4, &self.request_id, buf);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        match tag {
            1 => int32::merge(wire_type, &mut self.status_code, buf, context),
            2 => string::merge(wire_type, &mut self.code, buf, context),
            3 => string::merge(wire_type, &mut self.message, buf, context),
            4 => string::merge(wire_type, &mut self.request_id, buf, context),
            _ => skip_field(wire_type, tag, buf, context),
        }
    }

    fn encoded_len(&self) -> usize {
        int32::encoded_len(1, &self.status_code)
            + length(2, &self.code)
            + length(3, &self.message)
            + length(4, &self.request_id)
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Writes a text, unless it is empty.
fn put(number: u32, text: &String, buf: &mut impl BufMut) {
    if !text.is_empty() {
        string::encode(number, text, buf);
    }
}

/// Returns how many bytes [`put`] writes.
fn length(number: u32, text: &String) -> usize {
    if text.is_empty() {
        0
    } else {
        string::encoded_len(number, text)
    }
}

impl SecretValue {
    /// The form of the shared gateway, which wraps the list of stages.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        let mut fields: Map<String, Value> = self
            .clone()
            .fields()
            .into_iter()
            .filter(|(_, _, value)| !value.is_empty())
            .map(|(_, name, value)| (name.to_owned(), value.as_str().into()))
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
        for (_, own, value) in self.fields() {
            if own == name {
                value.clear();
            }
        }
    }

    /// All fields but the stages: number, name and value.
    fn fields(&mut self) -> [(u32, &'static str, &mut String); 12] {
        [
            (1, "SecretName", &mut self.secret_name),
            (2, "SecretType", &mut self.secret_type),
            (3, "SecretData", &mut self.secret_data),
            (4, "SecretDataType", &mut self.secret_data_type),
            (6, "VersionId", &mut self.version_id),
            (7, "CreateTime", &mut self.create_time),
            (8, "RequestId", &mut self.request_id),
            (9, "LastRotationDate", &mut self.last_rotation_date),
            (10, "NextRotationDate", &mut self.next_rotation_date),
            (11, "ExtendedConfig", &mut self.extended_config),
            (12, "AutomaticRotation", &mut self.automatic_rotation),
            (13, "RotationInterval", &mut self.rotation_interval),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

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
        assert!(SecretValue::decode(encoded.as_slice()).unwrap() == generic);

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
        assert_eq!(Refused::decode(encoded.as_slice()).unwrap(), refused);
    }

    /// Each field of the response has its number: those of a RAM secret, by the vendor's classes.
    #[test]
    fn every_field_has_the_vendors_number() {
        let mut value = SecretValue::default();
        let names: Vec<&str> = value.fields().into_iter().map(|(_, name, _)| name).collect();
        let numbers = [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13];
        for (name, number) in names.into_iter().zip(numbers) {
            let mut value = SecretValue::default();
            for (_, own, field) in value.fields() {
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
