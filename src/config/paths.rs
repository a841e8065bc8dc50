//! Where the settings, the log and the filters are.

use std::path::PathBuf;

use directories::ProjectDirs;

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "tracefall")
}

/// The usual place of the settings, whether or not there is a file; `None` for a person without a home.
#[must_use]
pub fn config_file() -> Option<PathBuf> {
    Some(project()?.config_dir().join("config.toml"))
}

/// The place of the log.
#[must_use]
pub fn log_file() -> Option<PathBuf> {
    Some(state_folder()?.join("tracefall.log"))
}

/// The place of earlier and saved filters.
#[must_use]
pub fn filters_file() -> Option<PathBuf> {
    Some(state_folder()?.join("filters.json"))
}

fn state_folder() -> Option<PathBuf> {
    let project = project()?;
    Some(project.state_dir().unwrap_or_else(|| project.data_local_dir()).to_owned())
}
