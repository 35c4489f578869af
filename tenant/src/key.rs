//! Turns a kid into an RSA key pair, and the pair into a JWK and into signatures over any string.

use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, KeyPair, RsaKeyPair};
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// One RSA key pair with its `kid`. A clone is the same pair.
#[derive(Clone, Debug)]
pub struct Key {
    kid: String,
    pair: Arc<RsaKeyPair>,
}

impl Key {
    /// A new pair of 2048 bits.
    ///
    /// Takes up to a fifth of a second, and longer keys take several times as long. So share a key where a test does not
    /// need one of its own.
    pub fn generate(kid: &str) -> Key {
        Key::generate_bits(kid, 2048)
    }

    /// A new pair of 2048, 3072 or 4096 bits.
    pub fn generate_bits(kid: &str, bits: usize) -> Key {
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            _ => panic!("a key has 2048, 3072 or 4096 bits, not {bits}"),
        };
        Key {
            kid: kid.to_owned(),
            pair: Arc::new(RsaKeyPair::generate(size).expect("RSA keys of these sizes can be generated")),
        }
    }

    /// A new pair of 2048 bits with a random `kid`.
    pub(crate) fn generate_random() -> Key {
        Key::generate(&random_kid())
    }

    /// The `kid` in its JWK and in its tokens.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as Auth0 publishes it, without `x5t` and `x5c`.
    pub fn jwk(&self) -> Value {
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": self.n(), "e": "AQAB" })
    }

    /// The modulus in base64url, as in the JWK.
    pub fn n(&self) -> String {
        let der = self.pkcs1_der();
        // RSAPublicKey (RFC 8017, A.1.1) at these sizes: four bytes open the sequence, four the modulus, a zero byte
        // keeps it positive, and five bytes at the end hold the exponent 65537.
        BASE64_URL_SAFE_NO_PAD.encode(&der[9..der.len() - 5])
    }

    /// The public key as `RSAPublicKey` (PKCS #1).
    pub fn pkcs1_der(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    /// The public key as `SubjectPublicKeyInfo` (RFC 5280).
    pub fn public_der(&self) -> Vec<u8> {
        self.pair.public_key().as_der().expect("a generated key has a DER form").as_ref().to_vec()
    }

    /// [`Key::public_der`] in PEM, with a newline at its end.
    pub fn public_pem(&self) -> String {
        let text = BASE64_STANDARD.encode(self.public_der());
        let lines: String = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n").collect();
        format!("-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n")
    }

    /// A compact JWS over exactly these strings, signed with `algorithm` whatever the header says.
    pub fn sign(&self, algorithm: Algorithm, header: &str, payload: &str) -> String {
        self.sign_bytes(algorithm, header.as_bytes(), payload.as_bytes())
    }

    /// [`Key::sign`] for bytes that may not be UTF-8.
    pub fn sign_bytes(&self, algorithm: Algorithm, header: &[u8], payload: &[u8]) -> String {
        jws(&input(header, payload), |input| self.signature(algorithm, input))
    }

    /// A JWS with RS256 over a header and a payload that are already encoded, in whatever way.
    pub fn sign_encoded(&self, input: &str) -> String {
        jws(input, |input| self.signature(Algorithm::Rs256, input))
    }

    fn signature(&self, algorithm: Algorithm, input: &[u8]) -> Vec<u8> {
        let padding: &dyn signature::RsaEncoding = match algorithm {
            Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
            Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
            Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
            Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
            Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
        };
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let signed = self.pair.sign(padding, &SystemRandom::new(), input, &mut signature);
        signed.expect("2048 bits hold any of these signatures");
        signature
    }
}

/// An algorithm of RFC 7518, section 3, that an RSA key can sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the RFC")]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
}

/// A compact JWS over exactly these strings with an HMAC. An attacker makes one with a public key as the secret.
pub fn hs256(secret: &[u8], header: &str, payload: &str) -> String {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
    jws(&input(header.as_bytes(), payload.as_bytes()), |input| hmac::sign(&secret, input).as_ref().to_vec())
}

/// A `kid` like Auth0's: random, so that tests side by side never share one.
pub(crate) fn random_kid() -> String {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).expect("the system has random bytes");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// What is signed: RFC 7515, section 5.1.
fn input(header: &[u8], payload: &[u8]) -> String {
    format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(payload))
}

/// The compact serialisation, RFC 7515, section 7.1.
fn jws(input: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(sign(input.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_signs_what_its_name_says() {
        let key = Key::generate("k");
        let verifiers: [(Algorithm, &dyn signature::VerificationAlgorithm); 5] = [
            (Algorithm::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256),
            (Algorithm::Rs384, &signature::RSA_PKCS1_2048_8192_SHA384),
            (Algorithm::Rs512, &signature::RSA_PKCS1_2048_8192_SHA512),
            (Algorithm::Ps256, &signature::RSA_PSS_2048_8192_SHA256),
            (Algorithm::Ps384, &signature::RSA_PSS_2048_8192_SHA384),
        ];
        for (algorithm, _) in verifiers {
            let token = key.sign(algorithm, "{}", "any string");
            let (input, signature) = token.rsplit_once('.').expect("a JWS has dots");
            let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
            for (name, verifier) in verifiers {
                let verified = verifier.verify_sig(&key.public_der(), input.as_bytes(), &signature);
                assert_eq!(verified.is_ok(), name == algorithm, "{algorithm:?} verified as {name:?}");
            }
        }
    }

    #[test]
    fn hs256_is_the_example_of_rfc_7515() {
        let secret = BASE64_URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .expect("the example is base64url");
        let header = "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}";
        let payload = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
        assert!(hs256(&secret, header, payload).ends_with(".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    }
}
