//! The table that the demo prints: one line a call, columns as wide as they need to be.

use std::io::{self, Write};

/// Writes `rows` under `head`, columns padded to their widest cell, two blanks between them.
///
/// # Errors
/// The output can't be written.
pub fn write<const N: usize>(out: &mut impl Write, head: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    write_line(out, head.iter().copied(), widths)?;
    write_line(out, widths.map(|width| "-".repeat(width)).iter().map(String::as_str), widths)?;
    rows.iter().try_for_each(|row| write_line(out, row.iter().map(String::as_str), widths))
}

fn write_line<'a, const N: usize>(
    out: &mut impl Write,
    cells: impl Iterator<Item = &'a str>,
    widths: [usize; N],
) -> io::Result<()> {
    let padded: Vec<_> = cells.zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
    writeln!(out, "  {}", padded.join("  ").trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut out = Vec::new();
        write(&mut out, ["tool", "outcome"], &[["get_run".into(), "allow ✓".into()]]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "  tool     outcome\n  -------  -------\n  get_run  allow ✓\n");
    }
}
