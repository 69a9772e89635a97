//! Tables: one row a line, columns separated by commas, semicolons, tabs or blanks. What is guessed is said.

use clap::{Args, ValueEnum};

use super::{
    delimiter::{self, Delimiter},
    fault::Fault,
    line::{Line, lines},
    row::Row,
};

/// How a table is to be read.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct TableFormat {
    /// Whether the first line of a table names the columns; what is taken for names is said on standard error.
    #[arg(
        long,
        value_enum,
        value_name = "yes|no|auto",
        default_value_t,
        hide_possible_values = true
    )]
    pub header: Whether,

    /// Whether the first column of a table numbers the rows and is left out; auto: when the header gives it no name.
    #[arg(
        long,
        value_enum,
        value_name = "yes|no|auto",
        default_value_t,
        hide_possible_values = true
    )]
    pub index: Whether,

    /// What separates the columns of a table: auto, comma, semicolon, tab, space, or the character itself.
    #[arg(long, value_name = "CHARACTER", default_value = "auto", value_parser = delimiter::parse)]
    pub delimiter: Delimiter,
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Whether {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// To be seen from the content.
    #[default]
    Auto,
}

/// A line with its number and its cells.
struct Record {
    line: u64,
    cells: Vec<String>,
}

/// The rows, and what was guessed.
pub(super) fn rows(text: &str, format: &TableFormat) -> Result<(Vec<Row>, Vec<String>), Fault> {
    let lines = lines(text);
    let delimiter = match format.delimiter {
        Delimiter::Auto => Delimiter::of(&lines),
        given => given,
    };
    let mut notes = Vec::new();
    let mut records = records(&lines, delimiter)?;
    let header = header(&records, format.header)?.then(|| records.remove(0));
    if header.is_none() && format.header == Whether::Auto && looks_counted(&records) {
        notes.push(
            "the values of the first line count; if they name the columns, say --header yes".to_owned(),
        );
    }
    if let Some(Record { line, cells }) = &header {
        notes.push(format!(
            "took line {line} for the header: {} (--header no makes it a row)",
            first_few(cells)
        ));
    }
    match format.index {
        Whether::Yes => drop_first_column(&mut records),
        Whether::Auto if has_unnamed_index(header.as_ref(), &records)? => {
            drop_first_column(&mut records);
            notes.push("left the first column out, which has no name (--index no keeps it)".to_owned());
        }
        Whether::Auto if counts(&records) => notes
            .push("the first column counts; if it numbers the rows, --index yes leaves it out".to_owned()),
        Whether::Auto | Whether::No => {}
    }
    let any_cell = |has: fn(&str) -> bool| {
        records
            .iter()
            .flat_map(|record| &record.cells)
            .any(|cell| has(cell))
    };
    let comma = Delimiter::Character(b',');
    // A comma is a decimal one where it separates nothing, and no cell has a point.
    let decimal_commas =
        delimiter != comma && any_cell(|cell| cell.contains(',')) && !any_cell(|cell| cell.contains('.'));
    if decimal_commas {
        notes.push("read commas as decimal points".to_owned());
    }
    let pairs = records.iter().all(|record| record.cells.len() == 2);
    if delimiter == comma && format.delimiter == Delimiter::Auto && pairs && !any_cell(|cell| !is_whole(cell))
    {
        notes.push(
            "all values are whole; if the commas are decimal ones, say --delimiter semicolon".to_owned(),
        );
    }
    let rows = records.into_iter().map(|record| row(&record, decimal_commas));
    Ok((rows.collect::<Result<_, _>>()?, notes))
}

fn records(lines: &[Line], delimiter: Delimiter) -> Result<Vec<Record>, Fault> {
    let Delimiter::Character(delimiter) = delimiter else {
        return Ok(lines
            .iter()
            .map(|line| Record {
                line: line.number,
                cells: line.text.split_whitespace().map(unquoted).collect(),
            })
            .collect());
    };
    let text: Vec<&str> = lines.iter().map(|line| line.text).collect();
    let text = text.join("\n");
    let number = |position: &csv::Position| Some(lines.get(position.line() as usize - 1)?.number);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|error| Fault::new("the table", error))?;
            Ok(Record {
                line: record.position().and_then(number).unwrap_or_default(),
                cells: record.iter().map(unquoted).collect(),
            })
        })
        .collect()
}

/// A cell without quotes, which the parser leaves where blanks come before them.
fn unquoted(cell: &str) -> String {
    cell.trim_matches('"').to_owned()
}

/// Whether the first record names the columns. Numbers do so only where they count from 0, as those of a data frame
/// without names, and the values below are not whole numbers.
fn header(records: &[Record], wanted: Whether) -> Result<bool, Fault> {
    let Some((first, others)) = records.split_first() else {
        return Ok(false);
    };
    match wanted {
        Whether::Yes => return Ok(true),
        Whether::No => return Ok(false),
        Whether::Auto => {}
    }
    let unnamed = first.cells.len() > 1 && first.cells[0].is_empty();
    let names = &first.cells[usize::from(unnamed)..];
    if names.iter().all(|name| is_missing(name)) {
        return Ok(false);
    }
    if !names.iter().any(|name| number(name, true).is_some()) {
        return Ok(true);
    }
    let count = names.iter().enumerate().all(|(i, name)| *name == i.to_string());
    if !count
        || others
            .iter()
            .flat_map(|record| &record.cells)
            .all(|cell| is_whole(cell))
    {
        return Ok(false);
    }
    if names.len() == 1 && !unnamed {
        let problem = "0 may be a name or a value; say --header yes or --header no";
        return Err(Fault::new(format!("line {}", first.line), problem));
    }
    Ok(true)
}

/// Whether the header has no name for the first column, as pandas and R write an index.
fn has_unnamed_index(header: Option<&Record>, records: &[Record]) -> Result<bool, Fault> {
    let (Some(header), Some(first)) = (header, records.first()) else {
        return Ok(false);
    };
    if header.cells.len() > 1 && ["", "Unnamed: 0"].contains(&header.cells[0].as_str()) {
        return Ok(true);
    }
    if header.cells.len() + 1 != first.cells.len() {
        return Ok(false);
    }
    let named = records.iter().any(|record| {
        record
            .cells
            .first()
            .is_some_and(|cell| number(cell, true).is_none())
    });
    if named || counts(records) {
        return Ok(true);
    }
    let problem = format!(
        "has {} values, and the header {} names; say --index yes if the first column numbers the rows, or --delimiter \
         semicolon if the commas are decimal ones",
        first.cells.len(),
        header.cells.len()
    );
    Err(Fault::new(format!("line {}", first.line), problem))
}

/// Whether the first record rises by one from 0 or 1, as names of columns may, and the others do not.
fn looks_counted(records: &[Record]) -> bool {
    let counted = |record: &Record| {
        let values: Vec<f64> = record.cells.iter().filter_map(|cell| cell.parse().ok()).collect();
        values.len() > 1
            && values.len() == record.cells.len()
            && [0.0, 1.0].contains(&values[0])
            && values.windows(2).all(|pair| pair[1] == pair[0] + 1.0)
    };
    records
        .split_first()
        .is_some_and(|(first, others)| counted(first) && !others.iter().any(counted))
}

/// Whether the first of several columns rises by one from row to row.
fn counts(records: &[Record]) -> bool {
    let first: Vec<Option<i64>> = records
        .iter()
        .map(|record| record.cells.first()?.parse().ok())
        .collect();
    first.len() > 2
        && records[0].cells.len() > 1
        && first[0].is_some()
        && first
            .windows(2)
            .all(|pair| pair[1] == pair[0].and_then(|value| value.checked_add(1)))
}

fn drop_first_column(records: &mut [Record]) {
    for record in records {
        if !record.cells.is_empty() {
            record.cells.remove(0);
        }
    }
}

fn row(record: &Record, decimal_commas: bool) -> Result<Row, Fault> {
    let values = (1..).zip(&record.cells).map(|(column, cell)| {
        number(cell, decimal_commas).ok_or_else(|| {
            let problem = if is_missing(cell) {
                format!("the value is missing ({cell:?})")
            } else {
                format!("{cell:?} is not a number")
            };
            Fault::new(format!("line {}, column {column}", record.line), problem)
        })
    });
    Ok(Row {
        line: record.line,
        values: values.collect::<Result<_, _>>()?,
    })
}

fn number(cell: &str, decimal_commas: bool) -> Option<f64> {
    if decimal_commas && cell.matches(',').count() == 1 {
        return cell.replace(',', ".").parse().ok();
    }
    cell.parse().ok()
}

fn is_whole(cell: &str) -> bool {
    cell.parse::<i64>().is_ok()
}

/// Whether the cell is one of those that stand for a value that is not there.
fn is_missing(cell: &str) -> bool {
    const WORDS: [&str; 12] = [
        "",
        "na",
        "n/a",
        "#n/a",
        "<na>",
        "null",
        "none",
        "missing",
        "undefined",
        "-",
        ".",
        "?",
    ];
    WORDS.contains(&cell.to_ascii_lowercase().as_str())
}

fn first_few(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        shown.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    shown
}
