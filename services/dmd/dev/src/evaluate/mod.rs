//! Scores every variant on windows whose continuation is known (`glocal-dmd-dev evaluate FILE`; docs/dmd.md has the tables).

mod held_phi;
mod score;

use std::path::{Path, PathBuf};

use clap::Args;
use glocal_dmd::{
    AnalysisError, Cancellation, Options, Report, Scaling, Variant, Window, analyze,
    cli::{
        failure::{Failure, exit},
        output::{print_document, print_lines},
    },
};
use serde::Serialize;

use self::{
    held_phi::{Case, Records},
    score::{Interval, Outcome, Scores},
};
use crate::files::ReadError;

/// Score every variant on windows whose continuation is known.
///
/// Prints, for each variant and setting: the share of right signs, the cosine with where the hypergradient went, the error
/// of its size, how often there was no estimate, and precision and recall of the components' verdict; each with its
/// interval over windows, and beside the controls MEAN and LAST.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// Windows with their continuation, in the format of tests/fixtures/held_phi.json.
    file: PathBuf,

    /// Print a JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    /// Scores.
    ///
    /// # Errors
    /// [`Failure`] when the file holds no windows with their continuation, or one cannot be analyzed.
    pub fn run(self) -> Result<(), Failure> {
        run(&self.file, self.json).map_err(|error| Failure::new(exit::DATA, error))
    }
}

/// Rows that estimates see: the last of the window.
const SIGMA: usize = 20;

/// A variant with its options, and how it is called in the table.
struct Setting {
    name: &'static str,
    options: Options,
}

impl Setting {
    fn new(name: &'static str, variant: Variant, stride: usize, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::of(variant, stride);
        change(&mut options);
        Self { name, options }
    }
}

/// Every variant with its defaults, each followed by those with the options that matter.
fn settings() -> Vec<Setting> {
    let as_it_is = |_: &mut Options| {};
    let mut settings: Vec<Setting> = Variant::ALL
        .map(|variant| Setting::new(variant.name(), variant, 1, as_it_is))
        .into();
    settings.extend([
        Setting::new("HANKEL unscaled", Variant::Hankel, 1, |o| {
            o.scaling = Scaling::None
        }),
        Setting::new("HANKEL m 1", Variant::Hankel, 1, |o| o.delays = 1),
        Setting::new("HANKEL m 5", Variant::Hankel, 1, |o| o.delays = 5),
        Setting::new("FORWARD_BACKWARD m 1", Variant::ForwardBackward, 1, |o| {
            o.delays = 1
        }),
        Setting::new("AFFINE clip .98", Variant::Affine, 1, |o| o.clip = 0.98),
        Setting::new("MEAN stride 3", Variant::Mean, 3, as_it_is),
        Setting::new("AFFINE stride 3", Variant::Affine, 3, as_it_is),
        Setting::new("AFFINE stride 3 clip .98", Variant::Affine, 3, |o| o.clip = 0.98),
        Setting::new("AFFINE stride 3 clip .99", Variant::Affine, 3, |o| o.clip = 0.99),
        Setting::new("OPTIMIZED stride 3", Variant::Optimized, 3, as_it_is),
    ]);
    settings.sort_by_key(|setting| Variant::ALL.iter().position(|v| *v == setting.options.variant));
    settings
}

/// One line of the table.
#[derive(Debug, Serialize)]
struct Line {
    setting: &'static str,
    #[serde(flatten)]
    scores: Scores,
    /// Differences in cosine over the windows where this setting has an estimate.
    cosine_over_mean: Interval,
    cosine_over_last: Interval,
}

/// Prints the table of a file.
///
/// # Errors
/// [`ReadError`] when the file cannot be read, has another format, or a case cannot be analyzed.
fn run(file: &Path, json: bool) -> Result<(), ReadError> {
    let records = Records::read(file)?;
    let cases: Vec<&Case> = records.scored().collect();
    let outcomes = |setting: &Setting| -> Result<Vec<Outcome>, ReadError> {
        cases.iter().map(|case| outcome(case, &setting.options)).collect()
    };
    let control = |variant| outcomes(&Setting::new("", variant, 1, |_| {}));
    let (mean, last) = (control(Variant::Mean)?, control(Variant::Last)?);
    let mut lines = Vec::new();
    for setting in settings() {
        let found = outcomes(&setting)?;
        lines.push(Line {
            setting: setting.name,
            cosine_over_mean: score::cosine_difference(&found, &mean),
            cosine_over_last: score::cosine_difference(&found, &last),
            scores: Scores::of(&found),
        });
    }
    if json {
        print_document(&lines);
    } else {
        print_lines(&table(&lines, cases.len()));
    }
    Ok(())
}

fn outcome(case: &Case, options: &Options) -> Result<Outcome, ReadError> {
    let report = report(case, options).map_err(|source| ReadError::Analysis {
        case: case.id.clone(),
        source,
    })?;
    Ok(score::outcome(case, &report, SIGMA))
}

/// The report on the last rows of a case, every `stride`-th of them.
fn report(case: &Case, options: &Options) -> Result<Report, AnalysisError> {
    let rows = case.last_rows(SIGMA);
    let mut strided: Vec<&[f64]> = rows
        .iter()
        .rev()
        .step_by(options.stride)
        .map(Vec::as_slice)
        .collect();
    strided.reverse();
    let window = Window::new(strided)?;
    analyze(&window, options, &[], &Cancellation::new())
}

fn table(lines: &[Line], windows: usize) -> Vec<String> {
    let mut table = vec![
        format!("{windows} windows; each figure with its 95 % interval over windows"),
        String::new(),
        "| setting | sign | cosine | worst decile | size | undefined | cosine − MEAN | cosine − LAST | precision | \
         recall |"
            .to_owned(),
        "|---|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    table.extend(lines.iter().map(|line| {
        let s = &line.scores;
        format!(
            "| {} | {} | {} | {:.2} | {} | {:.0} % | {:+} | {:+} | {} | {} |",
            line.setting,
            s.sign,
            s.cosine,
            s.cosine_worst_decile,
            s.size,
            100.0 * s.undefined,
            line.cosine_over_mean,
            line.cosine_over_last,
            s.trusted_precision,
            s.trusted_recall
        )
    }));
    table
}
