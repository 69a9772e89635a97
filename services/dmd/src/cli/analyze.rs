//! Analyzes a window in a file (`glocal-dmd analyze FILE`) and shows the report to people or to programs.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use serde_json::{Value, json};

use super::{
    failure::{Failure, exit},
    output::{print_document, print_lines},
    window_file::{self, TableFormat, WindowFile},
};
use crate::{
    AnalysisError, Anchor, Cancellation, Options, Report, Scaling, Selection, SvdRank, Variant, Window,
    analyze,
};

/// Components shown in the table.
const SHOWN: usize = 20;

/// Analyze a window in a file.
///
/// Prints verdict, spectrum and estimate. The file has one hypergradient a line, oldest first: a table (.csv, .tsv) or JSON
/// arrays (.jsonl), or it is a NumPy array of rows by components (.npy).
#[derive(Debug, Args)]
pub struct Analyze {
    /// The window.
    file: PathBuf,

    #[command(flatten)]
    format: TableFormat,

    /// Which estimate to make.
    #[arg(long, value_name = "NAME", default_value = "HANKEL", ignore_case = true,
        value_parser = named(Variant::ALL, Variant::name))]
    variant: Variant,

    /// Inner steps between two rows.
    #[arg(long, value_name = "STEPS", default_value_t = 1)]
    stride: usize,

    /// Number of stacked hypergradients in one observable [default: 10, AFFINE 3; with a stride 2].
    #[arg(long, value_name = "M")]
    delays: Option<usize>,

    /// Rank as in PyDMD: -1 all, 0 optimal, between 0 and 1 energy, or a number [default: -1, AFFINE 3].
    #[arg(long, value_name = "RANK", value_parser = svd_rank, allow_negative_numbers = true)]
    svd_rank: Option<SvdRank>,

    /// How near to 1 the eigenvalue of a steady mode lies [default: 0.1].
    #[arg(long, value_name = "DISTANCE")]
    tolerance: Option<f64>,

    /// How components are scaled before the decomposition [default: COMPONENT].
    #[arg(long, value_name = "NAME", ignore_case = true,
        value_parser = named([Scaling::Component, Scaling::Global, Scaling::None], Scaling::name))]
    scaling: Option<Scaling>,

    /// Largest eigenvalue of what decays in AFFINE [default: 0.9].
    #[arg(long, value_name = "SIZE")]
    clip: Option<f64>,

    /// What AFFINE adds to the squared singular values, as a share of the largest [default: 0.01, with a stride 0.001].
    #[arg(long, value_name = "SHARE")]
    ridge: Option<f64>,

    /// What the last row must have of the largest for a component to be trusted, with the estimate's sign [default: 0].
    #[arg(long, value_name = "SHARE")]
    last_share: Option<f64>,

    /// The modes of the estimate of HANKEL and FORWARD_BACKWARD [default: STEADY].
    #[arg(long, value_name = "NAME", ignore_case = true,
        value_parser = named([Selection::Steady, Selection::Nearest], Selection::name))]
    selection: Option<Selection>,

    /// The snapshot to which their amplitudes are fitted [default: FIRST].
    #[arg(long, value_name = "NAME", ignore_case = true,
        value_parser = named([Anchor::First, Anchor::Last], Anchor::name))]
    anchor: Option<Anchor>,

    /// Norms of the hypergradients before the window, for the test for a spike; 20 or more.
    #[arg(long, value_name = "NORM,...", value_delimiter = ',')]
    prior_norms: Vec<f64>,

    /// Sizes of the components, by which they are divided in place of --scaling.
    #[arg(
        long,
        value_name = "SIZE,...",
        value_delimiter = ',',
        conflicts_with = "scaling"
    )]
    scales: Option<Vec<f64>>,

    /// Give each mode's contribution, not only its norm.
    #[arg(long, requires = "json")]
    include_contributions: bool,

    /// Print a JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Analyze {
    /// Analyzes the window and prints the report. What was guessed in reading the file is said on standard error.
    ///
    /// # Errors
    /// [`Failure`] when an option is out of range, the file holds no window, or it cannot be analyzed.
    pub fn run(self) -> Result<(), Failure> {
        let options = self.options();
        if let Some(problem) = options.problems().first() {
            return Err(Failure::new(exit::USAGE, problem));
        }
        let file =
            window_file::read(&self.file, &self.format).map_err(|error| Failure::new(exit::DATA, error))?;
        let shown = self.file.display();
        for note in &file.notes {
            let _ = writeln!(io::stderr(), "glocal-dmd: {shown}: {note}");
        }
        self.print(&file, &options)
            .map_err(|error| Failure::new(exit::DATA, format!("{shown}: {error}")))
    }

    fn print(&self, file: &WindowFile, options: &Options) -> Result<(), AnalysisError> {
        let mut window = Window::from_flat(&file.values, file.components)?;
        if let Some(scales) = &self.scales {
            window = window.with_scales(scales)?;
        }
        let report = analyze(&window, options, &self.prior_norms, &Cancellation::new())?;
        if self.json {
            print_document(&document(&report, options));
        } else {
            print_lines(&table(&window, &report, options));
        }
        Ok(())
    }

    fn options(&self) -> Options {
        let mut options = Options::of(self.variant, self.stride);
        options.delays = self.delays.unwrap_or(options.delays);
        options.svd_rank = self.svd_rank.unwrap_or(options.svd_rank);
        options.tolerance = self.tolerance.unwrap_or(options.tolerance);
        options.scaling = self.scaling.unwrap_or(options.scaling);
        options.clip = self.clip.unwrap_or(options.clip);
        options.ridge = self.ridge.unwrap_or(options.ridge);
        options.last_share = self.last_share.unwrap_or(options.last_share);
        options.selection = self.selection.unwrap_or(options.selection);
        options.anchor = self.anchor.unwrap_or(options.anchor);
        options.include_contributions = self.include_contributions;
        options
    }
}

/// One of the values, by its name in either case.
fn named<T, const N: usize>(
    values: [T; N],
    name_of: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(values.map(name_of)).try_map(move |given| {
        values
            .into_iter()
            .find(|&value| name_of(value).eq_ignore_ascii_case(&given))
            .ok_or("unknown")
    })
}

fn svd_rank(number: &str) -> Result<SvdRank, String> {
    let number = number.parse().map_err(|_| "not a number".to_owned())?;
    SvdRank::from_number(number)
        .ok_or_else(|| "-1, 0, between 0 and 1, or a whole number of 1 or more".to_owned())
}

fn table(window: &Window, report: &Report, options: &Options) -> Vec<String> {
    let spectrum = &report.spectrum;
    let mut lines = vec![
        format!(
            "{} rows of {} components, {}",
            window.rows(),
            window.components(),
            options.variant.name()
        ),
        String::new(),
        format!("{}: {}", report.verdict.name(), report.verdict_reason),
        String::new(),
        format!(
            "spectrum: rank {}, radius {:.4}, pair residual {:.2e}, reconstruction error {:.2e}",
            spectrum.rank, spectrum.spectral_radius, spectrum.pair_residual, spectrum.reconstruction_error
        ),
        format!(
            "bound: condition of the modes {:.2e}, residual of the last row {:.2e}, left of decaying modes {:.2e}",
            spectrum.bound.mode_condition, spectrum.bound.last_residual, spectrum.bound.decaying_norm
        ),
        format!(
            "{:>12} {:>12} {:>9} {:>12} {:>8}",
            "real", "imaginary", "|λ|", "norm", "energy"
        ),
    ];
    lines.extend(spectrum.modes.iter().map(|mode| {
        format!(
            "{:12.6} {:12.6} {:9.4} {:12.4e} {:6.1} % {}",
            mode.eigenvalue.re,
            mode.eigenvalue.im,
            mode.eigenvalue.norm(),
            mode.contribution_norm,
            100.0 * mode.energy_share,
            if mode.steady { "steady" } else { "" }
        )
    }));
    lines.push(String::new());
    lines.push(format!(
        "{:>9} {:>13} {:>13} {:>13} {:>13} {:>13} {:>8}",
        "component", "glocal", "spread", "mean", "median", "last", "t"
    ));
    let shown = |values: &Option<Vec<f64>>, c: usize| {
        values
            .as_ref()
            .map_or_else(|| "-".to_owned(), |values| format!("{:.5e}", values[c]))
    };
    lines.extend((0..window.components().min(SHOWN)).map(|c| {
        format!(
            "{c:9} {:>13} {:>13} {:13.5e} {:13.5e} {:13.5e} {:8.2} {}",
            shown(&report.glocal, c),
            shown(&report.spread, c),
            report.mean[c],
            report.median[c],
            report.last[c],
            report.t_scores[c],
            if report.component_trusted[c] {
                "trusted"
            } else {
                ""
            }
        )
    }));
    if window.components() > SHOWN {
        lines.push(format!(
            "... and {} more; --json has all",
            window.components() - SHOWN
        ));
    }
    lines
}

/// The report as JSON. Numbers that are not finite are null.
fn document(report: &Report, options: &Options) -> Value {
    let of_modes = report.verdict_figures.of_modes;
    let limits = &options.thresholds;
    let modes: Vec<Value> = report
        .spectrum
        .modes
        .iter()
        .map(|mode| {
            let mut shown = json!({
                "eigenvalue": [mode.eigenvalue.re, mode.eigenvalue.im],
                "contributionNorm": mode.contribution_norm,
                "energyShare": mode.energy_share,
                "steady": mode.steady,
            });
            if let Some(contribution) = &mode.contribution {
                shown["contribution"] = contribution.iter().map(|c| json!([c.re, c.im])).collect();
            }
            shown
        })
        .collect();
    json!({
        "variant": options.variant.name(),
        "verdict": report.verdict.name(),
        "verdictReason": report.verdict_reason,
        "verdictFigures": {
            "growingShare": report.verdict_figures.growing_share,
            "growingShareLimit": limits.growing_share,
            "undampedShare": report.verdict_figures.undamped_share,
            "undampedShareLimit": limits.undamped_share,
            "spikeRatio": report.verdict_figures.spike_ratio,
            "spikeRatioLimit": limits.spike_ratio,
            "trustedTScore": limits.trusted_t_score,
            "overshoot": report.verdict_figures.overshoot,
            "overshootLimit": report.verdict_figures.overshoot_limit,
            "reconstructionErrorLimit": of_modes.then_some(limits.reconstruction_error),
            "modeConditionLimit": of_modes.then_some(limits.mode_condition),
        },
        "glocal": report.glocal,
        "spread": report.spread,
        "componentTrusted": report.component_trusted,
        "tScores": report.t_scores,
        "mean": report.mean,
        "median": report.median,
        "last": report.last,
        "spectrum": {
            "modes": modes,
            "singularValues": report.spectrum.singular_values,
            "rank": report.spectrum.rank,
            "pairResidual": report.spectrum.pair_residual,
            "reconstructionError": report.spectrum.reconstruction_error,
            "spectralRadius": report.spectrum.spectral_radius,
            "bound": {
                "modeCondition": report.spectrum.bound.mode_condition,
                "lastResidual": report.spectrum.bound.last_residual,
                "decayingNorm": report.spectrum.bound.decaying_norm,
            },
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use clap::{Command, FromArgMatches};
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::server::proto;

    fn parsed(flags: &[&str]) -> Analyze {
        let command = Analyze::augment_args(Command::new("analyze"));
        let matches = command.get_matches_from([&["analyze", "window.csv"], flags].concat());
        Analyze::from_arg_matches(&matches).unwrap()
    }

    /// Names of the fields of these messages of the contract.
    fn fields(messages: &[&str]) -> Vec<String> {
        let contract = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
        contract
            .file
            .iter()
            .flat_map(|file| &file.message_type)
            .filter(|message| messages.contains(&message.name()))
            .flat_map(|message| &message.field)
            .map(|field| field.name().to_owned())
            .collect()
    }

    #[test]
    fn the_document_has_every_figure_of_the_contract() {
        let rows: Vec<f64> = (0..20).map(|t| 2.0 + 0.5_f64.powi(t)).collect();
        let options = Options::default();
        let window = Window::from_flat(&rows, 1).unwrap();
        let report = analyze(&window, &options, &[], &Cancellation::new()).unwrap();
        let document = document(&report, &options);
        let shown: Vec<String> = document["verdictFigures"]
            .as_object()
            .unwrap()
            .keys()
            .map(|name| name.to_lowercase())
            .collect();
        let figures = fields(&["VerdictFigures"]);
        assert_eq!(shown.len(), figures.len());
        for figure in figures {
            assert!(shown.contains(&figure.replace('_', "")), "{figure}");
        }
    }

    #[test]
    fn every_option_of_the_contract_has_its_flag() {
        // What the file says, and the message of the options themselves.
        let elsewhere = ["rows", "components", "options"];
        let options: Vec<String> = fields(&["DmdOptions", "WindowSpec"])
            .into_iter()
            .filter(|name| !elsewhere.contains(&name.as_str()))
            .collect();
        let command = Analyze::augment_args(Command::new("analyze"));
        let flags: Vec<&str> = command
            .get_arguments()
            .filter_map(|flag| flag.get_long())
            .collect();
        assert!(options.len() > 11, "{options:?}");
        for option in options {
            assert!(flags.contains(&option.replace('_', "-").as_str()), "{option}");
        }
    }

    #[test]
    fn every_flag_reaches_its_option() {
        let analyze = parsed(&[
            "--variant=affine",
            "--stride=3",
            "--delays=4",
            "--svd-rank=0.5",
            "--tolerance=0.2",
            "--scaling=global",
            "--clip=0.8",
            "--ridge=0.7",
            "--last-share=0.8",
            "--selection=nearest",
            "--anchor=last",
            "--include-contributions",
            "--json",
        ]);
        let expected = Options {
            delays: 4,
            svd_rank: SvdRank::Energy(0.5),
            tolerance: 0.2,
            scaling: Scaling::Global,
            clip: 0.8,
            ridge: 0.7,
            last_share: 0.8,
            selection: Selection::Nearest,
            anchor: Anchor::Last,
            include_contributions: true,
            ..Options::of(Variant::Affine, 3)
        };
        assert_eq!(analyze.options(), expected);
        assert_eq!(parsed(&[]).options(), Options::default());
    }
}
