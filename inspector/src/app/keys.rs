//! Where a key press goes: to the popup, the prompt or the filter line that is open, else to the keymap.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::backend::crossterm::EventHandler;

use super::popup::{Popup, Prompt, Question};
use super::{App, Effect, Notice, commands, keymap};

pub(super) fn press(app: &mut App, event: KeyEvent, effects: &mut Vec<Effect>) {
    if event.kind == KeyEventKind::Release {
        return;
    }
    if event.modifiers.contains(KeyModifiers::CONTROL) {
        // These three mean the same wherever one is, also while typing.
        match event.code {
            KeyCode::Char('c') => return effects.push(Effect::Quit),
            KeyCode::Char('z') => return effects.push(Effect::Suspend),
            KeyCode::Char('l') => return effects.push(Effect::Redraw),
            _ => {}
        }
    }
    if app.popup.is_some() {
        return in_popup(app, event, effects);
    }
    if app.prompt.is_some() {
        return in_prompt(app, event, effects);
    }
    if app.filter().editing && app.pages.is_empty() {
        // The list can be walked while the filter is being typed.
        if matches!(event.code, KeyCode::Up | KeyCode::Down) {
            let place = app.place();
            if let Some(command) = keymap::command(place, event) {
                commands::run(app, command, effects);
            }
        } else if app.filter_mut().key(event) {
            commands::refiltered(app);
        }
        return;
    }
    if let Some(command) = keymap::command(app.place(), event) {
        commands::run(app, command, effects);
    }
}

pub(super) fn paste(app: &mut App, text: &str) {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    app.dirty = true;
    if let Some(prompt) = &mut app.prompt {
        for c in clean.chars() {
            prompt.input.handle(tui_input::InputRequest::InsertChar(c));
        }
    } else if app.filter().editing && app.filter_mut().paste(&clean) {
        commands::refiltered(app);
    }
}

fn in_popup(app: &mut App, event: KeyEvent, effects: &mut Vec<Effect>) {
    let yes = matches!(event.code, KeyCode::Enter | KeyCode::Char('y'));
    let no = matches!(event.code, KeyCode::Esc | KeyCode::Char('n' | 'q'));
    match app.popup.take() {
        Some(Popup::Help { mut query, mut top }) => {
            let empty = query.value().is_empty();
            match event.code {
                KeyCode::Esc if !empty => {
                    query.reset();
                    top = 0;
                }
                KeyCode::Esc | KeyCode::Enter => return,
                KeyCode::Char('?' | 'q') if empty => return,
                KeyCode::Down => top = top.saturating_add(1),
                KeyCode::Up => top = top.saturating_sub(1),
                KeyCode::PageDown => top = top.saturating_add(10),
                KeyCode::PageUp => top = top.saturating_sub(10),
                _ => {
                    query.handle_event(&Event::Key(event));
                    top = 0;
                }
            }
            let lines = super::geometry::help_overflow(app, query.value());
            app.popup = Some(Popup::Help {
                query,
                top: top.min(lines),
            });
        }
        // Only `y`: Enter is pressed too easily for what cannot be undone.
        Some(Popup::Abort { id, .. }) if event.code == KeyCode::Char('y') => {
            effects.push(Effect::Abort(id));
            app.say(Notice::good(format!(
                "asked the runtime to abort task {id}"
            )));
        }
        Some(Popup::Successor(_)) if yes => effects.push(Effect::Switch(true)),
        Some(Popup::Successor(_)) if no => {
            if let super::Link::Lost(lost) = &mut app.link {
                lost.given_up = true;
                lost.retry = None;
            }
            effects.push(Effect::Switch(false));
        }
        Some(Popup::Abort { .. }) if no => {}
        other => app.popup = other,
    }
}

fn in_prompt(app: &mut App, event: KeyEvent, effects: &mut Vec<Effect>) {
    let Some(mut prompt) = app.prompt.take() else {
        return;
    };
    match event.code {
        KeyCode::Esc => {}
        KeyCode::Enter => {
            if let Err(error) = answered(app, &prompt, effects) {
                prompt.error = Some(error);
                app.prompt = Some(prompt);
            }
        }
        _ => {
            prompt.input.handle_event(&Event::Key(event));
            prompt.error = None;
            app.prompt = Some(prompt);
        }
    }
}

fn answered(app: &mut App, prompt: &Prompt, effects: &mut Vec<Effect>) -> Result<(), String> {
    let text = prompt.input.value().trim();
    if text.is_empty() {
        return Ok(());
    }
    match prompt.question {
        Question::TaskId => {
            let id = text.parse().map_err(|error: std::num::ParseIntError| {
                format!("`{text}` is no task id: {error}")
            })?;
            app.tasks.select(id);
            commands::open_task(app, id, effects);
        }
        Question::Address => commands::attach(app, text.to_owned(), effects),
    }
    Ok(())
}
