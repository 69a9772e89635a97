//! Files that may be replaced while the service runs: certificates, keys, tokens.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use tokio::{sync::watch, task, time};
use tokio_util::sync::CancellationToken;

use super::config::{ConfigError, value_error};

/// They are small: reading them is cheaper than trusting that every file system tells of every way to replace one.
const EVERY: Duration = Duration::from_secs(2);

/// A file, and the key of the configuration that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedFile {
    pub(super) key: &'static str,
    pub(super) path: PathBuf,
}

impl NamedFile {
    /// The file with what it has now.
    fn read(self) -> Result<ReadFile, ConfigError> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Ok(ReadFile { file: self, text }),
            Err(error) => Err(self.error(format!("cannot read {}: {error}", self.path.display()))),
        }
    }

    /// Its content cannot be used.
    pub(super) fn error(&self, problem: impl Into<String>) -> ConfigError {
        value_error(self.key, problem)
    }
}

/// What a file had when it was read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ReadFile {
    pub(super) file: NamedFile,
    pub(super) text: String,
}

/// How something is made of files, which are in the order in which they were named.
pub(super) type Make<T> = fn(&[ReadFile]) -> Result<T, ConfigError>;

/// What is made of the content of files, made anew when that has changed.
pub(super) struct WatchedFiles<T> {
    files: Vec<ReadFile>,
    make: Make<T>,
    current: watch::Sender<Arc<T>>,
    failure: Option<String>,
}

impl<T: Send + Sync + 'static> WatchedFiles<T> {
    /// Reads the files.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key whose file cannot be read or used.
    pub(super) fn open(files: Vec<NamedFile>, make: Make<T>) -> Result<Self, ConfigError> {
        let files = read(files)?;
        let (current, _) = watch::channel(Arc::new(make(&files)?));
        Ok(Self {
            files,
            make,
            current,
            failure: None,
        })
    }

    /// What is made of them, which from now on follows the files until the service stops.
    pub(super) fn follow(self, stopping: CancellationToken) -> watch::Receiver<Arc<T>> {
        let current = self.current.subscribe();
        tokio::spawn(stopping.run_until_cancelled_owned(async move {
            let mut files = self;
            loop {
                time::sleep(EVERY).await;
                let refreshed = task::spawn_blocking(move || {
                    files.refresh();
                    files
                });
                match refreshed.await {
                    Ok(refreshed) => files = refreshed,
                    Err(error) => return tracing::error!(%error, "files are not read again"),
                }
            }
        }));
        current
    }

    /// Reads the files again. What cannot be used is logged once, and what was there before holds.
    fn refresh(&mut self) {
        match self.changed() {
            Ok(None) => {}
            Ok(Some((files, made))) => {
                self.files = files;
                self.failure = None;
                self.current.send_replace(Arc::new(made));
                tracing::info!(files = %self.names(), "files were replaced: new connections and calls use them");
            }
            Err(error) => {
                let reason = error.to_string();
                if self.failure.as_ref() != Some(&reason) {
                    tracing::error!(%reason, "files cannot be used: what they had before holds");
                }
                self.failure = Some(reason);
            }
        }
    }

    fn changed(&self) -> Result<Option<(Vec<ReadFile>, T)>, ConfigError> {
        let files = read(self.files.iter().map(|read| read.file.clone()))?;
        if files == self.files {
            return Ok(None);
        }
        let made = (self.make)(&files)?;
        Ok(Some((files, made)))
    }

    fn names(&self) -> String {
        let names: Vec<String> = self
            .files
            .iter()
            .map(|read| read.file.path.display().to_string())
            .collect();
        names.join(", ")
    }
}

fn read(files: impl IntoIterator<Item = NamedFile>) -> Result<Vec<ReadFile>, ConfigError> {
    files.into_iter().map(NamedFile::read).collect()
}
