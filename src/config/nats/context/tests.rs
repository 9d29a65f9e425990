use super::*;
use crate::config::Redacted;

fn read(text: &str) -> Result<Connection, String> {
    parse(Path::new("/c/prod.json"), text).map_err(|error| error.to_string())
}

fn hidden(secret: &str) -> Secret {
    Secret::Text(Redacted(secret.to_owned()))
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
        beside: Vec::new(),
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
fn every_way_to_authenticate_and_what_is_sent_beside_it() {
    let user = |password| Auth::UserPassword {
        username: "u".to_owned(),
        password: hidden(password),
    };
    let token = || Auth::Token(hidden("t"));
    let creds = || Auth::Credentials(Secret::File("/c".into()));
    let nkey = || Auth::Nkey(Secret::File("/n".into()));
    let table = [
        (r#"{"user": "u", "password": "p"}"#, vec![user("p")]),
        (r#"{"user": "u"}"#, vec![user("")]),
        (r#"{"token": "t"}"#, vec![token()]),
        (r#"{"nkey": "/n", "token": "t"}"#, vec![nkey(), token()]),
        (r#"{"creds": "/c", "token": "t"}"#, vec![creds(), token()]),
        (r#"{"creds": "/c", "nkey": "/n"}"#, vec![creds()]),
        (
            r#"{"user": "u", "password": "p", "creds": "/c", "token": "t"}"#,
            vec![creds(), user("p"), token()],
        ),
        (
            r#"{"user": "u", "password": "p", "token": "t"}"#,
            vec![user("p"), token()],
        ),
        // A user in the place of an nkey, as nats.go has it.
        (
            r#"{"user": "u", "password": "p", "nkey": "/n"}"#,
            vec![user("p")],
        ),
        (r#"{"url": "nats://u:p@a:1"}"#, vec![user("p")]),
        (r#"{"url": "nats://u:p%40%3A@a:1"}"#, vec![user("p@:")]),
        (
            r#"{"url": "nats://u:p@a:1", "creds": "/c"}"#,
            vec![creds(), user("p")],
        ),
        (
            r#"{"url": "nats://u:p@a:1", "user": "v", "password": "q", "token": "t"}"#,
            vec![user("p")],
        ),
        (r#"{"url": "tok@a:1"}"#, vec![Auth::Token(hidden("tok"))]),
        (
            r#"{"user_jwt": "J.W.T", "user_seed": "SU"}"#,
            vec![Auth::Jwt {
                jwt: hidden("J.W.T"),
                seed: hidden("SU"),
            }],
        ),
        ("{}", vec![Auth::Nothing]),
    ];
    for (text, expected) in table {
        let Connection { auth, beside, .. } = read(text).unwrap();
        let all: Vec<Auth> = [auth].into_iter().chain(beside).collect();
        assert_eq!(all, expected, "{text}");
    }
    assert_eq!(
        read(r#"{"url": "nats://u:p@a:1"}"#).unwrap().servers,
        ["nats://a:1"]
    );
}

#[test]
fn a_secret_may_stand_in_a_file_whatever_the_case_of_its_scheme() {
    for scheme in ["file", "FILE", "File"] {
        let file = || Secret::File("/s".into());
        for (text, expected) in [
            (r#"{"token": "file:///s"}"#, Auth::Token(file())),
            (
                r#"{"user": "u", "password": "file:///s"}"#,
                Auth::UserPassword {
                    username: "u".to_owned(),
                    password: file(),
                },
            ),
            (
                r#"{"user_jwt": "file:///s", "user_seed": "file:///s"}"#,
                Auth::Jwt {
                    jwt: file(),
                    seed: file(),
                },
            ),
            (r#"{"creds": "file:///s"}"#, Auth::Credentials(file())),
            (r#"{"nkey": "file:///s"}"#, Auth::Nkey(file())),
        ] {
            let text = text.replace("file:", &format!("{scheme}:"));
            assert_eq!(read(&text).unwrap().auth, expected, "{text}");
        }
    }
}

#[test]
fn what_is_null_is_not_set_and_a_byte_order_mark_is_no_part_of_it() {
    let keys = [
        "url",
        "socks_proxy",
        "token",
        "user",
        "password",
        "creds",
        "nkey",
        "cert",
        "key",
        "ca",
        "nsc",
        "jetstream_domain",
        "jetstream_api_prefix",
        "inbox_prefix",
        "user_jwt",
        "user_seed",
        "tls_first",
        "windows_cert_store",
    ];
    let nulls = keys.map(|key| format!("{key:?}: null")).join(", ");
    assert_eq!(read(&format!("{{{nulls}}}")), Ok(Connection::default()));
    assert_eq!(read("\u{feff}{}"), Ok(Connection::default()));
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
        (r#"{"token": "OP://vault/SECRET"}"#, "token = op://.."),
        (
            r#"{"user_jwt": "J.W.SECRET"}"#,
            "user_jwt without a user_seed",
        ),
        (r#"{"user_seed": "SECRET"}"#, "user_seed without a user_jwt"),
    ] {
        let error = read(text).unwrap_err();
        let start =
            format!("natscli context /c/prod.json has {named}, which recess does not support");
        assert!(error.starts_with(&start), "{error}");
        assert!(!error.contains("SECRET"), "{error}");
    }
    let error = read("{\n  \"password\": 12345678 }").unwrap_err();
    let words = "/c/prod.json is not a natscli context: line 2, column 22 is not valid";
    assert_eq!(error, words);
    let error = read(r#"{"url": "wss://u:SECRET@a:443"}"#).unwrap_err();
    let words = "has url = wss://a:443 (recess supports only nats:// and tls://)";
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
