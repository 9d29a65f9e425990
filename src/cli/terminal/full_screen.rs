//! The whole terminal, taken for a while and given back as it was.
//!
//! The one file that speaks crossterm. Invariant: whoever drops it has the terminal back, cursor,
//! modes and what was on it before; only a SIGKILL prevents that.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{Event, EventStream, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::style::{Attribute, Color, Print, SetAttribute, SetForegroundColor};
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap,
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{execute, queue};
use futures_util::StreamExt;

use super::line::{Charset, Line, Style};

/// What was typed at the terminal, or happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// `q`.
    Quit,
    /// Ctrl-C, which is no signal while the terminal is ours.
    Interrupt,
    /// The terminal has another size now, or is to be drawn again.
    Redraw,
    /// Any other key.
    Other,
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: usize,
    pub height: usize,
}

/// The terminal while it is ours.
pub struct FullScreen {
    out: BufWriter<Stdout>,
    events: EventStream,
    charset: Charset,
    coloured: bool,
    /// What the terminal shows.
    shown: Vec<Line>,
    size: Size,
}

/// Whether standard output is a terminal that can be drawn on.
pub fn is_available() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stdout().is_terminal() && !is_dumb
}

impl FullScreen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If there is none that can be read from and drawn on.
    pub fn enter() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        // From here on dropping it gives the terminal back.
        let mut screen = Self {
            out: BufWriter::new(io::stdout()),
            events: EventStream::new(),
            charset: Charset::of_locale(|name| std::env::var(name).ok()),
            coloured: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            shown: Vec::new(),
            size: Size {
                width: 0,
                height: 0,
            },
        };
        execute!(screen.out, EnterAlternateScreen, DisableLineWrap, Hide)?;
        screen.measure()?;
        Ok(screen)
    }

    /// Which characters it shows.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Looks how large it is now, and draws everything next time.
    pub fn measure(&mut self) -> io::Result<()> {
        let (width, height) = terminal::size()?;
        self.size = Size {
            width: width.into(),
            height: height.into(),
        };
        self.shown.clear();
        queue!(self.out, Clear(ClearType::All))
    }

    /// Shows these lines, from the top. Only those are written that are not there already, all at
    /// once, so that nothing flickers.
    pub fn draw(&mut self, lines: Vec<Line>) -> io::Result<()> {
        queue!(self.out, BeginSynchronizedUpdate)?;
        let lines: Vec<Line> = (lines.into_iter().take(self.size.height))
            .map(|line| line.fitted(self.size.width, self.charset))
            .collect();
        for (place, line) in lines.iter().enumerate() {
            if self.shown.get(place) != Some(line) {
                self.write(place, line)?;
            }
        }
        for place in lines.len()..self.shown.len() {
            self.write(place, &Line::default())?;
        }
        self.shown = lines;
        queue!(self.out, EndSynchronizedUpdate)?;
        self.out.flush()
    }

    fn write(&mut self, place: usize, line: &Line) -> io::Result<()> {
        let row = u16::try_from(place).unwrap_or(u16::MAX);
        // Before the text: after its last column some terminals would clear that column, too.
        queue!(self.out, MoveTo(0, row), Clear(ClearType::CurrentLine))?;
        for piece in line.pieces() {
            self.begin(piece.style)?;
            queue!(self.out, Print(&piece.text))?;
            if self.coloured && piece.style != Style::Plain {
                queue!(self.out, SetAttribute(Attribute::Reset))?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, style: Style) -> io::Result<()> {
        let colour = match style {
            _ if !self.coloured => return Ok(()),
            Style::Plain => return Ok(()),
            Style::Strong => return queue!(self.out, SetAttribute(Attribute::Bold)),
            Style::Faint => return queue!(self.out, SetAttribute(Attribute::Dim)),
            Style::Good => Color::DarkGreen,
            Style::Warning => Color::DarkYellow,
            Style::Bad => Color::DarkRed,
        };
        queue!(self.out, SetForegroundColor(colour))
    }

    /// What is done at the terminal next. Cancel-safe.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub async fn input(&mut self) -> io::Result<Input> {
        let event = self.events.next().await;
        let event = event.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
        Ok(match event {
            Event::Resize(..) => Input::Redraw,
            Event::Key(key) if key.kind == KeyEventKind::Release => Input::Other,
            Event::Key(key) => {
                let control = key.modifiers.contains(KeyModifiers::CONTROL);
                match (key.code, control) {
                    (KeyCode::Char('q' | 'Q'), false) => Input::Quit,
                    (KeyCode::Char('c'), true) => Input::Interrupt,
                    // As everywhere: something else has written on the screen.
                    (KeyCode::Char('l'), true) => Input::Redraw,
                    _ => Input::Other,
                }
            }
            Event::FocusGained | Event::FocusLost | Event::Mouse(_) => Input::Other,
        })
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        // What cannot be given back cannot be complained of either.
        let _ = execute!(
            self.out,
            EndSynchronizedUpdate,
            EnableLineWrap,
            Show,
            LeaveAlternateScreen
        );
        let _ = terminal::disable_raw_mode();
    }
}
