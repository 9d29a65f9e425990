use super::*;

fn read(text: &str) -> Result<Connection, String> {
    parse(Path::new("/c/prod.json"), text).map_err(|error| error.to_string())
}

fn hidden(secret: &str) -> Secret {
    Secret::Text(Hidden(secret.to_owned()))
}

/// As natscli 0.3 writes it, every key there and most of them empty.
const WRITTEN: &str = r#"{
  "description": "the one",
  "url": "nats://a:4222, tls://b:4222",
  "socks_proxy": "",
  "token": "",
  "user": "",
  "password": "",
  "creds": "/etc/nats/prod.creds",
  "nkey": "",
  "cert": "/etc/nats/c.pem",
  "key": "/etc/nats/k.pem",
  "ca": "/etc/nats/ca.pem",
  "nsc": "",
  "jetstream_domain": "hub",
  "jetstream_api_prefix": "",
  "jetstream_event_prefix": "",
  "inbox_prefix": "_INBOX_ops",
  "user_jwt": "",
  "user_seed": "",
  "color_scheme": "",
  "tls_first": true,
  "windows_cert_store": "",
  "windows_cert_match_by": "",
  "windows_cert_match": "",
  "windows_ca_certs_match": null
}"#;

#[test]
fn a_context_says_everything() {
    let expected = Connection {
        servers: vec!["nats://a:4222".to_owned(), "tls://b:4222".to_owned()],
        auth: Auth::Credentials(Secret::File("/etc/nats/prod.creds".into())),
        tls: Some(Tls {
            ca: Some("/etc/nats/ca.pem".into()),
            identity: Some(Identity {
                cert: "/etc/nats/c.pem".into(),
                key: "/etc/nats/k.pem".into(),
            }),
            handshake_first: true,
        }),
        api: Api::Domain("hub".to_owned()),
        inbox_prefix: "_INBOX_ops".to_owned(),
    };
    assert_eq!(read(WRITTEN), Ok(expected));
}

#[test]
fn a_context_may_say_little() {
    assert_eq!(read("{}"), Ok(Connection::default()));
    let prefix = read(r#"{"url": "demo.nats.io", "jetstream_api_prefix": "from.hub."}"#).unwrap();
    assert_eq!(prefix.servers, ["demo.nats.io"]);
    assert_eq!(prefix.api.prefix(), "from.hub");
}

#[test]
fn every_way_to_authenticate_and_the_first_of_several() {
    let user = |password| Auth::UserPassword {
        username: "u".to_owned(),
        password: hidden(password),
    };
    let table = [
        (
            r#"{"user": "u", "password": "p", "creds": "/c", "token": "t"}"#,
            user("p"),
        ),
        (r#"{"user": "u"}"#, user("")),
        (
            r#"{"nkey": "/n", "token": "t"}"#,
            Auth::Nkey(Secret::File("/n".into())),
        ),
        (r#"{"token": "t"}"#, Auth::Token(hidden("t"))),
        (r#"{"url": "nats://u:p@a:1"}"#, user("p")),
        (r#"{"url": "nats://u:p%40%3A@a:1"}"#, user("p@:")),
        (
            r#"{"url": "nats://u:p@a:1", "user": "v", "password": "q", "token": "t"}"#,
            user("p"),
        ),
        (r#"{"url": "tok@a:1"}"#, Auth::Token(hidden("tok"))),
    ];
    for (text, expected) in table {
        assert_eq!(read(text).unwrap().auth, expected, "{text}");
    }
    assert_eq!(
        read(r#"{"url": "nats://u:p@a:1"}"#).unwrap().servers,
        ["nats://a:1"]
    );
    let jwt = read(r#"{"user_jwt": "J.W.T", "user_seed": "SU"}"#)
        .unwrap()
        .auth;
    let Auth::Credentials(Secret::Text(Hidden(text))) = jwt else {
        panic!("{jwt:?}");
    };
    assert!(
        text.contains("\nJ.W.T\n") && text.contains("\nSU\n"),
        "{text}"
    );
}

#[test]
fn what_recess_cannot_do_is_refused_by_name() {
    for (text, named) in [
        (r#"{"nsc": "nsc://op/acc/user"}"#, "nsc"),
        (r#"{"socks_proxy": "socks5://x"}"#, "socks_proxy"),
        (r#"{"creds": "op://vault/nats"}"#, "creds = op://.."),
        (
            r#"{"user": "u", "password": "env://SECRET"}"#,
            "password = env://..",
        ),
    ] {
        let error = read(text).unwrap_err();
        let start =
            format!("natscli context /c/prod.json has {named}, which recess does not support");
        assert!(error.starts_with(&start), "{error}");
        assert!(!error.contains("SECRET"), "{error}");
    }
    let error = read("{\n  \"password\": 12345678 }").unwrap_err();
    let words =
        "/c/prod.json is not a natscli context: line 2, column 22 is not as natscli writes it";
    assert_eq!(error, words);
    let error = read(r#"{"url": "wss://u:SECRET@a:443"}"#).unwrap_err();
    let words = "has url = wss://a:443 (recess speaks only nats:// and tls://)";
    assert!(error.contains(words), "{error}");
    let error = read(r#"{"url": "nats://u:SECRET@a,nats://v:SECRET@b"}"#).unwrap_err();
    assert!(error.contains("has different users in its url"), "{error}");
}

#[test]
fn paths_are_expanded_as_natscli_does() {
    let home = env::var("HOME").expect("tests run with a HOME");
    for (written, expected) in [
        ("~/x", format!("{home}/x")),
        ("$HOME/x", format!("{home}/x")),
        ("${HOME}/x", format!("{home}/x")),
        ("file:///x", "/x".to_owned()),
        (
            "/a$RECESS_NO_SUCH_VARIABLE/b",
            "/a$RECESS_NO_SUCH_VARIABLE/b".to_owned(),
        ),
        ("/a/b", "/a/b".to_owned()),
    ] {
        assert_eq!(expand(written), Path::new(&expected), "{written}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let connection = read(r#"{"user": "u", "password": "s3cret"}"#).unwrap();
    assert!(!format!("{connection:?}").contains("s3cret"));
}
