//! Certificates for TLS tests, made anew each time.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// A CA that signs for both sides. Its files are in a folder that goes with it.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    files: tempfile::TempDir,
}

/// The files of a certificate and its key.
pub struct Pair {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        Self::named("Test CA")
    }

    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let files = tempfile::Builder::new()
            .prefix("recess-tls-")
            .tempdir()
            .unwrap();
        let authority = Self { issuer, files };
        fs::write(authority.ca(), authority.issuer.pem()).unwrap();
        authority
    }

    pub fn folder(&self) -> &Path {
        self.files.path()
    }

    /// The file that holds its own certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder().join("ca.crt")
    }

    /// For servers and clients on that host.
    pub fn sign(&self, name: &str, host: &str) -> Pair {
        self.sign_until(name, host, 2099)
    }

    /// The same, valid until the first day of that year.
    pub fn sign_until(&self, name: &str, host: &str, year: i32) -> Pair {
        self.sign_for(name, [host.to_owned()], year)
    }

    /// A certificate without a subjectAltName, as `openssl req` makes it unless asked for one.
    pub fn sign_without_host(&self, name: &str) -> Pair {
        self.sign_for(name, [], 2099)
    }

    fn sign_for(&self, name: &str, hosts: impl Into<Vec<String>>, year: i32) -> Pair {
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let pair = Pair {
            cert: self.folder().join(format!("{name}.crt")),
            key: self.folder().join(format!("{name}.key")),
        };
        fs::write(&pair.cert, certificate.pem()).unwrap();
        fs::write(&pair.key, key.serialize_pem()).unwrap();
        pair
    }
}

impl Pair {
    /// A server's `tls` block; `more` are lines such as `verify: true`.
    pub fn server_config(&self, more: &str) -> String {
        let (cert, key) = (&self.cert, &self.key);
        format!("tls {{\n cert_file: {cert:?}\n key_file: {key:?}\n {more}\n}}\n")
    }
}
