//! Sparklines: one column per value, eight steps high.

use ratatui::style::Style;

use super::pen::Pen;

const LOWER: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The block for `value` where `most` is the highest; nothing for nothing, at least the lowest for anything.
pub(super) fn block(value: u64, most: u64) -> &'static str {
    if value == 0 || most == 0 {
        return "";
    }
    let step = (u128::from(value) * 8).div_ceil(u128::from(most)).clamp(1, 8) - 1;
    usize::try_from(step).ok().and_then(|step| LOWER.get(step)).copied().unwrap_or("█")
}

impl Pen<'_> {
    /// Draws the latest values that fit, the newest at the right end. Where there is nothing a base line is drawn.
    pub(super) fn spark(&mut self, (x, y): (u16, u16), columns: u16, values: &[u64], (style, base): (Style, Style)) {
        let skip = values.len().saturating_sub(usize::from(columns));
        let values = values.get(skip..).unwrap_or_default();
        let most = values.iter().copied().max().unwrap_or(0);
        let first = x + columns.saturating_sub(super::pen::cells(values.len()));
        for column in x..first {
            self.put((column, y), "▁", 1, base);
        }
        self.spark_of((first, y), values, most, (style, base));
    }

    /// Draws values one beside the other, where `most` fills a cell.
    pub(super) fn spark_of(&mut self, (x, y): (u16, u16), values: &[u64], most: u64, (style, base): (Style, Style)) {
        for (column, value) in (x..).zip(values) {
            let block = block(*value, most);
            if block.is_empty() {
                self.put((column, y), "▁", 1, base);
            } else {
                self.put((column, y), block, 1, style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_is_seen_and_the_highest_fills_the_cell() {
        let shown =
            [(0, 10), (1, 1000), (5, 10), (10, 10), (u64::MAX, u64::MAX)].map(|(value, most)| block(value, most));
        assert_eq!(shown, ["", "▁", "▄", "█", "█"]);
    }
}
