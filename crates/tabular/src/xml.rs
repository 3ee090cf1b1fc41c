// SPDX-License-Identifier: EUPL-1.2
//! Pull reading of the XML parts of a workbook.
//! Names are compared without their prefix. A document type is refused, so that there is no entity
//! but the predefined ones; a single token larger than any honest one is refused too.

use std::io::{self, BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
pub(crate) use quick_xml::events::{BytesStart, Event};

use crate::Error;
use crate::package::{EntryReader, Excess, Package};

/// Bytes of one tag or one text.
const MAX_TOKEN: usize = 16 << 20;

pub(crate) struct Xml {
    reader: Reader<Guard>,
    buffer: Vec<u8>,
}

impl Xml {
    pub fn open(package: &Package, name: &str) -> Result<Self, Error> {
        let content = BufReader::with_capacity(1 << 16, package.read(name)?);
        let mut reader = Reader::from_reader(Guard { content, token: 0 });
        reader.config_mut().check_end_names = false;
        Ok(Xml { reader, buffer: Vec::new() })
    }

    /// The next event; `None` at the end of the document.
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Error> {
        self.buffer.clear();
        self.reader.get_mut().token = 0;
        match self.reader.read_event_into(&mut self.buffer).map_err(refusal)? {
            Event::Eof => Ok(None),
            Event::DocType(_) => Err(Error::damaged("document type in a workbook")),
            event => Ok(Some(event)),
        }
    }
}

fn refusal(error: quick_xml::Error) -> Error {
    match &error {
        quick_xml::Error::Io(io) if io.get_ref().is_some_and(|cause| cause.is::<Excess>()) => {
            Error::Bomb
        }
        _ => Error::damaged(error),
    }
}

/// The attribute of this name, whatever its prefix.
pub(crate) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut found = None;
    each_attribute(tag, |key, value| {
        if key == name {
            found = Some(value.to_owned());
        }
    });
    found
}

/// Calls with every attribute: its name without prefix, its value unescaped.
pub(crate) fn each_attribute(tag: &BytesStart<'_>, mut call: impl FnMut(&str, &str)) {
    for attribute in tag.attributes().with_checks(false).flatten() {
        let name = attribute.key.local_name();
        if !attribute.value.contains(['&', '\t', '\r', '\n']) {
            call(name.as_ref(), &attribute.value);
        } else if let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) {
            call(name.as_ref(), &value);
        }
    }
}

/// Appends what a text, a CDATA section or a reference stands for; other events stand for nothing.
pub(crate) fn push_text(event: &Event<'_>, mut push: impl FnMut(&str)) -> Result<(), Error> {
    match event {
        Event::Text(text) => push(&text.xml10_content()),
        Event::CData(text) => push(&text.xml10_content()),
        Event::GeneralRef(name) => match name.resolve_char_ref().map_err(Error::damaged)? {
            Some(c) => push(c.encode_utf8(&mut [0; 4])),
            None => push(
                resolve_xml_entity(name)
                    .ok_or_else(|| Error::damaged(format!("entity {}", &**name)))?,
            ),
        },
        _ => {}
    }
    Ok(())
}

/// Counts the bytes of the token being read.
struct Guard {
    content: BufReader<EntryReader>,
    token: usize,
}

impl Read for Guard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer)
    }
}

impl BufRead for Guard {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token > MAX_TOKEN {
            return Err(io::Error::other(Excess));
        }
        self.content.fill_buf()
    }

    fn consume(&mut self, length: usize) {
        self.token += length;
        self.content.consume(length);
    }
}
