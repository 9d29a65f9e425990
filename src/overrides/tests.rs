use super::*;

#[test]
fn keys_are_tokens() {
    let bucket = Bucket::new("recess", "blue green.eu");
    let id = draw("alice", 0);
    let subject = "$KV.recess.blue_green_eu.alice.00000";
    assert_eq!(bucket.subject(&id), subject);
    assert_eq!(bucket.key(subject).and_then(id_of), Some(id));
    assert_eq!(bucket.key("$KV.recess.blue.alice.00000"), None);
    assert_eq!(bucket.subjects(), "$KV.recess.blue_green_eu.>");
    assert_eq!(bucket.stream(), "KV_recess");
    for (name, expected) in [
        ("alice", "alice"),
        ("alice@example.com", "alice_example_com"),
        ("a/b_c=d-e", "a/b_c=d-e"),
        ("\u{dc}nal >*", "_nal___"),
        ("", "_"),
    ] {
        assert_eq!(token(name), expected);
    }
}

#[test]
fn ids_are_drawn_from_all_letters() {
    assert_eq!(draw("alice", 0).to_string(), "alice.00000");
    assert_eq!(draw("alice", u64::MAX).to_string(), "alice.zzzzz");
    let one_to_four = 0b00100_00011_00010_00001_00000;
    assert_eq!(draw("a b", one_to_four).to_string(), "a_b.01234");
}
