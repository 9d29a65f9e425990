//! The decision table as a document shows it.

use super::Rule;

/// The words of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleRow {
    /// The rule's stable name.
    pub name: &'static str,
    /// What is wanted.
    pub want: &'static str,
    /// What was found.
    pub have: &'static str,
    /// What follows; it begins with the verdict's name.
    pub verdict: &'static str,
}

impl Rule {
    /// The whole table as Markdown, the first row that fits counts: `config/WINDOWS.md` shows
    /// exactly this.
    pub fn table() -> String {
        let mut table = "| want | have | verdict | rule |\n| --- | --- | --- | --- |\n".to_owned();
        for RuleRow {
            name,
            want,
            have,
            verdict,
        } in Self::ALL.map(Self::row)
        {
            table += &format!("| {want} | {have} | {verdict} | `{name}` |\n");
        }
        table
    }
}
