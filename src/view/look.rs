//! How things look on this terminal: theme, depth of colour, glyphs, time zone.

use jiff::tz::TimeZone;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// 24 bits.
    True,
    /// The 256 of xterm.
    Indexed,
    /// The terminal's own 16.
    Ansi,
    /// None: bold, underline and reverse only.
    None,
}

/// What the environment says of the terminal, as plain values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `CLICOLOR_FORCE` or `FORCE_COLOR` asks for colours.
    pub force_color: bool,
    /// `TERM`.
    pub term: String,
    /// `COLORTERM`.
    pub colorterm: String,
    /// The locale: `LC_ALL`, `LC_CTYPE` or `LANG`, the first that is set.
    pub locale: String,
}

/// What a piece of the screen is, as far as colour goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// What is read first.
    Text,
    /// What is read second: times, counts, units.
    Dim,
    /// Scaffolding: guides, axes, rules.
    Faint,
    /// Keys, focus, links.
    Accent,
    /// The brand and the open tab: text on the accent colour.
    Brand,
    /// The tab of the open screen.
    Tab,
    /// Slow.
    Slow,
    /// Failed.
    Error,
    /// On the critical path.
    Path,
    /// Open doors, all well.
    Good,
    /// Matches the search.
    Match,
    /// A key of an attribute.
    Key,
    /// In code: a keyword.
    Keyword,
    /// In code: a string.
    String,
    /// In code: a number or literal.
    Number,
    /// In code: a comment.
    Comment,
    /// In code: an operator.
    Operator,
    /// In code: a name.
    Name,
    /// In code: a parameter.
    Parameter,
}

/// How things look on this terminal.
#[derive(Clone, Debug)]
pub struct Look {
    theme: Theme,
    other: Theme,
    /// How many colours there are.
    pub colours: Colours,
    /// Only ASCII is drawn, for terminals and fonts without the rest.
    pub ascii: bool,
    /// Where times are told.
    pub zone: TimeZone,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Theme {
    background: Hex,
    text: Hex,
    dim: Hex,
    faint: Hex,
    accent: Hex,
    on_accent: Hex,
    tab: Hex,
    selection: Hex,
    slow: Hex,
    error: Hex,
    path: Hex,
    good: Hex,
    #[serde(rename = "match")]
    matching: Hex,
    keyword: Hex,
    string: Hex,
    number: Hex,
    comment: Hex,
    operator: Hex,
    name: Hex,
    parameter: Hex,
    key: Hex,
    services: Vec<Hex>,
}

/// A colour written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Hex(u8, u8, u8);

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] =
            number.ok_or_else(|| format!("{text:?} is not a colour such as #16181d"))?.to_be_bytes();
        Ok(Self(red, green, blue))
    }
}

const DARK: &str = include_str!("../../assets/themes/dark.toml");
const LIGHT: &str = include_str!("../../assets/themes/light.toml");
const SAFE: &str = include_str!("../../assets/themes/safe.toml");

impl Theme {
    #[expect(clippy::expect_used, reason = "the built-in themes are part of the program; a test reads each")]
    fn named(name: &str) -> Self {
        let text = match name {
            "light" => LIGHT,
            "safe" => SAFE,
            _ => DARK,
        };
        toml::from_str(text).expect("a built-in theme is well-formed")
    }
}

impl Look {
    /// The look for `theme` (`dark`, `light`, `safe`) on a terminal with this environment.
    #[must_use]
    pub fn detect(theme: &str, environment: &Environment, zone: TimeZone) -> Self {
        let locale = environment.locale.to_ascii_lowercase();
        // Without a locale, as in containers, UTF-8 is the better guess; `linux` is the console with its small font.
        let utf8 = locale.is_empty() || locale.contains("utf-8") || locale.contains("utf8") || locale.starts_with("c.");
        let ascii = !utf8 || matches!(environment.term.as_str(), "linux" | "dumb" | "vt100");
        Self::new(theme, colours(environment), ascii, zone)
    }

    /// A look with everything said.
    #[must_use]
    pub fn new(theme: &str, colours: Colours, ascii: bool, zone: TimeZone) -> Self {
        let other = if theme == "light" { "dark" } else { "light" };
        Self { theme: Theme::named(theme), other: Theme::named(other), colours, ascii, zone }
    }

    /// The same with light and dark changed over.
    #[must_use]
    pub fn flipped(&self) -> Self {
        let (theme, other) = (self.other.clone(), self.theme.clone());
        Self { theme, other, colours: self.colours, ascii: self.ascii, zone: self.zone.clone() }
    }

    /// `fancy` on terminals that can show it, `plain` elsewhere.
    #[must_use]
    pub fn glyph<'a>(&self, fancy: &'a str, plain: &'a str) -> &'a str {
        if self.ascii { plain } else { fancy }
    }

    /// The style of text that plays this role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        let theme = &self.theme;
        match role {
            Role::Brand => {
                self.on(Style::new().fg(self.colour(theme.on_accent, Color::Black)), theme.accent, Color::Blue)
            }
            Role::Tab => {
                let style = Style::new().fg(self.colour(theme.text, Color::Reset)).add_modifier(Modifier::BOLD);
                self.on(style, theme.tab, Color::Reset)
            }
            role => {
                let (hex, ansi, modifier) = self.plain(role);
                match self.colours {
                    Colours::None => Style::new().add_modifier(modifier),
                    Colours::Ansi => Style::new().fg(ansi).add_modifier(modifier & Modifier::DIM),
                    Colours::True | Colours::Indexed => Style::new().fg(self.colour(hex, ansi)),
                }
            }
        }
    }

    fn plain(&self, role: Role) -> (Hex, Color, Modifier) {
        let theme = &self.theme;
        let none = Modifier::empty();
        match role {
            Role::Text | Role::Brand | Role::Tab => (theme.text, Color::Reset, none),
            Role::Name => (theme.name, Color::Reset, none),
            Role::Operator => (theme.operator, Color::Reset, none),
            Role::Dim => (theme.dim, Color::Reset, Modifier::DIM),
            Role::Comment => (theme.comment, Color::Reset, Modifier::DIM),
            Role::Faint => (theme.faint, Color::DarkGray, Modifier::DIM),
            Role::Accent => (theme.accent, Color::Blue, Modifier::BOLD),
            Role::Key => (theme.key, Color::Blue, none),
            Role::Slow => (theme.slow, Color::Yellow, Modifier::BOLD),
            Role::Error => (theme.error, Color::Red, Modifier::BOLD),
            Role::Path => (theme.path, Color::LightYellow, none),
            Role::Good => (theme.good, Color::Green, none),
            Role::Match => (theme.matching, Color::Yellow, Modifier::UNDERLINED),
            Role::Keyword => (theme.keyword, Color::Red, Modifier::BOLD),
            Role::String => (theme.string, Color::Cyan, none),
            Role::Number => (theme.number, Color::Cyan, none),
            Role::Parameter => (theme.parameter, Color::Cyan, none),
        }
    }

    /// The style of the whole screen before anything is drawn on it: the theme's own background where it can be shown
    /// exactly, the terminal's elsewhere.
    #[must_use]
    pub fn base(&self) -> Style {
        match self.colours {
            Colours::True | Colours::Indexed => {
                let text = self.colour(self.theme.text, Color::Reset);
                Style::new().fg(text).bg(self.colour(self.theme.background, Color::Reset))
            }
            Colours::Ansi | Colours::None => Style::new(),
        }
    }

    /// What is laid over a selected row.
    #[must_use]
    pub fn selection(&self) -> Style {
        match self.colours {
            Colours::True | Colours::Indexed => Style::new().bg(self.colour(self.theme.selection, Color::Reset)),
            Colours::Ansi | Colours::None => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// Whether a selected row is drawn in reverse, because no background colour can be relied on.
    #[must_use]
    pub fn selects_by_reverse(&self) -> bool {
        matches!(self.colours, Colours::Ansi | Colours::None)
    }

    /// The colour of a service, the same wherever its name is the same.
    #[must_use]
    pub fn service(&self, name: &str) -> Color {
        const ANSI: [Color; 6] =
            [Color::Blue, Color::Magenta, Color::Green, Color::Cyan, Color::LightBlue, Color::LightMagenta];
        let hash = hash(name);
        let services = &self.theme.services;
        let pick = |length: usize| usize::try_from(hash % length.max(1) as u64).unwrap_or_default();
        let hex = services.get(pick(services.len())).copied().unwrap_or(self.theme.accent);
        self.colour(hex, ANSI[pick(ANSI.len())])
    }

    /// The colour that slow (or, with `failed`, failed) spans are drawn in.
    #[must_use]
    pub fn alarm(&self, failed: bool) -> Color {
        if failed { self.colour(self.theme.error, Color::Red) } else { self.colour(self.theme.slow, Color::Yellow) }
    }

    /// The darker shade of a colour, for the part of a bar that children cover; `None` where shades cannot be shown and
    /// glyphs must tell.
    #[must_use]
    pub fn shade(&self, colour: Color) -> Option<Color> {
        let background = self.theme.background;
        match (self.colours, colour) {
            (Colours::True, Color::Rgb(red, green, blue)) => {
                let Hex(red, green, blue) = mix(Hex(red, green, blue), background, 42);
                Some(Color::Rgb(red, green, blue))
            }
            (Colours::Indexed, Color::Indexed(index)) => {
                Some(Color::Indexed(nearest(mix(from_index(index), background, 42))))
            }
            _ => None,
        }
    }

    /// A colour that stands for a density of so many percent, of traces or of failed ones; `None` where shades cannot be shown.
    #[must_use]
    pub fn ramp(&self, failed: bool, percent: u16) -> Option<Color> {
        let theme = &self.theme;
        let full = if failed { theme.error } else { theme.slow };
        let mixed = mix(full, theme.background, percent.min(100));
        match self.colours {
            Colours::True => Some(Color::Rgb(mixed.0, mixed.1, mixed.2)),
            Colours::Indexed => Some(Color::Indexed(nearest(mixed))),
            Colours::Ansi | Colours::None => None,
        }
    }

    fn on(&self, style: Style, background: Hex, ansi: Color) -> Style {
        match self.colours {
            Colours::None => style.fg(Color::Reset).add_modifier(Modifier::REVERSED | Modifier::BOLD),
            Colours::Ansi if ansi == Color::Reset => style.add_modifier(Modifier::REVERSED),
            _ => style.bg(self.colour(background, ansi)).add_modifier(Modifier::BOLD),
        }
    }

    fn colour(&self, Hex(red, green, blue): Hex, ansi: Color) -> Color {
        match self.colours {
            Colours::True => Color::Rgb(red, green, blue),
            Colours::Indexed => Color::Indexed(nearest(Hex(red, green, blue))),
            Colours::Ansi => ansi,
            Colours::None => Color::Reset,
        }
    }
}

/// How many colours, by what the environment says: a wish for none wins, then a wish for some, then the terminal's own word.
fn colours(environment: &Environment) -> Colours {
    let Environment { no_color, force_color, term, colorterm, .. } = environment;
    if *no_color && !force_color {
        return Colours::None;
    }
    if matches!(colorterm.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
        return Colours::True;
    }
    if term.contains("256") {
        return Colours::Indexed;
    }
    if (term == "dumb" || term.is_empty()) && !force_color { Colours::None } else { Colours::Ansi }
}

/// FNV-1a: small, and the same on every machine, so that a service keeps its colour.
fn hash(name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    hash ^ (hash >> 29)
}

/// `percent` of `colour` and the rest of `other`.
fn mix(colour: Hex, other: Hex, percent: u16) -> Hex {
    let channel = |a: u8, b: u8| {
        let mixed = (u16::from(a) * percent + u16::from(b) * (100 - percent)) / 100;
        u8::try_from(mixed).unwrap_or(u8::MAX)
    };
    Hex(channel(colour.0, other.0), channel(colour.1, other.1), channel(colour.2, other.2))
}

const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The xterm colour (16 to 255) nearest to `hex`.
fn nearest(hex: Hex) -> u8 {
    let distance = |index: &u8| {
        let other = from_index(*index);
        let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        // Weights after the eye's sensitivity: green counts most.
        2 * square(hex.0, other.0) + 4 * square(hex.1, other.1) + 3 * square(hex.2, other.2)
    };
    (16..=255_u8).min_by_key(distance).unwrap_or(15)
}

fn from_index(index: u8) -> Hex {
    if index >= 232 {
        let grey = 8 + (index - 232) * 10;
        return Hex(grey, grey, grey);
    }
    let cube = usize::from(index.saturating_sub(16));
    Hex(LEVELS[cube / 36 % 6], LEVELS[cube / 6 % 6], LEVELS[cube % 6])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(Hex(red, green, blue): Hex) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue)
    }

    /// Contrast after WCAG 2.
    fn contrast(one: Hex, other: Hex) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn what_is_read_has_enough_contrast_in_every_theme() {
        for name in ["dark", "light", "safe"] {
            let theme = Theme::named(name);
            let read = [
                ("text", theme.text),
                ("dim", theme.dim),
                ("accent", theme.accent),
                ("slow", theme.slow),
                ("error", theme.error),
                ("good", theme.good),
                ("match", theme.matching),
                ("keyword", theme.keyword),
                ("string", theme.string),
                ("number", theme.number),
                ("comment", theme.comment),
                ("key", theme.key),
                ("operator", theme.operator),
                ("name", theme.name),
                ("parameter", theme.parameter),
            ];
            for (role, colour) in read {
                assert!(contrast(colour, theme.background) >= 4.5, "{name}: {role} on background");
            }
            assert!(contrast(theme.text, theme.selection) >= 4.5, "{name}: text on selection");
            assert!(contrast(theme.slow, theme.selection) >= 4.5, "{name}: slow on selection");
            assert!(contrast(theme.on_accent, theme.accent) >= 4.5, "{name}: brand");
        }
    }

    #[test]
    fn a_wish_for_no_colours_wins_unless_they_are_forced() {
        let rich =
            Environment { term: "xterm-256color".into(), colorterm: "truecolor".into(), ..Environment::default() };
        let colours_of = |environment: Environment| colours(&environment);
        assert_eq!(colours_of(rich.clone()), Colours::True);
        assert_eq!(colours_of(Environment { no_color: true, ..rich.clone() }), Colours::None);
        assert_eq!(colours_of(Environment { no_color: true, force_color: true, ..rich.clone() }), Colours::True);
        assert_eq!(colours_of(Environment { colorterm: String::new(), ..rich.clone() }), Colours::Indexed);
        assert_eq!(colours_of(Environment { term: "xterm".into(), colorterm: String::new(), ..rich }), Colours::Ansi);
        assert_eq!(colours_of(Environment { term: "dumb".into(), ..Environment::default() }), Colours::None);
    }

    #[test]
    fn a_service_has_one_colour_and_services_differ() {
        let look = Look::new("dark", Colours::True, false, TimeZone::UTC);
        assert_eq!(look.service("pay"), look.service("pay"));
        let names = ["hmis-backend", "insurance", "recipe-web", "task-manager", "event-observer", "recipe-api"];
        let mut colours: Vec<_> = names.iter().map(|name| format!("{:?}", look.service(name))).collect();
        colours.sort();
        colours.dedup();
        assert!(colours.len() >= 4, "{colours:?}");
    }
}
