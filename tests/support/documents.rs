//! The documents of the repository and what they show, for tests that hold it to be real.
//!
//! A document is any Markdown file. They are found by walking, so a new one is tested without a line here.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A Markdown file.
pub struct Document {
    /// From the folder of the repository on.
    pub path: String,
    pub text: String,
}

/// A command in a console block, with what the document shows of its output.
pub struct Shown {
    pub document: String,
    pub command: String,
    pub output: String,
    /// The last TOML block before it in its document.
    pub config: Option<String>,
}

/// A fenced block.
struct Block {
    language: String,
    text: String,
}

/// All documents.
pub fn all() -> Vec<Document> {
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    let documents: Vec<Document> = found.iter().map(|path| read(path)).collect();
    assert!(documents.len() >= 8, "{found:?}");
    documents
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            walk(&path, found);
        } else if name.ends_with(".md") {
            let path = path.strip_prefix(root()).unwrap();
            found.push(path.to_str().unwrap().to_owned());
        }
    }
}

/// One document, by its path from the folder of the repository on.
pub fn read(path: &str) -> Document {
    let text = fs::read_to_string(root().join(path));
    Document {
        path: path.to_owned(),
        text: text.unwrap_or_else(|error| panic!("{path}: {error}")),
    }
}

impl Document {
    /// The text of the fenced blocks in one language.
    pub fn blocks(&self, language: &str) -> Vec<String> {
        let (_, blocks) = self.parts();
        let blocks = blocks
            .into_iter()
            .filter(|block| block.language == language);
        blocks.map(|block| block.text).collect()
    }

    /// All but the fenced blocks, line for line.
    pub fn prose(&self) -> String {
        self.parts().0
    }

    /// What stands between backticks in the prose.
    pub fn spans(&self) -> Vec<String> {
        let prose = self.prose();
        let spans = prose.split('`').skip(1).step_by(2);
        spans
            .map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }

    /// The commands of the console blocks. A command begins with `$ `.
    pub fn shown(&self) -> Vec<Shown> {
        let mut shown: Vec<Shown> = Vec::new();
        let mut config = None;
        for block in self.parts().1 {
            if block.language == "toml" {
                config = Some(block.text);
                continue;
            }
            if block.language != "console" {
                continue;
            }
            assert!(block.text.starts_with("$ "), "{}", block.text);
            for line in block.text.lines() {
                if let Some(command) = line.strip_prefix("$ ") {
                    shown.push(Shown {
                        document: self.path.clone(),
                        command: command.to_owned(),
                        output: String::new(),
                        config: config.clone(),
                    });
                } else {
                    let last = shown.last_mut().unwrap();
                    last.output += line;
                    last.output += "\n";
                }
            }
        }
        shown
    }

    fn parts(&self) -> (String, Vec<Block>) {
        let mut prose = String::new();
        let mut blocks: Vec<Block> = Vec::new();
        let mut inside = false;
        for line in self.text.lines() {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                inside = !inside;
                if inside {
                    blocks.push(Block {
                        language: language.to_owned(),
                        text: String::new(),
                    });
                }
            } else if inside {
                let text = &mut blocks.last_mut().unwrap().text;
                *text += line;
                *text += "\n";
            } else {
                prose += line;
            }
            prose += "\n";
        }
        assert!(!inside, "{}: a fence without an end", self.path);
        (prose, blocks)
    }
}

/// Every command that any document shows with its output.
pub fn all_shown() -> Vec<Shown> {
    let shown: Vec<Shown> = all().iter().flat_map(Document::shown).collect();
    assert!(shown.len() >= 8, "only {} commands are shown", shown.len());
    shown
}

/// What the documents show of this command, which one of them does.
pub fn output_of(command: &str) -> String {
    let mut shown = all_shown();
    shown.retain(|shown| shown.command == command);
    assert_eq!(shown.len(), 1, "$ {command} is to be shown once");
    shown.remove(0).output
}

/// Whether a command asks a server, or speaks of a daemon that does.
pub fn needs_a_server(command: &str) -> bool {
    let offline = [
        "recess check",
        "recess plan",
        "recess explain",
        "recess diff",
        "export",
    ];
    command.contains("--live") || !offline.iter().any(|offline| command.starts_with(offline))
}

/// The words of a command as a shell reads them, for the little that documents use of it: quotes, and a comment at the end.
pub fn shell_words(command: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut quote = None;
    let mut open = false;
    for c in command.chars() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                if !open {
                    words.push(String::new());
                    open = true;
                }
            }
            (None, '#') if !open => break,
            (None, ' ') => open = false,
            (_, c) => {
                if !open {
                    words.push(String::new());
                    open = true;
                }
                words.last_mut().unwrap().push(c);
            }
        }
    }
    words
}

/// A line without what differs from day to day: numbers, the names of days and zones, the width of columns.
pub fn shape(line: &str) -> String {
    let word = |word: &str| -> String {
        if ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&word) {
            return "Day".to_owned();
        }
        if ["CET", "CEST", "UTC"].contains(&word) {
            return "ZONE".to_owned();
        }
        let mut shape = String::new();
        for c in word.chars() {
            let c = if c.is_ascii_digit() { '0' } else { c };
            if c != '0' || !shape.ends_with('0') {
                shape.push(c);
            }
        }
        shape
    };
    let words: Vec<String> = line.split_whitespace().map(word).collect();
    words.join(" ")
}

/// The shapes of all lines of a text.
pub fn shapes(text: &str) -> Vec<String> {
    text.lines().map(shape).collect()
}
