// SPDX-License-Identifier: EUPL-1.2
//! An ODS document but its cells: encryption, sheets and which are hidden.

use std::collections::HashSet;
use std::path::Path;

use crate::ods::OdsSheet;
use crate::package::Package;
use crate::xml::{Event, Xml, attribute};
use crate::{Error, Limits};

const CONTENT: &str = "content.xml";

pub(crate) struct Document {
    package: Package,
    pub sheets: Vec<Named>,
}

pub(crate) struct Named {
    pub name: String,
    pub is_visible: bool,
}

impl Document {
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, Error> {
        let package = Package::open(path, limits)?;
        let manifest = "META-INF/manifest.xml";
        if package.has("encrypted-package")
            || (package.has(manifest)
                && package.head(manifest, 1 << 20)?.contains("encryption-data"))
        {
            return Err(Error::Encrypted);
        }
        let sheets = sheets(&package)?;
        Ok(Document { package, sheets })
    }

    pub fn sheet(&self, name: &str, limits: &Limits) -> Result<OdsSheet, Error> {
        let mut xml = Xml::open(&self.package, CONTENT)?;
        while let Some(event) = xml.next()? {
            let ended = matches!(event, Event::Empty(_));
            if let Event::Start(tag) | Event::Empty(tag) = event
                && tag.local_name().as_ref() == "table"
                && attribute(&tag, "name").as_deref() == Some(name)
            {
                return Ok(OdsSheet::new(xml, ended, limits));
            }
        }
        Err(Error::NoSheet { name: name.to_owned() })
    }
}

/// Every table, hidden when its style says so.
fn sheets(package: &Package) -> Result<Vec<Named>, Error> {
    let mut xml = Xml::open(package, CONTENT)?;
    let mut sheets = Vec::new();
    let mut hidden = HashSet::new();
    let mut style = String::new();
    let mut depth = 0;
    while let Some(event) = xml.next()? {
        let is_empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "style" => style = attribute(&tag, "name").unwrap_or_default(),
                "table-properties" if attribute(&tag, "display").as_deref() == Some("false") => {
                    hidden.insert(style.clone());
                }
                "table" => {
                    let style = attribute(&tag, "style-name").unwrap_or_default();
                    // Deeper, it is a table inside a cell.
                    if depth == 0 {
                        sheets.push(Named {
                            name: attribute(&tag, "name").unwrap_or_default(),
                            is_visible: !hidden.contains(&style),
                        });
                    }
                    depth += i32::from(!is_empty);
                }
                _ => {}
            },
            Event::End(tag) if tag.local_name().as_ref() == "table" => depth -= 1,
            _ => {}
        }
    }
    Ok(sheets)
}
