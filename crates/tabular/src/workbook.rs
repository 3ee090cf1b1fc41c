// SPDX-License-Identifier: EUPL-1.2
//! An XLSX workbook but its cells: relations between parts, sheets, date system.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::number::Shown;
use crate::package::Package;
use crate::strings::Strings;
use crate::xml::{Event, Xml, attribute};
use crate::{Error, Limits, styles};

pub(crate) struct Workbook {
    pub package: Package,
    pub strings: Arc<Strings>,
    pub styles: Arc<Vec<Shown>>,
    pub is_1904: bool,
    pub sheets: Vec<Sheet>,
}

pub(crate) struct Sheet {
    pub name: String,
    pub is_visible: bool,
    pub part: String,
}

impl Workbook {
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, Error> {
        let package = Package::open(path, limits)?;
        let main =
            relations(&package, "")?.into_values().find(|part| part.kind == "officeDocument");
        let main = main.map_or_else(|| "xl/workbook.xml".to_owned(), |part| part.target);
        let parts = relations(&package, &main)?;
        let of_kind =
            |kind| parts.values().find(|part| part.kind == kind && package.has(&part.target));
        let strings = match of_kind("sharedStrings") {
            Some(part) => Strings::read(&package, &part.target, limits)?,
            None => Strings::default(),
        };
        let styles = match of_kind("styles") {
            Some(part) => styles::read(&package, &part.target)?,
            None => Vec::new(),
        };
        let (sheets, is_1904) = sheets(&package, &main, &parts)?;
        let (strings, styles) = (Arc::new(strings), Arc::new(styles));
        Ok(Workbook { package, strings, styles, is_1904, sheets })
    }
}

struct Part {
    /// The last segment of the type: transitional and strict files differ before it.
    kind: String,
    target: String,
}

/// The parts that `of` (the package itself when empty) points to, by identifier.
fn relations(package: &Package, of: &str) -> Result<HashMap<String, Part>, Error> {
    let (folder, file) = of.rsplit_once('/').unwrap_or(("", of));
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let name = format!("{prefix}_rels/{file}.rels");
    let mut parts = HashMap::new();
    if !package.has(&name) {
        return Ok(parts);
    }
    let mut xml = Xml::open(package, &name)?;
    while let Some(event) = xml.next()? {
        let (Event::Start(tag) | Event::Empty(tag)) = event else { continue };
        let (Some(id), Some(kind), Some(target)) =
            (attribute(&tag, "Id"), attribute(&tag, "Type"), attribute(&tag, "Target"))
        else {
            continue;
        };
        let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
        parts.insert(id, Part { kind, target: resolve(&prefix, &target) });
    }
    Ok(parts)
}

fn resolve(prefix: &str, target: &str) -> String {
    let whole = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{prefix}{target}"),
    };
    let mut segments = Vec::new();
    for segment in whole.split('/') {
        match segment {
            "." | "" => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

fn sheets(
    package: &Package,
    main: &str,
    parts: &HashMap<String, Part>,
) -> Result<(Vec<Sheet>, bool), Error> {
    let mut xml = Xml::open(package, main)?;
    let mut sheets = Vec::new();
    let mut is_1904 = false;
    while let Some(event) = xml.next()? {
        let (Event::Start(tag) | Event::Empty(tag)) = event else { continue };
        match tag.local_name().as_ref() {
            "workbookPr" => {
                is_1904 = matches!(attribute(&tag, "date1904").as_deref(), Some("1" | "true"));
            }
            "sheet" => {
                let part = attribute(&tag, "id").and_then(|id| parts.get(&id));
                // Chart sheets have no cells.
                let Some(part) = part.filter(|part| part.kind == "worksheet") else { continue };
                let state = attribute(&tag, "state");
                sheets.push(Sheet {
                    name: attribute(&tag, "name").unwrap_or_default(),
                    is_visible: !matches!(state.as_deref(), Some("hidden" | "veryHidden")),
                    part: part.target.clone(),
                });
            }
            _ => {}
        }
    }
    Ok((sheets, is_1904))
}
