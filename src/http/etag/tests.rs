use super::*;

#[test]
fn a_client_knows_an_answer_that_it_names_and_no_other() {
    let tag = ETag::of(b"a");
    let named = tag.header().unwrap();
    let named = named.to_str().unwrap();
    assert_eq!(named.len(), 34, "{named}");
    assert_ne!(tag, ETag::of(b"b"));
    for (given, expected) in [
        (vec![], false),
        (vec!["*".to_owned()], true),
        (vec![named.to_owned()], true),
        (vec![format!("W/{named}")], true),
        (vec![format!("\"x\", {named}")], true),
        (vec!["\"x\"".to_owned(), named.to_owned()], true),
        (vec!["\"x\"".to_owned()], false),
        (vec![named.trim_matches('"').to_owned()], false),
        (vec![String::new()], false),
    ] {
        let mut headers = HeaderMap::new();
        for list in &given {
            headers.append(header::IF_NONE_MATCH, list.parse().unwrap());
        }
        assert_eq!(tag.is_known(&headers), expected, "{given:?}");
    }
}
