use super::*;

#[test]
fn instances_beside_a_missing_file_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("recess.toml");
    let not_found = io::Error::from(ErrorKind::NotFound);
    assert_eq!(
        hint(&missing, &not_found, Given::AsConfig),
        "set another path with --config or RECESS_CONFIG"
    );
    for name in ["us.toml", "eu.toml", "eu.creds"] {
        fs::write(folder.path().join(name), "").expect("a file");
    }
    let folder = folder.path().display();
    assert_eq!(
        hint(&missing, &not_found, Given::AsConfig),
        format!(
            "set another path with --config or RECESS_CONFIG; this file exists: {folder}/eu.toml, \
             {folder}/us.toml"
        )
    );
}

#[test]
fn a_file_that_the_service_may_not_read_is_a_matter_of_its_mode() {
    let denied = io::Error::from(ErrorKind::PermissionDenied);
    assert_eq!(
        hint(Path::new("/etc/recess/eu.toml"), &denied, Given::AsConfig),
        "the service runs as its own user; the file contains no secrets, so `chmod a+r \
         /etc/recess/eu.toml` is safe"
    );
}

#[test]
fn a_file_that_is_an_argument_by_itself_has_no_option() {
    let not_found = io::Error::from(ErrorKind::NotFound);
    let hint = super::hint(Path::new("new.toml"), &not_found, Given::ByItself);
    assert_eq!(hint, "name another file");
}
