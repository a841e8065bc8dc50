//! Events of the terminal library → inputs of the app.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::app::{Button, Input, Key, KeyPress, Mouse, MouseKind};

/// What a terminal event means to the app; `None` where it means nothing (key releases, focus changes).
#[must_use]
pub fn translate(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => translate_key(key).map(Input::Key),
        Event::Mouse(mouse) => translate_mouse(mouse).map(Input::Mouse),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(columns, rows) => Some(Input::Resize(columns, rows)),
        _ => None,
    }
}

fn translate_key(event: KeyEvent) -> Option<KeyPress> {
    let held = |modifier| event.modifiers.contains(modifier);
    let mut shift = held(KeyModifiers::SHIFT);
    let key = match event.code {
        KeyCode::Char(letter) => {
            shift = false;
            Key::Char(letter)
        }
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => {
            shift = true;
            Key::Tab
        }
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::F(number) => Key::Function(number),
        _ => return None,
    };
    Some(KeyPress { key, ctrl: held(KeyModifiers::CONTROL), alt: held(KeyModifiers::ALT), shift })
}

fn translate_mouse(event: MouseEvent) -> Option<Mouse> {
    let kind = match event.kind {
        MouseEventKind::Down(button) => MouseKind::Down(translate_button(button)),
        MouseEventKind::Up(button) => MouseKind::Up(translate_button(button)),
        MouseEventKind::Drag(button) => MouseKind::Drag(translate_button(button)),
        MouseEventKind::ScrollUp => MouseKind::WheelUp,
        MouseEventKind::ScrollDown => MouseKind::WheelDown,
        _ => return None,
    };
    Some(Mouse { column: event.column, row: event.row, kind })
}

fn translate_button(button: MouseButton) -> Button {
    match button {
        MouseButton::Left => Button::Left,
        MouseButton::Middle => Button::Middle,
        MouseButton::Right => Button::Right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_belongs_to_a_character_and_is_told_for_other_keys() {
        let char = translate(Event::Key(KeyEvent::new(KeyCode::Char('E'), KeyModifiers::SHIFT)));
        let key = KeyPress { key: Key::Char('E'), ctrl: false, alt: false, shift: false };
        assert_eq!(char, Some(Input::Key(key)));
        let tab = translate(Event::Key(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)));
        let key = KeyPress { key: Key::Tab, ctrl: false, alt: false, shift: true };
        assert_eq!(tab, Some(Input::Key(key)));
    }

    #[test]
    fn a_released_key_means_nothing() {
        let mut event = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(translate(Event::Key(event)), None);
    }
}
