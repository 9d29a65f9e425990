//! What a package holds beside the program: `cargo run --example assets` writes man pages, completions for bash, zsh and fish,
//! and what goes to /usr/share/recess into `target/assets` (or the folder given as argument), anew each time.
//!
//! Pages and completions are made from the types that parse the arguments, so they show no option
//! that does not exist. This is not a command of the program, as no operator needs it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use recess::cli::Cli;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os()
        .nth(1)
        .map_or_else(default_folder, PathBuf::from);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    share(&folder.join("share"))?;
    complete(&folder)?;
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    describe(&command, "recess", &folder)?;
    println!("what a package needs is in {}", folder.display());
    Ok(())
}

fn default_folder() -> PathBuf {
    root().join("target/assets")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The reference config, for comparison with the edited one in /etc, and the files of Prometheus and
/// Grafana.
fn share(folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    fs::copy(
        root().join("config/recess.toml"),
        folder.join("recess.toml"),
    )?;
    for subject in ["prometheus", "grafana"] {
        let from = root().join("examples").join(subject);
        let to = folder.join(subject);
        for entry in from.read_dir().into_iter().flatten() {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // The documents are in /usr/share/doc. Their tests are for those who change them.
            let is_used = !name.ends_with(".md") && !name.contains(".test.");
            if entry.file_type()?.is_file() && is_used {
                fs::create_dir_all(&to)?;
                fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        }
    }
    Ok(())
}

/// By the names under which the shells look for them.
fn complete(folder: &Path) -> Result<(), Box<dyn Error>> {
    for (shell, file) in [
        (Shell::Bash, "recess.bash"),
        (Shell::Zsh, "_recess"),
        (Shell::Fish, "recess.fish"),
    ] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "recess", &mut script);
        fs::write(folder.join(file), script)?;
    }
    Ok(())
}

/// A page for the program and one for each of its commands: `recess(1)`, `recess-run(1)`.
fn describe(command: &Command, name: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut page = Vec::new();
    // Leaked once per page: clap keeps names for good.
    let titled = command.clone().name(&*name.to_owned().leak());
    Man::new(titled)
        .title(name.to_uppercase())
        .source(concat!("recess ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)?;
    fs::write(folder.join(format!("{name}.1")), page)?;
    for subcommand in command.get_subcommands() {
        describe(
            subcommand,
            &format!("{name}-{}", subcommand.get_name()),
            folder,
        )?;
    }
    Ok(())
}
