//! Compares the library with reference decompositions (`glocal-dmd-dev fixtures FILE`).

use std::path::{Path, PathBuf};

use clap::Args;
use glocal_dmd::cli::{
    failure::{Failure, exit},
    output::print_lines,
};

use crate::{
    files::{ReadError, read_json},
    references::Case,
    rows::{Row, print_json},
};

/// Compare the library with reference decompositions.
///
/// Prints the largest difference over the cases without noise: eigenvalues relative to max(1, |eigenvalue|), estimates
/// relative to the largest value of the window.
#[derive(Debug, Args)]
pub struct Fixtures {
    /// Reference decompositions, in the format of tests/fixtures/dmd.json.
    file: PathBuf,

    /// Print a JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Fixtures {
    /// Compares.
    ///
    /// # Errors
    /// [`Failure`] when the file holds no reference decompositions, or one cannot be repeated.
    pub fn run(self) -> Result<(), Failure> {
        run(&self.file, self.json).map_err(|error| Failure::new(exit::DATA, error))
    }
}

/// Prints the differences of a file, and the largest of the cases without noise.
///
/// # Errors
/// [`ReadError`].
fn run(file: &Path, json: bool) -> Result<(), ReadError> {
    let mut worst = 0.0_f64;
    let mut compared = 0;
    let mut lines = Vec::new();
    for case in read_json::<Vec<Case>>(file, "a list of reference decompositions")? {
        let error = case.max_rel_error().map_err(|source| ReadError::Analysis {
            case: case.name.clone(),
            source,
        })?;
        let counts = case.is_noise_free();
        if counts {
            worst = worst.max(error);
            compared += 1;
        }
        let note = if counts { "" } else { "not counted" };
        lines.push(format!("{:32} {error:9.1e}  {note}", case.name));
    }
    let row = Row {
        name: "dmd.fixtures_max_rel_error",
        value: worst,
        unit: "relative",
        n: compared,
    };
    if json {
        print_json(&[row]);
    } else {
        lines.push(format!("{:32} {worst:9.1e}  over {compared} cases", "largest"));
        print_lines(&lines);
    }
    Ok(())
}
