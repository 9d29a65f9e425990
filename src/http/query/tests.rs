use super::*;

fn value(text: &str) -> Result<Option<String>, String> {
    let query = Query::parse(Some(text), &["from", "window"]);
    let found = query.and_then(|query| query.one("from", |value| Ok(value.to_owned())));
    found.map_err(|refusal| refusal.why)
}

#[test]
fn a_parameter_is_read_as_it_was_encoded() {
    for (text, expected) in [
        ("", None),
        ("&&", None),
        ("window=a", None),
        ("from", Some("")),
        ("from=", Some("")),
        ("from=a=b", Some("a=b")),
        ("window=x&from=a%20b+c%2Bd&window=y", Some("a b c+d")),
        ("%66rom=%C3%BC", Some("ü")),
        ("from=100%", Some("100%")),
    ] {
        assert_eq!(value(text).unwrap().as_deref(), expected, "{text}");
    }
    let query = Query::parse(Some("window=x&window=y"), &["window"]).unwrap();
    assert_eq!(query.all("window").collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(Query::parse(None, &[]).unwrap(), Query(Vec::new()));
}

#[test]
fn a_wrong_parameter_is_named_with_the_fix() {
    for (text, expected) in [
        (
            "from=a&from=b",
            "parameter `from`: it is given twice: write it once",
        ),
        (
            "form=a",
            "parameter `form`: no such parameter: here it can be `from`, `window`",
        ),
        (
            "from=%ff",
            "the parameters are not UTF-8: encode them as UTF-8, then with %",
        ),
    ] {
        assert_eq!(value(text).unwrap_err(), expected, "{text}");
    }
    let none = Query::parse(Some("a%1b[1m=1"), &[]).unwrap_err();
    assert_eq!(
        none.why,
        "parameter `a\\u{1b}[1m`: no such parameter: there is none here"
    );
    let query = Query::parse(Some("from=x"), &["from"]).unwrap();
    let refused = query.one("from", |_| Err::<(), _>("it is no instant".to_owned()));
    assert_eq!(
        refused.unwrap_err(),
        Refusal::bad_request("parameter `from`: it is no instant")
    );
}
