// SPDX-License-Identifier: EUPL-1.2
//! Times `inspect` and a full pass of `rows`: `cargo run --release -p tabular --example measure FILE`.

use std::path::Path;
use std::time::Instant;

use tabular::{Limits, Options, Row};

fn main() -> Result<(), tabular::Error> {
    for name in std::env::args().skip(1) {
        let path = Path::new(&name);
        let start = Instant::now();
        let found = tabular::inspect(
            path,
            &name,
            &Options::default(),
            &Limits::command_line(),
            &mut |_| true,
        )?;
        let inspected = start.elapsed();
        let start = Instant::now();
        let mut rows = tabular::rows(path, &found.layout())?;
        let mut row = Row::new();
        let (mut lines, mut bytes) = (0_u64, 0);
        while rows.next(&mut row)? {
            lines += 1;
            bytes += row.cells().map(|cell| cell.text.len()).sum::<usize>();
        }
        println!(
            "{name}: {} columns, {lines} lines, {bytes} bytes; inspect {inspected:?}, rows {:?}",
            found.header.len(),
            start.elapsed()
        );
    }
    Ok(())
}
