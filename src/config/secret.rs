//! Secret text: where it comes from. Faults say the place that was looked at, never what was found.

use std::path::{Path, PathBuf};

use super::reader::{Faults, Item};

/// Where references to secrets are looked up: the environment, and files beside the settings file.
pub struct Surroundings<'a> {
    /// The value of an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
}

impl Surroundings<'_> {
    /// The secret in an environment variable.
    ///
    /// # Errors
    /// In words, when it is not set or is empty.
    pub fn from_variable(&self, name: &str) -> Result<String, String> {
        match (self.variable)(name) {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(format!("the environment variable {name} is empty")),
            None => Err(format!("the environment variable {name} is not set")),
        }
    }

    /// The secret in a file, without the line break at its end.
    ///
    /// # Errors
    /// In words, when the file cannot be read or is empty.
    pub fn from_file(&self, path: &str) -> Result<String, String> {
        let place = self.folder.join(path);
        match std::fs::read_to_string(&place) {
            Ok(text) => match text.trim_end_matches(['\r', '\n']) {
                "" => Err(format!("the file {} is empty", place.display())),
                text => Ok(text.to_owned()),
            },
            Err(error) => Err(format!("cannot read the file {}: {error}", place.display())),
        }
    }

    /// The secret that `env:NAME` or `file:PATH` refers to; `None` for any other text.
    ///
    /// # Errors
    /// As [`Self::from_variable`] and [`Self::from_file`].
    pub fn from_reference(&self, text: &str) -> Option<Result<String, String>> {
        if let Some(name) = text.strip_prefix("env:") {
            return Some(self.from_variable(name));
        }
        text.strip_prefix("file:").map(|path| self.from_file(path))
    }
}

/// A secret of the settings file: a string, or where to find it.
pub(super) fn secret(item: &Item<'_>, around: &Surroundings<'_>, faults: &mut Faults<'_>) -> Option<String> {
    if item.value.as_table().is_none() {
        return item.text(faults).map(str::to_owned);
    }
    let mut section = item.section(faults)?;
    let variable = section.text("env", faults);
    let file = section.text("file", faults);
    section.finish(faults);
    let found = match (variable, file) {
        (Some(name), None) => around.from_variable(name),
        (None, Some(path)) => around.from_file(path),
        _ => Err("expected a string, { env = \"NAME\" } or { file = \"PATH\" }".to_owned()),
    };
    found.map_err(|message| faults.add(item.at, &item.path, message)).ok()
}

/// The folder that a file's relative paths start from.
pub(super) fn folder_of(file: &str) -> PathBuf {
    Path::new(file).parent().map(Path::to_path_buf).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), "p w\n").unwrap();
        std::fs::write(folder.path().join("nothing"), "\n").unwrap();
        let variable = |name: &str| match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let around = Surroundings { variable: &variable, folder: folder.path().to_owned() };
        assert_eq!(around.from_reference("plain"), None);
        assert_eq!(around.from_reference("env:SET"), Some(Ok("value".into())));
        assert_eq!(around.from_reference("file:password"), Some(Ok("p w".into())));
        for (reference, message) in [
            ("env:EMPTY", "the environment variable EMPTY is empty"),
            ("env:OTHER", "the environment variable OTHER is not set"),
            ("file:nothing", "nothing is empty"),
            ("file:absent", "absent: No such file"),
        ] {
            let error = around.from_reference(reference).unwrap().unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
