//! The program with its screen: one loop, which owns the state.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use crossterm::event::EventStream;
use futures_util::StreamExt as _;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::following::{self, Following};
use super::indexer::Gate;
use super::recipes::recipes;
use super::signals::Signals;
use super::summary::Summary;
use super::wiring::{self, Wiring};
use super::{ask, browser, clock, health, jobs::Jobs, log, looks, saving, shelf::Shelf};
use crate::analysis::Thresholds;
use crate::app::{self, Answer, Effect, Input, Keymap, LibraryChange, Mouse, MouseKind, State, Target};
use crate::config::{self, Settings};
use crate::index::Reader;
use crate::model::{Nanos, SourceId, Standing, Timestamp};
use crate::source::demo::{self, Player};
use crate::source::files::{Fault, Files};
use crate::source::{self, Board, Feed, Source as _};
use crate::terminal::{self, Guard, Screen};
use crate::view::{self, Look};

/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// How long a frame waits for the selected span to be read, which seldom takes longer: otherwise its pane would go empty for the
/// time of a frame at each row, and all of it be sent twice.
const GRACE: Duration = Duration::from_millis(8);
/// How often the list and what is open are brought up to date while spans arrive.
const CATCH_UP: Duration = Duration::from_millis(200);
/// How often ages, rates and notices are brought up to date.
const SECOND: Duration = Duration::from_secs(1);
/// Two clicks within this time are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

/// A demo to be played from the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demo {
    /// Requests a second.
    pub(super) rate: f64,
    /// What is played.
    pub(super) seed: u64,
}

/// Files to be shown.
#[derive(Clone, Debug)]
pub(super) struct Filed {
    /// Which; `-` is standard input.
    pub(super) paths: Vec<PathBuf>,
    /// Read on as they grow.
    pub(super) follow: bool,
    /// Open the doors too.
    pub(super) listen: bool,
}

/// How the screen is started.
#[derive(Clone, Debug, Default)]
pub(super) struct Start {
    /// With it the doors are on free ports and the demo's traffic plays.
    pub(super) demo: Option<Demo>,
    /// With them no door is opened, unless that was asked for.
    pub(super) files: Option<Filed>,
    /// Where to write at the end what arrived.
    pub(super) summary: Option<PathBuf>,
}

/// Shows the screen until the person quits.
pub(super) fn show(settings: &Settings, start: &Start, gate: Gate) -> Result<ExitCode> {
    let piped = start.files.as_ref().is_some_and(|files| files.paths.iter().any(|path| path.as_os_str() == "-"));
    if !std::io::stdout().is_terminal() || (!piped && !std::io::stdin().is_terminal()) {
        anyhow::bail!("there is no terminal here to show anything on; `tracefall listen` receives without one");
    }
    if piped && std::io::stdin().is_terminal() {
        anyhow::bail!("nothing is piped into standard input, which `-` stands for");
    }
    // Whatever is wrong with their names is said before the screen is taken.
    let files = start.files.as_ref().map(|files| {
        let heard = Arc::new(|fault: &Fault| tracing::warn!(%fault, "a part of a file was left out"));
        let opened = Files::open(&files.paths, wiring::file_limits(settings), heard)?;
        anyhow::Ok(opened.followed(files.follow))
    });
    let files = files.transpose()?;
    let keymap = wiring::keymap(settings)?;
    let mut app_settings = app_settings(settings, keymap.clone())?;
    app_settings.filed = start.files.is_some();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    terminal::install_panic_hook(log::start(), source::is_contained);
    let demo = start.demo;
    let shut = start.files.as_ref().is_some_and(|files| !files.listen);
    let none = Settings { grpc: Vec::new(), http: Vec::new(), zipkin: Vec::new(), ..settings.clone() };
    let doors = if shut { &none } else { settings };
    let code = runtime.block_on(async {
        let wiring = wiring::wire(doors, demo.is_some(), gate)?;
        app_settings.warning = wiring::exposure(&wiring.board);
        // Where nothing listens nothing can be sent.
        app_settings.recipes = if shut { Vec::new() } else { recipes(&wiring.board.sources(clock::now())) };
        let _asked = ask::open(&wiring.indexer.reader, app_settings.thresholds)
            .inspect_err(|error| tracing::warn!(%error, "this one cannot be asked by `tracefall query`"));
        let feed = wiring.feed.clone();
        let reading = files.map(|files| AbortOnDrop(tokio::spawn(read(files, feed))));
        let following = Following::start(settings, &wiring.feed)?;
        let guard = Guard::enter().context("the terminal does not obey")?;
        let mut session = Session::new(settings, app_settings, keymap, (wiring, following))?;
        if let Some(demo) = demo {
            session.demo = demo;
            session.carry_out(Effect::Demo(true));
        }
        let code = session.run().await;
        // What was to be saved is saved.
        session.answers.close();
        while session.saving.join_next().await.is_some() {}
        // With them go their ends of the feed, which the indexer waits for.
        drop(reading);
        session.following = None;
        drop(guard);
        session.close_shelf();
        if let Some(file) = &start.summary {
            session.end(file, &wiring::thresholds(settings)?).await?;
        }
        code
    });
    // Standard input that nobody writes to may be waited for by a thread that nothing can wake.
    runtime.shutdown_background();
    code
}

/// A task that ends with its owner.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What is wrong with a file stands on the board.
async fn read(files: Files, feed: Feed) {
    if let Err(error) = files.run(feed).await {
        tracing::warn!(%error, "a file was not read");
    }
}

fn app_settings(settings: &Settings, keymap: Keymap) -> Result<app::Settings> {
    Ok(app::Settings {
        thresholds: wiring::thresholds(settings)?,
        redactor: wiring::redactor(settings)?,
        arriving: Nanos::from_secs(1),
        warning: None,
        recipes: Vec::new(),
        filed: false,
        profiles: settings.profiles.iter().map(following::profile).collect(),
        keymap,
    })
}

/// The loop's belongings.
struct Session {
    state: State,
    keymap: Keymap,
    look: Look,
    screen: Screen,
    size: (u16, u16),
    jobs: Jobs,
    /// Earlier and saved filters in their file.
    shelf: Option<Shelf>,
    answers: mpsc::Receiver<Answer>,
    sender: mpsc::Sender<Answer>,
    /// What is being saved.
    saving: JoinSet<()>,
    reader: Reader,
    receiving: JoinHandle<()>,
    /// Ends once everything that was let in is in the index.
    indexing: std::thread::JoinHandle<()>,
    published: watch::Receiver<u64>,
    keep: Arc<std::sync::Mutex<Option<Vec<crate::model::TraceId>>>>,
    board: Arc<Board>,
    budget: u64,
    started: Timestamp,
    /// The servers that are asked for what is looked for.
    following: Option<Following>,
    demo: Demo,
    playing: Option<JoinHandle<()>>,
    /// What the demo is on the board, once it has played.
    demo_source: Option<SourceId>,
    last_click: Option<(Instant, u16, u16)>,
    /// Since when what is on screen is out of date, where it is.
    dirty: Option<Instant>,
}

/// What woke the loop.
enum Event {
    Input(Input),
    Answer(Answer),
    Published,
    CatchUp,
    Second,
    Frame,
    Signal(u8),
}

impl Session {
    fn new(
        settings: &Settings,
        app_settings: app::Settings,
        keymap: Keymap,
        running: (Wiring, Following),
    ) -> Result<Self> {
        let (Wiring { indexer, receiver, feed, board }, following) = running;
        let receiving = tokio::spawn(async move {
            if let Err(error) = receiver.run(feed).await {
                tracing::error!(%error, "the receiver ended");
            }
        });
        let (sender, answers) = mpsc::channel(64);
        let screen = Screen::open(looks::scrolls())?;
        let jobs = Jobs::start(&indexer.reader, wiring::thresholds(settings)?, &sender)?;
        let mut session = Self {
            state: State::new(app_settings),
            keymap,
            look: looks::look(&settings.theme),
            size: screen.size()?,
            screen,
            jobs,
            shelf: Some(Shelf::start(config::filters_file(), &sender)?),
            answers,
            sender,
            saving: JoinSet::new(),
            reader: indexer.reader,
            receiving,
            indexing: indexer.thread,
            published: indexer.published,
            keep: indexer.keep,
            board,
            budget: settings.memory,
            started: clock::now(),
            following: Some(following),
            demo: Demo { rate: 4.0, seed: 42 },
            playing: None,
            demo_source: None,
            last_click: None,
            dirty: Some(now()),
        };
        session.second();
        session.carry_out(Effect::Library(LibraryChange::Read));
        Ok(session)
    }

    /// Lets nothing more in, waits until what was let in is in the index, and writes what there was in all.
    async fn end(self, file: &Path, thresholds: &Thresholds) -> Result<()> {
        self.receiving.abort();
        let _ = self.receiving.await;
        tokio::task::spawn_blocking(move || self.indexing.join()).await.ok();
        let summary = Summary::of(&self.reader.view(), &self.board.sources(clock::now()), thresholds);
        summary.write(file).with_context(|| format!("cannot write the summary to {}", file.display()))
    }

    /// What was asked to be kept is on the disk before the program ends.
    fn close_shelf(&mut self) {
        self.answers.close();
        if let Some(shelf) = self.shelf.take() {
            shelf.finish();
        }
    }

    async fn run(&mut self) -> Result<ExitCode> {
        let mut events = EventStream::new();
        let mut signals = Signals::new()?;
        let mut catch_up = interval(CATCH_UP);
        let mut second = interval(SECOND);
        let mut drawn: Option<Instant> = None;
        let mut behind = true;
        while !self.state.quitting {
            let due = self.due(drawn);
            let event = tokio::select! {
                biased;
                code = signals.next() => Event::Signal(code),
                event = events.next() => match event {
                    Some(Ok(event)) => match terminal::translate(event) {
                        Some(input) => Event::Input(input),
                        None => continue,
                    },
                    // The terminal is gone.
                    Some(Err(_)) | None => Event::Signal(129),
                },
                // Before answers: where they come without a pause, a frame that is due would wait for the last of them.
                () = pause(due), if self.dirty.is_some() => Event::Frame,
                Some(answer) = self.answers.recv() => Event::Answer(answer),
                _ = second.tick() => Event::Second,
                _ = catch_up.tick(), if behind => Event::CatchUp,
                Ok(()) = self.published.changed(), if !behind => Event::Published,
            };
            match event {
                Event::Input(input) => self.input(&input),
                Event::Answer(answer) => self.answer(answer),
                Event::Published => behind = true,
                Event::CatchUp => behind = self.catch_up(),
                Event::Second => self.second(),
                Event::Frame => {
                    self.draw()?;
                    drawn = Some(now());
                }
                Event::Signal(code) => return Ok(ExitCode::from(code)),
            }
            if let Some(following) = &self.following {
                following.look_for(&self.state);
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// In how long the next frame is to be drawn, after one that was drawn at `drawn`.
    fn due(&self, drawn: Option<Instant>) -> Duration {
        let apart = drawn.map_or(Duration::ZERO, |drawn| FRAME.saturating_sub(drawn.elapsed()));
        let waited = self.dirty.filter(|_| self.state.awaits_detail());
        apart.max(waited.map_or(Duration::ZERO, |since| GRACE.saturating_sub(since.elapsed())))
    }

    fn input(&mut self, input: &Input) {
        self.measure();
        let effects = match input {
            Input::Resize(columns, rows) => {
                self.size = (*columns, *rows);
                // Also where the size is the same again: the terminal may have cut off what it showed in between.
                self.screen.forget();
                self.measure();
                app::input(&mut self.state, &self.keymap, input)
            }
            Input::Mouse(mouse) => {
                let target = view::hit(&self.state, self.size, (mouse.column, mouse.row));
                let twice = self.is_double_click(*mouse, &target);
                app::click(&mut self.state, *mouse, &target, twice)
            }
            Input::Key(_) | Input::Paste(_) => app::input(&mut self.state, &self.keymap, input),
        };
        self.carry_out_all(effects);
    }

    fn is_double_click(&mut self, mouse: Mouse, target: &Target) -> bool {
        if !matches!(mouse.kind, MouseKind::Down(_)) || *target == Target::Nothing {
            return false;
        }
        let at = (now(), mouse.column, mouse.row);
        let last = self.last_click.replace(at);
        let twice = last.is_some_and(|(when, column, row)| {
            when.elapsed() < DOUBLE_CLICK && column == mouse.column && row == mouse.row
        });
        if twice {
            self.last_click = None;
        }
        twice
    }

    fn answer(&mut self, answer: Answer) {
        self.measure();
        let effects = app::answer(&mut self.state, answer);
        self.carry_out_all(effects);
    }

    /// Brings list and open trace up to date with the index. Answers whether there may be more to do soon.
    fn catch_up(&mut self) -> bool {
        self.measure();
        let changed = self.published.has_changed().unwrap_or(false);
        self.published.borrow_and_update();
        let now = clock::now();
        self.state.now = now;
        let effects = app::tick(&mut self.state, &self.reader.view(), now);
        let busy = changed || !effects.is_empty();
        if busy {
            self.carry_out_all(effects);
        }
        busy
    }

    fn second(&mut self) {
        let now = clock::now();
        self.state.now = now;
        let view = self.reader.view();
        let health = health::health(&self.board, &view, self.budget, self.started, now);
        self.answer(Answer::Health(Arc::new(health)));
        let effects = app::tick(&mut self.state, &view, now);
        self.carry_out_all(effects);
    }

    fn measure(&mut self) {
        self.state.viewport = view::viewport(&self.state, self.size);
    }

    fn draw(&mut self) -> Result<()> {
        self.dirty = None;
        self.state.now = clock::now();
        self.measure();
        if app::refresh(&mut self.state, &self.reader.view()) {
            self.dirty = Some(now());
        }
        let (state, look) = (&self.state, &self.look);
        self.screen.draw(|area, buffer| view::draw(state, look, area, buffer)).context("the terminal is gone")
    }

    fn carry_out_all(&mut self, effects: Vec<Effect>) {
        self.dirty.get_or_insert_with(now);
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Quit => self.state.quitting = true,
            Effect::Keep(traces) => {
                *self.keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(traces);
            }
            Effect::Browse(link) => {
                browser::show(&link);
                self.carry_out(Effect::Copy { what: link.clone(), text: link });
            }
            Effect::Copy { what, text } => {
                let result = terminal::osc52(&text).map(|()| what).map_err(|error| error.to_string());
                self.answer(Answer::Copied(result));
            }
            Effect::Demo(play) => {
                let result = self.play(play);
                self.answer(Answer::Demo(result));
            }
            Effect::PauseSource(source, paused) => {
                self.board.pause(source, paused);
                self.second();
            }
            Effect::RetrySource(source) => self.board.retry(source),
            Effect::StopSearch(source) => self.board.stop_search(source),
            Effect::SearchOn(source) => self.board.search_on(source),
            Effect::Connect(name) => self.serve(&name, true),
            Effect::Disconnect(name) => self.serve(&name, false),
            Effect::Save(request) => self.save(request),
            Effect::Library(change) => self.shelf.iter().for_each(|shelf| shelf.push(change.clone())),
            work => self.jobs.push(work),
        }
    }

    fn serve(&mut self, name: &str, wanted: bool) {
        let Some(following) = &mut self.following else { return };
        let served = if wanted { following.connect(name) } else { following.disconnect(name) };
        self.answer(Answer::Served(served.map_err(|error| format!("{error:#}"))));
        self.second();
    }

    fn save(&mut self, request: app::SaveRequest) {
        let (reader, answers) = (self.reader.clone(), self.sender.clone());
        self.saving.spawn_blocking(move || {
            let saved = saving::save(&reader, &request);
            // Nobody listens any more at the end only.
            let _ = answers.blocking_send(Answer::Saved(saved));
        });
    }

    fn play(&mut self, play: bool) -> Result<bool, String> {
        self.playing.take().iter().for_each(JoinHandle::abort);
        if !play {
            if let Some(source) = self.demo_source {
                self.board.set_standing(source, Standing::Ended, clock::now());
            }
            return Ok(false);
        }
        let endpoints = demo::Endpoints::of(&self.board.sources(clock::now()))
            .ok_or_else(|| "no door is open to play the demo through".to_owned())?;
        let source = *self.demo_source.get_or_insert_with(|| self.board.register("demo", Vec::new()));
        self.board.set_standing(source, Standing::Ok, clock::now());
        let player = Player::new(endpoints, self.demo.rate, self.demo.seed, clock::clock());
        let player = player.of_source(&self.board, source);
        self.playing = Some(tokio::spawn(player.run()));
        Ok(true)
    }
}

#[expect(clippy::disallowed_methods, reason = "run is the room that reads clocks")]
fn now() -> Instant {
    Instant::now()
}

/// Over at once where there is nothing to wait for, which a timer is not.
async fn pause(length: Duration) {
    if !length.is_zero() {
        tokio::time::sleep(length).await;
    }
}

fn interval(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval
}
