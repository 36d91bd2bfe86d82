//! No tenant ever gets the session of another one, whatever the order of requests and evictions.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

mod service;

use std::collections::BTreeMap;
use std::time::Duration;

use oss_credentials_core::blocking::wait;
use oss_credentials_vending::SessionRequest;
use proptest::prelude::*;

use service::Sts;

/// What happens next: time passes, or somebody asks for a session.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Ask {
        tenant: u8,
        role: u8,
        policy: u8,
        minutes: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0_u64..7_200).prop_map(Step::Wait),
        6 => (0_u8..4, 0_u8..2, 0_u8..3, 0_u64..14)
            .prop_map(|(tenant, role, policy, minutes)| Step::Ask { tenant, role, policy, minutes }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_session_is_the_one_that_was_asked_for(
        steps in prop::collection::vec(step(), 1..60),
        capacity in 1_usize..6,
        own in 1_usize..3,
    ) {
        let sts = Sts::new();
        let vendor = sts.vendor().capacity(capacity).sessions_per_tenant(own).build();
        let mut owners = BTreeMap::new();
        for step in steps {
            let (tenant, role, policy, minutes) = match step {
                Step::Wait(seconds) => {
                    sts.clock().advance(Duration::from_secs(seconds));
                    continue;
                }
                Step::Ask { tenant, role, policy, minutes } => (tenant, role, policy, minutes),
            };
            let role = format!("acs:ram::123456789012:role/role-{role}");
            let policy = format!(r#"{{"Version":"1","Statement":[],"Id":"{policy}"}}"#);
            let wanted = Duration::from_secs(60 * minutes);
            let request = SessionRequest::new("same-name")
                .tenant(format!("tenant-{tenant}"))
                .role_arn(role.as_str())
                .policy(policy.as_str())
                .duration(Duration::from_secs(900))
                .lasts_at_least(wanted);
            let session = wait(vendor.session(&request)).unwrap();
            prop_assert!(session.remaining() >= wanted && !session.remaining().is_zero());
            let ends = sts.ends(session.credentials().access_key_id());
            prop_assert_eq!(session.expires_at(), ends.at);
            prop_assert_eq!(&ends.call["RoleArn"], &role);
            prop_assert_eq!(&ends.call["Policy"], &policy);
            // Everything else may be equal: a session that one tenant has got goes to no other.
            let id = session.credentials().access_key_id().to_owned();
            prop_assert_eq!(*owners.entry(id).or_insert(tenant), tenant);
            prop_assert!(vendor.metrics().sessions <= u64::try_from(capacity).unwrap());
        }
    }
}
