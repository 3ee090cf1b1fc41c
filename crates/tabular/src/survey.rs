// SPDX-License-Identifier: EUPL-1.2
//! The full reading of a table: names, counts, warnings and a preview, in one pass.
//! Nothing is kept but counters, the header and ten lines.

use crate::row::{Row, UNREADABLE};
use crate::source::Reader;
use crate::{Error, Limits, header, text};

const PREVIEW: usize = 10;
const PROGRESS_EVERY: u64 = 1_024;

/// What is known of the table before it is surveyed.
pub(crate) struct Plan<'a> {
    pub header_line: u64,
    /// Past a line `sep=x`.
    pub first_line: u64,
    pub is_grid: bool,
    pub limits: &'a Limits,
}

#[derive(Default)]
pub(crate) struct Survey {
    pub names: Vec<String>,
    pub numeric: Vec<bool>,
    pub lines_above: u64,
    pub data_rows: u64,
    pub empty_rows: u64,
    pub short_rows: u64,
    pub long_rows: u64,
    pub unreadable: u64,
    pub warnings: Vec<String>,
    pub preview: Vec<Row>,
    header: Vec<String>,
    /// The widest line, up to where lines are too long.
    used: usize,
    /// Cells of the header line, the empty ones at its end included.
    room: usize,
    /// Columns that do not count as missing: those of the header that are filled.
    filled: usize,
    last_line: u64,
    first_long: u64,
}

/// Reads everything; `progress` hears of the lines read and stops the survey by false.
pub(crate) fn survey(
    mut reader: Reader,
    plan: &Plan<'_>,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Survey, Error> {
    let mut survey = Survey::default();
    let mut row = Row::new();
    survey.read_header(&mut reader, &mut row, plan)?;
    let mut read = 0;
    while reader.next(&mut row)? {
        read += 1;
        if read % PROGRESS_EVERY == 0 && !progress(survey.data_rows) {
            return Err(Error::Cancelled);
        }
        survey.add(&row, plan);
        if survey.data_rows > Error::COUNT_STOPS_AT && plan.limits.max_rows.is_some() {
            break;
        }
    }
    match plan.limits.max_rows {
        Some(max) if survey.data_rows > max => {
            return Err(Error::TooManyRows { max, counted: survey.data_rows });
        }
        _ if survey.data_rows == 0 => return Err(Error::NoData),
        _ => survey.conclude(plan)?,
    }
    Ok(survey)
}

impl Survey {
    fn read_header(
        &mut self,
        reader: &mut Reader,
        row: &mut Row,
        plan: &Plan<'_>,
    ) -> Result<(), Error> {
        let missing = Error::NoHeader { line: plan.header_line };
        loop {
            if !reader.next(row)? || row.line > plan.header_line {
                return Err(missing);
            }
            if row.line == plan.header_line {
                break;
            }
            if row.line >= plan.first_line && !row.is_empty() {
                self.lines_above += 1;
            }
        }
        if row.is_empty() {
            return Err(missing);
        }
        self.filled = row.filled();
        self.header = row.cells().take(self.filled).map(|cell| text::header(cell.text)).collect();
        self.room = if plan.is_grid { plan.limits.max_columns } else { row.len() };
        self.last_line = row.line;
        // Said at once: a header of 10 000 columns is not worth reading further.
        let (max, found) = (plan.limits.max_columns as u64, self.filled as u64);
        if found > max { Err(Error::TooManyColumns { max, found }) } else { Ok(()) }
    }

    fn add(&mut self, row: &Row, plan: &Plan<'_>) {
        if row.is_empty() {
            self.empty_rows += u64::from(!plan.is_grid);
            return;
        }
        self.data_rows += 1;
        if plan.is_grid {
            self.empty_rows += row.line.saturating_sub(self.last_line + 1);
            self.last_line = row.line;
            self.note_numbers(row);
        } else if row.len() < self.filled {
            self.short_rows += 1;
        }
        if row.filled() > self.room {
            self.long_rows += 1;
            if self.first_long == 0 {
                self.first_long = row.line;
            }
        }
        self.used = self.used.max(row.filled().min(self.room));
        self.unreadable += row.count(UNREADABLE);
        if self.preview.len() < PREVIEW {
            self.preview.push(row.clone());
        }
    }

    fn note_numbers(&mut self, row: &Row) {
        for (i, cell) in row.cells().enumerate() {
            if cell.numeric {
                if self.numeric.len() <= i {
                    self.numeric.resize(i + 1, false);
                }
                self.numeric[i] = true;
            }
        }
    }

    fn conclude(&mut self, plan: &Plan<'_>) -> Result<(), Error> {
        let columns = self.filled.max(self.used);
        self.numeric.resize(columns, false);
        self.say(
            self.lines_above,
            "ligne ignorée au-dessus de l’en-tête",
            "lignes ignorées au-dessus de l’en-tête",
        );
        self.names = header::name(&self.header, columns, plan.limits, &mut self.warnings)?;
        self.say(self.empty_rows, "ligne vide ignorée", "lignes vides ignorées");
        self.say(self.unreadable, "cellule illisible (encodage)", "cellules illisibles (encodage)");
        if self.long_rows > 0 {
            self.warnings.push(format!(
                "{} au-delà de la dernière colonne de l’en-tête (la première\u{a0}: ligne {})",
                text::count(self.long_rows, "ligne a des valeurs", "lignes ont des valeurs"),
                text::thousands(self.first_long)
            ));
        }
        Ok(())
    }

    fn say(&mut self, number: u64, one: &str, many: &str) {
        if number > 0 {
            self.warnings.push(text::count(number, one, many));
        }
    }
}
