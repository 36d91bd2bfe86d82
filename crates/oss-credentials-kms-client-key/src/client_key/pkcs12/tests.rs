//! Files that no tool writes, and keys that another program derived.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use p12_keystore::Pkcs12Archive;
use pkcs5::pbes2::Parameters;
use proptest::prelude::*;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::cost::MAX_ITERATIONS;
use super::kdf::{Purpose, derive};
use super::*;

const PASSWORD: &str = "Throw-Away_01";

const SHA_1: &str = "1.3.14.3.2.26";
const SHA_256: &str = "2.16.840.1.101.3.4.2.1";
const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";
const PBE_3DES: &str = "1.2.840.113549.1.12.1.3";
const AES_256_CBC: &str = "2.16.840.1.101.3.4.1.42";
const DES_EDE3_CBC: &str = "1.2.840.113549.3.7";
const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
const KEY_BAG: &str = "1.2.840.113549.1.12.10.1.1";
const SHROUDED: &str = "1.2.840.113549.1.12.10.1.2";

fn vectors(file: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/kms/");
    std::fs::read(format!("{folder}{file}")).unwrap()
}

static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let pem = String::from_utf8(vectors("private-keys/rsa-2048-a.pem")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
});

/// The file that KMS would issue, with its password.
static ISSUED: LazyLock<(Vec<u8>, &str)> = LazyLock::new(|| {
    let json: Value = serde_json::from_slice(&vectors("client-keys/kms-shape-2048.json")).unwrap();
    let der = STANDARD.decode(json["PrivateKeyData"].as_str().unwrap()).unwrap();
    (der, "7d1c2b0f5e9a4463b8a1f0c2d3e4f506")
});

// A writer for what the readers under test have to be shown.

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let mut encoded = [0; 8];
    let length = der::Length::try_from(value.len()).unwrap();
    let length = der::Encode::encode_to_slice(&length, &mut encoded).unwrap();
    [&[tag][..], length, &value].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, parts)
}

fn octets(value: &[u8]) -> Vec<u8> {
    tlv(0x04, &[value])
}

fn int(value: u32) -> Vec<u8> {
    let bytes = [&[0][..], &value.to_be_bytes()].concat();
    let start = (0..4)
        .find(|&at| bytes[at] != 0 || bytes[at + 1] >= 0x80)
        .unwrap_or(4);
    tlv(0x02, &[&bytes[start..]])
}

fn oid(text: &str) -> Vec<u8> {
    tlv(
        0x06,
        &[der::asn1::ObjectIdentifier::new(text).unwrap().as_bytes()],
    )
}

fn algorithm(name: &str, parameters: &[u8]) -> Vec<u8> {
    sequence(&[&oid(name), parameters])
}

fn data(contents: &[u8]) -> Vec<u8> {
    sequence(&[&oid(DATA), &tlv(0xa0, &[&octets(contents)])])
}

fn encrypted(algorithm: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    let info = sequence(&[&oid(DATA), algorithm, &tlv(0x80, &[ciphertext])]);
    sequence(&[&oid(ENCRYPTED_DATA), &tlv(0xa0, &[&sequence(&[&int(0), &info])])])
}

fn bag(id: &str, value: &[u8]) -> Vec<u8> {
    sequence(&[&oid(id), &tlv(0xa0, &[value])])
}

/// A file with a right MAC, whatever the contents are.
fn file(contents: &[u8]) -> Vec<u8> {
    let salt = [7; 8];
    let mut key = [0; 20];
    derive::<Sha1>(Password::new(PASSWORD).bmp(), &salt, 2, Purpose::Mac, &mut key);
    let digest = Hmac::<Sha1>::new_from_slice(&key)
        .unwrap()
        .chain_update(contents)
        .finalize();
    let digest = sequence(&[&algorithm(SHA_1, &[0x05, 0x00]), &octets(&digest.into_bytes())]);
    sequence(&[
        &int(3),
        &data(contents),
        &sequence(&[&digest, &octets(&salt), &int(2)]),
    ])
}

/// A file of these contents.
fn of(contents: &[&[u8]]) -> Vec<u8> {
    file(&sequence(contents))
}

/// A content of these bags.
fn bags(bags: &[&[u8]]) -> Vec<u8> {
    data(&sequence(bags))
}

fn error(file: &[u8]) -> Error {
    open(file, PASSWORD).map(|_| ()).unwrap_err()
}

fn unknown(name: &str) -> Error {
    Error::UnknownAlgorithm(der::asn1::ObjectIdentifier::new(name).unwrap())
}

fn pbes2(derivation: &[u8], encryption: &[u8]) -> Vec<u8> {
    algorithm(PBES2, &sequence(&[derivation, encryption]))
}

fn pbkdf2(iterations: u32) -> Vec<u8> {
    algorithm(PBKDF2, &sequence(&[&octets(&[1; 8]), &int(iterations)]))
}

fn pbe(iterations: u32) -> Vec<u8> {
    algorithm(PBE_3DES, &sequence(&[&octets(&[1; 8]), &int(iterations)]))
}

fn aes() -> Vec<u8> {
    algorithm(AES_256_CBC, &octets(&[2; 16]))
}

#[test]
fn a_plain_key_is_taken_and_another_reader_agrees_with_the_writer() {
    let written = of(&[&bags(&[&bag(KEY_BAG, &KEY)])]);
    assert!(open(&written, PASSWORD).unwrap().pkcs8.as_slice() == *KEY);
    let archive = Pkcs12Archive::from_pkcs12(&written, PASSWORD).unwrap();
    assert!(archive.keys[0].key.as_der() == *KEY);
    assert_eq!(
        open(&written, "Throw-Away_02").map(|_| ()).unwrap_err(),
        Error::WrongPassword
    );
}

#[test]
fn pbes2_takes_the_password_as_utf8() {
    let scheme = Parameters::generate_pbkdf2_sha256_aes256cbc(3, &[1; 8], [2; 16]).unwrap();
    let ciphertext = scheme.encrypt(PASSWORD, &KEY).unwrap();
    let parameters = der::Encode::to_der(&scheme).unwrap();
    let shrouded = sequence(&[&algorithm(PBES2, &parameters), &octets(&ciphertext)]);
    let written = of(&[&bags(&[&bag(SHROUDED, &shrouded)])]);
    assert!(open(&written, PASSWORD).unwrap().pkcs8.as_slice() == *KEY);
}

#[test]
fn the_first_key_is_taken_and_unknown_parts_before_it_are_skipped() {
    let other = STANDARD.encode(vectors("private-keys/rsa-2048-b.pem"));
    let scrypt = pbes2(&algorithm("1.3.6.1.4.1.11591.4.11", &sequence(&[])), &aes());
    let unknown_bag = bag("1.2.840.113549.1.12.10.1.5", &octets(other.as_bytes()));
    let unknown_key = bag(SHROUDED, &sequence(&[&scrypt, &octets(&[0; 16])]));
    let written = of(&[
        &sequence(&[&oid("1.2.840.113549.1.7.3"), &tlv(0xa0, &[&sequence(&[])])]),
        &encrypted(&scrypt, &[0; 16]),
        &encrypted(&algorithm("1.2.840.113549.1.12.1.1", &[]), &[0; 16]),
        &bags(&[&unknown_bag, &unknown_key, &bag(KEY_BAG, &KEY)]),
        // A key after the first is not even looked at.
        &bags(&[&bag(KEY_BAG, &sequence(&[]))]),
    ]);
    assert!(open(&written, PASSWORD).unwrap().pkcs8.as_slice() == *KEY);
    // Without a key, the first thing that was not understood is the reason.
    let enveloped = sequence(&[&oid("1.2.840.113549.1.7.3"), &tlv(0xa0, &[&sequence(&[])])]);
    assert_eq!(error(&of(&[&enveloped])), unknown("1.2.840.113549.1.7.3"));
    assert_eq!(
        error(&of(&[&encrypted(&scrypt, &[0; 16])])),
        unknown("1.3.6.1.4.1.11591.4.11")
    );
    assert_eq!(
        error(&of(&[&bags(&[&unknown_key])])),
        unknown("1.3.6.1.4.1.11591.4.11")
    );
    assert_eq!(error(&of(&[&bags(&[&unknown_bag])])), Error::NoKey);
    assert_eq!(error(&of(&[])), Error::NoKey);
}

#[test]
fn iterations_are_counted_before_anything_is_derived() {
    let over = MAX_ITERATIONS + 1;
    for costly in [
        pbe(over),
        pbes2(&pbkdf2(over), &aes()),
        pbe(u32::MAX),
        pbes2(&pbkdf2(u32::MAX), &aes()),
    ] {
        assert_eq!(
            error(&of(&[&encrypted(&costly, &[0; 16])])),
            Error::TooManyIterations
        );
        let shrouded = bag(SHROUDED, &sequence(&[&costly, &octets(&[0; 16])]));
        assert_eq!(error(&of(&[&bags(&[&shrouded])])), Error::TooManyIterations);
    }
    let digest = sequence(&[&algorithm(SHA_256, &[]), &octets(&[0; 32])]);
    let mac = sequence(&[&digest, &octets(&[7; 8]), &int(over)]);
    let costly_mac = sequence(&[&int(3), &data(&sequence(&[])), &mac]);
    assert_eq!(error(&costly_mac), Error::TooManyIterations);
    for free in [pbe(0), pbes2(&pbkdf2(0), &aes())] {
        assert!(matches!(
            error(&of(&[&encrypted(&free, &[0; 16])])),
            Error::Malformed(_)
        ));
    }
}

#[test]
fn a_short_initialization_vector_of_3des_is_no_panic() {
    for length in [0, 7, 9] {
        let des = algorithm(DES_EDE3_CBC, &octets(&vec![0; length]));
        let written = of(&[&encrypted(&pbes2(&pbkdf2(1), &des), &[0; 16])]);
        assert_eq!(
            error(&written),
            Error::Malformed("an initialization vector has the wrong length")
        );
    }
}

#[test]
fn a_ciphertext_of_no_whole_blocks_is_no_panic() {
    for length in [0, 1, 15, 17] {
        for scheme in [pbe(1), pbes2(&pbkdf2(1), &aes())] {
            let written = of(&[&encrypted(&scheme, &vec![0; length])]);
            assert_eq!(
                error(&written),
                Error::Malformed("a part of it cannot be decrypted")
            );
        }
    }
}

#[test]
fn only_der_to_the_last_byte_is_read() {
    let key = bag(KEY_BAG, &KEY);
    let list = sequence(&[&bags(&[&key])]);
    let indefinite = [&[0x30, 0x80][..], &bags(&[&key]), &[0, 0]].concat();
    let not_der = Error::Malformed("a part of it is not valid DER");
    for contents in [
        // Bytes after the list of contents, after the bags, within a bag, after the octets of a content.
        [&list[..], &[5, 0]].concat(),
        sequence(&[&data(&[&sequence(&[&key])[..], &[5, 0]].concat())]),
        sequence(&[&bags(&[&sequence(&[&key[4..], &tlv(0x31, &[]), &[5, 0]])])]),
        sequence(&[&sequence(&[
            &oid(DATA),
            &tlv(0xa0, &[&octets(&[0x30, 0]), &[5, 0]]),
        ])]),
        // A length that could be shorter, and one that is not told.
        [&[0x30, 0x83, 0][..], &list[2..]].concat(),
        indefinite,
        // Attributes that are no set.
        sequence(&[&bags(&[&sequence(&[&key[4..], &sequence(&[])])])]),
        Vec::new(),
    ] {
        assert_eq!(error(&file(&contents)), not_der, "{contents:02x?}");
    }
    let good = file(&list);
    assert!(open(&good, PASSWORD).is_ok());
    assert_eq!(error(&[&good[..], &[0]].concat()), not_der);
    // Version 2, and a file that a public key protects.
    let with = |version, contents: &[u8]| sequence(&[&int(version), contents]);
    assert_eq!(error(&with(2, &data(&list))), not_der);
    assert_eq!(error(&with(3, &data(&list))), Error::NoMac);
    assert_eq!(
        error(&with(3, &sequence(&[&oid("1.2.840.113549.1.7.2")]))),
        not_der
    );
    assert_eq!(error(&[]), Error::Malformed("it is empty"));
}

#[test]
fn a_mac_that_is_not_understood_is_not_skipped() {
    let mac = |digest: &[u8]| {
        let mac = sequence(&[&sequence(&[digest, &octets(&[0; 20])]), &octets(&[7; 8])]);
        sequence(&[&int(3), &data(&sequence(&[])), &mac])
    };
    // PBMAC1 of RFC 9579.
    let pbmac1 = "1.2.840.113549.1.5.14";
    assert_eq!(error(&mac(&algorithm(pbmac1, &sequence(&[])))), unknown(pbmac1));
    assert_eq!(
        error(&mac(&algorithm(SHA_1, &sequence(&[])))),
        Error::Malformed("the digest of its MAC has parameters")
    );
    assert_eq!(error(&mac(&algorithm(SHA_1, &[]))), Error::WrongPassword);
    // A digest cut short, as a MAC of no bytes would be right for every file.
    let contents = sequence(&[]);
    let digest = sequence(&[&algorithm(SHA_1, &[]), &octets(&[])]);
    let written = sequence(&[&int(3), &data(&contents), &sequence(&[&digest, &octets(&[7; 8])])]);
    assert_eq!(error(&written), Error::WrongPassword);
}

#[test]
fn only_rsa_of_two_primes_and_2048_bits_is_taken() {
    let number = |bits: usize| {
        let mut bytes = vec![0xff; bits / 8];
        bytes.insert(0, (1 << (bits % 8)) - 1);
        tlv(0x02, &[&bytes])
    };
    let key = |version, bits, rest: &[u8]| {
        let one = int(1);
        let parts: Vec<&[u8]> = std::iter::repeat_n(&one[..], 7).chain([rest]).collect();
        let key = sequence(&[&int(version), &number(bits), &parts.concat()]);
        let rsa = algorithm("1.2.840.113549.1.1.1", &[5, 0]);
        of(&[&bags(&[&bag(
            KEY_BAG,
            &sequence(&[&int(0), &rsa, &octets(&key)]),
        )])])
    };
    assert!(open(&key(0, 2048, &[]), PASSWORD).is_ok());
    assert_eq!(
        error(&key(0, 2047, &[])),
        Error::UnsupportedKey("it has less than 2048 bits")
    );
    let primes = Error::UnsupportedKey("it is not an RSA key of two primes");
    assert_eq!(error(&key(1, 2048, &sequence(&[]))), primes);
    assert_eq!(error(&key(0, 2048, &[5, 0])), primes);
    let rubbish = of(&[&bags(&[&bag(KEY_BAG, &sequence(&[]))])]);
    assert_eq!(error(&rubbish), Error::Malformed("its private key is not PKCS#8"));
}

#[test]
fn keys_are_derived_as_others_derive_them() {
    let check = |got: &[u8], wanted: &str| {
        let byte = |at| u8::from_str_radix(&wanted[at..at + 2], 16).unwrap();
        let wanted: Vec<u8> = (0..wanted.len()).step_by(2).map(byte).collect();
        assert_eq!(got, wanted);
    };
    let smeg = Password::new("smeg");
    let salt = 0x0A58_CF64_530D_823F_u64.to_be_bytes();
    let mut short = [0; 8];
    let mut long = [0; 24];
    // All from `openssl kdf ... PKCS12KDF` of OpenSSL 3.0.
    derive::<Sha1>(smeg.bmp(), &salt, 1, Purpose::Key, &mut long);
    check(&long, "8AAAE6297B6CB04642AB5B077851284EB7128F1A2A7FBCA3");
    derive::<Sha1>(smeg.bmp(), &salt, 1, Purpose::Iv, &mut short);
    check(&short, "79993DFE048D3B76");
    let mut out = [0; 40];
    derive::<Sha256>(smeg.bmp(), &salt, 1000, Purpose::Mac, &mut out);
    check(
        &out,
        "35AC16A454D608FB10C8D7C6338CA85818587AED0FF771FD265957E412C2C03C26AD8FA213A9FCF3",
    );
    let mut out = [0; 70];
    derive::<Sha512>(smeg.bmp(), &salt, 1000, Purpose::Key, &mut out);
    check(
        &out,
        "0BDACBDE16198F746C3924E1E24436A9C2188B8361B2F7A579213886EF1C1EBC745155090DF3BA41BBB40E69B88255653187BE68\
         752A0217432CDFF72C9C19FF14C70B7A0EB0",
    );
    let mut out = [0; 50];
    let salt = 0x3D83_C0E4_546A_C140_u64.to_be_bytes();
    derive::<Sha384>(smeg.bmp(), &salt, 3, Purpose::Iv, &mut out);
    check(
        &out,
        "E92C9062F3FB8A8D5AAC1AC260C95992510610E21429E1F5B86B4C6683D2E5FA5D223910DFEE7B7F385809E74598180EF511",
    );
}

/// The bags of the file that KMS would issue, decrypted: those with the certificate.
fn issued_certificate() -> Zeroizing<Vec<u8>> {
    let (file, password) = &*ISSUED;
    let contents = Vec::<Content<'_>>::from_der(Pfx::from_der(file).unwrap().contents).unwrap();
    safe_contents(&contents[0], &Password::new(password), &mut Cost::default()).unwrap()
}

/// Under `pbe(1)`.
fn encrypt(plain: &[u8]) -> Vec<u8> {
    let (mut key, mut iv) = ([0; 24], [0; 8]);
    derive::<Sha1>(Password::new(PASSWORD).bmp(), &[1; 8], 1, Purpose::Key, &mut key);
    derive::<Sha1>(Password::new(PASSWORD).bmp(), &[1; 8], 1, Purpose::Iv, &mut iv);
    cbc::Encryptor::<des::TdesEde3>::new(&key.into(), &iv.into()).encrypt_padded_vec::<Pkcs7>(plain)
}

#[test]
fn the_bytes_behind_the_mac_are_taken_apart_without_a_panic() {
    let certificate = issued_certificate();
    let shrouded = bag(SHROUDED, &sequence(&[&pbe(1), &octets(&encrypt(&KEY))]));
    for contents in [
        sequence(&[&encrypted(&pbe(1), &encrypt(&certificate)), &bags(&[&shrouded])]),
        sequence(&[&data(&certificate), &bags(&[&bag(KEY_BAG, &KEY)])]),
    ] {
        let whole = open(&file(&contents), PASSWORD).unwrap();
        assert!(whole.pkcs8.as_slice() == *KEY && whole.not_after.is_some());
        for at in 0..contents.len() {
            // Who knows the password can write any file: it may well open, and still there must be no panic.
            let mut damaged = contents.clone();
            damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
            let _ = open(&file(&damaged), PASSWORD);
            assert!(open(&file(&contents[..at]), PASSWORD).is_err(), "{at} bytes");
        }
    }
}

#[test]
fn a_certificate_for_another_key_says_nothing() {
    let other = String::from_utf8(vectors("private-keys/rsa-2048-b.pem")).unwrap();
    let other: String = other.lines().filter(|line| !line.starts_with('-')).collect();
    let other = STANDARD.decode(other).unwrap();
    let written = of(&[&data(&issued_certificate()), &bags(&[&bag(KEY_BAG, &other)])]);
    let opened = open(&written, PASSWORD).unwrap();
    assert!(opened.pkcs8.as_slice() == other && opened.not_after.is_none());
}

proptest! {
    #[test]
    fn arbitrary_contents_behind_a_right_mac_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(open(&file(&bytes), PASSWORD).is_err());
        prop_assert!(open(&of(&[&bytes]), PASSWORD).is_err());
        prop_assert!(open(&of(&[&data(&bytes)]), PASSWORD).is_err());
        prop_assert!(open(&of(&[&bags(&[&bag(SHROUDED, &bytes)])]), PASSWORD).is_err());
        prop_assert!(open(&of(&[&bags(&[&bag(KEY_BAG, &sequence(&[&bytes]))])]), PASSWORD).is_err());
        let certificate = sequence(&[
            &oid("1.2.840.113549.1.9.22.1"),
            &tlv(0xa0, &[&octets(&sequence(&[&sequence(&[&bytes])]))]),
        ]);
        let odd = bag("1.2.840.113549.1.12.10.1.3", &certificate);
        // A certificate is a hint: whatever is in it, the key is there.
        let opened = open(&of(&[&bags(&[&bag(KEY_BAG, &KEY), &odd])]), PASSWORD);
        prop_assert!(opened.is_ok_and(|opened| opened.not_after.is_none()));
    }
}
