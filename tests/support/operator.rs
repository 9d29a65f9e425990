//! A NATS operator with one account.
//!
//! Makes its keys anew each time and signs what a server and its users need, so that no secret stands in the project.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use nkeys::KeyPair;
use serde_json::{Value, json};

pub struct Operator {
    operator: KeyPair,
    system: KeyPair,
    account: KeyPair,
    /// The user that is asked about each connection to the account, where one is.
    service: Option<KeyPair>,
    /// The account's signing keys that say what their users may, as token.
    scopes: Vec<(KeyPair, Value)>,
}

impl Operator {
    pub fn new() -> Self {
        Self {
            operator: KeyPair::new_operator(),
            system: KeyPair::new_account(),
            account: KeyPair::new_account(),
            service: None,
            scopes: Vec::new(),
        }
    }

    /// A new signing key of the account, whose users may publish and subscribe to these subjects only. In them the server
    /// writes each user's name for `{{name()}}`. Gives the key's number.
    pub fn scope(&mut self, role: &str, publish: &[String], subscribe: &[String]) -> usize {
        let key = KeyPair::new_account();
        let scope = json!({
            "kind": "user_scope", "key": key.public_key(), "role": role,
            "template": {
                "pub": { "allow": publish }, "sub": { "allow": subscribe }, "subs": -1, "data": -1, "payload": -1,
            },
        });
        self.scopes.push((key, scope));
        self.scopes.len() - 1
    }

    /// The credentials file of a new user of that name, signed by that key.
    pub fn user_of_scope(&self, scope: usize, name: &str) -> String {
        let user = KeyPair::new_user();
        // What it may stands with the key, and nothing of it here.
        let nats =
            json!({ "type": "user", "version": 2, "issuer_account": self.account.public_key() });
        let (key, _) = &self.scopes[scope];
        let token = signed(key, &claims(key, &user.public_key(), name, nats));
        credentials_file(&token, &user)
    }

    /// One whose account has an auth callout: a service is asked about each connection, with [`Operator::service`].
    pub fn with_callout() -> Self {
        Self {
            service: Some(KeyPair::new_user()),
            ..Self::new()
        }
    }

    /// The credentials file of the service.
    pub fn service(&self) -> String {
        let service = self.service.as_ref().unwrap();
        self.credentials_of(service, &self.account, None, json!({}), json!({}))
    }

    /// The service's answer to a question of that server about a user: it may.
    pub fn allow(&self, user: &str, server: &str) -> String {
        let nats = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
        let allowed = self.token_about(&self.account, user, None, None, nats);
        let answer = json!({ "type": "authorization_response", "version": 2, "jwt": allowed });
        self.token_about(&self.account, user, Some(server), None, answer)
    }

    /// Lines of a server's configuration: it knows its users by tokens of this operator only.
    pub fn server_config(&self) -> String {
        let account = self.account.public_key();
        let preload = format!("{account}: {}", self.account_token());
        self.config("MEMORY", &preload)
    }

    /// The same as `nsc generate config --nats-resolver` writes it: the server keeps the tokens of accounts on disk, and they
    /// are brought to it.
    pub fn resolver_config(&self) -> String {
        let resolver =
            "{ type: full, dir: './jwt', allow_delete: false, interval: \"2m\", limit: 1000 }";
        self.config(resolver, "")
    }

    fn config(&self, resolver: &str, preload: &str) -> String {
        let system = self.system.public_key();
        let operator = json!({ "type": "operator", "version": 2, "system_account": system });
        let limits = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        });
        let account = json!({ "type": "account", "version": 2, "limits": limits });
        let sign = |subject, nats| self.token(&self.operator, subject, None, nats);
        format!(
            "operator: {}\nsystem_account: {system}\nresolver: {resolver}\nresolver_preload: {{\n{system}: {}\n{preload}\n}}\n",
            sign(&self.operator, operator),
            sign(&self.system, account),
        )
    }

    /// The token of the account, which has JetStream: what `nsc push` brings to a server.
    pub fn account_token(&self) -> String {
        let limits = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1,
            "leaf": -1, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
        });
        let mut account = json!({ "type": "account", "version": 2, "limits": limits });
        if let Some(service) = &self.service {
            account["authorization"] = json!({ "auth_users": [service.public_key()] });
        }
        if !self.scopes.is_empty() {
            let scopes: Vec<&Value> = self.scopes.iter().map(|(_, scope)| scope).collect();
            account["signing_keys"] = json!(scopes);
        }
        self.token(&self.operator, &self.account, None, account)
    }

    /// The credentials file of a user of the system account, who may bring accounts.
    pub fn system_user(&self) -> String {
        self.credentials(&self.system, None, json!({}), json!({}))
    }

    /// The credentials file of a new user, valid until then.
    pub fn user(&self, expires: Option<Timestamp>) -> String {
        self.credentials(&self.account, expires, json!({}), json!({}))
    }

    /// The credentials file of a new user who may publish and subscribe to these subjects only.
    pub fn user_limited_to(&self, publish: &[&str], subscribe: &[&str]) -> String {
        let (publish, subscribe) = (json!({ "allow": publish }), json!({ "allow": subscribe }));
        self.credentials(&self.account, None, publish, subscribe)
    }

    fn credentials(
        &self,
        account: &KeyPair,
        expires: Option<Timestamp>,
        publish: Value,
        subscribe: Value,
    ) -> String {
        self.credentials_of(&KeyPair::new_user(), account, expires, publish, subscribe)
    }

    fn credentials_of(
        &self,
        user: &KeyPair,
        account: &KeyPair,
        expires: Option<Timestamp>,
        publish: Value,
        subscribe: Value,
    ) -> String {
        let nats = json!({
            "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1, "pub": publish, "sub": subscribe,
        });
        credentials_file(&self.token(account, user, expires, nats), user)
    }

    fn token(
        &self,
        issuer: &KeyPair,
        subject: &KeyPair,
        expires: Option<Timestamp>,
        nats: Value,
    ) -> String {
        self.token_about(issuer, &subject.public_key(), None, expires, nats)
    }

    fn token_about(
        &self,
        issuer: &KeyPair,
        subject: &str,
        audience: Option<&str>,
        expires: Option<Timestamp>,
        nats: Value,
    ) -> String {
        let mut claims = claims(issuer, subject, "test", nats);
        if let Some(audience) = audience {
            claims["aud"] = json!(audience);
        }
        if let Some(expires) = expires {
            claims["exp"] = json!(expires.as_second());
        }
        signed(issuer, &claims)
    }
}

fn claims(issuer: &KeyPair, subject: &str, name: &str, nats: Value) -> Value {
    json!({
        "iat": 1_767_225_600, "iss": issuer.public_key(), "sub": subject, "name": name, "jti": "test", "nats": nats,
    })
}

fn signed(issuer: &KeyPair, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
    let signed = format!("{header}.{}", part(claims));
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn credentials_file(token: &str, user: &KeyPair) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        user.seed().unwrap(),
    )
}
