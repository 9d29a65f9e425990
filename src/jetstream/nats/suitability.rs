//! Which servers can be used.

use crate::jetstream::Unsuitable;

/// The version that an API level stands for, if nothing else shows it. It does not show the patch
/// of 2.12.
pub fn version_of(level: Option<u64>) -> String {
    match level {
        None => "older than 2.11",
        Some(..=2) => "2.11",
        Some(3) => "2.12 (patch version not visible from here)",
        Some(4) => "2.14+",
        Some(5..) => "2.15+",
    }
    .to_owned()
}

/// Whether a server of that version and JetStream API level can be used. The level is absent before
/// 2.11, 1 on 2.11, 3 on 2.12, 4 on 2.14, 5 on 2.15.
pub fn suitability(version: &str, level: Option<u64>) -> Result<(), Unsuitable> {
    let version_text = || version.to_owned();
    if level.is_none() {
        return Err(Unsuitable::NoPause {
            version: version_text(),
        });
    }
    let mut numbers = version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse::<u64>().ok());
    let numbers: [u64; 3] = std::array::from_fn(|_| numbers.next().unwrap_or(0));
    if numbers < [2, 12, 8] {
        return Err(Unsuitable::CrashProne {
            version: version_text(),
        });
    }
    Ok(())
}
