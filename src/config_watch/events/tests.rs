use notify::event::{CreateKind, DataChange, Flag, MetadataKind, RemoveKind, RenameMode};

use super::*;

const FILE: &str = "/etc/recess/recess.toml";

const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));

fn seen() -> Seen {
    Seen {
        places: [FILE, "/etc/recess"].map(PathBuf::from).into(),
        ..Seen::default()
    }
}

fn take(seen: &mut Seen, kind: EventKind, path: &str) -> (bool, bool) {
    let is_news = seen.take(Ok(Event::new(kind).add_path(path.into())));
    (is_news, seen.is_being_written())
}

#[test]
fn a_file_is_being_written_from_the_first_write_until_it_is_closed_or_another() {
    let moved = |mode| EventKind::Modify(ModifyKind::Name(mode));
    for end in [
        CLOSED,
        moved(RenameMode::To),
        moved(RenameMode::From),
        EventKind::Remove(RemoveKind::File),
    ] {
        let mut seen = seen();
        let created = EventKind::Create(CreateKind::File);
        assert_eq!(take(&mut seen, created, FILE), (true, false));
        assert_eq!(take(&mut seen, WRITTEN, FILE), (true, true));
        let rights = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
        assert_eq!(take(&mut seen, rights, FILE), (true, true));
        assert_eq!(take(&mut seen, end, FILE), (true, false), "{end:?}");
    }
}

#[test]
fn reads_and_other_files_are_no_news() {
    let mut seen = seen();
    let open = EventKind::Access(AccessKind::Open(AccessMode::Any));
    let closed = EventKind::Access(AccessKind::Close(AccessMode::Read));
    for kind in [open, closed] {
        assert_eq!(take(&mut seen, kind, FILE), (false, false));
    }
    for other in ["/etc/recess/.recess.toml.swp", "/etc/passwd"] {
        assert_eq!(take(&mut seen, WRITTEN, other), (false, false));
    }
    let removed = EventKind::Remove(RemoveKind::Folder);
    assert_eq!(take(&mut seen, removed, "/etc/recess"), (true, false));
}

#[test]
fn after_lost_reports_no_write_is_known() {
    let mut seen = seen();
    take(&mut seen, WRITTEN, FILE);
    let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
    assert!(seen.take(Ok(lost)));
    assert!(!seen.is_being_written());
}
