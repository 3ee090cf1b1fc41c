// SPDX-License-Identifier: EUPL-1.2
//! What the readers of both tables share: faults with their line, ticks, codes.
use super::table::{Fault, Row, Table};
use std::collections::HashSet;

/// Beyond, a person corrects these first.
const MAX_FAULTS: usize = 50;

pub struct Judge<'a> {
    pub file: &'static str,
    pub table: &'a Table,
    pub faults: Vec<Fault>,
}

impl<'a> Judge<'a> {
    pub fn new(file: &'static str, table: &'a Table) -> Self {
        Self { file, table, faults: Vec::new() }
    }

    pub fn say(&mut self, line: u64, reason: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { file: self.file, line, reason: reason.into() });
        }
    }

    /// A cell, cleaned as what a person types is.
    pub fn text(&self, row: &Row, column: &str) -> String {
        crate::text::clean(self.table.cell(row, column))
    }

    /// « oui » or « non »; an empty cell is « non ».
    pub fn tick(&mut self, row: &Row, column: &str) -> bool {
        match self.text(row, column).as_str() {
            "oui" => true,
            "non" | "" => false,
            other => {
                self.say(
                    row.line,
                    format!("« {other} » dans la colonne « {column} » : oui ou non attendu"),
                );
                false
            }
        }
    }

    /// A code that keeps the form that codes have.
    pub fn code(&mut self, row: &Row) -> String {
        let code = self.text(row, "code");
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !(1..=100).contains(&code.len()) || !code.chars().all(allowed) {
            self.say(
                row.line,
                format!("le code « {code} » n’est pas fait de minuscules sans accent, de chiffres et de « _ »"),
            );
        }
        code
    }

    /// Says it when the value was met before.
    pub fn once<T: std::hash::Hash + Eq>(
        &mut self,
        seen: &mut HashSet<T>,
        value: T,
        line: u64,
        reason: impl FnOnce() -> String,
    ) {
        if !seen.insert(value) {
            self.say(line, reason());
        }
    }
}
