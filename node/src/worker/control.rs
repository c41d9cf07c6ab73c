//! What the operator wants of a running worker: a small file that `inferix worker pause` writes and the
//! worker reads before each task.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What the worker shall do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Take tasks and execute them.
    #[default]
    Run,
    /// Finish the batch in flight, then wait; leases run on.
    Pause,
    /// Finish what is leased, take nothing new, claim it all.
    Drain,
}

/// The control file of a data folder.
#[derive(Clone, Debug)]
pub struct Control {
    path: PathBuf,
}

impl Control {
    /// Names the control file of a data folder.
    pub fn new(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join("worker.mode"),
        }
    }

    /// Reads the mode. No file, or one that can't be read, means to run.
    pub fn mode(&self) -> Mode {
        std::fs::read_to_string(&self.path)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Sets the mode.
    ///
    /// # Errors
    ///
    /// Why the file can't be written.
    pub fn set(&self, mode: Mode) -> std::io::Result<()> {
        let text = serde_json::to_string(&mode).map_err(std::io::Error::other)?;
        let next = self.path.with_extension("next");
        std::fs::write(&next, text)?;
        std::fs::rename(&next, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_kept_and_rubbish_means_run() {
        let dir = tempfile::tempdir().unwrap();
        let control = Control::new(dir.path());
        assert_eq!(control.mode(), Mode::Run);
        control.set(Mode::Drain).unwrap();
        assert_eq!(control.mode(), Mode::Drain);
        std::fs::write(dir.path().join("worker.mode"), "?").unwrap();
        assert_eq!(control.mode(), Mode::Run);
    }
}
